"""What follows a channel's answer to numbers: told, tried again, given to a person, or not known for a while.

Why a call without an answer outlives the next one: it may still stand in a queue over there and land behind a later
number, which the channel then no longer shows. Until `late_call_s` have gone by no other number is sure, and then it
is told once more. Before a call is made it counts as one without an answer, so that a death in it changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select

from erpsync.core.availability import is_sure, unpack_sent
from erpsync.core.drift import remembered
from erpsync.flows.availability.levels import Listed
from erpsync.flows.context import Channel
from erpsync.flows.errors import error_text
from erpsync.flows.retry import Again, Dead, Rest, after
from erpsync.sdk.errors import ConnectorError, OutcomeUnknownError
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters, close_dead_letters
from erpsync.store.listings import Accepted, Late, Sent, doubt_sent, note_accepted, note_late, note_sent
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.outbox.hurry import run_now
from erpsync.store.outbox.queue import (
    IS_OPEN,
    LANE_REST,
    STOCK,
    Claimed,
    Effect,
    ack_many,
    enqueue,
    kill,
    retry,
    still_leased,
)
from erpsync.store.tables import dirty_sku, listing, outbox

LATE_CALL_S = 60.0
"""How long a call without an answer may still take effect at least, where nothing is set."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One number on its way; `late_until_at` is what `make_unsure` noted of it."""

    row: Claimed
    listed: Listed
    qty: int
    again_when_fresh: bool
    late_until_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class _Now:
    """What may still land at a listing, as it stands noted after the call; numbers as `pack_sent` writes them."""

    sent_since: str
    late: str
    late_until_at: datetime | None


def late_call_s(channel: Channel) -> float:
    """Return for how many seconds a call to this channel that had no answer may still take effect."""
    if channel.stock.late_call_s is not None:
        return channel.stock.late_call_s
    client_s = 0.0 if channel.connector is None else channel.connector.http.deadline_s
    return max(LATE_CALL_S, 2 * client_s)


def make_unsure(tx: Tx, sends: Sequence[Send]) -> None:
    """Note before a call that these numbers are sent; only its answer makes them sure."""
    sent = [
        Sent(
            id=send.listed.id,
            sent_since=(*send.listed.told.sent_since, send.qty),
            late=(*send.listed.told.late, send.qty),
            late_until_at=send.late_until_at,
        )
        for send in sends
    ]
    note_sent(tx, sent)


def finish(
    tx: Tx,
    channel: Channel,
    taken: Sequence[Send],
    failed: Sequence[tuple[Send, Exception]],
    *,
    lost: bool = False,
) -> bool:
    """Note what became of the numbers; whether one of those that failed is still this node's.

    Locks are taken in the fan-out's order, marks before open rows and those by key, so that the two never wait for each
    other.

    Args:
        lost: a try of this call had no answer, whatever was answered to the others.
    """
    ours = any(still_leased(tx, send.row) for send, _ in failed)
    held = ack_many(tx, [send.row for send in taken])
    accepted = [send for send in taken if send.row.id in held]
    overrun = [send for send in taken if send.row.id not in held]
    unanswered = [send for send, error in failed if isinstance(error, OutcomeUnknownError)]
    now = _locked(tx, [*taken, *(send for send, _ in failed)])
    overtaken = _overtaken(tx, channel, accepted)
    anew = [*overrun, *unanswered, *(send for send in accepted if send.again_when_fresh)]
    mark_dirty(tx, [sku_id for send in anew for sku_id in send.listed.skus])
    all_in_doubt = lost and not unanswered
    _note_told(tx, channel, accepted, now, overtaken, lost=all_in_doubt)
    _doubt_late(tx, [*overrun, *unanswered], now)
    _note_late(tx, channel, failed, now, lost=all_in_doubt)
    close_dead_letters(tx, channel.id, STOCK, [send.row.key for send in accepted], state="superseded")
    for send, error in sorted(failed, key=lambda failure: failure[0].row.key):
        _fail(tx, channel, send, error)
    if any(send.row.attempts for send in accepted):
        run_now(tx, channel.id, kinds=[STOCK])
    return ours


def _note_told(
    tx: Tx, channel: Channel, accepted: Sequence[Send], now: Mapping[int, _Now], overtaken: set[int], *, lost: bool
) -> None:
    """Note accepted numbers; one that a late call may still undo is told again when none can come any more."""
    told, effects = list[Accepted](), list[Effect]()
    for send in accepted:
        late, until_at = _late(tx, channel, send, now[send.listed.id], answered=not lost)
        sure = is_sure(send.qty, late)
        told.append(
            Accepted(
                id=send.listed.id,
                qty=send.qty,
                sure=sure and not send.again_when_fresh and send.listed.id not in overtaken,
                earlier=remembered(send.listed.told.earlier, send.listed.told.accepted, send.qty),
                late=late,
                late_until_at=until_at,
            )
        )
        if until_at is not None and not sure:
            effects.append(_once_more(tx, channel, send, until_at))
    note_accepted(tx, told)
    enqueue(tx, effects)


