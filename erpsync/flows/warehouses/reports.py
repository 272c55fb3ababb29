"""What warehouses report: parcels that left, counts, answers about releases that were to be stopped.

Why a parcel of a cancelled order is recorded like any other: it has left, and books that deny it would sell its units
again. The gate before the shop is told stops it, and a task asks for the parcel back.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from erpsync.core.orders import KnownOrder
from erpsync.core.release import NotWholeError, Piece, units_of
from erpsync.flows.allocation.departures import Departure
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.believed_counts import believed
from erpsync.flows.inventory.counts import Count, take_counts
from erpsync.flows.inventory.unmapped import relook_unmapped
from erpsync.flows.shipments.record import Parcel, record_parcels
from erpsync.flows.shipments.reported import refuse_giant
from erpsync.flows.warehouses.stop_answers import TASK, end_release, take_answer
from erpsync.sdk.types import Dispatch, StockCount, WarehousePage
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters, close_dead_letters, close_file_letters
from erpsync.store.orders import lock_order_ids
from erpsync.store.registry import sku_codes
from erpsync.store.tables import RELEASES_OUT, release, release_line, shipment
from erpsync.store.tasks import close_tasks

LETTER = "warehouse_report"
CLOCK_AHEAD = timedelta(minutes=5)
"""So far a warehouse's clock may run ahead of ours without its counts being refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A release with its order and what it holds, by line id and SKU id; `left` are the units that are gone."""

    head: Any
    order: KnownOrder
    pieces: Mapping[int, Mapping[int, Piece]]
    left: dict[int, int]

    def rest(self) -> dict[int, int]:
        """Return the channel's units that have not left, by line id."""
        rest = {line: next(iter(each.values())).units - self.left[line] for line, each in self.pieces.items()}
        return {line: units for line, units in rest.items() if units > 0}


def apply_warehouse(tx: Tx, *, ctx: Context, channel: Channel, page: WarehousePage) -> None:
    """Book what a warehouse reports; what cannot be booked becomes a dead letter and stops nothing else."""
    run = set(ctx.run_by(channel).values())
    numbers = {each.release for each in page.dispatches} | {each.release for each in page.answers}
    known = _releases(tx, numbers, run)
    problems = _dispatch(tx, ctx, channel, page.dispatches, known)
    for answer in page.answers:
        found = known.get(answer.release)
        if found is None:
            problems[answer.key] = ("no release of that number is known here", answer.source)
            continue
        head = tx.execute(select(release).where(release.c.id == found.head.id)).one()
        take_answer(tx, ctx, head, stopped=answer.stopped, reason=answer.reason)
    problems |= _count(tx, ctx, channel, page.counts)
    _bury(tx, channel, page, problems)


def size_of(page: WarehousePage) -> int:
    """Return how many reports a page holds."""
    return len(page.dispatches) + len(page.counts) + len(page.answers)


def relook_counted(ctx: Context, page: WarehousePage) -> None:
    """Look again at what was held because a SKU was not known before its count; for when the page is committed."""
    relook_unmapped(ctx, [each.sku for each in page.counts])


def _releases(tx: Tx, numbers: set[str], run: set[int]) -> dict[str, _Known]:
    """Return the releases of these numbers in the channel's warehouses, their orders locked."""
    query = select(release).where(release.c.number.in_(sorted(numbers)), release.c.warehouse_id.in_(sorted(run)))
    heads = tx.all(query)
    orders = lock_order_ids(tx, [head.order_id for head in heads])
    rows: dict[int, dict[int, dict[int, Piece]]] = defaultdict(lambda: defaultdict(dict))
    left: dict[int, dict[int, int]] = defaultdict(dict)
    for row in tx.all(select(release_line).where(release_line.c.release_id.in_([head.id for head in heads]))):
        piece = Piece(line_id=row.line_id, sku_id=row.sku_id, qty=row.qty, units=row.units)
        rows[row.release_id][row.line_id][row.sku_id] = piece
        left[row.release_id][row.line_id] = row.left_units
    return {
        head.number: _Known(head=head, order=orders[head.order_id], pieces=rows[head.id], left=left[head.id])
        for head in heads
    }


def _dispatch(
    tx: Tx, ctx: Context, channel: Channel, dispatches: Sequence[Dispatch], known: Mapping[str, _Known]
) -> dict[str, tuple[str, str]]:
    """Record parcels; return what was refused by key."""
    problems: dict[str, tuple[str, str]] = {}
    waiting = list(dispatches)
    while waiting:  # one parcel of each order at a time: what it may hold depends on those before
        turn = {_subject(known, each): each for each in reversed(waiting)}
        waiting = [each for each in waiting if turn[_subject(known, each)] is not each]
        problems |= _record(tx, ctx, channel, list(turn.values()), known)
    return problems


def _subject(known: Mapping[str, _Known], dispatch: Dispatch) -> int | str:
    """Return the order a parcel is of; of a release that is not known its number."""
    return known[dispatch.release].order.id if dispatch.release in known else dispatch.release


def _record(
    tx: Tx, ctx: Context, channel: Channel, dispatches: Sequence[Dispatch], known: Mapping[str, _Known]
) -> dict[str, tuple[str, str]]:
    problems: dict[str, tuple[str, str]] = {}
    taken: list[tuple[Dispatch, _Known, Parcel]] = []
    for each in dispatches:
        found = known.get(each.release)
        try:
            if found is None or not found.pieces:
                raise Refused("no release of that number is known here")
            refuse_giant(channel, len(each.lines))
            taken.append((each, found, _parcel(tx, found, each, actor=f"channel {channel.name}")))
        except Refused as refused:
            problems[each.key] = (refused.kept, each.source)
    departures = {
        found.order.id: Departure(warehouse_id=found.head.warehouse_id, left_at=each.left_at)
        for each, found, _ in taken
    }
    answers = record_parcels(tx, ctx, [parcel for _, _, parcel in taken], departures=departures)
    for (each, found, parcel), answer in zip(taken, answers, strict=True):
        if isinstance(answer, Refused):
            problems[each.key] = (answer.kept, each.source)
        elif not answer.repeated:
            for line_id, units in (parcel.units or {}).items():
                found.left[line_id] += units
            _note_left(tx, ctx, found)
    return problems


