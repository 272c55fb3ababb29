"""A page of listings, those of one state where asked, and which orders wait for seller codes that nobody has mapped.

Why channel by channel: each is read along the key of the table, so that a page costs the same wherever it lies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, tuple_

from erpsync.store.db.bulk import in_parts
from erpsync.store.names import plain
from erpsync.store.tables import UNMAPPED_LINE, UNMAPPED_LISTING, channel, listing, order_line, orders, sku
from erpsync.store.views.goods import holds_words
from erpsync.store.views.values import Json, row_json

STATES = ("unmapped", "mapped", "no_goods", "refused", "all")

_OPEN = ("partially_shipped", "held", "unpaid", "ready")
_SHOWN = ("id", "channel", "channel_sku", "item_ref", "title", "sku", "factor", "no_stock")
_TOLD = ("told_qty", "told_sure", "told_at", "shown_qty", "shown_at", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingFilter:
    """Which listings are wanted: of a channel, in whose title or code a text stands, of one of `STATES`."""

    channel: str | None = None
    text: str = ""
    state: str = "all"


def page_of_listings(connection: Connection, wanted: ListingFilter, limit: int, after: int = 0) -> list[Json]:
    """Return listings by channel and seller code.

    Args:
        after: the id of a listing: only what comes after it in this list is returned.
    """
    last = connection.execute(_named().where(listing.c.id == after)).first() if after else None
    named = select(channel.c.id, channel.c.name).order_by(channel.c.name)
    if wanted.channel is not None:
        named = named.where(channel.c.name == wanted.channel)
    rows: list[Any] = []
    for shop in connection.execute(named).all():
        if len(rows) >= limit or (last is not None and shop.name < last.channel):
            continue
        query = _named().where(listing.c.channel_id == shop.id, *_conditions(wanted))
        if last is not None and shop.name == last.channel:
            query = query.where(
                tuple_(listing.c.channel_sku, listing.c.item_ref) > tuple_(last.channel_sku, last.item_ref)
            )
        in_turn = query.order_by(listing.c.channel_sku, listing.c.item_ref).limit(limit - len(rows))
        rows += connection.execute(in_turn).all()
    return [row_json(row, (*_SHOWN, *_TOLD)) for row in rows]


def listings_of(connection: Connection, ids: Iterable[int]) -> dict[int, Json]:
    """Return listings by id."""
    listings: dict[int, Json] = {}
    for part in in_parts(ids):
        for row in connection.execute(_named().where(listing.c.id.in_(part))):
            listings[row.id] = row_json(row, (*_SHOWN, *_TOLD))
    return listings


def _named() -> Any:
    names = (channel.c.name.label("channel"), sku.c.code.label("sku"))
    joined = select(listing, *names).join(channel, channel.c.id == listing.c.channel_id)
    return joined.outerjoin(sku, sku.c.id == listing.c.sku_id)


def _conditions(wanted: ListingFilter) -> list[ColumnElement[bool]]:
    states: dict[str, ColumnElement[bool]] = {
        "unmapped": UNMAPPED_LISTING,
        "mapped": listing.c.sku_id.is_not(None),
        "no_goods": listing.c.no_stock,
        "refused": listing.c.refused != "",
    }
    conditions = [states[wanted.state]] if wanted.state in states else []
    if plain(wanted.text):
        conditions.append(holds_words(listing.c.title + " " + listing.c.channel_sku, wanted.text))
    return conditions


def waiting_orders(connection: Connection, codes: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return how many orders wait for seller codes to be mapped, by channel and code."""
    query = (
        select(channel.c.name, order_line.c.channel_sku, func.count(order_line.c.order_id.distinct()).label("waiting"))
        .join(orders, orders.c.id == order_line.c.order_id)
        .join(channel, channel.c.id == orders.c.channel_id)
        .where(UNMAPPED_LINE, orders.c.phase.in_(_OPEN))
        .group_by(channel.c.name, order_line.c.channel_sku)
    )
    counts: dict[tuple[str, str], int] = {}
    for part in in_parts(codes):
        for row in connection.execute(query.where(order_line.c.channel_sku.in_(part))):
            counts[row.name, row.channel_sku] = int(row.waiting)
    return counts


def orders_without_sku(connection: Connection, things: Sequence[tuple[str, str]]) -> set[int]:
    """Return the open orders that have a line nobody has mapped under one of these codes, each with its channel."""
    query = (
        select(order_line.c.order_id, order_line.c.channel_sku, channel.c.name)
        .join(orders, orders.c.id == order_line.c.order_id)
        .join(channel, channel.c.id == orders.c.channel_id)
        .where(UNMAPPED_LINE, orders.c.phase.in_(_OPEN))
    )
    named, ids = set(things), set[int]()
    for part in in_parts({code for _, code in named}):
        rows = connection.execute(query.where(order_line.c.channel_sku.in_(part)))
        ids |= {row.order_id for row in rows if (row.name, row.channel_sku) in named}
    return ids


def still_unmapped(connection: Connection, order_ids: Iterable[int]) -> set[int]:
    """Return those of these orders that have any line nobody has mapped."""
    ids: set[int] = set()
    for part in in_parts(order_ids):
        query = select(order_line.c.order_id).where(UNMAPPED_LINE, order_line.c.order_id.in_(part))
        ids |= set(connection.execute(query.distinct()).scalars())
    return ids
