"""Telling warehouses what to send, and asking them to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import select

from erpsync.core.orders import KnownOrder
from erpsync.core.release import may_leave
from erpsync.flows.allocation.recall import set_released
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers.ends import release_waybills
from erpsync.flows.orders.late_refunds import ask_if_asked
from erpsync.flows.shipments.gate import reread, rule
from erpsync.flows.shipments.push_once import Kind, NotYetError, Outcome, push_once
from erpsync.flows.warehouses.doubt import waits_for_a_look
from erpsync.flows.warehouses.planning import are_covered, go_together, lacks_units
from erpsync.flows.warehouses.stop_answers import set_not_released, take_answer
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.roles import WarehouseSink, playing
from erpsync.sdk.types import Recipient, Release, ReleaseLine, Repeat
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_row
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.queue import (
    RELEASE,
    RELEASE_CANCEL,
    Claimed,
    ack,
    claim,
    mark_sent,
    park,
    prolong,
)
from erpsync.store.registry import sku_codes
from erpsync.store.releases import (
    ReleaseHead,
    lock_orders_in,
    note_release_told,
    orders_in,
    pieces_in,
    read_head,
    set_release_state,
)
from erpsync.store.tables import orders, release_line
from erpsync.store.tasks import close_tasks, task_key
from erpsync.store.waybills import StoredWaybill, lock_waybills_of

AT_ONCE = 10
LEASE_S = 180
WAYBILL_S = 60.0
"""So long until a release is looked at again that has no waybill yet; one that comes hurries it."""


def push_releases(ctx: Context, channel: Channel) -> int:
    """Claim what a warehouse is to be told, recalls before releases, and tell it; return how many rows were handled."""
    sink = playing(channel.connector, WarehouseSink)
    if sink is None or not may_call(ctx, channel, probing=True):
        return 0
    kinds: dict[str, Kind[Any, Any]] = {RELEASE_CANCEL: _recall(ctx, sink), RELEASE: _release(ctx, sink)}
    for name, kind in kinds.items():
        take = partial(claim, owner=ctx.store.owner, destination_id=channel.id, limit=AT_ONCE, lease_s=LEASE_S)
        rows = ctx.store.retrying(partial(take, kind=name))
        for row in rows:
            push_once(ctx, channel, row, kind)
        if rows:
            return len(rows)  # what was asked to stop meanwhile goes before the next release
    return 0


def _head(tx: Tx, row: Claimed) -> ReleaseHead:
    return read_head(tx, row.ref_id)


def _release(ctx: Context, sink: WarehouseSink) -> Kind[Release, None]:
    return Kind(
        noun="release",
        order_ids=_order_ids,
        repeat=sink.repeat,
        find=lambda row: sink.find_release(row.key),
        reread=partial(_reread, ctx),
        admit=partial(_admit, ctx=ctx),
        send=sink.release,
        told=_told,
        note=partial(_note, ctx=ctx),
        facts=_facts,
    )


def _order_ids(tx: Tx, release_id: int) -> list[int]:
    return orders_in(tx, [release_id])[release_id]


def _facts(tx: Tx, row: Claimed, orders: Sequence[KnownOrder]) -> str:
    named = [f"order {order.number} ({order.external_id})" for order in orders]
    return f"release {row.key} of {' and '.join(named)}"


def _reread(ctx: Context, row: Claimed) -> bool:
    """Read orders again on their own channels if what we know of them is old; the warehouse is not called for it."""
    for order in ctx.store.retrying(lambda tx: lock_orders_in(tx, row.ref_id)):
        shop = ctx.channels.get(order.channel_id)
        if shop is not None:
            reread(ctx, shop, order)
    return False


def _admit(tx: Tx, row: Claimed, *, ctx: Context) -> Release | None:
    """Ask the gate, and mark what is held as handed over."""
    orders, head = lock_orders_in(tx, row.ref_id), _head(tx, row)
    if not prolong(tx, row, lease_s=LEASE_S):
        return None
    if _waits(tx, ctx, row, head):
        return None
    fresh = head.state in ("pending", "refused")
    if not (_may_go(tx, ctx, orders, head) if fresh else head.state == "unsure"):
        ack(tx, row, note=f"not sent, the release is {_head(tx, row).state}")
        return None
    waybills = _waybills(tx, ctx, head)
    if fresh:
        set_released(tx, [piece.line_id for piece in pieces_in(tx, head.id)], head.warehouse_id, released=True)
        set_release_state(tx, head.id, "unsure")
    return _load(tx, ctx, orders, head, waybills) if mark_sent(tx, [row]) else None


def _waybills(tx: Tx, ctx: Context, head: ReleaseHead) -> Sequence[StoredWaybill]:
    """Return the numbers that go along with a release, where we get them. Raises `NotYetError` while one is missing."""
    if ctx.warehouses[head.warehouse_id].waybill != "ours":
        return ()
    rows = [row for row in lock_waybills_of(tx, [head.id]).get(head.id, ()) if row.live]
    if not rows or any(row.state != "booked" for row in rows):
        raise NotYetError(f"release {head.number} has no waybill yet", wait_s=WAYBILL_S)
    return rows


def _waits(tx: Tx, ctx: Context, row: Claimed, head: ReleaseHead) -> bool:
    """Let a release wait until somebody has looked what the warehouse got between a backup and its restoring.

    Its order may be in one that nobody here knows of. What is surely not there is given back meanwhile.
    """
    if not waits_for_a_look(tx, ctx.channels[row.destination_id]):
        return False
    if head.state == "unsure" and not row.unknown:
        _take_back(tx, ctx, row)
    park(tx, row, waiting_for="restored", error="a backup was restored", unknown=row.unknown)
    return True


def _may_go(tx: Tx, ctx: Context, orders: Sequence[KnownOrder], head: ReleaseHead) -> bool:
    """Return whether all that is in a release may leave; else it is dropped, and its waybill is let go.

    The orders of one that is dropped are released anew, those that may not leave as soon as they may.
    """
    why = _against(tx, ctx, orders) or lacks_units(tx, head)
    if why:
        set_release_state(tx, head.id, "dropped", reason=why)
        release_waybills(tx, ctx, head.id)
    return not why


def _against(tx: Tx, ctx: Context, orders: Sequence[KnownOrder]) -> str:
    """Return what speaks against sending the orders together, nothing if they may go."""
    for order in orders:
        if not may_leave(order):
            return f"the order may not leave: {', '.join(order.holds) or 'nothing is open'}"
        shop = ctx.channels.get(order.channel_id)
        ruling = rule(tx, shop, order, {}, forced=False) if shop else None
        if ruling is not None and not ruling.passes:
            return ruling.reason
    if not go_together(tx, orders):
        return "its orders go to different recipients"
    packing = ctx.packing
    whole = [order for order in orders if packing.of(order.channel_id).partial == "whole"]
    return "" if are_covered(tx, whole) else "not all of it is held"


def _told(tx: Tx, row: Claimed, answer: None) -> None:
    """Note that the warehouse has it; one that was recalled meanwhile stays so."""
    del answer
    orders = lock_orders_in(tx, row.ref_id)
    if not ack(tx, row):
        return
    for order in orders:
        ask_if_asked(tx, order, f"release {row.key}")
    place = note_release_told(tx, row.ref_id)
    close_tasks(tx, "unknown", [row.key], by="erpsync")
    close_tasks(tx, "gate", [task_key(RELEASE, row.ref_id)], by="erpsync")
    detail = {"release": row.key, "warehouse_id": place}
    write_events(tx, [Event(kind="release.told", order_id=order.id, detail=detail) for order in orders])


def _note(tx: Tx, row: Claimed, outcome: Outcome, *, ctx: Context) -> None:
    """Keep a refusal, and take back what the warehouse surely does not have; what a person looks for stays unsure."""
    if outcome is Outcome.ABSENT:
        _take_back(tx, ctx, row)
    elif outcome is Outcome.REFUSED and _head(tx, row).state == "pending":
        set_release_state(tx, row.ref_id, "refused")


def _take_back(tx: Tx, ctx: Context, row: Claimed) -> None:
    """Take back the marks of what is not there. A recalled release is thereby stopped."""
    lock_orders_in(tx, row.ref_id)
    head = _head(tx, row)
    if head.state == "recalled":
        take_answer(tx, ctx, head, stopped=True, reason="it never got there")
    elif head.state == "unsure":
        set_not_released(tx, head)
        set_release_state(tx, head.id, "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What a warehouse says to a wish; `stopped` is None when it answers later."""

    stopped: bool | None = None
    reason: str = ""