def _parcel(tx: Tx, found: _Known, each: Dispatch, *, actor: str) -> Parcel:
    """Return the parcel of a report. Raises `Refused` when it names what the warehouse was not told to send."""
    rest = found.rest()
    units = _reported(tx, found, each) if each.lines else rest
    over = [line for line, qty in units.items() if qty > rest.get(line, 0)]
    if over and not _is_known(tx, found.order, each.tracking):
        names = {line.id: line.external_id for line in found.order.lines}
        raise Refused(f"release {each.release} has {rest.get(over[0], 0)} units of line {names[over[0]]} left to send")
    units = {} if over else units
    return Parcel(order=found.order.number, carrier=each.carrier, tracking=each.tracking, units=units, actor=actor)


def _is_known(tx: Tx, order: KnownOrder, tracking: str) -> bool:
    """Whether the parcel is recorded: a report that comes again tells nothing new."""
    same = select(shipment.c.id).where(shipment.c.order_id == order.id, shipment.c.tracking == tracking.strip())
    return tx.execute(same.limit(1)).first() is not None


def _reported(tx: Tx, found: _Known, each: Dispatch) -> dict[int, int]:
    lines = {line.external_id: line.id for line in found.order.lines}
    codes = sku_codes(tx.connection, {sku_id for line in found.pieces.values() for sku_id in line})
    sent: dict[tuple[int, int], int] = {}
    for reported in each.lines:
        line_id = lines.get(reported.line)
        there = found.pieces.get(line_id, {}) if line_id is not None else {}
        sku_ids = [sku_id for sku_id in there if reported.sku in ("", codes[sku_id])]
        if line_id is None or len(sku_ids) != 1:
            raise Refused(f"release {each.release} has no such line with {'such' if reported.sku else 'one'} SKU")
        sent[line_id, sku_ids[0]] = sent.get((line_id, sku_ids[0]), 0) + reported.qty
    try:
        return units_of(found.pieces, sent)
    except NotWholeError as error:
        raise Refused(str(error)) from error


def _note_left(tx: Tx, ctx: Context, found: _Known) -> None:
    """Note what has left; a release of which nothing is left has ended, and what grew since is released anew."""
    rows = [
        {"release_id": found.head.id, "line_id": line, "sku_id": sku_id, "left_units": found.left[line]}
        for line, each in sorted(found.pieces.items())
        for sku_id in each
    ]
    update_many(tx, release_line, rows, keys=["release_id", "line_id", "sku_id"])
    if found.rest() or found.head.state not in RELEASES_OUT:
        return
    order = lock_order_ids(tx, [found.order.id])[found.order.id]
    close_tasks(tx, TASK, [found.head.number], by="erpsync")
    detail = {"release": found.head.number, "warehouse_id": found.head.warehouse_id}
    reason = "it left before it was stopped" if found.head.state == "recalled" else None
    end_release(tx, ctx, found.head, order, order, state="shipped", detail=detail, reason=reason)


def _count(tx: Tx, ctx: Context, channel: Channel, counts: Sequence[StockCount]) -> dict[str, tuple[str, str]]:
    """Take in the counts that are believed; one that is older than what is known is passed over.

    Return what was refused by key.
    """
    codes = sorted(ctx.run_by(channel))
    problems: dict[str, tuple[str, str]] = {}
    rows: list[Count] = []
    keys: dict[str, StockCount] = {}
    for each in counts:
        code = each.warehouse or (codes[0] if len(codes) == 1 else "")
        if code not in codes:
            runs = ", ".join(codes) or "no warehouse"
            named = "the warehouse named there" if code else "a warehouse without a name"
            problems[each.key] = (f"{named} is not run by this channel, {runs} is", each.source)
            continue
        as_of = min(each.as_of, tx.now) if each.as_of - tx.now <= CLOCK_AHEAD else each.as_of
        keys[each.key] = each
        rows.append(Count(warehouse=code, sku=each.sku, on_hand=each.on_hand, as_of=as_of, source=each.key))
    _, refused = take_counts(tx, ctx, believed(tx, ctx, channel, rows), f"channel {channel.name}")
    bad = [each for each in refused if each.reason == "bad"]
    return problems | {each.source: (each.text, keys[each.source].source) for each in bad}


def _bury(tx: Tx, channel: Channel, page: WarehousePage, problems: Mapping[str, tuple[str, str]]) -> None:
    keys = [*(d.key for d in page.dispatches), *(c.key for c in page.counts), *(a.key for a in page.answers)]
    close_dead_letters(tx, channel.id, LETTER, set(keys) - problems.keys(), state="superseded")
    letters = [
        DeadLetter(channel_id=channel.id, kind=LETTER, key=key, error=text, source=source, broken=True)
        for key, (text, source) in sorted(problems.items())
    ]
    letters += [
        DeadLetter(
            channel_id=channel.id,
            kind=LETTER,
            key=bad.key,
            error=str(bad.error),
            source=bad.error.source,
            broken=True,
            body={"row": dict(bad.row)},
        )
        for bad in page.bad
    ]
    close_file_letters(tx, channel.id, page.begins, kept=[letter.key for letter in letters])
    add_dead_letters(tx, letters)
