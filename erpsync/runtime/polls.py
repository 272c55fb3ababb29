"""When which stream of which channel is read.

One dispatcher asks all channels what is due and wakes their lanes; a lane is a chain that reads some of a channel's
streams. Refunds and cancels have a lane of their own, so that a long order list never delays them, and so has the
back-fill, which may take hours. Message queues and questions about parcels are chains of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from erpsync.flows.channels.streams import TABLE
from erpsync.flows.intake.schedule import IDLE_S
from erpsync.runtime.chains import Chain, Launcher
from erpsync.runtime.presence import Held
from erpsync.runtime.world import Visit, World
from erpsync.sdk.roles import HintSource, TrackSource

OVERDUE_S = 1.0
"""How soon what is due and did not run is looked at again: its lane is busy, or the channel may not be called."""

REST_S = 1.0
GRACE_S = 5.0
TAKEN_S = 2.0
HINTS_S = 2.0
TRACKS_S = 60.0
PAGE_DEADLINE_S = 1800.0
"""A page is a list call and up to a hundred detail calls of at most 30 s each; nothing takes longer in good order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """Streams of a channel that are read one after the other."""

    name: str
    pool: str
    streams: tuple[str, ...]


LANES = tuple(
    Lane(name=name, pool=found[0].pool, streams=tuple(stream.name for stream in found))
    for name, found in (
        (name, [stream for stream in TABLE if stream.lane == name])
        for name in dict.fromkeys(stream.lane for stream in TABLE)
    )
)


