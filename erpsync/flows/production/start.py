"""Work begins: what a work order holds of its components goes to where it is worked on, all of it or nothing.

Why never half: a work order that lacks a part stands at a station and nobody can say what of it is there. Who has
enough for some units splits it, and begins those.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from erpsync.core.making import lacking
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.numbering import next_numbers
from erpsync.flows.production.netting import NUMBER, step_rows
from erpsync.flows.production.work_plan import issue, load, new_row, owner_of, set_needs, wants, wip_of
from erpsync.store.boms import heads_by_id, parts_of, steps_of
from erpsync.store.db.bulk import new_ids
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.registry import sku_codes
from erpsync.store.tables import supply
from erpsync.store.views.values import NotFound
from erpsync.store.works import (
    OPEN,
    STARTED,
    Work,
    WorkPart,
    change_work,
    held_needs,
    lock_work,
    parts_of_works,
    set_parts,
    write_works,
)


def start(ctx: Context, number: str, *, actor: str, qty: int | None = None, force: bool = False) -> None:
    """Begin a work order, or so many units of it; the others are a work order of their own from then on.

    `Refused` where it has begun or ended, where a component lacks, or where all who wait for it are held, unless that
    is forced.
    """
    wip_of(ctx)
    ctx.store.retrying(partial(_start, ctx=ctx, number=number, qty=qty, force=force, actor=actor))


def split(ctx: Context, number: str, *, qty: int, actor: str) -> str:
    """Let so many units of a work order that has not begun stay in it; return the number of that of the others."""
    wip_of(ctx)
    return ctx.store.retrying(partial(_split, ctx=ctx, number=number, qty=qty, actor=actor))


def locked(tx: Tx, number: str) -> Work:
    """Return a work order, locked; raises `NotFound`."""
    work = lock_work(tx, number)
    if work is None:
        raise NotFound(f"no work order {number}")
    return work


def _start(tx: Tx, *, ctx: Context, number: str, qty: int | None, force: bool, actor: str) -> None:
    work = _unbegun(tx, number)
    if not force:
        _check_wanted(tx, work)
    works = [work] if qty is None or qty == work.qty else _cut(tx, ctx, work, qty, actor)
    work, parts = works[0], parts_of_works(tx.connection, (each.id for each in works))
    plan = load(tx, ctx, [wants(ctx, each, parts[each.id]) for each in works])
    plan.serve()
    needs = {part.sku_id: part.need_qty for part in parts[work.id]}
    held = {sku_id: plan.book.held_qty((owner_of(work), sku_id)) for sku_id in needs}
    _check_there(tx, work, lacking(needs, held))
    set_parts(tx, work.id, parts[work.id], issue(plan.book, work, parts[work.id], wip_of(ctx), actor))
    change_work(tx, work.id, state=STARTED, started_at=tx.now, start_at=tx.now)
    plan.write(None)
    detail = {"work": work.number, "qty": work.qty}
    write_events(tx, [Event(kind="work.started", sku_id=work.sku_id, detail=detail, actor=actor)])


def _unbegun(tx: Tx, number: str) -> Work:
    work = locked(tx, number)
    if work.state == STARTED:
        raise Refused(f"work order {number} has begun already")
    if work.state != OPEN:
        raise Refused(f"work order {number} has ended: it is {work.state}")
    return work


def _check_wanted(tx: Tx, work: Work) -> None:
    order, is_wanted, is_needed = held_needs(tx.connection, work.sku_id)
    if is_needed and not is_wanted:
        raise Refused(f"order {order} waits for work order {work.number} and is held; --force begins it all the same")


def _check_there(tx: Tx, work: Work, lacks: Mapping[int, int]) -> None:
    if lacks:
        codes = sku_codes(tx.connection, lacks)
        listed = ", ".join(f"{codes[sku_id]} {qty}" for sku_id, qty in sorted(lacks.items()))
        raise Refused(f"work order {work.number} lacks {listed}; with --qty the units begin for which all is there")


def _split(tx: Tx, *, ctx: Context, number: str, qty: int, actor: str) -> str:
    works = _cut(tx, ctx, _unbegun(tx, number), qty, actor)
    parts = parts_of_works(tx.connection, (work.id for work in works))
    plan = load(tx, ctx, [wants(ctx, work, parts[work.id]) for work in works])
    plan.serve()
    plan.write(None)
    return works[1].number


def _cut(tx: Tx, ctx: Context, work: Work, qty: int, actor: str) -> list[Work]:
    """Let a work order be of so many units and make one of the others; return both."""
    if not 0 < qty < work.qty:
        raise Refused(f"work order {work.number} is of {work.qty} units; that is not split at {qty}")
    id, number = new_ids(tx, supply, 1)[0], next(next_numbers(tx, ctx, NUMBER, 1, taken=supply.c.number))
    first, rest = replace(work, qty=qty), replace(work, id=id, number=number, qty=work.qty - qty)
    head, lines = heads_by_id(tx.connection, [work.bom_id])[work.bom_id], parts_of(tx.connection, [work.bom_id])
    row = new_row(rest, actor=actor, now=tx.now, split_of_id=work.id)
    write_works(tx, [row], step_rows(rest, steps_of(tx.connection, [work.bom_id]).get(work.bom_id, ())))
    change_work(tx, work.id, qty=qty)
    set_needs(tx, first, head, lines[work.bom_id], _parts(tx, work))
    set_needs(tx, rest, head, lines[work.bom_id])
    detail = {"work": work.number, "qty": qty, "other": number}
    write_events(tx, [Event(kind="work.split", sku_id=work.sku_id, detail=detail, actor=actor)])
    return [first, rest]


def _parts(tx: Tx, work: Work) -> Sequence[WorkPart]:
    return parts_of_works(tx.connection, [work.id]).get(work.id, ())
