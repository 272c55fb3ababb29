"""The trail: every event, newest first, as `trail list` prints it.

Why an earliest instant needs no index: ids and instants rise together, but for a transaction that took long, so the
walk ends a little beyond that instant. What a clock that was set back left behind has been settled by then.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal_column, select

from erpsync.store.tables import event, sku
from erpsync.store.views.feed import tell, with_codes
from erpsync.store.views.orders import find_order
from erpsync.store.views.values import Json, NotFound

PAGE = 500
SLACK = timedelta(hours=1)
"""No transaction lasts as long: an event that old is followed by no younger one on the way back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailFilter:
    """Which events: all that is given must hold. `order` is our number or the channel's id, `since` is inclusive."""

    since: datetime | None = None
    order: str | None = None
    sku: str | None = None
    actor: str | None = None


def iter_trail(
    connection: Connection, wanted: TrailFilter, limit: int = 100, after: int | None = None
) -> Iterator[Json]:
    """Yield events, newest first, as the API tells them, read page by page.

    Args:
        limit: how many at most; 0 is all.
        after: the id of an event: only what comes after it in this list, so older ones.

    Raises:
        NotFound: there is no such order or SKU.
    """
    pages = _pages(connection, wanted, _conditions(connection, wanted), min(limit, PAGE) if limit else PAGE, after)
    return islice((row for page in pages for row in page), limit or None)


def _conditions(connection: Connection, wanted: TrailFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.order is not None:
        conditions += [event.c.order_id == find_order(connection, wanted.order), event.c.order_id.is_not(None)]
    if wanted.sku is not None:
        conditions += [event.c.sku_id == _sku(connection, wanted.sku), event.c.sku_id.is_not(None)]
    if wanted.actor is not None:
        conditions += [event.c.actor == wanted.actor, event.c.actor != literal_column("''")]
    return conditions


def _sku(connection: Connection, code: str) -> int:
    sku_id = connection.execute(select(sku.c.id).where(sku.c.code == code)).scalar()
    if sku_id is None:
        raise NotFound(f"no SKU {code}")
    return int(sku_id)


def _pages(
    connection: Connection,
    wanted: TrailFilter,
    conditions: list[ColumnElement[bool]],
    size: int,
    after: int | None,
) -> Iterator[list[Json]]:
    # An order's events are few and sorted; an index that ends in the id would lead PostgreSQL through everybody's.
    newest_first = event.c.id.desc() if wanted.order is None else (event.c.id + 0).desc()
    query = with_codes().where(*conditions).order_by(newest_first).limit(size)
    while True:
        # Scans event: newest first, along the key or the index of a SKU or actor, and no further than the page is long.
        rows = connection.execute(query if after is None else query.where(event.c.id < after)).all()
        yield tell(connection, [row for row in rows if wanted.since is None or row.at >= wanted.since])
        if len(rows) < size or _is_over(rows[-1], wanted.since):
            return
        after = rows[-1].id


def _is_over(row: Any, since: datetime | None) -> bool:
    return since is not None and bool(row.at < since - SLACK)