def _recall(ctx: Context, sink: WarehouseSink) -> Kind[str, _Answer]:
    """Return how a wish to stop a release is sent. It may be repeated, so it is never looked for."""

    def send(number: str) -> _Answer:
        try:
            return _Answer(stopped=sink.cancel(number))
        except RejectedError as error:  # its no
            return _Answer(stopped=False, reason=str(error))

    return Kind(
        noun="recall",
        order_ids=_order_ids,
        lane="cancel",
        repeat=Repeat.SAFE,
        find=lambda row: False,
        reread=lambda row: False,
        admit=_admit_recall,
        send=send,
        told=partial(_answered, ctx=ctx),
        note=_leave_recalled,
        facts=lambda tx, row, orders: f"recall {row.key}",
    )


def _admit_recall(tx: Tx, row: Claimed) -> str | None:
    """Return the number of what is still to be stopped."""
    head = _head(tx, row)
    if head.state == "recalled":
        return head.number if prolong(tx, row, lease_s=LEASE_S) else None
    ack(tx, row, note=f"the release is {head.state}")
    return None


def _answered(tx: Tx, row: Claimed, answer: _Answer | None, *, ctx: Context) -> None:
    lock_orders_in(tx, row.ref_id)  # before the release is
    if answer is not None and ack(tx, row):
        take_answer(tx, ctx, _head(tx, row), stopped=answer.stopped, reason=answer.reason)


