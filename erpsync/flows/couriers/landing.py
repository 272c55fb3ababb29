"""What a courier says of a booking: its number, that it was taken, that it is refused.

Why one way for an answer, a look and a file: whoever tells the number, what follows is the same, also when the release
was stopped meanwhile.
"""

from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import update

from erpsync.core.personal import scrubbed
from erpsync.flows.context import Channel
from erpsync.flows.couriers.wanted import TASK, errand
from erpsync.flows.errors import Refused
from erpsync.sdk.types import Waybill
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.hurry import run_about
from erpsync.store.outbox.queue import RELEASE, enqueue
from erpsync.store.releases import ENDS, ReleaseHead, orders_in
from erpsync.store.tables import release
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.waybills import StoredWaybill, holders_of, set_state, write_number

VOID_TASK = "waybill_cancel"
"""The kind of task that asks what became of a booking that was to be void; its key is the booking's."""
log = structlog.get_logger()


def land(tx: Tx, channel: Channel, head: ReleaseHead, rows: Sequence[StoredWaybill], got: Waybill) -> str:
    """Give a booking's parcels their numbers, its orders and rows locked; return the state that it is in now.

    That of a release which was stopped meanwhile is to be void, that of one which left is used. Raises `Refused` where
    the numbers cannot be its own.
    """
    demand_own(tx, rows, got)
    state = "used" if head.state == "shipped" else "cancelling" if _stopped(head, rows) else "booked"
    write_number(tx, rows, got, state)
    if state == "booked":
        tx.execute(update(release).where(release.c.id == head.id).values(carrier=got.carrier))
        run_about(tx, RELEASE, [head.id])
    detail = {"release": head.number, "carrier": got.carrier, "tracking": got.number, "cost": got.cost_minor}
    _tell(tx, channel, head, "booked", detail)
    close_tasks(tx, TASK, [head.number], by="erpsync")
    close_tasks(tx, "unknown", [rows[0].key], by="erpsync")
    log.info("waybill.booked", channel=channel.name, key=rows[0].key)
    if state == "cancelling":
        enqueue(tx, [errand(tx, channel.id, head.id, rows[0].key, void=True)])
    return state


def _stopped(head: ReleaseHead, rows: Sequence[StoredWaybill]) -> bool:
    return head.state in ("dropped", "stopped") or rows[0].state == "cancelling"


def demand_own(tx: Tx, rows: Sequence[StoredWaybill], got: Waybill) -> None:
    """Raise `Refused` where numbers are those of other parcels, or not as many as there are parcels."""
    numbers = (got.number, *got.children)
    if len(numbers) != len(rows) or len(set(numbers)) != len(numbers):
        given, parcels = len(set(numbers)), len(rows)
        raise Refused(f"the courier gave not each parcel a number: different ones are {given}, parcels {parcels}")
    holders = holders_of(tx, rows[0].account_id, numbers)
    strange = [number for number, row in sorted(holders.items()) if row.id not in {own.id for own in rows}]
    if strange:
        raise Refused(f"number {strange[0]} is that of another parcel")


def hand_over(tx: Tx, channel: Channel, head: ReleaseHead, rows: Sequence[StoredWaybill]) -> None:
    """Note that a courier has a booking and that its number follows; one of a stopped release is to be void."""
    stopped = _stopped(head, rows)
    set_state(tx, rows, "cancelling" if stopped else "handed")
    _tell(tx, channel, head, "handed", {"release": head.number, "waybill": rows[0].key})
    if stopped:
        enqueue(tx, [errand(tx, channel.id, head.id, rows[0].key, void=True)])


def refuse(tx: Tx, channel: Channel, head: ReleaseHead, rows: Sequence[StoredWaybill], why: str) -> None:
    """Note that a release has no number and why; a person sees to it."""
    why = scrubbed(why)
    set_state(tx, rows, "refused", reason=why)
    text = (
        f"release {head.number} has no waybill of {channel.name}: {why}; "
        f"mend it, then `erpsync waybills book {head.number}` tries again"
    )
    order_ids = orders_in(tx, [head.id])[head.id]
    if head.state not in ENDS:
        open_tasks(
            tx, [Task(kind="no_waybill", key=head.number, reason=text, channel_id=channel.id, order_id=order_ids[0])]
        )
    _tell(tx, channel, head, "refused", {"release": head.number, "waybill": rows[0].key, "error": why})
    log.warning("waybill.refused", channel=channel.name, key=rows[0].key, error=why)


def note_void(tx: Tx, channel: Channel, head: ReleaseHead, rows: Sequence[StoredWaybill], *, actor: str = "") -> None:
    """Note that a booking is void: its release may be booked anew, under another key."""
    set_state(tx, rows, "cancelled", reason="void")
    close_tasks(tx, VOID_TASK, [rows[0].key], by=actor or "erpsync")
    _tell(tx, channel, head, "cancelled", {"release": head.number, "waybill": rows[0].key}, actor=actor)


def ask_about_void(tx: Tx, channel: Channel, head: ReleaseHead, rows: Sequence[StoredWaybill], why: str) -> None:
    """Ask a person what became of a booking that was to be void."""
    first = rows[0]
    named = first.number or f"with key {first.key}"
    text = (
        f"waybill {named} of release {head.number} was to be void, and {channel.name} does not say that it is "
        f"({scrubbed(why)}); see to it there, then `erpsync tasks done ID`"
    )
    order_ids = orders_in(tx, [head.id])[head.id]
    task = Task(kind=VOID_TASK, key=first.key, reason=text, channel_id=channel.id, order_id=order_ids[0])
    open_tasks(tx, [task])


def note_used(tx: Tx, channel: Channel, head: ReleaseHead, rows: Sequence[StoredWaybill], why: str) -> None:
    """Note that a booking which was to be void is used: a parcel with its number is on its way, or is to be paid."""
    set_state(tx, rows, "used", reason=why)
    text = (
        f"waybill {rows[0].number or rows[0].key} of release {head.number} was to be void, and {channel.name} says "
        f"that it is used; find the parcel, then `erpsync tasks done ID`"
    )
    order_ids = orders_in(tx, [head.id])[head.id]
    task = Task(kind=VOID_TASK, key=rows[0].key, reason=text, channel_id=channel.id, order_id=order_ids[0])
    open_tasks(tx, [task])
    _tell(tx, channel, head, "used", {"release": head.number, "waybill": rows[0].key})


def _tell(
    tx: Tx, channel: Channel, head: ReleaseHead, what: str, detail: Mapping[str, object], *, actor: str = ""
) -> None:
    """Write into the story of each order what became of its waybill."""
    told = [
        Event(kind=f"waybill.{what}", order_id=order_id, channel_id=channel.id, detail=dict(detail), actor=actor)
        for order_id in orders_in(tx, [head.id])[head.id]
    ]
    write_events(tx, told)
