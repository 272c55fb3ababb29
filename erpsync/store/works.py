"""Work orders: what is to be made, its steps and its parts, locked before the SKUs that it touches."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, case, func, literal_column, or_, select, update

from erpsync.core.making import Balance, Step
from erpsync.store.db.bulk import in_parts, insert_many, update_many
from erpsync.store.db.store import Tx
from erpsync.store.tables import SUPPLY_IS_OPEN, backorder, item, report, supply, variant, work_part, work_step

WORK = "work"
"""The kind of owner that a work order is."""

OPEN, STARTED, DONE, CLOSED = "open", "started", "done", "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """A work order as it stands in the database."""

    id: int
    number: str
    sku_id: int
    warehouse_id: int
    bom_id: int
    qty: int
    done_qty: int
    lost_qty: int
    state: str
    source: str
    due_at: datetime

    @property
    def open_qty(self) -> int:
        """Units that it will still make; none once it has ended."""
        return max(0, self.qty - self.done_qty - self.lost_qty) if self.state in (OPEN, STARTED) else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkPart:
    """What a work order needs of a component, and what became of it."""

    supply_id: int
    sku_id: int
    need_qty: int
    issued_qty: int = 0
    used_qty: int = 0
    scrapped_qty: int = 0
    returned_qty: int = 0

    @property
    def in_work_qty(self) -> int:
        """Units that were issued and are neither used, scrapped nor back."""
        return self.issued_qty - self.used_qty - self.scrapped_qty - self.returned_qty


def _work(row: Any) -> Work:
    return Work(
        id=row.id,
        number=row.number,
        sku_id=row.sku_id,
        warehouse_id=row.warehouse_id,
        bom_id=row.bom_id,
        qty=row.qty,
        done_qty=row.done_qty,
        lost_qty=row.lost_qty,
        state=row.state,
        source=row.source,
        due_at=row.due_at,
    )


def lock_work(tx: Tx, number: str) -> Work | None:
    """Return the work order of a number, locked; None where there is none."""
    row = tx.execute(select(supply).where(supply.c.number == number).with_for_update()).first()
    return None if row is None else _work(row)


def lock_open_works(tx: Tx, sku_ids: Iterable[int]) -> list[Work]:
    """Return the work orders that make these SKUs and have not ended, locked, the oldest first."""
    rows = (
        row
        for part in in_parts(sku_ids)
        for row in tx.all(
            select(supply).where(supply.c.sku_id.in_(part), SUPPLY_IS_OPEN).order_by(supply.c.id).with_for_update()
        )
    )
    return sorted((_work(row) for row in rows), key=lambda work: work.id)


def states_of_open(connection: Connection, sku_ids: Iterable[int]) -> tuple[set[int], set[int]]:
    """Return which of these SKUs have a work order under way, and which one of an order's that has not begun."""
    begun: set[int] = set()
    unbegun: set[int] = set()
    for part in in_parts(sku_ids):
        query = select(supply.c.sku_id, supply.c.state, supply.c.source).where(
            supply.c.sku_id.in_(part), SUPPLY_IS_OPEN
        )
        for row in connection.execute(query):
            if row.state == STARTED:
                begun.add(row.sku_id)
            elif row.source == "order":
                unbegun.add(row.sku_id)
    return begun, unbegun


def works_of(tx: Tx, ids: Iterable[int]) -> dict[int, Work]:
    """Return work orders by id, as they stand."""
    rows = (row for part in in_parts(ids) for row in tx.all(select(supply).where(supply.c.id.in_(part))))
    return {row.id: _work(row) for row in rows}


def steps_of_work(connection: Connection, work_id: int) -> list[Step]:
    """Return the steps of a work order in order, with the sums of what was reported."""
    query = select(work_step).where(work_step.c.supply_id == work_id).order_by(work_step.c.no)
    return [Step(no=row.no, good_qty=row.good_qty, scrap_qty=row.scrap_qty) for row in connection.execute(query)]


