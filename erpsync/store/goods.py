"""What a SKU is: title, barcode, weight, volume, floor price and tags; and on which shelf of each warehouse it lies."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, exists, func, select

from erpsync.core.allocation import StockKey
from erpsync.store.db.bulk import delete_many, in_parts, insert_many, update_many
from erpsync.store.db.sequence import set_mark
from erpsync.store.db.store import Stage, Tx
from erpsync.store.tables import HAS_BARCODE, micros, release, sku, sku_place, variant, warehouse
from erpsync.store.views.values import Json

COLUMNS = ("title", "barcode", "weight_g", "volume_cm3", "floor_minor", "floor_currency", "tags")
LACKS = ("title", "barcode", "weight_g", "volume_cm3", "floor", "tags", "shelf")
"""What a SKU may lack."""

BASE = sku.alias("base")
"""What a variant is made of, in queries that are joined `with_base`."""

GOODS_CHANGED = "goods"
"""The mark that says when goods data was changed last."""

_NO_TAGS = "[]"
_UNSAID = {"title": "", "barcode": "", "tags": _NO_TAGS}
_UPSERT = "ON CONFLICT (sku_id, warehouse_id) DO UPDATE SET shelf = excluded.shelf"


def goods_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, Json]:
    """Return what is known of these SKUs, their code and `COLUMNS`, by SKU id; tags are a tuple in order.

    A variant is what its base is, where nothing is known of it alone, and goes by the code of its base.
    """
    code = func.coalesce(BASE.c.code, sku.c.code).label("code")
    return _goods(connection, with_base(select(sku.c.id, code, *map(known, COLUMNS)).select_from(sku)), sku_ids)


def own_goods_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, Json]:
    """Return what people said of these SKUs themselves, as `goods_of` does."""
    return _goods(connection, select(sku.c.id, sku.c.code, *(sku.c[name] for name in COLUMNS)), sku_ids)


def with_base(query: Select[Any]) -> Select[Any]:
    """Return a query of SKUs joined with the base SKU of those that are variants, as `BASE`."""
    return query.outerjoin(variant, variant.c.sku_id == sku.c.id).outerjoin(BASE, BASE.c.id == variant.c.base_id)


def known(name: str) -> ColumnElement[Any]:
    """Return one of `COLUMNS` in a query that is joined `with_base`: a variant's own, else that of its base."""
    own, base = sku.c[name], BASE.c[name]
    if name in _UNSAID:
        return case((own == _UNSAID[name], func.coalesce(base, own)), else_=own).label(name)
    if name == "floor_currency":  # it goes with its amount
        return case((sku.c.floor_minor.is_(None), func.coalesce(base, own)), else_=own).label(name)
    return func.coalesce(own, base).label(name)


def _goods(connection: Connection, query: Select[Any], sku_ids: Iterable[int]) -> dict[int, Json]:
    found: dict[int, Json] = {}
    for part in in_parts(sku_ids):
        for row in connection.execute(query.where(sku.c.id.in_(part))):
            named = {name: getattr(row, name) for name in COLUMNS}
            found[row.id] = {"code": row.code, **named, "tags": tuple(json.loads(row.tags))}
    return found


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


OF_BASE = sku_place.alias("of_base")
"""Where the base of a variant lies, in queries that are joined `with_shelf`."""

SHELF = func.coalesce(sku_place.c.shelf, OF_BASE.c.shelf).label("shelf")
"""Where a SKU lies in the warehouse of its release, in such queries: a variant beside its base if nobody said else."""


def with_shelf(query: Select[Any]) -> Select[Any]:
    """Return a query of lines of releases, joined `with_base`, joined with the shelves in the release's warehouse."""
    own = (sku_place.c.sku_id == sku.c.id) & (sku_place.c.warehouse_id == release.c.warehouse_id)
    base = (OF_BASE.c.sku_id == variant.c.base_id) & (OF_BASE.c.warehouse_id == release.c.warehouse_id)
    return query.outerjoin(sku_place, own).outerjoin(OF_BASE, base)


def own_shelves_of(connection: Connection, sku_ids: Iterable[int]) -> dict[StockKey, str]:
    """Return on which shelf of each warehouse these SKUs lie, as people said of them themselves."""
    shelves: dict[StockKey, str] = {}
    for part in in_parts(sku_ids):
        for row in connection.execute(select(sku_place).where(sku_place.c.sku_id.in_(part))):
            shelves[StockKey(row.sku_id, row.warehouse_id)] = row.shelf
    return shelves


def shelves_of(connection: Connection, sku_ids: Iterable[int]) -> dict[StockKey, str]:
    """Return on which shelf of each warehouse these SKUs lie; a variant lies beside its base if nobody said else."""
    wanted = set(sku_ids)
    shelves: dict[StockKey, str] = {}
    of_base = select(variant.c.sku_id, sku_place.c.warehouse_id, sku_place.c.shelf).join(
        sku_place, sku_place.c.sku_id == variant.c.base_id
    )
    for part in in_parts(wanted):
        for row in connection.execute(of_base.where(variant.c.sku_id.in_(part))):
            shelves[StockKey(row.sku_id, row.warehouse_id)] = row.shelf
    return shelves | own_shelves_of(connection, wanted)


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
    """Return what is known of SKUs, by code; a variant only where it is asked for by its own.

    Each is `{sku, title, barcode, weight_g, volume_cm3, floor_minor, floor_currency, tags, shelves}`, weight, volume
    and floor price None where nobody said; `shelves` are `{warehouse, shelf}`.

    Args:
        lacks: one of `LACKS`: only those of which it is not known.
        limit: how many at most; 0 is all.
        after: the code of a SKU: only what comes after it is returned.
    """
    # Scans sku: it is as long as the assortment, no history.
    query = with_base(select(sku.c.id, sku.c.code, *map(known, COLUMNS)).select_from(sku))
    query = query.order_by(sku.c.code).limit(limit or None)
    for condition in _conditions(sku_code, tag, lacks, after):
        query = query.where(condition)
    rows = connection.execute(query).all()
    shelves = _named_shelves(connection, shelves_of(connection, [row.id for row in rows]))
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
    yield variant.c.sku_id.is_(None) if code is None else sku.c.code == code
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


def _named_shelves(connection: Connection, shelves: Mapping[StockKey, str]) -> dict[int, list[Json]]:
    by_sku: dict[int, list[Json]] = {}
    if shelves:
        places = select(warehouse.c.id, warehouse.c.code).order_by(warehouse.c.priority, warehouse.c.code)
        named = connection.execute(places).all()
        for sku_id in {place.sku_id for place in shelves}:
            keys = [(row.code, StockKey(sku_id, row.id)) for row in named]
            by_sku[sku_id] = [{"warehouse": code, "shelf": shelves[key]} for code, key in keys if key in shelves]
    return by_sku
