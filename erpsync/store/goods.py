"""What a SKU is: title, barcode, weight, volume, floor price and tags; and on which shelf of each warehouse it lies."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, exists, func, select

from erpsync.core.allocation import StockKey
from erpsync.store.db.bulk import delete_many, in_parts, insert_many, update_many
from erpsync.store.db.sequence import set_mark
from erpsync.store.db.store import Stage, Tx
from erpsync.store.tables import HAS_BARCODE, micros, sku, sku_place, warehouse
from erpsync.store.views.values import Json

COLUMNS = ("title", "barcode", "weight_g", "volume_cm3", "floor_minor", "floor_currency", "tags")
LACKS = ("title", "barcode", "weight_g", "volume_cm3", "floor", "tags", "shelf")
"""What a SKU may lack."""

GOODS_CHANGED = "goods"
"""The mark that says when goods data was changed last."""

_NO_TAGS = "[]"
_UPSERT = "ON CONFLICT (sku_id, warehouse_id) DO UPDATE SET shelf = excluded.shelf"


def goods_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, Json]:
    """Return what is known of these SKUs, their code and `COLUMNS`, by SKU id; tags are a tuple in order."""
    known: dict[int, Json] = {}
    for part in in_parts(sku_ids):
        query = select(sku.c.id, sku.c.code, *(sku.c[name] for name in COLUMNS)).where(sku.c.id.in_(part))
        for row in connection.execute(query):
            named = {name: getattr(row, name) for name in COLUMNS}
            known[row.id] = {"code": row.code, **named, "tags": tuple(json.loads(row.tags))}
    return known


def write_goods(tx: Tx, changed: Mapping[int, Mapping[str, Any]]) -> None:
    """Set what is known of SKUs, all of `COLUMNS` of each; rules that ask about it judge open orders anew."""
    rows = [
        {"id": id, **{name: row[name] for name in COLUMNS}, "tags": json.dumps(row["tags"], ensure_ascii=False)}
        for id, row in sorted(changed.items())
    ]
    update_many(tx, sku, rows, keys=["id"])
    if rows:
        set_mark(tx, GOODS_CHANGED, micros(tx.now))
        tx.wake(Stage.LOOK)


def shelves_of(connection: Connection, sku_ids: Iterable[int]) -> dict[StockKey, str]:
    """Return on which shelf of each warehouse these SKUs lie."""
    shelves: dict[StockKey, str] = {}
    for part in in_parts(sku_ids):
        for row in connection.execute(select(sku_place).where(sku_place.c.sku_id.in_(part))):
            shelves[StockKey(row.sku_id, row.warehouse_id)] = row.shelf
    return shelves


def write_shelves(tx: Tx, shelves: Mapping[StockKey, str]) -> None:
    """Set on which shelves SKUs lie; an empty one is none any more."""
    rows = [{"sku_id": place.sku_id, "warehouse_id": place.warehouse_id} for place in sorted(shelves)]
    named = {place: shelf for place, shelf in shelves.items() if shelf}
    delete_many(tx, sku_place, [row for row in rows if StockKey(**row) not in named])
    kept = [{**row, "shelf": named[StockKey(**row)]} for row in rows if StockKey(**row) in named]
    insert_many(tx, sku_place, kept, conflict=_UPSERT)


def skus_with_barcode(connection: Connection, barcodes: Iterable[str]) -> dict[str, list[str]]:
    """Return the codes of the SKUs that have each of these barcodes, in order."""
    found: dict[str, list[str]] = {}
    for part in in_parts(barcodes):
        query = select(sku.c.barcode, sku.c.code).where(HAS_BARCODE, sku.c.barcode.in_(part)).order_by(sku.c.code)
        for row in connection.execute(query):
            found.setdefault(row.barcode, []).append(row.code)
    return found


def list_goods(
    connection: Connection,
    *,
    sku_code: str | None = None,
    tag: str | None = None,
    lacks: str | None = None,
    limit: int = 0,
    after: str | None = None,
) -> list[Json]:
    """Return what is known of SKUs, by code.

    Each is `{sku, title, barcode, weight_g, volume_cm3, floor_minor, floor_currency, tags, shelves}`, weight, volume
    and floor price None where nobody said; `shelves` are `{warehouse, shelf}`.

    Args:
        lacks: one of `LACKS`: only those of which it is not known.
        limit: how many at most; 0 is all.
        after: the code of a SKU: only what comes after it is returned.
    """
    # Scans sku: it is as long as the assortment, no history.
    query = select(sku.c.id, sku.c.code, *(sku.c[name] for name in COLUMNS)).order_by(sku.c.code).limit(limit or None)
    for condition in _conditions(sku_code, tag, lacks, after):
        query = query.where(condition)
    rows = connection.execute(query).all()
    shelves = _named_shelves(connection, [row.id for row in rows])
    return [
        {
            "sku": row.code,
            **{name: getattr(row, name) for name in COLUMNS},
            "tags": json.loads(row.tags),
            "shelves": shelves.get(row.id, []),
        }
        for row in rows
    ]


def _conditions(
    code: str | None, tag: str | None, lacks: str | None, after: str | None
) -> Iterable[ColumnElement[bool]]:
    if code is not None:
        yield sku.c.code == code
    if tag is not None:  # compared by what is left without it: LIKE does not tell A from a everywhere
        yield func.replace(sku.c.tags, json.dumps(tag, ensure_ascii=False), "") != sku.c.tags
    if lacks is not None:
        yield _lacking(lacks)
    if after is not None:
        yield sku.c.code > after


def _lacking(name: str) -> ColumnElement[bool]:
    if name == "shelf":
        return ~exists().where(sku_place.c.sku_id == sku.c.id)
    if name == "tags":
        return sku.c.tags == _NO_TAGS
    if name in ("title", "barcode"):
        return sku.c[name] == ""
    return sku.c["floor_minor" if name == "floor" else name].is_(None)


def _named_shelves(connection: Connection, ids: Sequence[int]) -> dict[int, list[Json]]:
    query: Select[Any] = select(sku_place.c.sku_id, warehouse.c.code, sku_place.c.shelf).join(
        warehouse, warehouse.c.id == sku_place.c.warehouse_id
    )
    by_sku: dict[int, list[Json]] = {}
    for part in in_parts(ids):
        named = query.where(sku_place.c.sku_id.in_(part)).order_by(warehouse.c.priority, warehouse.c.code)
        for row in connection.execute(named):
            by_sku.setdefault(row.sku_id, []).append({"warehouse": row.code, "shelf": row.shelf})
    return by_sku
