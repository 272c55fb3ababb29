"""What all chains of the daemon share: the context in force, who is slow, who is to stop.

Why chains look it up at each run and never keep it: a reload then is one assignment, and a channel that did not
change goes on undisturbed.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, select

from erpsync.flows.context import Channel, Context
from erpsync.runtime.chains import Run, Runs
from erpsync.runtime.meters import Meters
from erpsync.runtime.parts import Stages
from erpsync.runtime.presence import Presence
from erpsync.store import tables
from erpsync.store.db.store import Store

log = structlog.get_logger("erpsync.runtime")

TIMEOUTS = 2
"""So many time-outs in a row send a channel to the pool for slow ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One run's view of a channel: context and channel of one configuration, and whether the run is to end."""

    ctx: Context
    channel: Channel
    stopping: Callable[[], bool]


class World:
    """The daemon's shared state."""

    def __init__(self, ctx: Context, *, stages: Stages, meters: Meters) -> None:
        self.ctx = ctx
        self.stages = stages
        self.meters = meters
        self.runs = Runs()
        self.presence = Presence(ctx.store, meters)
        self.ending = threading.Event()
        self._generations: dict[str, int] = {}
        self._slow: frozenset[str] = frozenset()

    @property
    def store(self) -> Store:
        """The database."""
        return self.ctx.store

    def visit(self, name: str) -> Visit | None:
        """Return an enabled channel as it is configured now, None when it is not there any more."""
        stopping = self._stopping(name)  # before the context is looked at: a reload in between then ends the visit
        ctx = self.ctx
        named = (channel for channel in ctx.channels.values() if channel.name == name and channel.enabled)
        channel = next(named, None)
        return None if channel is None else Visit(ctx=ctx, channel=channel, stopping=stopping)

    def replace(self, ctx: Context, changed: Iterable[str]) -> None:
        """Put another context in force; runs of the changed channels end at their next step."""
        self.ctx = ctx
        for name in changed:
            self._generations[name] = self._generations.get(name, 0) + 1

    def _stopping(self, name: str) -> Callable[[], bool]:
        generation = self._generations.get(name, 0)
        return lambda: self.ending.is_set() or self._generations.get(name, 0) != generation

    @contextmanager
    def running(self, name: str, *, kind: str, deadline_s: float) -> Iterator[Run]:
        """Note a run for the length of the block: for the watchdog, and for those who wait for the end of it."""
        self.meters.add("erpsync_chain_runs_total", kind=kind)
        run = self.runs.begin(name, deadline_s=deadline_s)
        try:
            yield run
        finally:
            self.runs.end(run)

    def pool(self, name: str, usual: str) -> str:
        """Return the pool for a channel's next run: its usual one, or that for slow ones."""
        return "slow" if name in self._slow else usual

    def look_for_slow(self, connection: Connection) -> None:
        """See which channels timed out several times in a row; said once when one becomes so, once when it is not."""
        query = select(tables.channel.c.name).where(tables.channel.c.active, tables.channel.c.timeouts >= TIMEOUTS)
        slow = frozenset(connection.execute(query).scalars())
        before, self._slow = self._slow, slow
        self.meters.set("erpsync_channels_isolated", len(slow))
        for name in sorted(slow - before):
            log.warning("channel.isolated", channel=name)
        for name in sorted(before - slow):
            log.info("channel.rejoined", channel=name)
