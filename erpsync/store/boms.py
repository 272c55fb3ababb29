"""Bills of material: versions of what SKUs are made of, one of each SKU active."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, select, text, update

from erpsync.core.bom import Bom, BomLine
from erpsync.store.db.bulk import in_parts, insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.tables import bom, bom_line, bom_step, bundle

IS_ACTIVE = text("bom.state = 'active'")


@dataclass(frozen=True, slots=True, kw_only=True)
class BomHead:
    """A bill of material without its lines; `state` is one of `BOM_STATES`."""

    id: int
    sku_id: int
    version: str
    state: str
    yields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BomPart:
    """A component of one bill: `qty` of its base unit for `yields` units; `step_no` is where it goes in, if said."""

    sku_id: int
    qty: int
    scrap_ppm: int = 0
    step_no: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BomStep:
    """A step of one bill."""

    no: int
    name: str
    station: str
    fixed_minutes: int = 0
    seconds_each: int = 0


def heads_of(connection: Connection, sku_ids: Iterable[int]) -> list[BomHead]:
    """Return all versions of these SKUs, in the order in which they were made."""
    rows = (
        row
        for part in in_parts(sku_ids)
        for row in connection.execute(select(bom).where(bom.c.sku_id.in_(part)).order_by(bom.c.id))
    )
    return [_head(row) for row in rows]


def heads_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, BomHead]:
    """Return bills by id."""
    rows = (row for part in in_parts(ids) for row in connection.execute(select(bom).where(bom.c.id.in_(part))))
    return {row.id: _head(row) for row in rows}


def active_of(connection: Connection, sku_ids: Iterable[int]) -> dict[int, BomHead]:
    """Return the active bill of each of these SKUs that has one."""
    found: dict[int, BomHead] = {}
    for part in in_parts(sku_ids):
        for row in connection.execute(select(bom).where(bom.c.sku_id.in_(part), IS_ACTIVE)):
            found[row.sku_id] = _head(row)
    return found


def _head(row: Any) -> BomHead:
    return BomHead(id=row.id, sku_id=row.sku_id, version=row.version, state=row.state, yields=row.yields)


def parts_of(connection: Connection, bom_ids: Iterable[int]) -> dict[int, list[BomPart]]:
    """Return the components of bills in the order of their lines, by the bill's id."""
    found: dict[int, list[BomPart]] = {}
    for part in in_parts(bom_ids):
        query = select(bom_line).where(bom_line.c.bom_id.in_(part)).order_by(bom_line.c.bom_id, bom_line.c.no)
        for row in connection.execute(query):
            line = BomPart(sku_id=row.sku_id, qty=row.qty, scrap_ppm=row.scrap_ppm, step_no=row.step_no)
            found.setdefault(row.bom_id, []).append(line)
    return found


def steps_of(connection: Connection, bom_ids: Iterable[int]) -> dict[int, list[BomStep]]:
    """Return the steps of bills in order, by the bill's id."""
    found: dict[int, list[BomStep]] = {}
    for part in in_parts(bom_ids):
        query = select(bom_step).where(bom_step.c.bom_id.in_(part)).order_by(bom_step.c.bom_id, bom_step.c.no)
        for row in connection.execute(query):
            step = BomStep(
                no=row.no,
                name=row.name,
                station=row.station,
                fixed_minutes=row.fixed_minutes,
                seconds_each=row.seconds_each,
            )
            found.setdefault(row.bom_id, []).append(step)
    return found