def _once_more(tx: Tx, channel: Channel, send: Send, at: datetime) -> Effect:
    return Effect(
        destination_id=channel.id,
        kind=STOCK,
        key=str(send.listed.id),
        ref_id=send.listed.id,
        serial_key=f"listing:{send.listed.id}",
        lane=LANE_REST,
        run_at=at,
        marked_at=tx.now,
    )


def _late(tx: Tx, channel: Channel, send: Send, now: _Now, *, answered: bool) -> tuple[list[int], datetime | None]:
    """Return the numbers that may still land behind this one, and until when."""
    told, others = send.listed.told, set[int]()
    until_at = send.listed.late_until_at if told.still_late else None
    if now.late_until_at != send.late_until_at:  # noted by whoever took over meanwhile
        others, until_at = set(unpack_sent(now.late)), now.late_until_at
    if not answered:
        others.add(send.qty)
        until_at = tx.now + timedelta(seconds=late_call_s(channel))
    return sorted({*told.still_late, *others}), until_at


def _note_late(
    tx: Tx, channel: Channel, failed: Sequence[tuple[Send, Exception]], now: Mapping[int, _Now], *, lost: bool
) -> None:
    """Note of failed numbers which may still land; a definite answer leaves what was known before."""
    noted = []
    for send, error in failed:
        answered = isinstance(error, ConnectorError) and not isinstance(error, OutcomeUnknownError) and not lost
        late, until_at = _late(tx, channel, send, now[send.listed.id], answered=answered)
        if answered and send.listed.told.late_over and now[send.listed.id].late_until_at == send.late_until_at:
            late, until_at = list(send.listed.told.late), send.listed.late_until_at
        noted.append(Late(id=send.listed.id, late=late, late_until_at=until_at))
    note_late(tx, noted)


def _doubt_late(tx: Tx, late: Sequence[Send], now: Mapping[int, _Now]) -> None:
    """Note numbers that may have landed behind a newer one: whoever took over is not sure of its own any more."""
    doubt_sent(tx, {s.listed.id: (*unpack_sent(now[s.listed.id].sent_since), s.qty) for s in late})


def _locked(tx: Tx, sends: Sequence[Send]) -> dict[int, _Now]:
    """Return the listings as they are now, locked, by id."""
    ids = sorted(send.listed.id for send in sends)
    columns = (listing.c.id, listing.c.sent_since, listing.c.late, listing.c.late_until_at)
    query = select(*columns).where(listing.c.id.in_(ids)).order_by(listing.c.id)
    rows = tx.all(query.with_for_update(key_share=True))
    return {r.id: _Now(sent_since=r.sent_since, late=r.late, late_until_at=r.late_until_at) for r in rows}


def _overtaken(tx: Tx, channel: Channel, sends: Sequence[Send]) -> set[int]:
    """Return the (locked) listings that became dirty during the call: their next row is to tell its number in any case.

    A sale that the channel made while we spoke may have been taken off the number before ours or after.
    """
    keys = [send.row.key for send in sends]
    skus = {sku_id for send in sends for sku_id in send.listed.skus}
    dirty = set(tx.execute(select(dirty_sku.c.sku_id).where(dirty_sku.c.sku_id.in_(sorted(skus)))).scalars())
    of_keys = (outbox.c.destination_id == channel.id, outbox.c.kind == STOCK, outbox.c.key.in_(keys))
    waiting = select(outbox.c.ref_id).where(*of_keys, IS_OPEN)  # by key: a best seller was told its number many times
    return set(tx.execute(waiting).scalars()) | {s.listed.id for s in sends if dirty.intersection(s.listed.skus)}


def _fail(tx: Tx, channel: Channel, send: Send, error: Exception) -> None:
    """Leave a state behind for a number that was not accepted."""
    row, why = send.row, error_text(error)
    match after(error, attempts=row.attempts, row_id=row.id, auth_retry_s=channel.poll.auth_retry_s):
        case Rest(wait_s):
            retry(tx, row, run_at=tx.now + timedelta(seconds=wait_s), error=why, counts=False)
        case Again(wait_s, counts):
            retry(tx, row, run_at=tx.now + timedelta(seconds=wait_s), error=why, counts=counts)
            log.warning("push.retried", channel=channel.name, kind=STOCK, key=row.key, attempt=row.attempts + 1)
        case Dead():
            if not kill(tx, row, error=why):
                return
            update_many(tx, listing, [{"id": send.listed.id, "refused": why}], keys=["id"])
            name = f"{send.listed.channel_sku} {send.listed.item_ref}".strip()
            letter = DeadLetter(
                channel_id=channel.id, kind=STOCK, key=row.key, error=why, source=name, outbox_id=row.id
            )
            add_dead_letters(tx, [letter])
            log.error("push.buried", channel=channel.name, kind=STOCK, key=name, error=why)
