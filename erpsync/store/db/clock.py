"""The database's clock, and what its jumps do to what is stored.

An instant of ours that says when something was done is never believed to lie in the future, and a deadline never
further ahead than its own longest span: `settle` brings both back when the clock was set back, by what the tables say
of their columns (`past`, `deadline`). Order stays: what was not later than something else is not later afterwards.

A clock that leaps ahead may be wrong, and what is erased by mistake is gone. So until a platform's answer or a person
confirms it, time counts as gone by only as far as it surely has: `Store.trusted_now`. After a long standstill nobody
can tell a leap from time that passed, and both are treated alike.

Why it is noticed when a transaction begins: then no decision is made from what the new clock has not settled yet.
"""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import Connection, Engine, case, literal, or_, select, text, update

from erpsync.sdk.clock import Clock, SystemClock
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.tables import counter
from erpsync.store.tables.base import Instant, instant, metadata, micros

if TYPE_CHECKING:
    from erpsync.store.db.store import Tx

BACK = timedelta(seconds=1)
"""A step back of up to a second is waited for; one beyond it is followed."""

AHEAD = timedelta(hours=1)
OFF = timedelta(seconds=60)
"""A clock further from a platform's than that is said to be off, and confirms nothing."""

KEEP_S = 5.0
SETTLE_S = 120.0
"""So long after a step back instants of the old clock may still be written: by open transactions and by other nodes."""

SETTLE_SHARE = 20
"""Of that time one part in so many is spent on settling, however long the history that has to be looked through."""

SEEN, UNCONFIRMED = "clock seen", "clock unconfirmed"
_TICK = timedelta(microseconds=1)
_ZERO = timedelta(0)
log = structlog.get_logger("erpsync.store.clock")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found when the newest instant was kept.

    Args:
        unconfirmed: how far the clock has leapt ahead without anybody confirming it.
        back: whether it was set back.
        settled_from_s: monotonic seconds at which settling began, where there was any.
    """

    unconfirmed: timedelta
    back: bool
    settled_from_s: float | None


class DatabaseClock:
    """The database's clock, told by this process between looks at it.

    On SQLite it is the machine's own clock. On PostgreSQL the offset is measured every `every_s` seconds against a
    monotonic clock, when a transaction begins, so that a jump of this machine's clock moves nothing.
    """

    def __init__(self, engine: Engine, base: Clock, *, every_s: float = 30) -> None:
        self._engine = engine
        self._base = base
        self._every_s = every_s
        self._lock = threading.Lock()
        self._measuring = threading.Lock()
        self._measured_at = float("-inf")
        self._reference = base.now()
        self._last = self._reference - _TICK
        self._last_s: float | None = None
        self._jumps, self._settled = 1, 0
        self._kept_at_s = float("-inf")
        self._back_at_s: float | None = None
        self._settle_at_s = float("-inf")
        self.expected: datetime | None = None
        self.unconfirmed = _ZERO
        self._trusted_at_s = base.monotonic()

    def now(self) -> datetime:
        """Return the database's current instant in UTC, later than every one told before unless the clock was set back.

        That two decisions of this process never share an instant is what lets "read since it was marked" be asked.
        """
        if self._measured_at == float("-inf") and self._is_measured:
            with self._engine.connect() as connection:
                self.measure(connection)
        with self._lock:
            measured, at_s = self._measured(), self._base.monotonic()
            if self._last_s is not None:
                self._compare(measured, self._last + timedelta(seconds=at_s - self._last_s))
            self._last = measured if measured < self._last - BACK else max(measured, self._last + _TICK)
            self._last_s = at_s
            return self._last

    @property
    def in_doubt(self) -> bool:
        """Whether the clock has jumped, or this process has just begun, and what is stored was not looked at since."""
        return self._settled != self._jumps

    def is_due(self) -> bool:
        """Whether the newest instant is to be kept, and compared with what others kept."""
        return self.in_doubt or self._base.monotonic() - self._kept_at_s > KEEP_S

    @property
    def unsettled(self) -> bool:
        """Whether the clock was set back so lately that instants of the old one may still be written."""
        return self._back_at_s is not None

    def settle_is_due(self) -> bool:
        """Whether to look again for what the old clock has written."""
        return self.unsettled and self._base.monotonic() >= self._settle_at_s

    def jumps(self) -> int:
        """Return how often the clock has jumped, for `kept`."""
        return self._jumps

    def kept(self, jumps: int, seen: "Found") -> None:
        """Note that the newest instant was committed, and what was found then.

        Where something was settled that is done again after a while, and a last time when nothing old can come.
        """
        unconfirmed, began_s = seen.unconfirmed, seen.settled_from_s
        with self._lock:
            self._kept_at_s = self._base.monotonic()
            if began_s is not None:
                if self._back_at_s is not None and began_s - self._back_at_s >= SETTLE_S:
                    self._back_at_s = None
                self._settle_at_s = self._kept_at_s + SETTLE_SHARE * (self._kept_at_s - began_s)
            if seen.back:
                self._back_at_s = self._kept_at_s
            if not unconfirmed:
                self._trusted_at_s = self._kept_at_s
            if jumps == self._jumps:
                self._settled, self.expected, self.unconfirmed = jumps, None, unconfirmed

    def look_again(self) -> None:
        """Look with the next transaction whether a leap ahead was confirmed."""
        with self._lock:
            self._kept_at_s = float("-inf")

    def unconfirmed_for_s(self) -> float:
        """Return for how many seconds a leap ahead has been waiting to be confirmed."""
        return self._base.monotonic() - self._trusted_at_s if self.unconfirmed else 0.0

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return self._base.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait `seconds`."""
        self._base.sleep(seconds)

    @property
    def _is_measured(self) -> bool:
        """Whether the clock is another one than this machine's."""
        return self._engine.dialect.name != "sqlite" and isinstance(self._base, SystemClock)

    def _measured(self) -> datetime:
        if not self._is_measured:
            return self._base.now()
        return self._reference + timedelta(seconds=self._base.monotonic() - self._measured_at)

    def measure(self, connection: Connection) -> None:
        """Look at the database's clock, if it is time to, by a connection at hand on which no transaction is begun.

        Nobody waits for it, and no other connection is taken for it: threads that hold one each, and wait for whoever
        wants one more, wait for ever.
        """
        if not self._is_measured or self._base.monotonic() - self._measured_at <= self._every_s:
            return
        if not self._measuring.acquire(blocking=self._measured_at == float("-inf")):
            return  # another thread is at it
        try:
            with connection.begin():
                now = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
            with self._lock:
                self._reference, self._measured_at = now, self._base.monotonic()
        finally:
            self._measuring.release()

    def _compare(self, measured: datetime, expected: datetime) -> None:
        """Notice a jump; a leap ahead is not trusted from this very instant on."""
        if measured < self._last - BACK or measured - expected > AHEAD:
            self._jumps += 1
            self.expected = max(expected, self.expected or expected)
            self.unconfirmed += max(_ZERO, measured - expected)


