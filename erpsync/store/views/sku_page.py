"""What the page of one SKU shows beside its story: days of stock, counts that wait, numbers that were refused."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from sqlalchemy import Connection, func, literal, select, union_all

from erpsync.store.registry import sku_ids
from erpsync.store.tables import channel, dead_letter, ledger, listing, sku, task, waiting_count, warehouse
from erpsync.store.views.values import Json, row_json


def moved_between(connection: Connection, code: str, bounds: Sequence[datetime]) -> list[int]:
    """Return by how many units a SKU's stock changed from each instant to the next, over all warehouses."""
    spans = list(pairwise(bounds))
    if not spans:
        return []
    id = select(sku.c.id).where(sku.c.code == code).scalar_subquery()
    moved = func.coalesce(func.sum(ledger.c.qty), 0).label("qty")
    sums = (
        select(literal(at).label("at"), moved).where(ledger.c.sku_id == id, ledger.c.at >= begin, ledger.c.at < end)
        for at, (begin, end) in enumerate(spans)
    )
    by_span = {row.at: int(row.qty) for row in connection.execute(union_all(*sums))}
    return [by_span[at] for at in range(len(spans))]


def waiting_counts(connection: Connection, code: str) -> list[Json]:
    """Return counts of a SKU that nobody believes yet: `{warehouse, on_hand, counted_at, channel}`."""
    # Scans waiting_count: counts that wait for a person, no history.
    names = (warehouse.c.code.label("warehouse"), channel.c.name.label("channel"))
    query = (
        select(waiting_count.c.on_hand, waiting_count.c.counted_at, *names)
        .join(warehouse, warehouse.c.id == waiting_count.c.warehouse_id)
        .join(channel, channel.c.id == waiting_count.c.channel_id)
        .where(waiting_count.c.sku == code, ~waiting_count.c.unknown)
        .order_by(warehouse.c.code)
    )
    return [row_json(row, row._fields) for row in connection.execute(query)]


def open_task_of(connection: Connection, kind: str, key: str) -> int | None:
    """Return the id of the open task of this kind and key."""
    query = select(task.c.id).where(task.c.kind == kind, task.c.key == key, task.c.closed_at.is_(None))
    return connection.execute(query).scalar()


def refused_numbers(connection: Connection, code: str) -> dict[tuple[str, str, str], int]:
    """Return the open dead letters of a SKU's numbers that channels refused, by channel, seller code and item."""
    named = select(listing.c.id, listing.c.channel_id, listing.c.channel_sku, listing.c.item_ref, channel.c.name)
    of_sku = named.join(sku, sku.c.id == listing.c.sku_id).join(channel, channel.c.id == listing.c.channel_id)
    listings = {(row.channel_id, str(row.id)): row for row in connection.execute(of_sku.where(sku.c.code == code))}
    letters = select(dead_letter.c.id, dead_letter.c.channel_id, dead_letter.c.key).where(
        dead_letter.c.state == "open",
        dead_letter.c.kind == "stock",
        dead_letter.c.key.in_(sorted({key for _, key in listings})),
    )
    refused: dict[tuple[str, str, str], int] = {}
    for row in connection.execute(letters):
        if (told := listings.get((row.channel_id, row.key))) is not None:
            refused[told.name, told.channel_sku, told.item_ref] = row.id
    return refused


def unknown_skus(connection: Connection, codes: Sequence[str]) -> list[str]:
    """Return those of these codes that are no SKU of ours, in the order given."""
    there = sku_ids(connection, codes)
    return [code for code in dict.fromkeys(codes) if code not in there]
