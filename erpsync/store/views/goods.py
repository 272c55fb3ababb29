"""What the catalogue sells under a text, and the newest orders of it.

Why the catalogue first: it is as large as the assortment, not as the history. Every thing that was ever ordered is
listed, with the title of its first order where the channel shows no catalogue.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, and_, func, or_, select

from erpsync.store.names import plain
from erpsync.store.tables import UNMAPPED_LINE, UNMAPPED_LISTING, bundle, listing, order_line, orders, sku

MOST_THINGS = 2000
FEW = 4
STEP, MOST_STEP = 1024, 65536  # orders gone through at a time, where many things are wanted


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
    """Return the goods in whose title, code or barcode every word of a text stands; ours, or a channel's."""
    ours = select(sku.c.id.label("sku_id"), sku.c.code, sku.c.barcode.label("channel_sku"))
    said = sku.c.code + " " + sku.c.title + " " + sku.c.barcode
    rows = [
        *connection.execute(ours.where(holds_words(said, text)).limit(MOST_THINGS)),
        *connection.execute(_listed(text).limit(MOST_THINGS)),
    ]
    things, exact, name = Things(), Things(), plain(text)
    for row in rows:
        _add(row, things)
        if name in (plain(row.channel_sku), plain(row.code or "")):
            _add(row, exact)
    for goods in (things, exact):
        goods.skus.update(_bundles_with(connection, goods.skus))
    note = (
        f"more than {MOST_THINGS:,} goods fit; a longer text finds the right ones" if len(rows) >= MOST_THINGS else ""
    )
    return Goods(things=things, exact=exact, note=note)


def _listed(text: str) -> Select[Any]:
    query = select(listing.c.sku_id, sku.c.code, listing.c.channel_sku).outerjoin(sku, sku.c.id == listing.c.sku_id)
    return query.where(holds_words(listing.c.title + " " + listing.c.channel_sku, text))


def _add(row: Any, things: Things) -> None:
    if row.sku_id is None:
        things.codes.add(row.channel_sku)
    else:
        things.skus.add(row.sku_id)


def holds_words(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    """Whether every word of a text stands in a column, whatever spaces and dashes; or the text as it was typed."""
    dense = func.replace(func.replace(func.lower(column), " ", ""), "-", "")
    words = and_(*(dense.contains(plain(word), autoescape=True) for word in text.split() if plain(word)))
    return words if text.isascii() else or_(words, column.contains(text, autoescape=True))


def _bundles_with(connection: Connection, skus: Iterable[int]) -> Iterable[int]:
    return connection.execute(select(bundle.c.bundle_id).where(bundle.c.sku_id.in_(sorted(skus)))).scalars()


def orders_of(connection: Connection, things: Things, limit: int) -> set[int]:
    """Return the newest orders, `limit` at most, in which any of these things is."""
    of_skus = _orders_of(connection, _mapped(things.skus), order_line.c.sku_id, [], limit)
    unmapped = [UNMAPPED_LINE]
    of_codes = _orders_of(connection, _unmapped(things.codes), order_line.c.channel_sku, unmapped, limit)
    return set(sorted(of_skus | of_codes, reverse=True)[:limit])


def _mapped(skus: Iterable[int]) -> Select[Any]:
    return select(sku.c.id.label("thing")).where(sku.c.id.in_(sorted(skus)))


def _unmapped(codes: Iterable[str]) -> Select[Any]:
    unmapped = select(listing.c.channel_sku.label("thing")).distinct().where(UNMAPPED_LISTING)
    return unmapped.where(listing.c.channel_sku.in_(sorted(codes)))


def _orders_of(
    connection: Connection,
    wanted: Select[Any],
    column: Column[Any],
    conditions: Sequence[ColumnElement[bool]],
    limit: int,
) -> set[int]:
    """Return the newest orders of whose lines a column is one of the things wanted."""
    # Scans order_line: the end of each thing's stretch of the index.
    things = wanted.subquery()
    last = select(func.max(order_line.c.order_id)).where(column == things.c.thing, *conditions).correlate(things)
    newest = select(things.c.thing, last.scalar_subquery().label("at")).subquery()
    rows = connection.execute(
        select(newest).where(newest.c.at.is_not(None)).order_by(newest.c.at.desc()).limit(limit)
    ).all()
    # The newest `limit` orders are of the things that were ordered last.
    sold, at = [row.thing for row in rows], max((row.at for row in rows), default=0)
    ids: set[int] = set()
    step = STEP if len(rows) > FEW else at
    while at > 0 and len(ids) < limit:
        stretch = [order_line.c.order_id > at - step, order_line.c.order_id <= at]
        for group in [sold] if len(rows) > FEW else [[thing] for thing in sold]:
            query = select(order_line.c.order_id).distinct().where(column.in_(group), *conditions, *stretch)
            ids.update(connection.execute(query.order_by(order_line.c.order_id.desc()).limit(limit)).scalars())
        at, step = at - step, min(4 * step, MOST_STEP)
    return ids


def codes_of(connection: Connection, goods: Goods, limit: int) -> list[str]:
    """Return codes of SKUs that were found, those named exactly first."""
    codes: list[str] = []
    for ids in (goods.exact.skus, goods.things.skus - goods.exact.skus):
        if ids and len(codes) < limit:
            query = select(sku.c.code).where(sku.c.id.in_(sorted(ids))).order_by(sku.c.code).limit(limit - len(codes))
            codes += connection.execute(query).scalars()
    return codes


def titles_of(connection: Connection, numbers: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return what was bought, in the channel's words: title by line id, by order number."""
    query = select(orders.c.number, order_line.c.external_id, order_line.c.title, order_line.c.channel_sku)
    titles: dict[str, dict[str, str]] = {}
    joined = query.join(order_line, order_line.c.order_id == orders.c.id).where(orders.c.number.in_(numbers))
    for row in connection.execute(joined.order_by(order_line.c.id)):
        titles.setdefault(row.number, {})[row.external_id] = row.title or row.channel_sku
    return titles