def parts_of_works(connection: Connection, work_ids: Iterable[int]) -> dict[int, list[WorkPart]]:
    """Return what work orders need, by their id."""
    found: dict[int, list[WorkPart]] = {}
    for part in in_parts(work_ids):
        query = select(work_part).where(work_part.c.supply_id.in_(part)).order_by(*work_part.primary_key)
        for row in connection.execute(query):
            found.setdefault(row.supply_id, []).append(WorkPart(**row._mapping))
    return found


def write_works(tx: Tx, rows: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, Any]]) -> None:
    """Write new work orders with their steps."""
    insert_many(tx, supply, rows)
    insert_many(tx, work_step, steps)


def change_work(tx: Tx, work_id: int, **values: Any) -> None:
    """Change columns of a locked work order; its version goes up."""
    changed = update(supply).where(supply.c.id == work_id)
    tx.execute(changed.values(**values, version=supply.c.version + 1))


def set_parts(tx: Tx, work_id: int, before: Sequence[WorkPart], after: Sequence[WorkPart]) -> None:
    """Write what a work order needs of its components now; none is ever left out that was there before."""
    known = {part.sku_id for part in before}
    columns = ("need_qty", "issued_qty", "used_qty", "scrapped_qty", "returned_qty")
    rows = [
        {"supply_id": work_id, "sku_id": part.sku_id, **{name: getattr(part, name) for name in columns}}
        for part in after
    ]
    insert_many(tx, work_part, [row for row in rows if row["sku_id"] not in known])
    update_many(tx, work_part, [row for row in rows if row["sku_id"] in known], keys=["supply_id", "sku_id"])


