"""Which orders a warehouse may be told to send."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Select, exists, select

from erpsync.core.fulfilment import LINE
from erpsync.core.release import OPEN_PHASES
from erpsync.flows.context import Context
from erpsync.sdk.roles import RefundSource
from erpsync.store.tables import backorder, hold, order_hold, order_line, orders, release_order


def read_to_the_end(ctx: Context, cursors: Mapping[tuple[int, str], Any]) -> list[int]:
    """Return the channels whose refunds are known; of the others nothing may leave yet."""
    readable = []
    for channel in ctx.sellers:
        row = cursors.get((channel.id, "refunds"))
        asks = channel.plays(RefundSource)
        if not asks or (row is not None and row.complete_ended_at is not None):
            readable.append(channel.id)
    return readable


def releasable(run: Iterable[int], channel_ids: Iterable[int]) -> Select[Any]:
    """Return a query for orders of these channels that are fully held, and that their warehouse does not know yet.

    Args:
        run: ids of the warehouses that a channel runs.
    """
    open_one = exists().where(
        release_order.c.order_id == orders.c.id,
        release_order.c.warehouse_id == hold.c.warehouse_id,
        release_order.c.ended_at.is_(None),
    )
    return (
        select(orders.c.id)
        .join(order_line, order_line.c.order_id == orders.c.id)
        .join(hold, (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id))
        .where(
            hold.c.warehouse_id.in_(sorted(run)),
            ~hold.c.released,
            orders.c.phase.in_(OPEN_PHASES),
            orders.c.ready_at.is_not(None),
            orders.c.channel_id.in_(sorted(channel_ids)),
            ~exists().where(order_hold.c.order_id == orders.c.id),
            ~exists().where(backorder.c.order_id == orders.c.id),
            ~open_one,
        )
        .distinct()
        .order_by(orders.c.id)
    )
