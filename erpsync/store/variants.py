"""SKUs with what somebody wants of them: which SKU is a variant, of what; and the one of a spec, made if it is new."""

import json
from base64 import b32encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, exists, func, or_, select, text

from erpsync.core.specs import canonical
from erpsync.store.db.bulk import in_parts, insert_many, new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import line_spec_row, variant_row
from erpsync.store.registry import lock_skus
from erpsync.store.tables import (
    PERSONAL,
    SUPPLY_IS_OPEN,
    item,
    line_part,
    line_spec,
    order_line,
    orders,
    sku,
    stock,
    supply,
    variant,
)

BETWEEN = "~"
"""Stands between the code of a base SKU and what tells its variants apart."""

HAS_SPEC = text("variant.spec IS NOT NULL")
_IS_ERASED = variant.c.spec.is_(None)
_OPEN = ("partially_shipped", "held", "unpaid", "ready")
_LENGTHS = (8, 16, 26)  # all of the digest at last

Spec = Mapping[str, str]
"""Values by parameter."""


class Custom(NamedTuple):
    """A SKU that is made as somebody wants it: its base, which may be itself, and the rules by which that is read."""

    base_id: int
    rules: str


class Wanted(NamedTuple):
    """A base SKU and its spec, in canonical form."""

    base_id: int
    spec: str


def wanted(base_id: int, spec: Spec) -> Wanted:
    """Return a spec of a SKU such that equal ones are equal."""
    return Wanted(base_id, canonical(spec))


def customs_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, Custom]:
    """Return those of the SKUs that are variants, or whose item names a set of rules."""
    base_id = func.coalesce(variant.c.base_id, sku.c.id)
    query = (
        select(sku.c.id, base_id.label("base_id"), item.c.spec, variant.c.base_id.label("of"))
        .select_from(sku)
        .outerjoin(variant, variant.c.sku_id == sku.c.id)
        .outerjoin(item, item.c.sku_id == base_id)
    )
    return {
        row.id: Custom(row.base_id, row.spec or "")
        for part in in_parts(sku_ids)
        for row in connection.execute(query.where(sku.c.id.in_(part)))
        if row.of is not None or row.spec
    }


def bases_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, int]:
    """Return the base SKU of each of these that is a variant."""
    query = select(variant.c.sku_id, variant.c.base_id)
    return {
        row.sku_id: row.base_id
        for part in in_parts(sku_ids)
        for row in connection.execute(query.where(variant.c.sku_id.in_(part)))
    }


def variants_of(tx: Tx, wants: Iterable[Wanted]) -> dict[Wanted, int]:
    """Return the variants of specs, as far as there are any."""
    return _found(tx, {each: _digest(tx, each) for each in wants})


def make_variants(tx: Tx, wants: Iterable[Wanted]) -> dict[Wanted, int]:
    """Return the variants of specs, those that are new made first; nobody makes two of one.

    Their bases, and those that are there already, are locked: so none is erased that is wanted again.
    The code is the base's and the beginning of the digest, and more of it where another SKU has that code already.
    """
    digests = {each: _digest(tx, each) for each in sorted(set(wants))}
    codes = _codes(tx, {each.base_id for each in digests})
    found = _found(tx, digests)
    for length in _LENGTHS:
        missing = [each for each in digests if each not in found]
        if not missing:
            break
        named = {f"{codes[it.base_id]}{BETWEEN}{_letters(digests[it])[:length]}": it for it in missing}
        made = _made(tx, sorted(named))
        rows = [
            {
                "sku_id": id,
                "base_id": named[code].base_id,
                "digest": digests[named[code]],
                "spec": tx.vault.encrypt(json.loads(named[code].spec), row=variant_row(id)),
            }
            for code, id in sorted(made.items())
        ]
        insert_many(tx, variant, rows)
        found = _found(tx, digests)
    erased = set(tx.execute(select(variant.c.sku_id).where(_IS_ERASED, variant.c.sku_id.in_(found.values()))).scalars())
    again = {id: json.loads(each.spec) for each, id in found.items() if id in erased}
    rows = [{"sku_id": id, "spec": tx.vault.encrypt(spec, row=variant_row(id))} for id, spec in sorted(again.items())]
    update_many(tx, variant, rows, keys=["sku_id"])
    return found


def erase_specs(tx: Tx, order_ids: Iterable[int]) -> None:
    """Erase what was said of the lines of orders whose people are erased, and the specs that no other order has."""
    lines = select(order_line.c.id).where(order_line.c.order_id.in_(sorted(order_ids)))
    tx.execute(line_spec.delete().where(line_spec.c.line_id.in_(lines)))
    theirs = select(line_part.c.sku_id).where(line_part.c.line_id.in_(lines))
    _erase(tx, tx.execute(select(variant.c.sku_id).where(HAS_SPEC, variant.c.sku_id.in_(theirs))).scalars())


