"""Work orders for what is made to order: what waits, less what comes, becomes one, and what nobody wants ends.

Why by level and not by what just happened: whoever was killed, ran twice or at once with another looks again at what
waits and what comes, under the locks of the goods, and finds nothing left to do.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection

from erpsync.core.allocation import Wanted
from erpsync.flows.context import Context
from erpsync.flows.orders.numbering import next_numbers
from erpsync.flows.production.work_plan import load, new_row, set_needs, wants
from erpsync.store.boms import BomHead, BomPart, BomStep, active_of, heads_by_id, parts_of, steps_of
from erpsync.store.db.bulk import in_parts, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.registry import lock_skus, sku_codes
from erpsync.store.tables import supply
from erpsync.store.tasks import Task, close_tasks, open_keys, open_tasks
from erpsync.store.works import (
    CLOSED,
    OPEN,
    Made,
    Work,
    WorkPart,
    change_work,
    lock_open_works,
    parts_of_works,
    states_of_open,
    waiting_for_work,
    write_works,
)

NUMBER = "W{yyyymmdd}{seq:06}"
SKUS_AT_ONCE = 100
TASKS = ("no_bom", "work_excess")
NOT_WANTED = "nobody waits for it any more"
ONLY_STEP = BomStep(no=1, name="make", station="")
"""The step of a work order whose bill names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Off:
    """What is out of step: SKUs to be netted, those without a bill, and variants in work that nobody wants."""

    due: Sequence[int]
    no_bom: Sequence[int]
    excess: Sequence[int]


def make_due(ctx: Context) -> int:
    """Bring work orders to what is wanted of goods that are made to order; return how many were changed.

    Each SKU is netted again under its lock, so that two who do this at once make one work order of a need.
    """
    if ctx.production is None:
        return 0
    with ctx.store.read() as connection:
        due = _off(connection, _before(ctx)).due
    done = sum(ctx.store.retrying(partial(_net, ctx=ctx, sku_ids=part)) for part in in_parts(due, SKUS_AT_ONCE))
    _ask(ctx)
    return done


def _before(ctx: Context) -> datetime:
    minutes = ctx.production.wait_minutes if ctx.production is not None else 0
    return ctx.store.trusted_now() - timedelta(minutes=minutes)


def _off(connection: Connection, before: datetime) -> _Off:
    made = waiting_for_work(connection, before)
    short = [each for each in made if each.balance.short_qty]
    bills = active_of(connection, {each.base_id for each in short})
    excess = {each.sku_id: each for each in made if each.balance.excess_qty}
    begun, unbegun = states_of_open(connection, excess)
    return _Off(
        due=[each.sku_id for each in short if each.base_id in bills] + sorted(unbegun),
        no_bom=[each.base_id for each in short if each.base_id not in bills],
        excess=sorted(sku_id for sku_id in begun if excess[sku_id].is_variant),
    )


def _ask(ctx: Context) -> None:
    """Have a task for each SKU that is to be made and has no bill, and for each variant in work that nobody wants."""
    with ctx.store.read() as connection:
        off = _off(connection, _before(ctx))
        codes = sku_codes(connection, {*off.no_bom, *off.excess})
        asked = {kind: open_keys(connection, kind) for kind in TASKS}
    tasks = [_no_bom(codes[id]) for id in sorted(set(off.no_bom))] + [_excess(codes[id]) for id in off.excess]
    if {(each.kind, each.key) for each in tasks} != {(kind, key) for kind, keys in asked.items() for key in keys}:
        ctx.store.retrying(partial(_write_tasks, tasks=tasks, asked=asked))


def _no_bom(code: str) -> Task:
    return Task(kind="no_bom", key=code, reason=f"orders wait for {code}, which has no bill of material")


def _excess(code: str) -> Task:
    return Task(kind="work_excess", key=code, reason=f"work on {code} has begun and nobody waits for all of it")


def _write_tasks(tx: Tx, *, tasks: Sequence[Task], asked: Mapping[str, set[str]]) -> None:
    open_tasks(tx, [task for task in tasks if task.key not in asked[task.kind]])
    for kind, keys in asked.items():
        close_tasks(tx, kind, keys - {task.key for task in tasks if task.kind == kind}, by="erpsync")