def keep_time(tx: "Tx", clock: DatabaseClock) -> Found:
    """Keep the newest instant and settle what a clock that was set back has left; one process at a time."""
    seen_us = tx.execute(select(counter.c.value).where(counter.c.name == SEEN).with_for_update()).scalar()
    expected = clock.expected if clock.in_doubt else tx.now
    instants = [at for at in (None if seen_us is None else instant(seen_us), expected) if at is not None]
    unconfirmed = timedelta(microseconds=read_mark(tx.connection, UNCONFIRMED) or 0)
    by = tx.now - max(instants, default=tx.now)
    back = by < -BACK
    if back:
        log.warning("clock.set_back", by_s=round(-by.total_seconds()))
        undone = max(_ZERO, instant(seen_us) - tx.now) if seen_us is not None else _ZERO
        unconfirmed -= undone
    elif by > AHEAD:
        log.info("clock.unconfirmed", by_s=round(by.total_seconds()))
        unconfirmed += by
    began_s = clock.monotonic() if back or clock.settle_is_due() else None
    if began_s is not None:
        settle(tx)
    unconfirmed = unconfirmed if unconfirmed > AHEAD else _ZERO
    set_mark(tx, SEEN, micros(tx.now))
    set_mark(tx, UNCONFIRMED, unconfirmed // _TICK)
    return Found(unconfirmed=unconfirmed, back=back, settled_from_s=began_s)


def confirm(tx: "Tx") -> None:
    """Trust the clock as it stands."""
    set_mark(tx, UNCONFIRMED, 0)


def settle(tx: "Tx") -> None:
    """Let what is said to have been done later than now count as done now, and bring deadlines within their span."""
    # Scans orders, refund, release, release_order, shipment, ledger, hold, event, payload, outbox, inbox: no index
    # knows which rows the old clock wrote, and a clock is set back seldom.
    for table in metadata.sorted_tables:
        spans = {column: column.info["within"] for column in table.columns if "within" in column.info}
        latest = {column: literal(tx.now + within, Instant) for column, within in spans.items()}
        if latest:
            values = {column.name: case((column > at, at), else_=column) for column, at in latest.items()}
            tx.execute(update(table).where(or_(*(column > at for column, at in latest.items()))).values(**values))
