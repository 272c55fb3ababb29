"""What stations report: units that came out of a step good or were lost, taken back where that was a mistake.

Why each report has a key of its own: a station that got no answer says the same again, and must not have made it twice.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from erpsync.core.allocation import StockKey
from erpsync.core.making import Spent, Step, changed, done_qty, is_done, lost_qty, most, spent, waiting_at
from erpsync.core.movements import Reason
from erpsync.flows.allocation.stock_plan import StockPlan
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.production.start import locked
from erpsync.flows.production.work_plan import (
    bring_in,
    give_back_rest,
    issue_free,
    load,
    owner_of,
    parts_of_bom,
    spend,
    wants,
    wip_of,
)
from erpsync.store.boms import heads_by_id, parts_of
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.registry import sku_codes
from erpsync.store.tasks import Task
from erpsync.store.works import (
    CLOSED,
    DONE,
    OPEN,
    STARTED,
    Report,
    Work,
    WorkPart,
    change_work,
    is_undone,
    parts_of_works,
    report_of,
    set_parts,
    set_step,
    steps_of_work,
    write_report,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a station says of a step of a work order; `key` is its own, the same where it says it again."""

    work: str
    step_no: int
    good_qty: int = 0
    scrap_qty: int = 0
    key: str = ""


def report(ctx: Context, said: Said, *, actor: str) -> int:
    """Take a report in; return its id, the same for a key that was seen already.

    Units that come out of the last step are given to whoever waits for them in the same commit. `Refused` where the
    work order has not begun or has ended, or more went through than came in.
    """
    wip_of(ctx)
    return ctx.store.retrying(partial(_report, ctx=ctx, said=said, actor=actor))


def undo(ctx: Context, number: str, report_id: int, *, key: str, actor: str) -> int:
    """Take a report back; return the id of that. `Refused` once a later step or a buyer has the units."""
    wip_of(ctx)
    return ctx.store.retrying(partial(_undo, ctx=ctx, number=number, report_id=report_id, key=key, actor=actor))


def close(ctx: Context, number: str, *, reason: str, scrap: bool = False, actor: str) -> None:
    """End a work order before all of it is made; who still waits gets another one.

    Args:
        scrap: whether what is in work is lost; else it goes back to where components lie.
    """
    wip_of(ctx)
    ctx.store.retrying(partial(_close, ctx=ctx, number=number, reason=reason, scrap=scrap, actor=actor))


def _report(tx: Tx, *, ctx: Context, said: Said, actor: str) -> int:
    work = locked(tx, said.work)
    seen = report_of(tx.connection, key=said.key)
    if seen is not None:
        same = (seen.supply_id, seen.step_no, seen.good_qty, seen.scrap_qty, seen.undoes_id)
        if same != (work.id, said.step_no, said.good_qty, said.scrap_qty, None):
            raise Refused(f"key {said.key} was used for another report")
        return seen.id
    if work.state == OPEN:
        raise Refused(f"work order {work.number} has not begun")
    if work.state != STARTED:
        raise Refused(f"work order {work.number} has ended: it is {work.state}")
    steps = steps_of_work(tx.connection, work.id)
    _check(ctx, work, steps, said)
    id = write_report(tx, _row(tx, work, said, actor))
    after = changed(steps, said.step_no, said.good_qty, said.scrap_qty)
    _book(tx, ctx, work, steps, after, actor)
    _tell(tx, "work.reported", work, said, actor)
    return id


def _check(ctx: Context, work: Work, steps: Sequence[Step], said: Said) -> None:
    """Raise `Refused` where a report cannot be."""
    if said.step_no not in {step.no for step in steps}:
        raise Refused(f"work order {work.number} has no step {said.step_no}")
    if min(said.good_qty, said.scrap_qty) < 0 or said.good_qty + said.scrap_qty == 0:
        raise Refused("a report is of one unit or more")
    over = ctx.production.over_percent if ctx.production is not None else 0
    room = waiting_at(steps, said.step_no, most(work.qty, over))
    if said.good_qty + said.scrap_qty > room:
        raise Refused(
            f"{said.good_qty + said.scrap_qty} units cannot have gone through step {said.step_no} of {work.number}:"
            f" {room} wait there"
        )


def _row(tx: Tx, work: Work, said: Said, actor: str, undoes_id: int | None = None) -> dict[str, Any]:
    return {
        "supply_id": work.id,
        "step_no": said.step_no,
        "good_qty": said.good_qty,
        "scrap_qty": said.scrap_qty,
        "undoes_id": undoes_id,
        "key": said.key,
        "actor": actor,
        "at": tx.now,
    }


def _undo(tx: Tx, *, ctx: Context, number: str, report_id: int, key: str, actor: str) -> int:
    work = locked(tx, number)
    seen = report_of(tx.connection, key=key)
    if seen is not None:
        if (seen.supply_id, seen.undoes_id) != (work.id, report_id):
            raise Refused(f"key {key} was used for another report")
        return seen.id
    undone = _undoable(tx, work, report_id)
    steps = steps_of_work(tx.connection, work.id)
    after = changed(steps, undone.step_no, -undone.good_qty, -undone.scrap_qty)
    if any(waiting_at(after, step.no, work.qty) < 0 for step in after[1:]):
        raise Refused(f"a later step of {number} has the units of report {report_id} already")
    said = Said(work=number, step_no=undone.step_no, good_qty=undone.good_qty, scrap_qty=undone.scrap_qty, key=key)
    id = write_report(tx, _row(tx, work, said, actor, undoes_id=report_id))
    _book(tx, ctx, work, steps, after, actor)
    _tell(tx, "work.undone", work, said, actor)
    return id


