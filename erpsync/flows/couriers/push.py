"""Booking parcels with couriers, and voiding what is not needed: once, and with the outcome known.

claim ─▶ gate ─▶ call ─▶ booked, or handed over where the number follows
          │        ├─ refused ─▶ a person sees why
          │        └─ no answer ─▶ unsure: sent again with its key, looked for, or a person looks, as the account allows
          └─ its release is stopped ─▶ no call

Why a refusal is no dead letter: what refuses is mended where it stands (an address, a limit, units that are used up),
and the release, not the errand, is tried again.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from erpsync.core.orders import KnownOrder
from erpsync.core.release import may_leave
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers.accounts import ask_balance, balance_of, is_empty
from erpsync.flows.couriers.labels import label_of
from erpsync.flows.couriers.landing import (
    ask_about_void,
    hand_over,
    land,
    note_used,
    note_void,
    refuse,
)
from erpsync.flows.couriers.requests import request_of
from erpsync.flows.couriers.wanted import errand
from erpsync.flows.errors import Refused
from erpsync.flows.shipments.gate import reread
from erpsync.flows.shipments.push_once import AskPersonError, Kind, NotYetError, Outcome, push_once
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError
from erpsync.sdk.roles import CourierSink, playing
from erpsync.sdk.types import Booking, BookingRequest, Repeat, Waybill
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import (
    WAYBILL,
    WAYBILL_CANCEL,
    Claimed,
    ack,
    claim,
    enqueue,
    mark_sent,
    park,
    prolong,
)
from erpsync.store.releases import ENDS, ReleaseHead, lock_orders_in, orders_in, read_head
from erpsync.store.tasks import close_tasks, task_key
from erpsync.store.waybills import (
    BOOKABLE,
    StoredWaybill,
    booking_of,
    lock_keyed,
    lock_waybills_of,
    note_looked,
    read_keyed,
    set_state,
)

AT_ONCE = 10
LEASE_S = 180
HELD_S = 60.0
"""So long until a booking is looked at again whose release may not be booked now."""


def push_waybills(ctx: Context, channel: Channel) -> int:
    """Claim what is to be void, then what is to be booked, and tell the courier; return how many rows were handled."""
    sink = playing(channel.connector, CourierSink)
    if sink is None or not may_call(ctx, channel, probing=True):
        return 0
    for name in (WAYBILL_CANCEL, WAYBILL):
        limit = _at_once(ctx, channel) if name == WAYBILL else AT_ONCE
        take = partial(claim, owner=ctx.store.owner, destination_id=channel.id, limit=limit, lease_s=LEASE_S)
        rows = ctx.store.retrying(partial(take, kind=name))
        for row in rows:
            if name == WAYBILL:
                trip = _Trip(ctx, channel, sink)
                doubted = _in_doubt(ctx, row)
                push_once(ctx, channel, doubted, trip.kind(doubted))
                _fetch_label(ctx, row)
            else:
                push_once(ctx, channel, row, _void(ctx, channel, sink))
        if rows:
            if name == WAYBILL:
                ask_balance(ctx, channel, sink, booked=True)
            return len(rows)
    return 0


def _at_once(ctx: Context, channel: Channel) -> int:
    """Return how many may be booked before it is asked again how many are left."""
    with ctx.store.read() as connection:
        left = balance_of(connection, channel)
    return min(AT_ONCE, left) if left else AT_ONCE


def _fetch_label(ctx: Context, row: Claimed) -> None:
    """Have the label of what was booked at hand for whoever prints; one that is not made yet is fetched then."""
    with suppress(Refused):
        label_of(ctx, row.ref_id)


def _in_doubt(ctx: Context, row: Claimed) -> Claimed:
    """Return the row, in doubt where an earlier call had no answer: an errand forgets that where it may be repeated."""
    rows = ctx.store.retrying(lambda tx: read_keyed(tx, row.key))
    return replace(row, unknown=row.unknown or any(each.state == "unsure" for each in rows))


def _order_ids(tx: Tx, release_id: int) -> list[int]:
    return orders_in(tx, [release_id])[release_id]


def _locked(tx: Tx, row: Claimed) -> tuple[list[KnownOrder], ReleaseHead, list[StoredWaybill]]:
    """Return the orders, the release and the waybills of a booking, locked in this order."""
    orders = lock_orders_in(tx, row.ref_id)
    return orders, read_head(tx, row.ref_id), lock_keyed(tx, row.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What is known of a booking: its waybill, or why it is refused; neither where its number follows."""

    waybill: Waybill | None = None
    refused: str = ""


