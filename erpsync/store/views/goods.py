"""What the catalogue sells under a text, and the newest orders of it.

Why the catalogue first: it is as large as the assortment, not as the history. Every thing that was ever ordered is
listed, with the title of its first order where the channel shows no catalogue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from unicodedata import normalize

from sqlalchemy import ColumnElement, Connection, Select, Subquery, and_, func, or_, select

from erpsync.store.names import plain
from erpsync.store.tables import bundle, listing, order_line, sku

MOST_THINGS = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Things:
    """SKUs of ours by id, and seller codes that are nobody's SKU."""

    skus: set[int] = field(default_factory=set)
    codes: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What a text fits, what of it has exactly this code, and what to know about it."""

    things: Things
    exact: Things
    note: str = ""


def find_goods(connection: Connection, text: str) -> Goods:
    """Return the goods in whose title or code every word of a text stands."""
    plain_codes = select(sku.c.id.label("sku_id"), sku.c.code, sku.c.code.label("channel_sku"))
    rows = [
        *connection.execute(plain_codes.where(_holds(sku.c.code, text)).limit(MOST_THINGS)),
        *connection.execute(_listed(text).limit(MOST_THINGS)),
    ]
    things, exact = Things(), Things()
    for row in rows:
        _add(row, things)
        if plain(text) in (plain(row.code or ""), plain(row.channel_sku)):
            _add(row, exact)
    for each in (things, exact):
        each.skus.update(_bundles_with(connection, each.skus))
    note = (
        f"more than {MOST_THINGS:,} goods fit; a longer text finds the right ones" if len(rows) >= MOST_THINGS else ""
    )
    return Goods(things=things, exact=exact, note=note)


def _listed(text: str) -> Select[Any]:
    query = select(listing.c.sku_id, sku.c.code, listing.c.channel_sku).outerjoin(sku, sku.c.id == listing.c.sku_id)
    return query.where(_holds(listing.c.title + " " + listing.c.channel_sku, text))


def _add(row: Any, things: Things) -> None:
    if row.sku_id is None:
        things.codes.add(row.channel_sku)
    else:
        things.skus.add(row.sku_id)


def _holds(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether every word of a text stands in a column, or the whole with other spaces and dashes, or as it is."""
    words = normalize("NFKC", text).lower().split()
    lower = func.lower(column)
    dense = func.replace(func.replace(lower, " ", ""), "-", "")
    return or_(
        and_(*(lower.contains(word, autoescape=True) for word in words)),
        dense.contains(plain(text), autoescape=True),
        column.contains(text, autoescape=True),
    )


def _bundles_with(connection: Connection, skus: Iterable[int]) -> Iterable[int]:
    return connection.execute(select(bundle.c.bundle_id).where(bundle.c.sku_id.in_(sorted(skus)))).scalars()


def orders_of(connection: Connection, things: Things, limit: int) -> set[int]:
    """Return the newest orders, `limit` at least if there are so many, in which any of these things is."""
    found: set[int] = set()
    for newest, mine in sorted(_places(connection, things, limit), key=lambda place: -place[0]):
        if len(found) >= limit and newest <= min(found):
            break
        query = select(order_line.c.order_id).where(*mine).order_by(order_line.c.order_id.desc()).limit(limit)
        found = set(sorted(found.union(connection.execute(query).scalars()), reverse=True)[:limit])
    return found


def _places(connection: Connection, things: Things, limit: int) -> list[tuple[int, Sequence[ColumnElement[bool]]]]:
    """Return the things that were ordered last, each with the id of its newest order and what its lines have."""
    mapped = select(sku.c.id.label("thing")).where(sku.c.id.in_(sorted(things.skus))).subquery()
    loose = (
        select(listing.c.channel_sku.label("thing"))
        .distinct()
        .where(listing.c.sku_id.is_(None), listing.c.channel_sku.in_(sorted(things.codes)))
        .subquery()
    )
    lines = order_line.c
    return [
        *(
            (at, [lines.sku_id == id])
            for id, at in _newest(connection, mapped, [lines.sku_id == mapped.c.thing], limit)
        ),
        *(
            (at, [lines.channel_sku == code, lines.sku_id.is_(None)])
            for code, at in _newest(
                connection, loose, [lines.channel_sku == loose.c.thing, lines.sku_id.is_(None)], limit
            )
        ),
    ]


def _newest(connection: Connection, things: Subquery, mine: Sequence[ColumnElement[bool]], limit: int) -> Sequence[Any]:
    """Return (thing, id of its newest order) of those ordered last."""
    newest = select(func.max(order_line.c.order_id)).where(*mine).correlate(things).scalar_subquery()
    query = select(things.c.thing, newest.label("newest")).subquery()
    found = select(query).where(query.c.newest.is_not(None)).order_by(query.c.newest.desc()).limit(limit)
    return connection.execute(found).all()
