"""Which orders have units that a warehouse may be told to send."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, select

from erpsync.core.fulfilment import LINE
from erpsync.core.orders import Origin
from erpsync.core.release import OPEN_PHASES
from erpsync.flows.context import Context
from erpsync.sdk.roles import RefundSource
from erpsync.store.tables import backorder, hold, order_hold, order_line, orders, release_line, release_order
from erpsync.store.tables.orders import OPEN_MERGEABLE


def read_to_the_end(ctx: Context, cursors: Mapping[tuple[int, str], Any]) -> list[int]:
    """Return the channels whose refunds are known; of the others nothing may leave yet."""
    readable = []
    for channel in ctx.sellers:
        row = cursors.get((channel.id, "refunds"))
        asks = channel.plays(RefundSource)
        if not asks or (row is not None and row.complete_ended_at is not None):
            readable.append(channel.id)
    return readable


def releasable(ctx: Context, run: Iterable[int], channel_ids: Iterable[int]) -> list[Select[Any]]:
    """Return queries for ids of orders of these channels with units that no open release has.

    Orders leave when all of them is held; those of channels that say so, when anything is, by a query of their own. A
    gift is waited for.

    Args:
        run: ids of the warehouses that releases are made for.
    """
    packing, channels = ctx.packing, sorted(channel_ids)
    in_parts = [id for id in channels if packing.of(id).partial == "ready"]
    whole = [id for id in channels if id not in in_parts]
    queries = []
    if whole:
        untold = select(orders.c.id).join(order_line, order_line.c.order_id == orders.c.id).join(hold, _HELD_FOR_LINE)
        free = (hold.c.warehouse_id.in_(sorted(run)), ~hold.c.released, ~_is_under_way(), ~_waits())
        queries.append(untold.where(*_due(whole), *free).distinct().order_by(orders.c.id))
    if in_parts:
        due = select(orders.c.id).where(*_due(in_parts), ~_waits_for_gift(), _holds_more(run).exists())
        queries.append(due.order_by(orders.c.id))
    return queries


_HELD_FOR_LINE = (hold.c.owner_kind == LINE) & (hold.c.owner_id == order_line.c.id)


def _due(channel_ids: Iterable[int]) -> tuple[ColumnElement[bool], ...]:
    """Return what orders of channels are that may leave as far as nothing but their units is asked."""
    return (
        orders.c.phase.in_(OPEN_PHASES),
        orders.c.ready_at.is_not(None),
        orders.c.channel_id.in_(sorted(channel_ids)),
        ~exists().where(order_hold.c.order_id == orders.c.id),
    )


def _holds_more(run: Iterable[int]) -> Select[Any]:
    """Return a query for lines of an order of which these warehouses hold more than open releases have.

    Why OFFSET: with it PostgreSQL asks for each open order, and does not walk the lines of all orders there ever were.
    """
    more = hold.c.qty > _units_under_way()
    lines = select(order_line.c.id).join(hold, _HELD_FOR_LINE).where(order_line.c.order_id == orders.c.id, more)
    return lines.where(hold.c.warehouse_id.in_(sorted(run))).correlate(orders).offset(0)


def with_partners(query: Select[Any], ids: Sequence[int]) -> Select[Any]:
    """Return the same query for other orders that go to the recipients of these."""
    same = orders.alias("same")
    wanted = select(same.c.merge_index).where(same.c.id.in_(ids), same.c.merge_index.is_not(None))
    return query.where(OPEN_MERGEABLE, orders.c.merge_index.in_(wanted), orders.c.id.not_in(ids))


def _waits() -> ColumnElement[bool]:
    """Whether something of the order is not held."""
    return exists().where(backorder.c.order_id == orders.c.id)


def _waits_for_gift() -> ColumnElement[bool]:
    line = order_line.alias("line")
    waiting = (backorder.c.owner_kind == LINE) & (backorder.c.owner_id == line.c.id)
    return exists().where(backorder.c.order_id == orders.c.id, waiting, line.c.origin == Origin.GIFT.value)


def _open_lines() -> ColumnElement[bool]:
    """Return which rows are of a line's units, of one SKU, in an open release of the same warehouse."""
    return and_(
        release_order.c.order_id == orders.c.id,
        release_order.c.warehouse_id == hold.c.warehouse_id,
        release_order.c.ended_at.is_(None),
        release_line.c.release_id == release_order.c.release_id,
        release_line.c.line_id == hold.c.owner_id,
        release_line.c.sku_id == hold.c.sku_id,
    )


def _is_under_way() -> ColumnElement[bool]:
    return exists().where(_open_lines())


def _units_under_way() -> ColumnElement[int]:
    line = release_line.c
    left = line.qty - line.qty // line.units * line.left_units
    return select(func.coalesce(func.sum(left), 0)).where(_open_lines()).correlate(orders, hold).scalar_subquery()