def erase_unwanted(tx: Tx, *, after: int, limit: int) -> list[int]:
    """Erase the specs that no order has any more; return the ids of the variants that were looked at, in order."""
    nowhere = ~exists().where(line_part.c.sku_id == variant.c.sku_id)
    query = select(variant.c.sku_id).where(HAS_SPEC, nowhere, variant.c.sku_id > after).order_by(variant.c.sku_id)
    ids = list(tx.execute(query.limit(limit)).scalars())
    _erase(tx, ids)
    return ids


def drop_empty_stock(tx: Tx, *, limit: int) -> int:
    """Drop rows of stock of variants of which nothing is there and nothing is promised; return how many."""
    empty = (stock.c.on_hand == 0) & (stock.c.reserved == 0)
    # Scans stock: a row per SKU and warehouse, as long as the assortment and what is being made.
    query = select(stock.c.sku_id).join(variant, variant.c.sku_id == stock.c.sku_id).where(empty)
    ids = sorted(set(tx.execute(query.limit(limit)).scalars()))
    lock_skus(tx, ids)
    return tx.execute(stock.delete().where(stock.c.sku_id.in_(ids), empty)).rowcount if ids else 0


def _erase(tx: Tx, sku_ids: Iterable[int]) -> None:
    ids = sorted(set(sku_ids))
    lock_skus(tx, ids)
    of_order = line_part.join(order_line, order_line.c.id == line_part.c.line_id)
    people = select(line_part.c.sku_id).select_from(of_order.join(orders, orders.c.id == order_line.c.order_id))
    wanted = people.where(line_part.c.sku_id == variant.c.sku_id, or_(PERSONAL, orders.c.phase.in_(_OPEN)))
    made = exists().where(supply.c.sku_id == variant.c.sku_id, SUPPLY_IS_OPEN)
    for part in in_parts(ids):
        here = (HAS_SPEC, variant.c.sku_id.in_(part), ~wanted.exists(), ~made)
        tx.execute(variant.update().where(*here).values(spec=None))


def specs_said(tx: Tx, line_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return what people said that lines are to be made like, by line id."""
    return {
        row.line_id: tx.vault.decrypt(row.spec, row=line_spec_row(row.line_id))
        for part in in_parts(line_ids)
        for row in tx.all(select(line_spec).where(line_spec.c.line_id.in_(part)))
    }


def say_spec(tx: Tx, line_id: int, spec: Spec, *, actor: str) -> None:
    """Keep what a person said of a line in place of what was said before."""
    sealed = tx.vault.encrypt(dict(spec), row=line_spec_row(line_id))
    values = {"spec": sealed, "actor": actor, "at": tx.now}
    statement = tx.insert(line_spec).values(line_id=line_id, **values)
    tx.execute(statement.on_conflict_do_update(index_elements=["line_id"], set_=values))


def clear_spec(tx: Tx, line_id: int) -> bool:
    """Forget what a person said of a line; return whether anybody had."""
    return bool(tx.execute(line_spec.delete().where(line_spec.c.line_id == line_id)).rowcount)


def opened_specs(tx: Tx, sku_ids: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return the specs of those SKUs that are variants and whose last buyer is not erased yet."""
    return {
        row.sku_id: tx.vault.decrypt(row.spec, row=variant_row(row.sku_id))
        for part in in_parts(sku_ids)
        for row in tx.all(select(variant).where(variant.c.sku_id.in_(part), variant.c.spec.is_not(None)))
    }


def _digest(tx: Tx, want: Wanted) -> bytes:
    return tx.vault.index(["variant", want.base_id, want.spec])


def _letters(digest: bytes) -> str:
    return b32encode(digest).decode().rstrip("=")


def _codes(tx: Tx, sku_ids: Collection[int]) -> dict[int, str]:
    query = select(sku.c.id, sku.c.code)
    return {row.id: row.code for part in in_parts(sku_ids) for row in tx.all(query.where(sku.c.id.in_(part)))}


def _found(tx: Tx, digests: Mapping[Wanted, bytes]) -> dict[Wanted, int]:
    by_key = {(each.base_id, digest): each for each, digest in digests.items()}
    bases = {each.base_id for each in digests}
    query = select(variant.c.sku_id, variant.c.base_id, variant.c.digest)
    here = variant.c.digest.in_(sorted(digests.values()))
    rows = [row for part in in_parts(bases) for row in tx.all(query.where(variant.c.base_id.in_(part), here))]
    return {by_key[key]: row.sku_id for row in rows if (key := (row.base_id, row.digest)) in by_key}


def _made(tx: Tx, codes: Sequence[str]) -> dict[str, int]:
    """Return the ids of the SKUs that were made now; one whose code was taken already is not among them."""
    ids = dict(zip(codes, new_ids(tx, sku, len(codes)), strict=True))
    rows = [{"id": id, "code": code} for code, id in ids.items()]
    insert_many(tx, sku, rows, conflict="ON CONFLICT (code) DO NOTHING")
    query = select(sku.c.id).where(sku.c.id.in_(sorted(ids.values())))
    here = set(tx.execute(query).scalars())
    return {code: id for code, id in ids.items() if id in here}
