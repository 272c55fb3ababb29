"""One order as it is explained: its row, what `orders show` prints of it, and rows that are needed more than once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, select

from erpsync.core.fulfilment import LINE
from erpsync.flows.context import Channel, Context
from erpsync.flows.explain.steps import Settings
from erpsync.store import tables
from erpsync.store.db.store import Tx
from erpsync.store.releases import is_about
from erpsync.store.tables import dead_letter, hold, order_line, orders, sku, task, warehouse
from erpsync.store.views.values import Json

ENDED = ("cancelled", "completed", "shipped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An order and what is asked about it.

    Args:
        shown: the order as `orders show` prints it.
        channel: None when it is configured no more.
        shop: the channel's row.
        held: its rows of `hold` with `line`, `sku` and `place`.
        letters: open dead letters about it; `tasks` likewise.
    """

    tx: Tx
    ctx: Context
    settings: Settings
    row: Any
    shown: Json
    channel: Channel | None
    shop: Any
    held: Sequence[Any]
    letters: Sequence[Any]
    tasks: Sequence[Any]

    @property
    def number(self) -> str:
        """Our number of the order."""
        return str(self.row.number)

    @property
    def shop_name(self) -> str:
        """The channel's name."""
        return str(self.shown["channel"])

    @property
    def status(self) -> str:
        """The order's status."""
        return str(self.shown["status"])

    @property
    def places(self) -> tuple[int, ...]:
        """The warehouses that may serve it, preferred first."""
        return self.ctx.sourcing.of(self.row.channel_id)

    @property
    def codes(self) -> Mapping[int, str]:
        """The codes of the configured warehouses, by row id."""
        return {row_id: policy.id for row_id, policy in self.ctx.warehouses.items()}


def load_case(tx: Tx, ctx: Context, order_id: int, shown: Json, settings: Settings) -> Case:
    """Return an order with what is asked about it."""
    row = tx.execute(select(orders).where(orders.c.id == order_id)).one()
    held = (
        select(hold, order_line.c.external_id.label("line"), sku.c.code.label("sku"), warehouse.c.code.label("place"))
        .join(order_line, and_(hold.c.owner_kind == LINE, hold.c.owner_id == order_line.c.id))
        .join(sku, sku.c.id == hold.c.sku_id)
        .join(warehouse, warehouse.c.id == hold.c.warehouse_id)
        .where(order_line.c.order_id == order_id)
        .order_by(order_line.c.id, warehouse.c.priority, warehouse.c.code, sku.c.code)
    )
    connection = tx.connection
    letters = select(dead_letter).where(is_about(connection, order_id, dead_letter), dead_letter.c.state == "open")
    tasks = select(task).where(is_about(connection, order_id, task), task.c.closed_at.is_(None))
    return Case(
        tx=tx,
        ctx=ctx,
        settings=settings,
        row=row,
        shown=shown,
        channel=ctx.seller(row.channel_id),
        shop=tx.execute(select(tables.channel).where(tables.channel.c.id == row.channel_id)).one(),
        held=tx.all(held),
        letters=tx.all(letters.order_by(dead_letter.c.id)),
        tasks=tx.all(tasks.order_by(task.c.id)),
    )