@dataclass(slots=True, kw_only=True)
class _Netting:
    """What a batch of SKUs makes of work orders, before it is written."""

    tx: Tx
    ctx: Context
    heads: Mapping[int, BomHead]
    lines: Mapping[int, Sequence[BomPart]]
    steps: Mapping[int, Sequence[BomStep]]
    parts: Mapping[int, Sequence[WorkPart]]
    wanted: list[Wanted] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def resize(self, work: Work, qty: int) -> None:
        """Let a work order that has not begun be of another quantity, or end where that is none."""
        before, now = self.parts.get(work.id, ()), replace(work, qty=qty or work.qty)
        if qty:
            change_work(self.tx, work.id, qty=qty)
            after = set_needs(self.tx, now, self.heads[work.bom_id], self.lines[work.bom_id], before)
            self.wanted.append(wants(self.ctx, now, after))
            self.tell("work.changed", now)
        else:
            change_work(self.tx, work.id, state=CLOSED, reason=NOT_WANTED, ended_at=self.tx.now)
            self.wanted.append(wants(self.ctx, now, before, ended=True))
            self.tell("work.closed", now, reason=NOT_WANTED)

    def open(self, works: Sequence[Work]) -> None:
        """Write new work orders, their steps and their parts."""
        rows = [new_row(work, actor="erpsync", now=self.tx.now) for work in works]
        steps = [row for work in works for row in step_rows(work, self.steps.get(work.bom_id, ()))]
        write_works(self.tx, rows, steps)
        for work in works:
            needs = set_needs(self.tx, work, self.heads[work.bom_id], self.lines[work.bom_id])
            self.wanted.append(wants(self.ctx, work, needs))
            self.tell("work.opened", work)

    def tell(self, kind: str, work: Work, **more: Any) -> None:
        """Note what became of a work order."""
        self.events.append(Event(kind=kind, sku_id=work.sku_id, detail={"work": work.number, "qty": work.qty, **more}))


def step_rows(work: Work, steps: Sequence[BomStep]) -> list[dict[str, Any]]:
    """Return the rows of a work order's steps."""
    return [
        {"supply_id": work.id, "no": step.no, "name": step.name, "station": step.station}
        for step in steps or (ONLY_STEP,)
    ]


def _net(tx: Tx, *, ctx: Context, sku_ids: Sequence[int]) -> int:
    """Net some SKUs under their locks; return how many work orders are new, of another quantity, or ended."""
    works = [work for work in lock_open_works(tx, sku_ids) if work.state == OPEN and work.source == "order"]
    parts = parts_of_works(tx.connection, (work.id for work in works))
    before = tx.trusted_now - timedelta(minutes=ctx.production.wait_minutes if ctx.production else 0)
    found = waiting_for_work(tx.connection, before, sku_ids)
    heads = active_of(tx.connection, {each.base_id for each in found})
    lines = parts_of(tx.connection, {*(head.id for head in heads.values()), *(work.bom_id for work in works)})
    used = {line.sku_id for of in lines.values() for line in of} | {part.sku_id for of in parts.values() for part in of}
    lock_skus(tx, {*sku_ids, *used})
    heads = {id: head for id, head in active_of(tx.connection, heads).items() if head.id in lines}
    netting = _Netting(
        tx=tx,
        ctx=ctx,
        heads={**heads_by_id(tx.connection, (work.bom_id for work in works)), **{h.id: h for h in heads.values()}},
        lines=lines,
        steps=steps_of(tx.connection, (head.id for head in heads.values())),
        parts=parts,
    )
    fresh: list[tuple[Made, BomHead]] = []
    for each in waiting_for_work(tx.connection, before, sku_ids):
        fresh += _change(netting, each, [work for work in works if work.sku_id == each.sku_id], heads.get(each.base_id))
    netting.open(list(_new_works(tx, ctx, fresh)))
    if netting.wanted:
        plan = load(tx, ctx, netting.wanted)
        plan.serve()
        plan.write(None)
    write_events(tx, netting.events)
    return len(netting.wanted)


def _change(
    netting: _Netting, made: Made, works: Sequence[Work], head: BomHead | None
) -> Iterator[tuple[Made, BomHead]]:
    """Change work orders of a SKU that have not begun; yield it where it needs a new one."""
    excess, short = made.balance.excess_qty, made.balance.short_qty
    for work in reversed(works):
        if excess:
            cut = min(excess, work.qty)
            excess -= cut
            netting.resize(work, work.qty - cut)
    if not short or head is None:
        return
    shared = next((work for work in works if work.bom_id == head.id), None)
    if shared is not None:
        netting.resize(shared, shared.qty + short)
    else:
        yield made, head


def _new_works(tx: Tx, ctx: Context, fresh: Sequence[tuple[Made, BomHead]]) -> Iterator[Work]:
    out_id = ctx.warehouse_id(ctx.production.out) if ctx.production is not None else 0
    numbers = next_numbers(tx, ctx, NUMBER, len(fresh), taken=supply.c.number)
    for id, number, (made, head) in zip(new_ids(tx, supply, len(fresh)), numbers, fresh, strict=True):
        yield Work(
            id=id,
            number=number,
            sku_id=made.sku_id,
            warehouse_id=made.warehouse_id or out_id,
            bom_id=head.id,
            qty=made.balance.short_qty,
            done_qty=0,
            lost_qty=0,
            state=OPEN,
            source="order",
            due_at=made.due_at or tx.now,
        )
