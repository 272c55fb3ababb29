"""What the daemon is given: a built house, the stages it schedules, a web server.

Why the stages are one record of callables: the daemon is tested with stages that hang, fail or count, and the
simulation runs the real ones, with nothing patched in either.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol

from erpsync.flows.due import Outlook
from erpsync.flows.house import Channel, House
from erpsync.flows.reconcile import Reconciled
from erpsync.runtime.meters import Meters
from erpsync.settings import Config, Loaded
from erpsync.store.leases import Lease
from erpsync.store.store import Store


class Server(Protocol):
    """A web server that runs in a thread of its own."""

    def start(self) -> None:
        """Accept requests from now on; an error when the address cannot be used."""
        ...

    def stop(self, timeout_s: float = 5) -> bool:
        """Accept no more, let requests under way end within `timeout_s` seconds; return whether all did."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What the web server may ask of the daemon.

    Args:
        house, config: those in force, also after a reload.
        alive: whether the daemon's loop still turns.
        draining: whether the daemon is ending.
    """

    house: Callable[[], House]
    config: Callable[[], Config]
    meters: Meters
    alive: Callable[[], bool]
    draining: Callable[[], bool]


class Built(Protocol):
    """A configuration made into objects, as the composition root does it."""

    @property
    def config(self) -> Config:
        """The configuration in force."""
        ...

    @property
    def store(self) -> Store:
        """The database."""
        ...

    @property
    def house(self) -> House:
        """Channels with their connectors, by the configuration in force."""
        ...

    def load(self) -> Loaded:
        """Read the configuration's files again and change nothing."""
        ...

    def rebuild(self, config: Config) -> House:
        """Put another configuration in force: new connectors for changed channels only; nothing changes on an error."""
        ...

    def server(self, face: Face) -> Server | None:
        """Return the web server for the daemon, or None to run without one."""
        ...


class Report(Protocol):
    """What the daemon needs to know of one pass over a stream."""

    @property
    def failed(self) -> bool:
        """Whether the pass ended early because of the channel."""
        ...

    @property
    def timed_out(self) -> bool:
        """Whether it was a time-out."""
        ...

    @property
    def pages(self) -> int:
        """How many pages of the pass were committed."""
        ...


class PollStream(Protocol):
    """Reads one stream to the end of its pass."""

    def __call__(
        self, house: House, channel: Channel, stream: str, *, lease: Lease | None, stopping: Callable[[], bool]
    ) -> Report:
        """Return how the pass went; between two pages it asks `stopping`."""
        ...


class PushStock(Protocol):
    """Pushes stock numbers: one claim, one call."""

    def __call__(self, house: House, channel: Channel, *, urgent_only: bool = False) -> int:
        """Return how many rows were handled, 0 when nothing is due."""
        ...


class ReclaimLeases(Protocol):
    """Takes back what a lost worker had leased."""

    def __call__(self, house: House, *, owner_gone: bool = False) -> int:
        """Return how many rows were taken back."""
        ...


class Reconcile(Protocol):
    """Compares a channel with what we hold."""

    def __call__(self, house: House, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
        """Return what was found; one call does a few windows only."""
        ...


def _nothing_to_compare(house: House, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
    del house, channel, stopping
    return Reconciled()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The use cases that the daemon schedules. All may run twice and never raise for a channel's trouble."""

    streams_of: Callable[[Channel], list[str]]
    due_streams: Callable[[House, Channel], list[str]]
    outlooks: Callable[[House, Collection[Channel]], Mapping[int, Outlook]]
    poll_stream: PollStream
    pull_hints: Callable[[House, Channel], bool]
    apply_inbox: Callable[[House], int]
    fan_out: Callable[[House], bool]
    push_stock: PushStock
    push_shipments: Callable[[House, Channel], int]
    release_ready: Callable[[House], int]
    push_releases: Callable[[House, Channel], int]
    push_events: Callable[..., int]
    next_run_s: Callable[[House], float | None]
    mark_untold: Callable[[House], None]
    replan_changed: Callable[[House], int]
    expire_reservations: Callable[[House], int]
    reclaim_leases: ReclaimLeases
    free_fresh: Callable[[House], int]
    relook: Callable[[House], int]
    prune: Callable[[House, Mapping[str, int]], int]
    verify_counters: Callable[[House], list[str]]
    watch_tokens: Callable[[House], int]
    reconcile: Reconcile = _nothing_to_compare


def flow_stages() -> Stages:
    """Return the product's own stages."""
    from erpsync.flows import (
        due,
        events_out,
        hints,
        inbox,
        parcels,
        poll,
        push,
        reconcile,
        releases,
        replan,
        tokens,
        upkeep,
    )

    return Stages(
        streams_of=due.streams_of,
        due_streams=due.due_streams,
        outlooks=due.outlooks,
        poll_stream=poll.poll_stream,
        pull_hints=hints.pull_hints,
        apply_inbox=inbox.apply_inbox,
        fan_out=push.fan_out,
        push_stock=push.push_stock,
        push_shipments=parcels.push_shipments,
        release_ready=releases.release_ready,
        push_releases=releases.push_releases,
        push_events=events_out.push_events,
        next_run_s=push.next_run_s,
        mark_untold=push.mark_untold,
        replan_changed=replan.replan_changed,
        expire_reservations=upkeep.expire_reservations,
        reclaim_leases=upkeep.reclaim_leases,
        free_fresh=upkeep.free_fresh,
        relook=upkeep.relook,
        prune=upkeep.prune,
        verify_counters=upkeep.verify_counters,
        watch_tokens=tokens.watch_tokens,
        reconcile=reconcile.reconcile,
    )