def active_boms(connection: Connection) -> dict[int, Bom]:
    """Return what every SKU with an active bill is made of, by SKU."""
    # Scans bom_line: those of active bills, which are as many as the assortment has goods that are made.
    query = select(bom.c.sku_id, bom.c.yields, bom_line.c.sku_id.label("part_id"), bom_line.c.qty, bom_line.c.scrap_ppm)
    joined = query.join(bom_line, bom_line.c.bom_id == bom.c.id).where(IS_ACTIVE).order_by(bom_line.c.bom_id, "no")
    yields: dict[int, int] = {}
    lines: dict[int, list[BomLine]] = {}
    for row in connection.execute(joined):
        yields[row.sku_id] = row.yields
        lines.setdefault(row.sku_id, []).append(BomLine(row.part_id, row.qty, row.scrap_ppm))
    return {sku_id: Bom(tuple(of), yields[sku_id]) for sku_id, of in lines.items()}


def bundles_among(connection: Connection, sku_ids: Iterable[int]) -> set[int]:
    """Return which of these SKUs are bundles."""
    found: set[int] = set()
    for part in in_parts(sku_ids):
        found |= set(connection.execute(select(bundle.c.bundle_id).where(bundle.c.bundle_id.in_(part))).scalars())
    return found


def made_or_used(connection: Connection, sku_ids: Collection[int]) -> tuple[set[int], set[int]]:
    """Return which of these SKUs have an active bill, and which stand on one."""
    used: set[int] = set()
    for part in in_parts(sku_ids):
        query = select(bom_line.c.sku_id).join(bom, bom.c.id == bom_line.c.bom_id)
        used |= set(connection.execute(query.where(bom_line.c.sku_id.in_(part), IS_ACTIVE)).scalars())
    return set(active_of(connection, sku_ids)), used


def make_drafts(tx: Tx, wanted: Sequence[tuple[int, str, int]], *, actor: str) -> list[BomHead]:
    """Make drafts of (SKU, version, yields)."""
    heads = [
        BomHead(id=id, sku_id=sku_id, version=version, state="draft", yields=yields)
        for id, (sku_id, version, yields) in zip(new_ids(tx, bom, len(wanted)), wanted, strict=True)
    ]
    rows = [
        {
            "id": head.id,
            "sku_id": head.sku_id,
            "version": head.version,
            "state": head.state,
            "yields": head.yields,
            "made_at": tx.now,
            "actor": actor,
        }
        for head in heads
    ]
    insert_many(tx, bom, rows)
    return heads


def replace_parts(tx: Tx, parts: Mapping[int, Sequence[BomPart]]) -> None:
    """Replace all components of drafts, by the bill's id."""
    for some in in_parts(parts):
        tx.execute(delete(bom_line).where(bom_line.c.bom_id.in_(some)))
    insert_many(
        tx,
        bom_line,
        [
            {
                "bom_id": bom_id,
                "no": no,
                "sku_id": line.sku_id,
                "qty": line.qty,
                "scrap_ppm": line.scrap_ppm,
                "step_no": line.step_no,
            }
            for bom_id, lines in sorted(parts.items())
            for no, line in enumerate(lines, 1)
        ],
    )


def replace_steps(tx: Tx, steps: Mapping[int, Sequence[BomStep]]) -> None:
    """Replace all steps of drafts, by the bill's id."""
    for some in in_parts(steps):
        tx.execute(delete(bom_step).where(bom_step.c.bom_id.in_(some)))
    insert_many(
        tx,
        bom_step,
        [
            {
                "bom_id": bom_id,
                "no": step.no,
                "name": step.name,
                "station": step.station,
                "fixed_minutes": step.fixed_minutes,
                "seconds_each": step.seconds_each,
            }
            for bom_id, of in sorted(steps.items())
            for step in of
        ],
    )


def set_yields(tx: Tx, bom_id: int, yields: int) -> None:
    """Say how many units the quantities of a draft make."""
    tx.execute(update(bom).where(bom.c.id == bom_id).values(yields=yields))


def make_active(tx: Tx, head: BomHead) -> None:
    """Let a bill be what its SKU is made of from now on; the one before is retired."""
    tx.execute(update(bom).where(bom.c.sku_id == head.sku_id, IS_ACTIVE).values(state="retired"))
    tx.execute(update(bom).where(bom.c.id == head.id).values(state="active"))
