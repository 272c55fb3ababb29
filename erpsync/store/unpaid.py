"""Orders that nobody has paid yet: those that wait for the money, and those that were held before it came.

Why asked by phase alone, and never by SKU: of a best seller every line ever sold has the SKU, while few orders are
unpaid at any time.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, Subquery, and_, func, literal_column, or_, select, union_all

from erpsync.core.fulfilment import LINE
from erpsync.core.orders import Origin
from erpsync.store.tables import hold, line_part, order_line, orders


def _phase(name: str) -> ColumnElement[str]:
    """Return a phase as text: of a parameter PostgreSQL believes that it may be the one that most orders are in."""
    return literal_column(f"'{name}'")


def unpaid_orders(*which: ColumnElement[bool], after: datetime) -> Select[tuple[int, datetime]]:
    """Return a query for `id` and `placed_at` of the unpaid orders placed after an instant that meet all conditions."""
    chosen = select(orders.c.id, orders.c.placed_at).where(*which, orders.c.placed_at > after)
    held = chosen.where(orders.c.phase == _phase("held"), orders.c.ready_at.is_(None))
    both = union_all(chosen.where(orders.c.phase == _phase("unpaid")), held).subquery("unpaid")
    return select(both.c.id, both.c.placed_at)


def unpaid_by_sku(*which: ColumnElement[bool], skus: Sequence[int], after: datetime) -> Select[tuple[int, int]]:
    """Return a query for `sku_id` and `qty`: units of these orders that hold nothing, for these SKUs among others.

    Of what we added to an order the channel has taken nothing off its number.
    """
    units = _units(which, skus=skus, after=after)
    return select(units.c.sku_id, func.sum(units.c.qty).label("qty")).group_by(units.c.sku_id)


def unpaid_by_order(*which: ColumnElement[bool], skus: Sequence[int], after: datetime) -> Select[tuple[int, int, int]]:
    """Return a query for `order_id`, `sku_id` and `qty`: the same units, order by order, of these SKUs and others."""
    units = _units(which, skus=skus, after=after)
    found = select(units.c.order_id, units.c.sku_id, func.sum(units.c.qty).label("qty"))
    return found.group_by(units.c.order_id, units.c.sku_id)


def _units(which: Sequence[ColumnElement[bool]], *, skus: Sequence[int], after: datetime) -> Subquery:
    """Return units (`order_id`, `sku_id`, `qty`) that unpaid orders want, and those that they hold taken off.

    The lines are looked up once for all three sums: of a channel with thousands of unpaid orders they cost most.
    """
    recent = unpaid_orders(*which, after=after)
    lines = (
        select(
            order_line.c.id,
            order_line.c.order_id,
            order_line.c.sku_id,
            order_line.c.has_parts,
            order_line.c.factor,
            (order_line.c.qty - order_line.c.cancelled_qty - order_line.c.shipped_qty).label("open_qty"),
        )
        .where(
            order_line.c.order_id.in_(recent.with_only_columns(recent.selected_columns.id)),
            or_(order_line.c.has_parts.is_(True), order_line.c.sku_id.in_(skus)),
            order_line.c.origin == Origin.CHANNEL,
        )
        .cte("unpaid_line")
    )
    plain = select(lines.c.order_id, lines.c.sku_id, (lines.c.open_qty * lines.c.factor).label("qty"))
    parts = select(lines.c.order_id, line_part.c.sku_id, lines.c.open_qty * line_part.c.qty)
    held = select(lines.c.order_id, hold.c.sku_id, -hold.c.qty)
    return union_all(
        plain.where(lines.c.has_parts.is_(False)),
        parts.join(lines, lines.c.id == line_part.c.line_id),
        held.join(lines, and_(hold.c.owner_kind == LINE, hold.c.owner_id == lines.c.id)),
    ).subquery("unit")