def set_step(tx: Tx, work_id: int, step: Step) -> None:
    """Write the sums of a step."""
    row = {"supply_id": work_id, "no": step.no, "good_qty": step.good_qty, "scrap_qty": step.scrap_qty}
    update_many(tx, work_step, [row], keys=["supply_id", "no"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a station said it did, or that it took back what it had said; `key` is its own."""

    id: int
    supply_id: int
    step_no: int
    good_qty: int
    scrap_qty: int
    undoes_id: int | None
    key: str


def report_of(connection: Connection, *, key: str | None = None, id: int | None = None) -> Report | None:
    """Return the report of a key or an id; None where there is none."""
    query = select(report).where(report.c.key == key if key is not None else report.c.id == id)
    row = connection.execute(query).first()
    if row is None:
        return None
    return Report(
        id=row.id,
        supply_id=row.supply_id,
        step_no=row.step_no,
        good_qty=row.good_qty,
        scrap_qty=row.scrap_qty,
        undoes_id=row.undoes_id,
        key=row.key,
    )


def is_undone(connection: Connection, report_id: int) -> bool:
    """Whether a report was taken back."""
    return connection.execute(select(report.c.id).where(report.c.undoes_id == report_id)).first() is not None


def write_report(tx: Tx, row: Mapping[str, Any]) -> int:
    """Write a report; return its id."""
    return int(tx.execute(report.insert().values(row).returning(report.c.id)).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A SKU that is made to order, as it stands.

    Args:
        base_id: whose bill it is made by; its own unless it is a variant.
        warehouse_id: where finished units go; None where its item does not say.
        due_at: since when somebody waits for it; None where nobody does.
    """

    sku_id: int
    base_id: int
    balance: Balance
    warehouse_id: int | None = None
    due_at: datetime | None = None

    @property
    def is_variant(self) -> bool:
        """Whether it is one of a base SKU, made for those alone who want the same."""
        return self.base_id != self.sku_id


def waiting_for_work(connection: Connection, before: datetime, sku_ids: Collection[int] | None = None) -> list[Made]:
    """Return the SKUs that are made to order and wanted, or that open work orders make, with what is wanted and comes.

    Args:
        before: orders paid after this instant have not waited long enough.
        sku_ids: only these; without it all.
    """
    coming = _coming(connection, sku_ids)
    found: dict[int, Made] = {}
    for row in _rows(connection, _wanted(before), backorder.c.sku_id, sku_ids):
        balance = Balance(wanted_qty=int(row.wanted), kept_qty=int(row.kept), coming_qty=coming.pop(row.sku_id, 0))
        found[row.sku_id] = Made(
            sku_id=row.sku_id,
            base_id=row.base_id or row.sku_id,
            balance=balance,
            warehouse_id=row.warehouse_id,
            due_at=row.due_at,
        )
    kept = _kept(connection, coming)
    bases = _bases(connection, coming)
    for sku_id, qty in coming.items():
        balance = Balance(kept_qty=kept.get(sku_id, 0), coming_qty=qty)
        found[sku_id] = Made(sku_id=sku_id, base_id=bases.get(sku_id, sku_id), balance=balance)
    return [found[sku_id] for sku_id in sorted(found)]


def _rows(connection: Connection, query: Select[Any], column: Any, sku_ids: Collection[int] | None) -> Iterable[Any]:
    if sku_ids is None:
        yield from connection.execute(query)
        return
    for part in in_parts(sku_ids):
        yield from connection.execute(query.where(column.in_(part)))


def _wanted(before: datetime) -> Select[Any]:
    """Return the query of what is wanted of SKUs that are made to order, by SKU."""
    # Scans backorder: it holds what is open, no history.
    of_work = backorder.c.owner_kind == literal_column(f"'{WORK}'")
    is_wanted = and_(backorder.c.waits, or_(of_work, backorder.c.due_at <= before))
    to_order = or_(item.c.make_for == literal_column("'order'"), variant.c.sku_id.is_not(None), of_work)
    return (
        select(
            backorder.c.sku_id,
            variant.c.base_id,
            item.c.warehouse_id,
            func.sum(case((is_wanted, backorder.c.qty), else_=0)).label("wanted"),
            func.sum(backorder.c.qty).label("kept"),
            func.min(backorder.c.due_at).label("due_at"),
        )
        .select_from(
            backorder.outerjoin(variant, variant.c.sku_id == backorder.c.sku_id).join(
                item, item.c.sku_id == func.coalesce(variant.c.base_id, backorder.c.sku_id)
            )
        )
        .where(item.c.supply == literal_column("'make'"), to_order)
        .group_by(backorder.c.sku_id, variant.c.base_id, item.c.warehouse_id)
    )


def _coming(connection: Connection, sku_ids: Collection[int] | None) -> dict[int, int]:
    """Return the units that open work orders will still make, by SKU."""
    left = supply.c.qty - supply.c.done_qty - supply.c.lost_qty
    query = select(supply.c.sku_id, func.sum(case((left > 0, left), else_=0)).label("qty")).where(SUPPLY_IS_OPEN)
    rows = _rows(connection, query.group_by(supply.c.sku_id), supply.c.sku_id, sku_ids)
    return {row.sku_id: int(row.qty) for row in rows}


def _kept(connection: Connection, sku_ids: Iterable[int]) -> dict[int, int]:
    """Return all units that nothing covers, of SKUs that are not made to order, or not any more."""
    query = select(backorder.c.sku_id, func.sum(backorder.c.qty).label("qty")).group_by(backorder.c.sku_id)
    rows = (row for part in in_parts(sku_ids) for row in connection.execute(query.where(backorder.c.sku_id.in_(part))))
    return {row.sku_id: int(row.qty) for row in rows}


def _bases(connection: Connection, sku_ids: Iterable[int]) -> dict[int, int]:
    query = select(variant.c.sku_id, variant.c.base_id)
    rows = (row for part in in_parts(sku_ids) for row in connection.execute(query.where(variant.c.sku_id.in_(part))))
    return {row.sku_id: row.base_id for row in rows}


def held_needs(connection: Connection, sku_id: int) -> tuple[str, bool, bool]:
    """Return whose need of a SKU is oldest, whether any of them is to be served, and whether there is any at all."""
    query = select(backorder.c.number, backorder.c.waits).where(backorder.c.sku_id == sku_id)
    rows = connection.execute(query.order_by(backorder.c.due_at, backorder.c.number)).all()
    return (rows[0].number if rows else ""), any(row.waits for row in rows), bool(rows)
