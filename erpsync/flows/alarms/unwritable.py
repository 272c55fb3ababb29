"""The one alarm that cannot be stored when it is raised: the database takes no writes.

It is kept in memory and told in the log, once; when the database takes writes again it is stored with the instants of
then and told as every other. A node that dies meanwhile takes it along; the log has it, and the next start says why it
cannot begin.
"""

from datetime import datetime

import structlog

from erpsync.core.alarms import HOLDS, Condition
from erpsync.flows.alarms.conditions import DATABASE
from erpsync.flows.context import Context
from erpsync.store.alarms import note_past

log = structlog.get_logger()


class Unwritable:
    """What one node knows of it."""

    def __init__(self) -> None:
        self._seen_at: datetime | None = None
        self._raised_at: datetime | None = None
        self._said = ""

    def look(self, ctx: Context, problem: str) -> bool:
        """Take in what keeps the database from being written to, or nothing; return whether it may be written to now.

        Raises what the database raises where the alarm of before cannot be stored after all: it is kept then.
        """
        now = ctx.store.clock.now()
        if problem:
            self._wait(problem, now)
            return False
        if self._raised_at is not None:
            self._store(ctx, self._seen_at or self._raised_at, self._raised_at)
        self._seen_at, self._raised_at = None, None
        return True

    def _wait(self, problem: str, now: datetime) -> None:
        if self._seen_at is None:
            self._seen_at = now
        elif self._raised_at is None and now - self._seen_at >= HOLDS:
            self._raised_at, self._said = now, problem
            log.error("alarm.raised", check=DATABASE, text=problem, action="see what keeps it from being written to")

    def _store(self, ctx: Context, seen_at: datetime, raised_at: datetime) -> None:
        condition = Condition(rule=DATABASE, said=f"the database takes no writes: {self._said}")
        ctx.store.retrying(lambda tx: note_past(tx, condition, seen_at=seen_at, raised_at=raised_at))
