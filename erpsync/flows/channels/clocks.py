"""Our clock against the platforms': what the `Date` of their answers says of it, for people and for a leap ahead.

`channel.clock_ahead_s` keeps by how many seconds the platform's clock leads ours; None until it has told.

Why every answer is looked at and few are written: a clock is set at any moment, and a commit costs as much as a call.
"""

import threading
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from erpsync.flows.context import Context
from erpsync.sdk.dates import platform_lead
from erpsync.sdk.http import HttpResponse
from erpsync.store import tables
from erpsync.store.db.clock import OFF, UNCONFIRMED, confirm
from erpsync.store.db.sequence import read_mark
from erpsync.store.db.store import Store, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.status.figures import clock_off
from erpsync.store.status.spans import spell
from erpsync.store.tables import task
from erpsync.store.tasks import Task, close_tasks, open_tasks

TASK = "clock"
LEAP = "leap"
AGAIN_S = 300.0
PATIENCE_S = 300.0
"""So long a platform may take to confirm a leap ahead before a person is asked."""

LATE = timedelta(minutes=1)
log = structlog.get_logger()


class PlatformClock:
    """Listens to the answers of one channel."""

    def __init__(self, store: Store, channel_id: int, name: str) -> None:
        self._store, self._channel_id, self._name = store, channel_id, name
        self._lock = threading.Lock()
        self._off: bool | None = None
        self._kept_at_s = float("-inf")

    def heard(self, answer: HttpResponse) -> None:
        """Keep what an answer says of our clock if that is news. A call that was made never fails for it."""
        lead = platform_lead(answer.headers, answer.sent_at, answer.received_at)
        if lead is None or not self._is_news(abs(lead) > OFF):
            return
        try:
            self._store.retrying(partial(self._note, lead=lead, answer=answer))
            self._store.clock.look_again()
        except SQLAlchemyError as error:
            log.warning("clock.not_compared", channel=self._name, error=type(error).__name__)
            return
        with self._lock:
            self._off, self._kept_at_s = abs(lead) > OFF, self._store.clock.monotonic()

    def _is_news(self, off: bool) -> bool:
        with self._lock:
            rested = self._store.clock.monotonic() - self._kept_at_s > AGAIN_S
            return off is not self._off or rested or (not off and bool(self._store.clock.unconfirmed))

    def _note(self, tx: Tx, *, lead: timedelta, answer: HttpResponse) -> None:
        lead_s = round(lead.total_seconds(), 1)
        measured = update(tables.channel).where(tables.channel.c.id == self._channel_id)
        tx.execute(measured.values(clock_ahead_s=lead_s, clock_told_at=answer.received_at))
        if abs(lead) > OFF:
            words = clock_off(lead_s, self._name, database=tx.dialect)
            reason = f"{words}; set it right (NTP), this task is closed then"
            asked = Task(kind=TASK, key=self._name, reason=reason, channel_id=self._channel_id)
            if open_tasks(tx, [asked]):
                detail = {"why": words}
                write_events(tx, [Event(kind="clock.off", channel_id=self._channel_id, detail=detail)])
            if not self._off:
                log.warning("clock.off", channel=self._name, platform_ahead_s=lead_s)
            return
        if close_tasks(tx, TASK, [self._name], by="erpsync"):
            write_events(tx, [Event(kind="clock.right", channel_id=self._channel_id)])
            log.info("clock.right", channel=self._name)
        if tx.trusted_now < tx.now and abs(tx.now - answer.received_at) < LATE:
            confirm_leap(tx, by=self._name)


def confirm_leap(tx: Tx, *, by: str) -> None:
    """Trust the clock after a leap ahead; what is over by now may end."""
    confirm(tx)
    close_tasks(tx, TASK, [LEAP], by="erpsync")
    log.info("clock.confirmed", by=by)


def ask_about_leap(ctx: Context) -> None:
    """Ask a person about a leap ahead that no platform confirms; close the question when it has been answered."""
    asked = (task.c.kind == TASK) & (task.c.key == LEAP) & task.c.closed_at.is_(None)
    with ctx.store.read() as connection:
        leap_s = round((read_mark(connection, UNCONFIRMED) or 0) / 1_000_000)
        is_asked = connection.execute(select(task.c.id).where(asked)).first() is not None
    if is_asked and not leap_s:
        ctx.store.retrying(lambda tx: close_tasks(tx, TASK, [LEAP], by="erpsync"))
    if leap_s and not is_asked and ctx.store.clock.unconfirmed_for_s() > PATIENCE_S:
        reason = (
            f"the clock went ahead by {spell(leap_s)} (it was set, or erpsync stood still) and no platform says "
            "so: no reservation ends and nothing is erased till then; if it is right, say so: `erpsync tasks done ID`"
        )
        ctx.store.retrying(lambda tx: open_tasks(tx, [Task(kind=TASK, key=LEAP, reason=reason)]))
