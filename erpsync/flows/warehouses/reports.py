"""What warehouses report: parcels that left, counts, answers about releases that were to be stopped.

Why a parcel of a cancelled order is recorded like any other: it has left, and books that deny it would sell its units
again. The gate before the shop is told stops it, and a task asks for the parcel back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

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
from erpsync.store.dead_letters import bury_reports
from erpsync.store.orders import lock_order_ids
from erpsync.store.registry import sku_codes
from erpsync.store.releases import ReleaseHead, heads_numbered, lock_orders_in, orders_in, read_head
from erpsync.store.tables import RELEASES_OUT, release_line, shipment
from erpsync.store.tasks import close_tasks

LETTER = "warehouse_report"
NEVER_THERE = ("pending", "refused", "dropped")
"""States of releases of which no warehouse should know."""
CLOCK_AHEAD = timedelta(minutes=5)
"""So far a warehouse's clock may run ahead of ours without its counts being refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """A release with its orders by id and what it holds, by line id and SKU id; `left` are the units that are gone."""

    head: ReleaseHead
    orders: Mapping[int, KnownOrder]
    pieces: Mapping[int, Mapping[int, Piece]]
    left: dict[int, int]

    def rest(self) -> dict[int, int]:
        """Return the channel's units that have not left, by line id."""
        rest = {line: next(iter(pieces.values())).units - self.left[line] for line, pieces in self.pieces.items()}
        return {line: units for line, units in rest.items() if units > 0}

    def by_order(self, units: Mapping[int, int]) -> dict[int, dict[int, int]]:
        """Return units by line id once more by order id; orders that have none of these lines are left out."""
        split = {id: {line.id: units[line.id] for line in o.lines if line.id in units} for id, o in self.orders.items()}
        return {id: of_order for id, of_order in split.items() if of_order}


def apply_warehouse(tx: Tx, *, ctx: Context, channel: Channel, page: WarehousePage) -> None:
    """Book what a warehouse reports; what cannot be booked becomes a dead letter and stops nothing else."""
    run = set(ctx.run_by(channel).values())
    numbers = {dispatch.release for dispatch in page.dispatches} | {answer.release for answer in page.answers}
    releases = _releases(tx, numbers, run)
    problems = _giants(channel, page.dispatches)
    whole = [dispatch for dispatch in page.dispatches if dispatch.key not in problems]
    problems |= _dispatch(tx, ctx, whole, releases, actor=f"channel {channel.name}")
    for answer in page.answers:
        stored = releases.get(answer.release)
        if stored is None:
            problems[answer.key] = ("no release of that number is known here", answer.source)
            continue
        take_answer(tx, ctx, read_head(tx, stored.head.id), stopped=answer.stopped, reason=answer.reason)
    problems |= _count(tx, ctx, channel, page.counts)
    keys = [*(d.key for d in page.dispatches), *(c.key for c in page.counts), *(a.key for a in page.answers)]
    bury_reports(tx, channel.id, LETTER, read=keys, problems=problems, bad=page.bad, begins=page.begins)


def apply_dispatches(
    tx: Tx, ctx: Context, warehouse_ids: Iterable[int], dispatches: Sequence[Dispatch], *, actor: str
) -> dict[str, str]:
    """Book parcels that people say have left these warehouses, as a warehouse's report; return refusals by key."""
    releases = _releases(tx, {dispatch.release for dispatch in dispatches}, set(warehouse_ids))
    problems = _dispatch(tx, ctx, dispatches, releases, actor=actor)
    return {key: text for key, (text, _) in problems.items()}


def size_of(page: WarehousePage) -> int:
    """Return how many reports a page holds."""
    return len(page.dispatches) + len(page.counts) + len(page.answers)


def relook_counted(ctx: Context, page: WarehousePage) -> None:
    """Look again at what was held because a SKU was not known before its count; for when the page is committed."""
    relook_unmapped(ctx, [count.sku for count in page.counts])