def _undoable(tx: Tx, work: Work, report_id: int) -> Report:
    found = report_of(tx.connection, id=report_id)
    if found is None or found.supply_id != work.id or found.undoes_id is not None:
        raise Refused(f"work order {work.number} has no report {report_id}")
    if is_undone(tx.connection, report_id):
        raise Refused(f"report {report_id} was taken back already")
    if work.state == CLOSED:
        raise Refused(f"work order {work.number} has ended: it is {work.state}")
    return found


def _book(tx: Tx, ctx: Context, work: Work, before: Sequence[Step], after: Sequence[Step], actor: str) -> None:
    """Write the sums of steps, and what they mean for components, finished units, and whoever waits for those."""
    head, lines = heads_by_id(tx.connection, [work.bom_id])[work.bom_id], parts_of(tx.connection, [work.bom_id])
    parts = parts_of_works(tx.connection, [work.id])[work.id]
    skus = {work.sku_id, *(part.sku_id for part in parts)}
    plan = load(tx, ctx, [], touched=skus, owners=[owner_of(work)])
    made = done_qty(after) - done_qty(before)
    place = StockKey(work.sku_id, work.warehouse_id)
    if made < 0 and plan.book.available(place, 0) < -made:
        raise Refused(f"somebody has the units of {work.number} already")
    target = spent(parts_of_bom(lines[work.bom_id]), head.yields, after)
    tasks: list[Task] = []
    now = [_spend(tx, plan, ctx, work, part, target.get(part.sku_id, Spent()), tasks, actor) for part in parts]
    bring_in(plan.book, work, made, actor)
    ended = is_done(after, work.qty)
    if ended:
        now = give_back_rest(plan.book, ctx, work, now, scrap=False, actor=actor)
    plan.serve()
    plan.write(None, tasks=tasks)
    set_parts(tx, work.id, parts, now)
    for old, new in zip(before, after, strict=True):
        if old != new:
            set_step(tx, work.id, new)
    state = {"state": DONE, "ended_at": tx.now} if ended else {"state": STARTED, "ended_at": None}
    change_work(tx, work.id, done_qty=done_qty(after), lost_qty=lost_qty(after), **state)
    if ended:
        _tell(tx, "work.finished", work, None, actor, done_qty=done_qty(after), lost_qty=lost_qty(after))


def _spend(
    tx: Tx, plan: StockPlan, ctx: Context, work: Work, part: WorkPart, target: Spent, tasks: list[Task], actor: str
) -> WorkPart:
    """Bring what was used and scrapped of a component to what it is now; what was not issued comes from free units."""
    place = StockKey(part.sku_id, wip_of(ctx))
    beyond = target.used_qty + target.scrapped_qty + part.returned_qty - part.issued_qty
    if beyond > 0:
        got = issue_free(plan.book, ctx, work, part.sku_id, beyond, actor)
        part = replace(part, issued_qty=part.issued_qty + got)
        if got < beyond:
            code = sku_codes(tx.connection, [part.sku_id])[part.sku_id]
            reason = (
                f"work order {work.number} used {beyond - got} units of {code} that the books do not have; count it"
            )
            tasks.append(Task(kind="stock_short", key=f"{work.number}:{code}", reason=reason))
            target = replace(target, used_qty=max(0, target.used_qty - beyond + got))
    scrapped, used = target.scrapped_qty - part.scrapped_qty, target.used_qty - part.used_qty
    for qty, reason in sorted(((scrapped, Reason.SCRAPPED), (used, Reason.USED))):
        spend(plan.book, work, place, qty, reason, actor)
    return replace(part, used_qty=target.used_qty, scrapped_qty=target.scrapped_qty)


def _close(tx: Tx, *, ctx: Context, number: str, reason: str, scrap: bool, actor: str) -> None:
    work = _under_way(tx, number)
    parts = parts_of_works(tx.connection, [work.id]).get(work.id, [])
    begun = work.state == STARTED
    asked = [] if begun else [wants(ctx, work, parts, ended=True)]
    plan = load(tx, ctx, asked, touched={part.sku_id for part in parts}, owners=[owner_of(work)])
    if begun:
        set_parts(tx, work.id, parts, give_back_rest(plan.book, ctx, work, parts, scrap=scrap, actor=actor))
    change_work(tx, work.id, state=CLOSED, reason=reason, ended_at=tx.now)
    plan.serve()
    plan.write(None)
    _tell(tx, "work.closed", work, None, actor, reason=reason)


def _under_way(tx: Tx, number: str) -> Work:
    """Return a work order that has not ended, locked."""
    work = locked(tx, number)
    if work.state not in (OPEN, STARTED):
        raise Refused(f"work order {number} has ended: it is {work.state}")
    return work


def _tell(tx: Tx, kind: str, work: Work, said: Said | None, actor: str, **more: Any) -> None:
    detail: dict[str, Any] = {"work": work.number, **more}
    if said is not None:
        detail |= {"step": said.step_no, "good_qty": said.good_qty, "scrap_qty": said.scrap_qty}
    write_events(tx, [Event(kind=kind, sku_id=work.sku_id, detail=detail, actor=actor)])
