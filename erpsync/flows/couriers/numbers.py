"""Numbers that are told: those of bookings that were handed over, and those that were bought in advance.

Why what is told twice is no news, and what contradicts is a letter: a file is read again after a crash, and a number
that two parcels have would send one of them to the other's buyer.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice

from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers.landing import land
from erpsync.flows.couriers.wanted import give_spares
from erpsync.flows.errors import Refused
from erpsync.flows.imports import ROWS_PER_COMMIT, ImportResult
from erpsync.sdk.carriers import CARRIERS
from erpsync.sdk.roles import CourierSink, WaybillSource
from erpsync.sdk.types import BookedNumber, SpareNumber, WaybillPage
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import bury_reports
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.held import end_arrived, in_doubt
from erpsync.store.releases import lock_orders_in, read_head
from erpsync.store.tables import waybill
from erpsync.store.waybills import holders_of, lock_keyed, read_keyed

LETTER = "waybill_report"
TAKES_NUMBER = ("unsure", "handed", "cancelling")
"""States of a booking whose number may follow."""


def apply_waybills(tx: Tx, *, ctx: Context, channel: Channel, page: WaybillPage) -> None:
    """Take what a courier tells; what cannot be taken becomes a dead letter and stops nothing else."""
    problems: dict[str, tuple[str, str]] = {}
    for report in sorted(page.booked, key=lambda report: report.waybill.key):  # so are their releases, mostly
        try:
            _take_booked(tx, channel, report)
        except Refused as refused:
            problems[report.key] = (refused.kept, report.source)
    problems |= take_spares(tx, channel, page.spare)
    give_spares(tx, channel)
    keys = [*(report.key for report in page.booked), *(spare.key for spare in page.spare)]
    bury_reports(tx, channel.id, LETTER, read=keys, problems=problems, bad=page.bad, begins=page.begins)


def size_of(page: WaybillPage) -> int:
    """Return how many numbers a page tells."""
    return len(page.booked) + len(page.spare)


def _take_booked(tx: Tx, channel: Channel, report: BookedNumber) -> None:
    """Give a booking the number that is told of it. Raises `Refused` where it is of none, or of another."""
    got = report.waybill
    known = read_keyed(tx, got.key)
    if not known or known[0].account_id != channel.id:
        raise Refused("no booking of that key was handed over there")
    release_id = known[0].release_id
    lock_orders_in(tx, release_id)
    rows = lock_keyed(tx, got.key)
    if [row.number for row in rows] == [got.number, *got.children]:
        return
    if rows[0].state not in TAKES_NUMBER or rows[0].number:
        raise Refused(f"the booking of that key is {rows[0].state} and waits for no number")
    land(tx, channel, read_head(tx, release_id), rows, got)
    for doubt in in_doubt(tx, channel.id, got.key):
        end_arrived(tx, doubt.id, note="its number came")


def take_spares(tx: Tx, channel: Channel, spares: Sequence[SpareNumber]) -> dict[str, tuple[str, str]]:
    """Keep numbers that were bought in advance; return what was refused by key. One that is known is no news."""
    known = holders_of(tx, channel.id, [spare.number for spare in spares])
    problems: dict[str, tuple[str, str]] = {}
    fresh: dict[str, SpareNumber] = {}
    for spare in spares:
        carrier = known[spare.number].carrier if spare.number in known else spare.carrier
        before = fresh.setdefault(spare.number, spare)
        if spare.carrier not in {carrier, ""} or before.carrier != spare.carrier:
            problems[spare.key] = (f"a number of {carrier} of that name is known already", spare.source)
    rows = [spare for number, spare in sorted(fresh.items()) if number not in known]
    ids = new_ids(tx, waybill, len(rows))
    insert_many(
        tx,
        waybill,
        [
            {
                "id": id,
                "account_id": channel.id,
                "carrier": spare.carrier,
                "service": spare.service,
                "number": spare.number,
                "state": "spare",
                "cost_minor": spare.cost_minor,
                "currency": spare.currency,
                "made_at": tx.now,
            }
            for id, spare in zip(ids, rows, strict=True)
        ],
        conflict="ON CONFLICT DO NOTHING",  # another node takes the same ones in just now
    )
    return problems


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRow:
    """A number bought in advance as it stands in a file; `cost_minor` None where the file does not say."""

    carrier: str
    number: str
    service: str = ""
    cost_minor: int | None = None
    source: str = ""


def account_named(ctx: Context, name: str) -> Channel:
    """Return the account with a courier of that name; `Refused` where it is none."""
    try:
        channel = ctx.channel(name)
    except LookupError as error:
        raise Refused(str(error)) from error
    if not (channel.plays(CourierSink) or channel.plays(WaybillSource)):
        raise Refused(f"channel {name} is no account with a courier")
    return channel


def import_numbers(
    ctx: Context,
    channel: Channel,
    rows: Iterable[NumberRow],
    *,
    actor: str,
    progress: Callable[[int], None] = lambda done: None,
) -> ImportResult:
    """Take in numbers that were bought in advance, a batch per commit; releases that wait for one get theirs.

    A number that is known already is taken and changes nothing.
    """
    result, pending = ImportResult(), iter(rows)
    while batch := list(islice(pending, ROWS_PER_COMMIT)):
        known = [row for row in batch if row.carrier in CARRIERS]
        result.refused += [
            (row.source, f"{row.carrier} is no courier's code; known: {', '.join(CARRIERS)}")
            for row in batch
            if row.carrier not in CARRIERS
        ]
        refused = ctx.store.retrying(partial(_import, channel=channel, rows=known, actor=actor))
        result.refused += refused
        result.taken += len(known) - len(refused)
        progress(len(batch))
    return result


def _import(tx: Tx, *, channel: Channel, rows: Sequence[NumberRow], actor: str) -> list[tuple[str, str]]:
    spares = [
        SpareNumber(
            key=row.source,
            carrier=row.carrier,
            number=row.number,
            service=row.service,
            cost_minor=row.cost_minor,
            source=row.source,
        )
        for row in rows
    ]
    problems = take_spares(tx, channel, spares)
    if len(problems) < len(rows):
        detail = {"rows": len(rows) - len(problems)}
        write_events(tx, [Event(kind="waybill.imported", channel_id=channel.id, detail=detail, actor=actor)])
    give_spares(tx, channel)
    return [(source, text) for source, (text, _) in sorted(problems.items())]