def _releases(tx: Tx, numbers: set[str], run: set[int]) -> dict[str, _Known]:
    """Return the releases of these numbers in the channel's warehouses, their orders locked."""
    heads = heads_numbered(tx, numbers, run)
    together = orders_in(tx, [head.id for head in heads])
    orders = lock_order_ids(tx, [id for ids in together.values() for id in ids])
    rows: dict[int, dict[int, dict[int, Piece]]] = defaultdict(lambda: defaultdict(dict))
    left: dict[int, dict[int, int]] = defaultdict(dict)
    for row in tx.all(select(release_line).where(release_line.c.release_id.in_([head.id for head in heads]))):
        piece = Piece(line_id=row.line_id, sku_id=row.sku_id, qty=row.qty, units=row.units)
        rows[row.release_id][row.line_id][row.sku_id] = piece
        left[row.release_id][row.line_id] = row.left_units
    return {
        head.number: _Known(
            head=head, orders={id: orders[id] for id in together[head.id]}, pieces=rows[head.id], left=left[head.id]
        )
        for head in heads
    }


def _giants(channel: Channel, dispatches: Sequence[Dispatch]) -> dict[str, tuple[str, str]]:
    """Return what is refused, by key, because a record of the channel never has so many lines."""
    problems: dict[str, tuple[str, str]] = {}
    for dispatch in dispatches:
        try:
            refuse_giant(channel, len(dispatch.lines))
        except Refused as refused:
            problems[dispatch.key] = (refused.kept, dispatch.source)
    return problems


def _dispatch(
    tx: Tx, ctx: Context, dispatches: Sequence[Dispatch], releases: Mapping[str, _Known], *, actor: str
) -> dict[str, tuple[str, str]]:
    """Record parcels; return what was refused by key."""
    problems: dict[str, tuple[str, str]] = {}
    waiting = list(dispatches)
    while waiting:  # one parcel of each order at a time: what it may hold depends on those before
        turn: list[Dispatch] = []
        later: list[Dispatch] = []
        named: set[int | str] = set()
        for dispatch in waiting:
            subjects = _subjects(releases, dispatch)
            (turn if named.isdisjoint(subjects) else later).append(dispatch)
            named |= subjects
        waiting = later
        problems |= _record(tx, ctx, turn, releases, actor=actor)
    return problems


def _subjects(releases: Mapping[str, _Known], dispatch: Dispatch) -> set[int | str]:
    """Return the orders a parcel may be of; of a release that is not known its number."""
    return set(releases[dispatch.release].orders) if dispatch.release in releases else {dispatch.release}


def _record(
    tx: Tx, ctx: Context, dispatches: Sequence[Dispatch], releases: Mapping[str, _Known], *, actor: str
) -> dict[str, tuple[str, str]]:
    """Record a parcel for each order that has lines in it; return what was refused by key."""
    problems: dict[str, tuple[str, str]] = {}
    taken: list[tuple[Dispatch, _Known, Parcel]] = []
    departures: dict[int, Departure] = {}
    for dispatch in dispatches:
        stored = releases.get(dispatch.release)
        try:
            if stored is None or stored.head.state in NEVER_THERE:
                raise Refused("no release of that number is known here")
            parcels = _parcels(tx, stored, dispatch, actor=actor)
        except Refused as refused:
            problems[dispatch.key] = (refused.kept, dispatch.source)
            continue
        taken += [(dispatch, stored, parcel) for parcel in parcels.values()]
        left = Departure(warehouse_id=stored.head.warehouse_id, left_at=dispatch.left_at)
        departures |= dict.fromkeys(parcels, left)
    answers = record_parcels(tx, ctx, [parcel for _, _, parcel in taken], departures=departures)
    gone: dict[str, _Known] = {}
    for (dispatch, stored, parcel), answer in zip(taken, answers, strict=True):
        if isinstance(answer, Refused):
            problems[dispatch.key] = (answer.kept, dispatch.source)
        elif not answer.repeated:
            for line_id, units in (parcel.units or {}).items():
                stored.left[line_id] += units
            gone[dispatch.key] = stored
    for stored in gone.values():
        _note_left(tx, ctx, stored)
    return problems


def _parcels(tx: Tx, stored: _Known, report: Dispatch, *, actor: str) -> dict[int, Parcel]:
    """Return what a report says has left, by order id.

    Raises `Refused` when it names what the warehouse was not told to send.
    """
    rest = stored.rest()
    split = stored.by_order(_reported(tx, stored, report) if report.lines else rest)
    over = {id: [line for line, qty in units.items() if qty > rest.get(line, 0)] for id, units in split.items()}
    again = _known_to(tx, stored.orders, report.tracking) if any(over.values()) or not split else set()
    for id, lines in over.items():
        if lines and id not in again:
            names = {line.id: line.external_id for line in stored.orders[id].lines}
            left, line = rest.get(lines[0], 0), names[lines[0]]
            if left == 1:
                raise Refused(f"release {report.release} has 1 unit of line {line} left to send")
            raise Refused(f"release {report.release} has {left} units of line {line} left to send")
    split = split or {id: {} for id in again or sorted(stored.orders)[:1]}  # nothing is left: told again, or wrong
    said = partial(Parcel, carrier=report.carrier, tracking=report.tracking, actor=actor)
    return {
        id: said(order=stored.orders[id].number, units={} if over.get(id) else units) for id, units in split.items()
    }