@dataclass(slots=True)
class _Trip:
    """One errand to book, with what a look has found."""

    ctx: Context
    channel: Channel
    sink: CourierSink
    found: _Answer | None = None
    absent: bool = False
    doubted: bool = False

    def kind(self, row: Claimed) -> Kind[BookingRequest, _Answer]:
        """Return how a booking is sent."""
        self.doubted = row.unknown
        return Kind(
            noun="waybill",
            order_ids=_order_ids,
            repeat=self._repeat(row),
            find=self._find,
            reread=self._reread,
            admit=self._admit,
            send=self._send,
            told=self._told,
            note=self._note,
            facts=_facts,
            arrived="`erpsync waybills book RELEASE --number NUMBER`",
        )

    def _repeat(self, row: Claimed) -> Repeat:
        """Return what may follow an unknown outcome. What may be sent again is looked at first: it may be known by now.

        Once the platform has forgotten the key, a second call would be a second booking.
        """
        if self.sink.repeat is Repeat.NEVER:
            return Repeat.NEVER
        [first, *_] = self._rows(row)
        forgets_s = self.sink.remembers_s
        if forgets_s is not None and first.sent_at is not None:
            age = self.ctx.store.clock.now() - first.sent_at
            if age >= timedelta(seconds=forgets_s):
                return Repeat.NEVER
        return Repeat.LOOK_FIRST

    def _rows(self, row: Claimed) -> list[StoredWaybill]:
        return self.ctx.store.retrying(lambda tx: read_keyed(tx, row.key))

    def _find(self, row: Claimed) -> bool:
        """Look for a booking whose outcome is unknown; False where it may be sent again with its key."""
        if self.sink.repeat is Repeat.SAFE:
            return False
        rows = self._rows(row)
        self._let_settle(rows[0])
        try:
            waybill = self.sink.find_booking(self.ctx.store.retrying(lambda tx: request_of(tx, self.ctx, rows)))
        except RejectedError as error:
            self.found = _Answer(refused=str(error))
            return True
        except (OutcomeUnknownError, Refused) as error:
            raise AskPersonError(str(error)) from error
        if waybill is not None:
            self.found = _Answer(waybill=waybill)
            return True
        self._demand_sure(rows)
        self.absent = True
        return False

    def _let_settle(self, first: StoredWaybill) -> None:
        """Wait until the courier finds what was booked."""
        if first.sent_at is not None:
            rest_s = self.sink.settle_s - (self.ctx.store.clock.now() - first.sent_at).total_seconds()
            if rest_s > 0:
                raise NotYetError("the courier does not find at once what was booked", wait_s=rest_s)

    def _demand_sure(self, rows: Sequence[StoredWaybill]) -> None:
        """Look twice where a key may be taken a second time, and then let a person look."""
        if self.sink.idempotent:
            return
        looked_at, now = rows[0].looked_at, self.ctx.store.clock.now()
        if looked_at is None:
            self.ctx.store.retrying(lambda tx: note_looked(tx, rows))
            raise NotYetError("it is not found yet", wait_s=self.sink.settle_s)
        rest_s = self.sink.settle_s - (now - looked_at).total_seconds()
        if rest_s > 0:
            raise NotYetError("it is not found yet", wait_s=rest_s)
        raise AskPersonError("it was looked for twice and not found")

    def _reread(self, row: Claimed) -> bool:
        """Read orders again on their own channels if what we know of them is old; the courier is not called for it."""
        for order in self.ctx.store.retrying(lambda tx: lock_orders_in(tx, row.ref_id)):
            shop = self.ctx.channels.get(order.channel_id)
            if shop is not None:
                reread(self.ctx, shop, order)
        return False

    def _admit(self, tx: Tx, row: Claimed) -> BookingRequest | None:
        """Ask whether the release may be booked, and note the call in the same commit."""
        orders, head, rows = _locked(tx, row)
        if not prolong(tx, row, lease_s=LEASE_S):
            return None
        if not rows or rows[0].state not in ("wanted", "unsure", "refused") or _is_replaced(tx, rows):
            ack(tx, row, note=f"not sent, the waybill is {rows[0].state if rows else 'gone'}")
            return None
        if head.state in ENDS:
            self._end(tx, row, head, rows)
            return None
        if head.state not in BOOKABLE or not all(may_leave(order) for order in orders):
            raise NotYetError(f"release {head.number} may not leave now", wait_s=HELD_S)
        if is_empty(tx, self.channel.id):
            why = f"account {self.channel.name} has no waybills left"
            park(tx, row, waiting_for="low_balance", error=why, unknown=row.unknown)
            return None
        try:
            request = request_of(tx, self.ctx, rows)
        except Refused as refused:
            if rows[0].state == "unsure":
                raise NotYetError(str(refused), wait_s=HELD_S) from refused
            ack(tx, row, note=str(refused))
            refuse(tx, self.channel, head, rows, str(refused))
            return None
        set_state(tx, rows, "unsure", sent_at=rows[0].sent_at or tx.now, looked_at=None)
        return request if mark_sent(tx, [row]) else None

    def _end(self, tx: Tx, row: Claimed, head: ReleaseHead, rows: Sequence[StoredWaybill]) -> None:
        """End the errand of a release that has ended; what the courier may have is to be void.

        What it may have of a parcel that left is a person's matter: its number may be on it.
        """
        if head.state == "shipped" and rows[0].state == "unsure" and not self.absent:
            raise AskPersonError("its parcel left before the courier's answer came")
        ack(tx, row, note=f"not sent, the release is {head.state}")
        if rows[0].state != "unsure" or self.absent:
            set_state(tx, rows, "cancelled", reason=f"the release is {head.state}")
            return
        set_state(tx, rows, "cancelling")
        enqueue(tx, [errand(tx, self.channel.id, head.id, row.key, void=True)])

    def _send(self, request: BookingRequest) -> _Answer:
        try:
            return _Answer(waybill=self.sink.book(request))
        except RejectedError as error:
            return _Answer(refused=str(error))

    def _told(self, tx: Tx, row: Claimed, answer: _Answer | None) -> None:
        _, head, rows = _locked(tx, row)
        said = answer or self.found or _Answer()
        if not ack(tx, row):
            return
        close_tasks(tx, "unknown", [row.key], by="erpsync")
        close_tasks(tx, "gate", [task_key(WAYBILL, row.ref_id)], by="erpsync")
        if not rows or rows[0].state not in ("unsure", "cancelling"):
            return  # its number came by another way meanwhile
        if said.refused:
            refuse(tx, self.channel, head, rows, said.refused)
        elif said.waybill is None:
            hand_over(tx, self.channel, head, rows)
        else:
            try:
                land(tx, self.channel, head, rows, said.waybill)
            except Refused as refused:
                refuse(tx, self.channel, head, rows, str(refused))

    def _note(self, tx: Tx, row: Claimed, outcome: Outcome) -> None:
        """Take back what the courier surely does not have, and keep that it was given up; what may be there is unsure.

        That one call was turned away says nothing of an earlier one that had no answer and was not looked for.
        """
        _, head, rows = _locked(tx, row)
        open_rows = [each for each in rows if each.state in ("wanted", "unsure")]
        if outcome is Outcome.ABSENT and open_rows and (self.absent or not self.doubted):
            set_state(tx, open_rows, "wanted", sent_at=None, looked_at=None)
        elif outcome is Outcome.REFUSED and open_rows:
            refuse(tx, self.channel, head, open_rows, "it could not be sent, see the dead letter")


