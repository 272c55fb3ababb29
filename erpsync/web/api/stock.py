"""`/stock`, `/goods` and `/listings`."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.explain.explain import explain_sku
from erpsync.flows.imports import ImportResult
from erpsync.flows.inventory.counts import Count, add_stock, import_counts
from erpsync.store.goods import list_goods
from erpsync.store.views import list_listings, list_stock
from erpsync.web.api import examples
from erpsync.web.api.deps import Doing, Reader, TheDeps, answer, page
from erpsync.web.api.models import Adjustment, Counts
from erpsync.web.api.orders import After, Limit
from erpsync.web.api.paging import pack, unpack

router = APIRouter(tags=["stock"])


@router.get("/stock", responses=examples.page_of(examples.STOCK))
def list_(
    deps: TheDeps,
    access: Reader,
    *,
    warehouse: Annotated[str | None, Query(description="only of this warehouse")] = None,
    sku: Annotated[str | None, Query(description="only of this SKU")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Stock per warehouse and SKU, by SKU; `available` is what may still be promised."""
    place = unpack(after, 2)
    with deps.reading() as connection:
        rows = list_stock(
            connection,
            warehouse_code=warehouse,
            sku_code=sku,
            limit=limit + 1,
            after=(place[0], place[1]) if place else None,
        )
    last = rows[limit - 1] if len(rows) > limit else None
    return page(rows[:limit], None if last is None else pack(last["sku"], last["warehouse"]))


@router.post("/stock/adjust", responses=examples.one(examples.STOCK))
def adjust(change: Adjustment, doing: Doing) -> Response:
    """Add units to one SKU in one warehouse, or take some away; never below nothing."""

    def act(ctx: Context) -> None:
        add_stock(
            ctx,
            warehouse=change.warehouse,
            sku=change.sku,
            qty=change.qty,
            reason=change.reason,
            actor=doing.actor,
        )

    return doing.answer(act, lambda ctx, done: _one(ctx, change.warehouse, change.sku))


def _one(ctx: Context, warehouse: str, sku: str) -> dict[str, Any]:
    with ctx.store.read() as connection:
        return list_stock(connection, warehouse_code=warehouse, sku_code=sku)[0]


@router.post("/stock/import", responses=examples.one(examples.IMPORTED))
def import_(counts: Counts, doing: Doing) -> Response:
    """Take counts in; a row that cannot be taken is refused by itself, with its place in the list.

    Units that left since `as_of` are taken off; a row older than the last count is refused.
    """
    rows = [
        Count(warehouse=row.warehouse, sku=row.sku, on_hand=row.on_hand, as_of=row.as_of, source=f"counts[{number}]")
        for number, row in enumerate(counts.counts)
    ]

    def act(ctx: Context) -> ImportResult:
        return import_counts(ctx, rows, actor=doing.actor, reason=counts.reason)

    return doing.answer(act, lambda ctx, done: _imported(done), again=True)


def _imported(done: ImportResult) -> dict[str, Any]:
    return {"taken": done.taken, "refused": [{"at": at, "problem": said} for at, said in done.refused]}


@router.get("/skus/{sku}/explain", responses=examples.one(examples.EXPLAINED_SKU))
def explain(sku: Annotated[str, Path(description="our SKU")], deps: TheDeps, access: Reader) -> Response:
    """Why one SKU shows the number it shows on each channel, step by step, and what waits."""
    return answer(explain_sku(deps.ctx, sku, deps.settings))


Lacks = Literal["title", "barcode", "weight_g", "volume_cm3", "floor", "tags", "shelf"]


@router.get("/goods", tags=["goods"], responses=examples.page_of(examples.GOODS))
def goods(
    deps: TheDeps,
    access: Reader,
    *,
    sku: Annotated[str | None, Query(description="only this SKU")] = None,
    tag: Annotated[str | None, Query(description="only those with this tag")] = None,
    lacks: Annotated[Lacks | None, Query(description="only those of which this is not known")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """What SKUs are, by code, and on which shelf of each warehouse they lie; null is what nobody has said."""
    place = unpack(after, 1)
    with deps.reading() as connection:
        rows = list_goods(
            connection, sku_code=sku, tag=tag, lacks=lacks, limit=limit + 1, after=place[0] if place else None
        )
    return page(rows[:limit], pack(rows[limit - 1]["sku"]) if len(rows) > limit else None)


@router.get("/listings", tags=["listings"], responses=examples.page_of(examples.LISTING))
def listings(
    deps: TheDeps,
    access: Reader,
    *,
    channel: Annotated[str | None, Query(description="only of this channel")] = None,
    sku: Annotated[str | None, Query(description="only of this SKU of ours")] = None,
    unmapped: Annotated[bool, Query(description="only those tied to no SKU")] = False,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """What channels sell, with the number each was told last."""
    place = unpack(after, 3)
    with deps.reading() as connection:
        rows = list_listings(
            connection,
            channel_name=channel,
            sku_code=sku,
            unmapped=unmapped,
            limit=limit + 1,
            after=(place[0], place[1], place[2]) if place else None,
        )
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else pack(last["channel"], last["channel_sku"], last["item_ref"])
    return page(rows[:limit], following)