def _known_to(tx: Tx, order_ids: Iterable[int], tracking: str) -> set[int]:
    """Return of which orders the parcel is recorded: a report that comes again tells nothing new."""
    same = shipment.c.order_id.in_(sorted(order_ids)) & (shipment.c.tracking == tracking.strip())
    return set(tx.execute(select(shipment.c.order_id).where(same)).scalars())


def _reported(tx: Tx, stored: _Known, report: Dispatch) -> dict[int, int]:
    codes = sku_codes(tx.connection, {sku_id for line in stored.pieces.values() for sku_id in line})
    named: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for order in stored.orders.values():
        for line in order.lines:
            named[line.external_id].append((order.number, line.id))
    alone = len(stored.orders) == 1  # then whatever stands for the order is the warehouse's own
    sent: dict[tuple[int, int], int] = {}
    for reported in report.lines:
        fitting = [
            (line_id, sku_id)
            for number, line_id in named[reported.line]
            for sku_id in stored.pieces.get(line_id, ())
            if (alone or reported.order in ("", number)) and reported.sku in ("", codes[sku_id])
        ]
        if len({line_id for line_id, _ in fitting}) > 1:
            raise Refused(f"release {report.release} holds such a line of more than one order; the order must be named")
        if len(fitting) != 1:
            raise Refused(f"release {report.release} has no such line with {'such' if reported.sku else 'one'} SKU")
        sent[fitting[0]] = sent.get(fitting[0], 0) + reported.qty
    try:
        return units_of(stored.pieces, sent)
    except NotWholeError as error:
        raise Refused(str(error)) from error


def _note_left(tx: Tx, ctx: Context, stored: _Known) -> None:
    """Note what has left; a release of which nothing is left has ended, and what grew since is released anew."""
    rows = [
        {"release_id": stored.head.id, "line_id": line, "sku_id": sku_id, "left_units": stored.left[line]}
        for line, pieces in sorted(stored.pieces.items())
        for sku_id in pieces
    ]
    update_many(tx, release_line, rows, keys=["release_id", "line_id", "sku_id"])
    if stored.rest() or stored.head.state not in RELEASES_OUT:
        return
    orders = lock_orders_in(tx, stored.head.id)
    close_tasks(tx, TASK, [stored.head.number], by="erpsync")
    detail = {"release": stored.head.number, "warehouse_id": stored.head.warehouse_id}
    reason = "it left before it was stopped" if stored.head.state == "recalled" else None
    end_release(tx, ctx, stored.head, orders, state="shipped", detail=detail, reason=reason)


def _count(tx: Tx, ctx: Context, channel: Channel, counts: Sequence[StockCount]) -> dict[str, tuple[str, str]]:
    """Take in the counts that are believed; one that is older than what is known is passed over.

    Return what was refused by key.
    """
    codes = sorted(ctx.run_by(channel))
    problems: dict[str, tuple[str, str]] = {}
    rows: list[Count] = []
    keys: dict[str, StockCount] = {}
    for count in counts:
        code = count.warehouse or (codes[0] if len(codes) == 1 else "")
        if code not in codes:
            runs = ", ".join(codes) or "no warehouse"
            named = "the warehouse named there" if code else "a warehouse without a name"
            problems[count.key] = (f"{named} is not run by this channel, {runs} is", count.source)
            continue
        as_of = min(count.as_of, tx.now) if count.as_of - tx.now <= CLOCK_AHEAD else count.as_of
        keys[count.key] = count
        rows.append(Count(warehouse=code, sku=count.sku, on_hand=count.on_hand, as_of=as_of, source=count.key))
    _, refused = take_counts(tx, ctx, believed(tx, ctx, channel, rows), f"channel {channel.name}")
    bad = [count for count in refused if count.reason == "bad"]
    return problems | {count.source: (count.text, keys[count.source].source) for count in bad}
