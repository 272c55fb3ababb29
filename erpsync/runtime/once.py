"""Once through everything, on one thread, in an order that the same state always gives.

What `run --once` does, and what tests and the simulation use instead of a scheduler.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from erpsync.flows.context import Channel, Context
from erpsync.runtime.parts import Stages, flow_stages
from erpsync.sdk.roles import OrderSource
from erpsync.store.cursors import read_cursor, read_cursors
from erpsync.store.registry import channels as channel_rows

MARGIN_S = 1.0
MOST_ROUNDS = 10_000
PAST_S = 0.001
"""Slept beyond a row's instant: the store's clock may run some microseconds ahead of the one that sleeps."""


@dataclass(slots=True, kw_only=True)
class Drained:
    """What was done: passes, those of them that failed, inbox rows applied, outbox rows handled.

    `last` says of each stream that was read (channel, stream) whether its last pass went through.
    """

    polls: int = 0
    failed: int = 0
    applied: int = 0
    pushed: int = 0
    took_ms: int = 0
    last: dict[tuple[str, str], bool] = field(default_factory=dict)

    @property
    def unread(self) -> list[str]:
        """The channels that could not be polled, each with the streams that were not read to the end."""
        failed: dict[str, list[str]] = {}
        for (channel, stream), through in sorted(self.last.items()):
            if not through:
                failed.setdefault(channel, []).append(stream)
        return [f"{channel} ({', '.join(streams)})" for channel, streams in failed.items()]


def drain(
    ctx: Context,
    *,
    until_idle: bool = True,
    poll: bool = True,
    stages: Stages | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Drained:
    """Poll every enabled channel's streams once, apply, fan out and push; return what was done.

    Args:
        until_idle: go on until no row is due, waiting for those that still settle. False does one round.
        poll: False begins with no pass, and makes only those that rows wait for.
    """
    clock = ctx.store.clock
    began_s = clock.monotonic()
    run = _Work(ctx, stages or flow_stages(), stopping)
    if poll:
        run.poll_all()
    for _ in range(MOST_ROUNDS):
        busy = run.round()
        if stopping() or not until_idle:
            break
        if not busy and not run.wait_for_next():
            break
    run.done.took_ms = round((clock.monotonic() - began_s) * 1000)
    return run.done


class _Work:
    def __init__(self, ctx: Context, stages: Stages, stopping: Callable[[], bool]) -> None:
        self._ctx = ctx
        self._stages = stages
        self._stopping = stopping
        self._settle_s = max((channel.stock.settle_s for channel in ctx.channels.values()), default=0.0)
        self.done = Drained()

    def poll_all(self) -> None:
        """Read each stream of each channel once, due or not; a paused channel is left alone."""
        for channel in self._channels():
            for stream in self._readable(channel):
                self._poll(channel, stream)

    def round(self) -> bool:
        """Do once what there is to do; return whether there was anything."""
        before = (self.done.polls, self.done.applied, self.done.pushed)
        while not self._stopping() and (applied := self._stages.apply_inbox(self._ctx)):
            self.done.applied += applied
        while not self._stopping() and self._stages.fan_out(self._ctx):
            pass
        while not self._stopping() and self._stages.make_due(self._ctx):
            pass
        while not self._stopping() and self._stages.release_ready(self._ctx):
            pass
        if not self._stopping():
            self._stages.make_due_waves(self._ctx)
        for channel in self._channels():
            for stream in self._wanted(channel):
                self._poll(channel, stream)
        for channel in self._channels():
            while not self._stopping() and self._stages.ask_tracks(self._ctx, channel):
                pass
        for channel in self._channels():
            self._push(channel)
        while not self._stopping() and (told := self._stages.push_events(self._ctx)):
            self.done.pushed += told
        while not self._stopping() and self._stages.push_messages(self._ctx) == 0:
            pass
        return before != (self.done.polls, self.done.applied, self.done.pushed)

    def wait_for_next(self) -> bool:
        """Wait for the next row if it is due within the settling time; False when it is not, or there is none."""
        next_s = self._stages.next_run_s(self._ctx)
        if next_s is None or not 0 < next_s <= self._settle_s + MARGIN_S:
            return False
        self._ctx.store.clock.sleep(next_s + PAST_S)
        return True

    def _channels(self) -> list[Channel]:
        with self._ctx.store.read() as connection:
            paused = {row.name for row in channel_rows(connection).values() if row.paused}
        enabled = (c for c in self._ctx.channels.values() if c.enabled and c.connector is not None)
        return sorted((c for c in enabled if c.name not in paused), key=lambda channel: channel.id)

    def _readable(self, channel: Channel) -> Iterator[str]:
        """Yield the streams to read, each looked at when its turn comes: refunds wait for the end of the back-fill."""
        for stream in self._stages.streams_of(channel):
            with self._ctx.store.read() as connection:
                backfill = read_cursor(connection, channel.id, "backfill")
            unfinished = backfill.complete_ended_at is None and channel.plays(OrderSource)
            if stream == "backfill" and not (unfinished or backfill.wanted):
                continue
            if stream == "refunds" and unfinished:
                continue
            yield stream

    def _wanted(self, channel: Channel) -> list[str]:
        """Return the streams that somebody asked to be read."""
        with self._ctx.store.read() as connection:
            rows = read_cursors(connection)
        due = self._stages.due_streams(self._ctx, channel)
        return [stream for stream in due if (row := rows.get((channel.id, stream))) is not None and row.wanted]

    def _poll(self, channel: Channel, stream: str) -> None:
        if self._stopping():
            return
        report = self._stages.poll_stream(self._ctx, channel, stream, lease=None, stopping=self._stopping)
        self.done.polls += 1
        self.done.failed += report.failed
        self.done.last[channel.name, stream] = not report.failed

    def _push(self, channel: Channel) -> None:
        while not self._stopping() and (pushed := self._stages.push_stock(self._ctx, channel)):
            self.done.pushed += pushed
        while not self._stopping() and (pushed := self._stages.push_shipments(self._ctx, channel)):
            self.done.pushed += pushed
        while not self._stopping() and (pushed := self._stages.push_releases(self._ctx, channel)):
            self.done.pushed += pushed
        while not self._stopping() and (pushed := self._stages.push_waybills(self._ctx, channel)):
            self.done.pushed += pushed
