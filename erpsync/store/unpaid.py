"""Orders that nobody has paid yet: those that wait for the money, and those that were held before it came.

Why asked by phase alone, and never by SKU: of a best seller every line ever sold has the SKU, while few orders are
unpaid at any time.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, literal_column, select, union_all

from erpsync.store.tables import orders


def _phase(name: str) -> ColumnElement[str]:
    """Return a phase as text: of a parameter PostgreSQL believes that it may be the one that most orders are in."""
    return literal_column(f"'{name}'")


def unpaid_orders(*which: ColumnElement[bool], after: datetime) -> Select[tuple[int, datetime]]:
    """Return a query for `id` and `placed_at` of the unpaid orders placed after an instant that meet all conditions."""
    mine = select(orders.c.id, orders.c.placed_at).where(*which, orders.c.placed_at > after)
    held = mine.where(orders.c.phase == _phase("held"), orders.c.ready_at.is_(None))
    both = union_all(mine.where(orders.c.phase == _phase("unpaid")), held).subquery("unpaid")
    return select(both.c.id, both.c.placed_at)
