"""Effects that are held because their order cannot be read again, and those whose outcome only a person can find out.

Why on the outbox row: it is what waits, and a restart or another node must know since when.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, exists, func, literal, or_, select, update

from erpsync.store.db.store import Stage, Tx
from erpsync.store.outbox.queue import IS_OPEN, IS_PENDING, IS_WAITING, RELEASE, SHIPMENT, WAYBILL, Claimed, park, retry
from erpsync.store.tables import Instant, channel, orders, outbox, release_order

PERSON = "person"
_OPEN = {"state": "pending", "waiting_for": ""}
_BY_HAND = and_(IS_WAITING, outbox.c.waiting_for == PERSON)


def hold_back(tx: Tx, row: Claimed, *, run_at: datetime | None, error: str) -> bool:
    """Put a row back that could not be judged; not an attempt. Without `run_at` it waits for a person."""
    if run_at is None:
        held = park(tx, row, waiting_for=PERSON, error=error, unknown=row.unknown)
    else:
        held = retry(tx, row, run_at=run_at, error=error, counts=False, unknown=row.unknown)
    since = {"held_since_at": row.held_since_at or tx.now}
    tx.execute(update(outbox).where(outbox.c.id == row.id, IS_OPEN).values(**since))
    return held


def hold_unclaimed(tx: Tx, row_id: int, *, error: str) -> bool:
    """Let a row that nobody claims wait for a person: its channel may not be called, or its refunds are not known."""
    values = {
        "state": "waiting",
        "waiting_for": PERSON,
        "error": error,
        "held_since_at": func.coalesce(outbox.c.held_since_at, literal(tx.now, Instant)),
    }
    unclaimed = IS_PENDING | (outbox.c.waiting_for == "refunds")
    return tx.execute(update(outbox).where(outbox.c.id == row_id, unclaimed).values(**values)).rowcount == 1


def rule_anew(tx: Tx, shipment_ids: Iterable[int]) -> list[int]:
    """Let parcels be judged anew that wait at the gate, for a scan or a person: their order has changed; return which.

    One that may have been sent stays with the person who looks for it.
    """
    at_gate = and_(
        outbox.c.kind == SHIPMENT,
        outbox.c.ref_id.in_(sorted(set(shipment_ids))),
        IS_WAITING,
        outbox.c.waiting_for.in_(("gate", "scan", PERSON)),
        outbox.c.sent_at.is_(None),
    )
    freed = update(outbox).where(at_gate).values(**_OPEN, run_at=tx.now).returning(outbox.c.ref_id)
    refs = list(tx.execute(freed).scalars())
    if refs:
        tx.wake(Stage.PUSH)
    return refs


def free_held(tx: Tx, channel_id: int) -> int:
    """Let rows go on that wait because this channel's orders could not be read; they can be now."""
    ours = exists().where(release_order.c.release_id == outbox.c.ref_id, orders.c.id == release_order.c.order_id)
    own = and_(outbox.c.kind == SHIPMENT, outbox.c.destination_id == channel_id)
    # Whoever runs a warehouse is a channel too: named, and the kind asked such that only the index of what waits fits.
    places = outbox.c.destination_id.in_(select(channel.c.id))
    theirs = and_(
        func.lower(outbox.c.kind).in_((RELEASE, WAYBILL)), places, ours.where(orders.c.channel_id == channel_id)
    )
    held = and_(_BY_HAND, outbox.c.held_since_at.is_not(None), outbox.c.sent_at.is_(None))
    freed = sum(
        tx.execute(update(outbox).where(held, rows).values(**_OPEN, run_at=tx.now)).rowcount for rows in (own, theirs)
    )
    if freed:
        tx.wake(Stage.PUSH)
    return freed


def unpark(tx: Tx, kind: str, ref_id: int) -> bool:
    """Let a row go on that waits for a person, who has decided; it goes even if its order still cannot be read.

    What is known by then still rules: a cancel drops it. One that was freed meanwhile and is tried again counts too.
    """
    of_row = and_(outbox.c.kind == kind, outbox.c.ref_id == ref_id, outbox.c.sent_at.is_(None))
    unread = and_(outbox.c.held_since_at.is_not(None), or_(_BY_HAND, IS_PENDING))
    values = {**_OPEN, "run_at": tx.now}
    blind = update(outbox).where(of_row, unread).values(**values, unread_ok=True, held_since_at=None)
    seen = update(outbox).where(of_row, _BY_HAND, outbox.c.held_since_at.is_(None)).values(**values, confirmed=True)
    freed = tx.execute(blind).rowcount + tx.execute(seen).rowcount
    if freed:
        tx.wake(Stage.PUSH)
    return bool(freed)


@dataclass(frozen=True, slots=True, kw_only=True)
class InDoubt:
    """An effect that was sent and had no answer: `ref_id` is the row of the parcel, or of the release.

    That of a booking is the release it is for.
    """

    id: int
    destination_id: int
    kind: str
    key: str
    ref_id: int
    sent_at: datetime


def in_doubt(tx: Tx, channel_id: int | None, key: str) -> list[InDoubt]:
    """Return the effects of a key, locked, that were sent without an answer and wait for a person."""
    of_key = and_(_BY_HAND, outbox.c.destination_id == channel_id, outbox.c.key == key, outbox.c.sent_at.is_not(None))
    rows = tx.all(select(outbox).where(of_key).with_for_update())
    return [
        InDoubt(id=r.id, destination_id=r.destination_id, kind=r.kind, key=r.key, ref_id=r.ref_id, sent_at=r.sent_at)
        for r in rows
    ]


def send_again(tx: Tx, row_id: int) -> None:
    """Let a row be sent once more: a person looked, and it is not there."""
    values = {**_OPEN, "run_at": tx.now, "sent_at": None, "attempts": 0, "error": "", "held_since_at": None}
    tx.execute(update(outbox).where(outbox.c.id == row_id).values(**values))
    tx.wake(Stage.PUSH)


def end_arrived(tx: Tx, row_id: int, *, note: str) -> None:
    """End a row as done: a person looked, and it is there."""
    values = {"state": "done", "waiting_for": "", "done_at": tx.now, "sent_at": None, "error": note}
    tx.execute(update(outbox).where(outbox.c.id == row_id).values(**values))