def _is_replaced(tx: Tx, rows: Sequence[StoredWaybill]) -> bool:
    """Whether the release of a booking that was refused has another number by now, or may have."""
    others = lock_waybills_of(tx, [rows[0].release_id])[rows[0].release_id]
    return any(other.live and other.key != rows[0].key for other in others)


def _facts(tx: Tx, row: Claimed, orders: Sequence[KnownOrder]) -> str:
    named = [f"order {order.number} ({order.external_id})" for order in orders]
    number = read_head(tx, row.ref_id).number
    return f"booking {row.key} of release {number} of {' and '.join(named)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Voided:
    """What a courier says to a wish to void; `void` is None where it does not tell."""

    void: bool | None = None
    why: str = ""


def _void(ctx: Context, channel: Channel, sink: CourierSink) -> Kind[Booking, _Voided]:
    """Return how a wish to void is sent. It may be repeated, so it is never looked for."""

    def send(booking: Booking) -> _Voided:
        try:
            return _Voided(void=sink.cancel_booking(booking), why="it does not answer that")
        except RejectedError as error:
            return _Voided(why=str(error))

    return Kind(
        noun="waybill_cancel",
        order_ids=_order_ids,
        lane="cancel",
        repeat=Repeat.SAFE,
        find=lambda row: False,
        reread=lambda row: False,
        admit=_admit_void,
        send=send,
        told=partial(_void_told, channel=channel),
        note=partial(_void_given_up, channel=channel),
        facts=lambda tx, row, orders: f"the wish to void {row.key}",
    )


def _admit_void(tx: Tx, row: Claimed) -> Booking | None:
    _, _, rows = _locked(tx, row)
    if rows and rows[0].state == "cancelling":
        return booking_of(tx, rows) if prolong(tx, row, lease_s=LEASE_S) else None
    ack(tx, row, note="it is not to be void any more")
    return None


def _void_told(tx: Tx, row: Claimed, answer: _Voided | None, *, channel: Channel) -> None:
    _, head, rows = _locked(tx, row)
    if answer is None or not ack(tx, row) or not rows or rows[0].state != "cancelling":
        return
    if answer.void:
        note_void(tx, channel, head, rows)
    elif answer.void is False:
        note_used(tx, channel, head, rows, "the courier says that it is used")
    else:
        ask_about_void(tx, channel, head, rows, answer.why)


def _void_given_up(tx: Tx, row: Claimed, outcome: Outcome, *, channel: Channel) -> None:
    """Ask a person once the courier was asked often enough."""
    if outcome is Outcome.REFUSED:
        _, head, rows = _locked(tx, row)
        if rows and rows[0].state == "cancelling":
            ask_about_void(tx, channel, head, rows, "it could not be asked, see the dead letter")