def _leave_recalled(tx: Tx, row: Claimed, outcome: Outcome) -> None:
    """Keep nothing: the release stays recalled, and the dead letter says that it was not asked."""


def _load(
    tx: Tx, ctx: Context, orders: Sequence[KnownOrder], head: ReleaseHead, waybills: Sequence[StoredWaybill]
) -> Release:
    rows = tx.all(select(release_line).where(release_line.c.release_id == head.id).order_by(*release_line.primary_key))
    codes = sku_codes(tx.connection, [row.sku_id for row in rows])
    lines = {line.id: line for order in orders for line in order.lines}
    order_of = {line.id: order.number for order in orders for line in order.lines}
    return Release(
        number=head.number,
        order=", ".join(order.number for order in orders),
        warehouse=ctx.warehouses[head.warehouse_id].id,
        lines=tuple(
            ReleaseLine(
                line=lines[row.line_id].external_id,
                sku=codes[row.sku_id],
                qty=row.qty,
                title=lines[row.line_id].title,
                order=order_of[row.line_id] if len(orders) > 1 else "",
            )
            for row in rows
        ),
        recipient=_recipient(tx, orders[0]),
        placed_at=min(order.placed_at for order in orders),
        paid_at=min((order.paid_at for order in orders if order.paid_at), default=None),
        carrier=waybills[0].carrier if waybills else "",
        waybills=tuple(row.number for row in waybills),
    )


def _recipient(tx: Tx, order: KnownOrder) -> Recipient:
    sealed = tx.execute(select(orders.c.recipient).where(orders.c.id == order.id)).scalar_one()
    if sealed is None:
        return Recipient()
    opened: dict[str, str] = tx.vault.decrypt(sealed, row=recipient_row(order.channel_id, order.external_id))
    return Recipient(**opened)
