"""The outbox: effects that other systems are to carry out, and the protocol by which they are claimed and ended.

    pending ──claim──▶ leased ──ack──▶ done
       ▲                 ├──again (run_at)──▶ pending     unless a newer row of the key is open: done (superseded)
       │                 ├──wait (a person, fresh, brake, gate)──▶ waiting ──▶ pending
       └─────────────────┴──dead letter──▶ dead

Why a row names what is dirty and never a value: it coalesces while it waits, and the number is computed when it is
claimed. Why acks are fenced: a worker that was stopped for longer than its lease must not end a row that another one
has taken since.
"""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, case, exists, literal, literal_column, select, text, tuple_, update

from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Stage, Tx
from erpsync.store.tables import node, outbox

STOCK, SHIPMENT, CORRECTION = "stock", "shipment", "correction"
RELEASE, RELEASE_CANCEL = "release", "release_cancel"
WAYBILL, WAYBILL_CANCEL = "waybill", "waybill_cancel"
LANE_CANCEL, LANE_URGENT, LANE_SHIPMENT, LANE_REST = 0, 1, 2, 3
OPEN = ("pending", "waiting")
IS_OPEN = outbox.c.state.in_([literal_column(f"'{state}'") for state in OPEN])
IS_PENDING, IS_WAITING, IS_LEASED = (
    outbox.c.state == literal_column(f"'{state}'") for state in ("pending", "waiting", "leased")
)
"""In which state a row is. It stands in the statement as text: a parameter hides that a partial index fits."""
_OPEN_ALREADY = """
ON CONFLICT (destination_id, kind, "key") WHERE state IN ('pending', 'waiting') DO UPDATE SET
  run_at = CASE
    WHEN excluded.lane <= 1 AND excluded.run_at < outbox.run_at THEN excluded.run_at
    WHEN outbox.attempts > 0 THEN outbox.run_at
    WHEN outbox.state = 'waiting' OR excluded.run_at < outbox.run_at THEN excluded.run_at
    ELSE outbox.run_at END,
  attempts = CASE
    WHEN outbox.state = 'pending' AND outbox.attempts > 1 AND excluded.lane <= 1 AND excluded.run_at < outbox.run_at
    THEN outbox.attempts - 1
    ELSE outbox.attempts END,
  fresh_after_at = CASE
    WHEN outbox.fresh_after_at < outbox.marked_at AND excluded.fresh_after_at >= excluded.marked_at
    THEN excluded.fresh_after_at
    ELSE outbox.fresh_after_at END,
  lane = CASE WHEN excluded.lane < outbox.lane THEN excluded.lane ELSE outbox.lane END,
  state = CASE WHEN outbox.waiting_for = 'person' THEN outbox.state ELSE 'pending' END,
  waiting_for = CASE WHEN outbox.waiting_for = 'person' THEN outbox.waiting_for ELSE '' END
"""
_GATES = 1024  # as many locks as one claim may hold at most; two keys may share one, and then one of them waits a turn
_TRY_GATES = text(
    "SELECT gate FROM unnest(CAST(:gates AS int[])) gate WHERE pg_try_advisory_xact_lock(-1, gate)"
)  # no channel has the id -1, under which orders that are stored for the first time take theirs
SILENT_S = 10.0  # three beats: with the time to look, what a dead node had leased passes on within 15 s


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """An effect to be enqueued. `ref_id` is the row it is about: the listing or the shipment."""

    destination_id: int
    kind: str
    key: str
    ref_id: int
    serial_key: str
    lane: int
    run_at: datetime
    marked_at: datetime
    fresh_after_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A leased outbox row.

    Args:
        unknown: an earlier holder may have sent it.
        held_since_at: since when its order cannot be read again.
        unread_ok: a person said that it may go without that.
    """

    id: int
    destination_id: int
    kind: str
    key: str
    ref_id: int
    attempts: int
    fence: int
    marked_at: datetime
    fresh_after_at: datetime | None
    confirmed: bool
    unknown: bool
    lane: int
    held_since_at: datetime | None = None
    unread_ok: bool = False


def enqueue(tx: Tx, effects: Sequence[Effect]) -> None:
    """Add effects; one that is open already for its key is brought forward, never doubled.

    One that waits for a condition is looked at again: what it stands for has changed, and the new number may go.
    A row in back-off keeps its instant: a newer mark is no reason to hammer a channel that is failing. An urgent one
    is: it brings its row forward, for one try that does not count (what sells out is not to be shown for minutes more).
    The first mark that no pass of the channel has set says which pass the row waits for; those after it do not move
    that.
    """
    if not effects:
        return
    ordered = sorted(effects, key=lambda e: (e.destination_id, e.kind, e.key))
    rows = [
        {
            "destination_id": e.destination_id,
            "kind": e.kind,
            "key": e.key,
            "ref_id": e.ref_id,
            "serial_key": e.serial_key,
            "state": "pending",
            "lane": e.lane,
            "run_at": e.run_at,
            "marked_at": e.marked_at,
            "fresh_after_at": e.fresh_after_at,
        }
        for e in ordered
    ]
    insert_many(tx, outbox, rows, conflict=_OPEN_ALREADY)
    tx.wake(Stage.PUSH)


def claim(
    tx: Tx, owner: str, destination_id: int, kind: str, *, limit: int, lease_s: float, max_lane: int = LANE_REST
) -> list[Claimed]:
    """Lease up to `limit` due rows of a destination, most urgent lane first, at most one per serial key.

    The lease must outlive the call's total deadline. Nothing here waits for a rival: what one has is left to it.
    """
    query = (
        select(outbox)
        .where(
            outbox.c.destination_id == destination_id,
            outbox.c.kind == kind,
            IS_PENDING,
            outbox.c.lane <= max_lane,
            outbox.c.run_at <= tx.now,
            _nobody_is_at_it(outbox.c.serial_key),
        )
        .order_by(outbox.c.lane, outbox.c.run_at, outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows: dict[str, Any] = {}
    for row in tx.all(query):
        rows.setdefault(row.serial_key, row)
    claimable = {row.id: row for row in _without_rivals(tx, rows)}
    if not claimable:
        return []
    leased = (
        update(outbox)
        .where(outbox.c.id.in_(claimable), _nobody_is_at_it(outbox.c.serial_key))
        .values(
            state="leased",
            lease_owner=owner,
            lease_until_at=tx.now + timedelta(seconds=lease_s),
            fence=outbox.c.fence + 1,
        )
        .returning(outbox.c.id)
    )
    taken = set(tx.execute(leased).scalars())
    return [_claimed(row, fence=row.fence + 1) for row in claimable.values() if row.id in taken]


def _nobody_is_at_it(serial_key: ColumnElement[str]) -> ColumnElement[bool]:
    busy = outbox.alias("busy")
    return ~exists().where(and_(busy.c.serial_key == serial_key, busy.c.state == literal_column("'leased'")))


def _without_rivals(tx: Tx, rows: Mapping[str, Any]) -> list[Any]:
    """Return the rows whose serial key no other transaction is claiming, and keep others from it until this one ends.

    Two claims see different rows of one serial key as free; were both to lease theirs, the unique index would let one
    wait for the other, and two that wait for each other are a deadlock. A lock that is only tried keeps everyone
    going; whoever gets it looks again whether the key is leased, for a rival may just have committed. SQLite has one
    writer.
    """
    if tx.dialect == "sqlite" or not rows:
        return list(rows.values())
    gates = {key: zlib.crc32(key.encode()) % _GATES for key in rows}
    free = set(tx.execute(_TRY_GATES, {"gates": sorted(set(gates.values()))}).scalars())
    return [row for key, row in rows.items() if gates[key] in free]


def _claimed(row: Any, *, fence: int) -> Claimed:
    return Claimed(
        id=row.id,
        destination_id=row.destination_id,
        kind=row.kind,
        key=row.key,
        ref_id=row.ref_id,
        attempts=row.attempts,
        fence=fence,
        marked_at=row.marked_at,
        fresh_after_at=row.fresh_after_at,
        confirmed=row.confirmed,
        unknown=row.sent_at is not None,
        lane=row.lane,
        held_since_at=row.held_since_at,
        unread_ok=row.unread_ok,
    )


def _held_by(row: Claimed) -> ColumnElement[bool]:
    return and_(outbox.c.id == row.id, IS_LEASED, outbox.c.fence == row.fence)


def still_leased(tx: Tx, row: Claimed) -> bool:
    """Whether the lease under which the row was claimed still holds."""
    return tx.execute(select(outbox.c.id).where(_held_by(row)).with_for_update()).first() is not None


_FREE = {"lease_owner": None, "lease_until_at": None}


def prolong(tx: Tx, row: Claimed, *, lease_s: float) -> bool:
    """Begin the lease anew, for a row that has waited behind others of its batch; False when it was lost meanwhile."""
    until = tx.now + timedelta(seconds=lease_s)
    return tx.execute(update(outbox).where(_held_by(row)).values(lease_until_at=until)).rowcount == 1


def mark_sent(tx: Tx, rows: Iterable[Claimed]) -> bool:
    """Note, before a call that may not be repeated blindly, that it is about to be made; False if a lease was lost."""
    return all(tx.execute(update(outbox).where(_held_by(row)).values(sent_at=tx.now)).rowcount == 1 for row in rows)


def ack(tx: Tx, row: Claimed, *, note: str = "") -> bool:
    """End a row as done; False when the lease was lost and the ack counts for nothing."""
    values = {"state": "done", "done_at": tx.now, "sent_at": None, "error": note} | _FREE
    return tx.execute(update(outbox).where(_held_by(row)).values(**values)).rowcount == 1


def ack_many(tx: Tx, rows: Sequence[Claimed], *, note: str = "") -> set[int]:
    """End rows as done in one statement; return the ids of those whose lease still held."""
    values = {"state": "done", "done_at": tx.now, "sent_at": None, "error": note} | _FREE
    return _end(tx, rows, values)


def _end(tx: Tx, rows: Sequence[Claimed], values: Mapping[str, Any]) -> set[int]:
    """Take these rows out of their leases in one statement; return the ids of those whose lease still held."""
    if not rows:
        return set()
    fences = tuple_(outbox.c.id, outbox.c.fence).in_([(row.id, row.fence) for row in rows])
    held = and_(IS_LEASED, fences)
    return set(tx.execute(update(outbox).where(held).values(**values).returning(outbox.c.id)).scalars())


def retry(tx: Tx, row: Claimed, *, run_at: datetime, error: str, counts: bool = True, unknown: bool = False) -> bool:
    """Put a row back to be tried at `run_at`; if a newer row of its key is open, this one ends as superseded.

    The newer row takes the attempts and the rest over: each mark of a busy SKU must not begin the count anew. An urgent
    one does not wait for the rest.

    Args:
        counts: whether this was an attempt (waiting for a quota is not).
        unknown: whether the outcome is unknown, so that the next holder must know.
    """
    if _superseded(tx, [row]):
        ended = ack(tx, row, note="superseded")
        if ended:
            _pass_on_rest(tx, row, run_at=run_at, attempts=row.attempts + (1 if counts else 0))
        return ended
    values = {
        "state": "pending",
        "run_at": run_at,
        "attempts": outbox.c.attempts + (1 if counts else 0),
        "error": error,
        "held_since_at": None,
    } | _FREE
    if not unknown:
        values["sent_at"] = None
    return tx.execute(update(outbox).where(_held_by(row)).values(**values)).rowcount == 1


def park(tx: Tx, row: Claimed, *, waiting_for: str, error: str = "", unknown: bool = False) -> bool:
    """Park a row until a named condition or a person frees it; it holds no lease meanwhile."""
    return park_many(tx, [row], waiting_for=waiting_for, error=error, unknown=unknown) == {row.id}


def park_many(tx: Tx, rows: Sequence[Claimed], *, waiting_for: str, error: str = "", unknown: bool = False) -> set[int]:
    """Park rows of one destination and kind; those with a newer row of their key end as superseded.

    Returns the ids of those whose lease still held.
    """
    overtaken = _superseded(tx, rows)
    values = {"state": "waiting", "waiting_for": waiting_for, "error": error, "held_since_at": None} | _FREE
    if not unknown:
        values["sent_at"] = None
    done = ack_many(tx, [row for row in rows if row.key in overtaken], note="superseded")
    return done | _end(tx, [row for row in rows if row.key not in overtaken], values)


def kill(tx: Tx, row: Claimed, *, error: str) -> bool:
    """End a row as dead; the caller writes the dead letter. One whose outcome is unknown waits for a person instead."""
    values = {"state": "dead", "done_at": tx.now, "error": error, "sent_at": None} | _FREE
    return tx.execute(update(outbox).where(_held_by(row)).values(**values)).rowcount == 1


def _pass_on_rest(tx: Tx, row: Claimed, *, run_at: datetime, attempts: int) -> None:
    newer = and_(
        outbox.c.destination_id == row.destination_id,
        outbox.c.kind == row.kind,
        outbox.c.key == row.key,
        IS_PENDING,
    )
    rest = literal(run_at, outbox.c.run_at.type)
    urgent = outbox.c.lane <= LANE_URGENT
    later = case((and_(outbox.c.run_at < rest, ~urgent), rest), else_=outbox.c.run_at)
    tx.execute(update(outbox).where(newer).values(attempts=attempts, run_at=later))


def _superseded(tx: Tx, rows: Sequence[Claimed]) -> set[str]:
    """Return the keys of these rows, all of one destination and kind, that have a newer open row."""
    if not rows:
        return set()
    query = select(outbox.c.key).where(
        outbox.c.destination_id == rows[0].destination_id,
        outbox.c.kind == rows[0].kind,
        outbox.c.key.in_([row.key for row in rows]),
        IS_OPEN,
    )
    return set(tx.execute(query).scalars())


def free_waiting(
    tx: Tx,
    waiting_for: str,
    *,
    destination_id: int | None = None,
    refs: Iterable[int] | None = None,
    kind: str | None = None,
    confirmed: bool = False,
) -> int:
    """Let parked rows go on; return how many there were."""
    statement = update(outbox).where(IS_WAITING, outbox.c.waiting_for == waiting_for)
    if destination_id is not None:
        statement = statement.where(outbox.c.destination_id == destination_id)
    if kind is not None:
        statement = statement.where(outbox.c.kind == kind)
    if refs is not None:
        statement = statement.where(outbox.c.ref_id.in_(sorted(set(refs))))
    values: dict[str, Any] = {"state": "pending", "waiting_for": "", "run_at": tx.now}
    if confirmed:
        values["confirmed"] = True
    freed = tx.execute(statement.values(**values)).rowcount
    if freed:
        tx.wake(Stage.PUSH)
    return freed


def drop_open(tx: Tx, kind: str, refs: Iterable[int], *, note: str) -> int:
    """End open rows about these refs without carrying them out."""
    statement = update(outbox).where(outbox.c.kind == kind, outbox.c.ref_id.in_(sorted(set(refs))), IS_OPEN)
    values = {"state": "done", "done_at": tx.now, "waiting_for": "", "error": note}
    return tx.execute(statement.values(**values)).rowcount


def give_back(tx: Tx, owner: str) -> None:
    """Let what a node that leaves has leased and surely not sent pass on at the next look."""
    unsent = and_(IS_LEASED, outbox.c.lease_owner == owner, outbox.c.sent_at.is_(None))
    tx.execute(update(outbox).where(unsent).values(lease_until_at=tx.now - timedelta(seconds=1)))


class Reclaimed(NamedTuple):
    """A row whose worker was lost; `unknown` when its call may have been made."""

    id: int
    kind: str
    ref_id: int
    unknown: bool


def reclaim(tx: Tx, *, owner_gone: bool = False) -> list[Reclaimed]:
    """Take rows back whose lease ran out (all of them when their owner is known to be gone).

    A row with `sent_at` set has an unknown outcome and an attempt more; without it, it was never tried. Such a one does
    not wait for its lease when its node is silent: whoever is only slow has lost the row before it calls, or sends a
    number that is told again. Rows whose key is open again are ended as superseded.
    """
    silent = select(node.c.id).where(node.c.heartbeat_at < tx.now - timedelta(seconds=SILENT_S))
    late = (outbox.c.lease_until_at < tx.now) | (outbox.c.sent_at.is_(None) & outbox.c.lease_owner.in_(silent))
    query = select(outbox).where(IS_LEASED)
    rows = tx.all((query if owner_gone else query.where(late)).with_for_update(skip_locked=True))
    for row in rows:
        claimed = _claimed(row, fence=row.fence)
        retry(tx, claimed, run_at=tx.now, error="its worker was lost", unknown=claimed.unknown, counts=claimed.unknown)
    if rows:
        tx.wake(Stage.PUSH)
    return [Reclaimed(row.id, row.kind, row.ref_id, row.sent_at is not None) for row in rows]