class Polling:
    """The polling chains of all channels."""

    def __init__(self, world: World, launcher: Launcher) -> None:
        self._world = world
        self._launcher = launcher
        self._lanes: dict[tuple[str, str], Chain] = {}
        self._hints: dict[str, Chain] = {}
        self._tracks: dict[str, Chain] = {}
        self._due_since_s: dict[tuple[str, str], float] = {}
        self._rests_until_s: dict[tuple[str, str], float] = {}
        self.dispatcher = Chain("poll.dispatch", self._dispatch, launcher=launcher, pool=lambda: "ingest")
        self.settle()

    def settle(self) -> None:
        """Have exactly the chains that the context in force needs."""
        wanted = {channel.name: channel for channel in self._world.ctx.channels.values() if channel.enabled}
        for key in [key for key in self._lanes if key[0] not in wanted]:
            self._lanes.pop(key).close()
        for chains in (self._hints, self._tracks):
            for name in [name for name in chains if name not in wanted]:
                chains.pop(name).close()
        for name, channel in wanted.items():
            for lane in LANES:
                if (name, lane.name) not in self._lanes:
                    self._lanes[name, lane.name] = self._lane(name, lane)
            if name not in self._hints and channel.plays(HintSource):
                self._hints[name] = self._at_once(f"hints {name}", partial(self._pull_hints, name), name, "fast")
            if name not in self._tracks and channel.plays(TrackSource):
                self._tracks[name] = self._at_once(f"tracks {name}", partial(self._ask_tracks, name), name, "ingest")

    def close(self) -> None:
        """Begin no further run."""
        for chain in (self.dispatcher, *self._lanes.values(), *self._hints.values(), *self._tracks.values()):
            chain.close()

    def wake(self) -> None:
        """Look what is due."""
        self.dispatcher.wake()

    def _lane(self, name: str, lane: Lane) -> Chain:
        return Chain(
            f"poll {name} {lane.name}",
            lambda: self._poll(name, lane),
            launcher=self._launcher,
            pool=lambda: self._world.pool(name, lane.pool),
        )

    def _at_once(self, title: str, run: Callable[[], float | None], name: str, pool: str) -> Chain:
        """Return a chain of a channel that begins now and says itself when it runs again."""
        chain = Chain(title, run, launcher=self._launcher, pool=lambda: self._world.pool(name, pool))
        self._launcher.wake_in(chain, 0)
        return chain

    def _dispatch(self) -> float | None:
        """Wake the lanes that have something to read; return when the next stream is due."""
        with self._world.store.read() as connection:
            self._world.look_for_slow(connection)
        ctx = self._world.ctx
        channels = [channel for channel in ctx.channels.values() if channel.enabled and channel.connector is not None]
        outlooks = self._world.stages.outlooks(ctx, channels)
        for channel in channels:
            for lane in LANES:
                chain = self._lanes.get((channel.name, lane.name))
                if chain is not None and any(stream in outlooks[channel.id].due for stream in lane.streams):
                    chain.wake()
        return min((max(outlook.next_s, 0) or OVERDUE_S for outlook in outlooks.values()), default=IDLE_S)

    def _poll(self, name: str, lane: Lane) -> float | None:
        """Read the lane's streams that are due; after a failure that brought nothing the lane rests a moment."""
        visit, now_s = self._world.visit(name), self._world.store.clock.monotonic()
        if visit is None:
            return None
        if now_s < self._rests_until_s.get((name, lane.name), now_s):
            return self._rests_until_s[name, lane.name] - now_s
        due = [stream for stream in self._due(visit) if stream in lane.streams]
        rests_s = [self._turn(visit, stream) for stream in due if not visit.stopping()]
        if not due:
            return None
        rest_s = max(rests_s, default=0.0)
        self._rests_until_s[name, lane.name] = self._world.store.clock.monotonic() + rest_s
        self.dispatcher.wake()
        return rest_s or None

    def _due(self, visit: Visit) -> list[str]:
        return self._world.stages.due_streams(visit.ctx, visit.channel)

    def _turn(self, visit: Visit, stream: str) -> float:
        """Read a stream if it is this node's turn; return for how long its lane is to rest."""
        wait_s = self._after_others(visit.channel.name, stream)
        return wait_s if wait_s > 0 else self._pass(visit, stream)

    def _after_others(self, name: str, stream: str) -> float:
        """Return for how long another node is to have the first chance to read a stream; 0 when it is our turn."""
        now_s = self._world.store.clock.monotonic()
        if self._world.presence.preferred(name):
            self._due_since_s.pop((name, stream), None)
            return 0.0
        return max(0.0, self._due_since_s.setdefault((name, stream), now_s) + GRACE_S - now_s)

    def _pass(self, visit: Visit, stream: str) -> float:
        with self._world.presence.lease(f"poll:{visit.channel.name}:{stream}") as held:
            self._due_since_s.pop((visit.channel.name, stream), None)
            if held is None:
                return TAKEN_S
            if held.lease is not None and stream not in self._due(visit):
                return 0.0  # another node was here since we looked
            return self._read(visit, stream, held)

    def _read(self, visit: Visit, stream: str, held: Held) -> float:
        world, clock, name = self._world, self._world.store.clock, visit.channel.name
        began_s = clock.monotonic()
        with world.running(f"poll {name} {stream}", kind="poll", deadline_s=PAGE_DEADLINE_S) as run:

            def ends() -> bool:
                run.touch()
                return visit.stopping() or not world.presence.good(held)

            report = world.stages.poll_stream(visit.ctx, visit.channel, stream, lease=held.lease, stopping=ends)
        outcome = "failed" if report.failed else "done"
        world.meters.add("erpsync_polls_total", channel=name, stream=stream, outcome=outcome)
        world.meters.add("erpsync_poll_seconds_total", clock.monotonic() - began_s, channel=name, stream=stream)
        return REST_S if report.failed and not report.pages else 0.0

    def _pull_hints(self, name: str) -> float | None:
        """Ask the channel's message queue which streams are worth reading."""
        visit = self._world.visit(name)
        if visit is None:
            return None
        with self._world.running(f"hints {name}", kind="poll", deadline_s=PAGE_DEADLINE_S):
            more = self._world.stages.pull_hints(visit.ctx, visit.channel)
        return 0 if more else HINTS_S

    def _ask_tracks(self, name: str) -> float | None:
        """Ask a courier where parcels are, as many as are due."""
        visit = self._world.visit(name)
        if visit is None:
            return None
        with self._world.running(f"tracks {name}", kind="poll", deadline_s=PAGE_DEADLINE_S) as run:
            while not visit.stopping() and self._world.stages.ask_tracks(visit.ctx, visit.channel):
                run.touch()
        return TRACKS_S
