"""The door of this room: an order or a SKU by its name."""

from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.flows.explain import orders, skus
from erpsync.flows.explain.steps import Settings, Unwritten
from erpsync.store.tables import sku
from erpsync.store.views.sku_story import LATEST
from erpsync.store.views.values import Json, NotFound

NOWHERE = Unwritten()


def explain(ctx: Context, name: str, settings: Settings = NOWHERE) -> Json:
    """Return what is so with the order, or else the SKU, of that name, and why; raises `NotFound` for neither.

    Args:
        settings: where the settings of the context are written.
    """
    with ctx.store.looking() as tx:
        try:
            return orders.explain_order(tx, ctx, name, settings)
        except NotFound:
            if tx.execute(select(sku.c.id).where(sku.c.code == name)).first() is None:
                raise NotFound(f"no order and no SKU {name}") from None
        return skus.explain_sku(tx, ctx, name, settings)


def explain_order(ctx: Context, name: str, settings: Settings = NOWHERE) -> Json:
    """Return what is so with an order and why, see `orders.explain_order`; raises `NotFound`."""
    with ctx.store.looking() as tx:
        return orders.explain_order(tx, ctx, name, settings)


def explain_sku(ctx: Context, code: str, settings: Settings = NOWHERE, *, latest: int = LATEST) -> Json:
    """Return what is so with a SKU and why, see `skus.explain_sku`; raises `NotFound`."""
    with ctx.store.looking() as tx:
        return skus.explain_sku(tx, ctx, code, settings, latest=latest)
