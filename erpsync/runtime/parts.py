"""What the daemon is given: a built context, the stages it schedules, a web server.

Why the stages are one record of callables: the daemon is tested with stages that hang, fail or count, and the
simulation runs the real ones, with nothing patched in either.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from erpsync.flows.context import Channel, Context
from erpsync.flows.intake.schedule import Outlook
from erpsync.flows.reconcile.compare import Reconciled
from erpsync.runtime.meters import Meters
from erpsync.settings import Config, Loaded
from erpsync.store.db.store import Store
from erpsync.store.leases import Lease
from erpsync.store.status.figures import Limits
from erpsync.store.status.storage import Disk


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
        context, config: those in force, also after a reload.
        alive: whether the daemon's loop still turns.
        draining: whether the daemon is ending.
    """

    ctx: Callable[[], Context]
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
    def ctx(self) -> Context:
        """Channels with their connectors, by the configuration in force."""
        ...

    def load(self) -> Loaded:
        """Read the configuration's files again and change nothing."""
        ...

    def rebuild(self, config: Config) -> Context:
        """Put another configuration in force: new connectors for changed channels only; nothing changes on an error."""
        ...

    def disks(self) -> Sequence[Disk]:
        """Return how much room the disks of this machine have; a drive that hangs does not tell."""
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
        self, ctx: Context, channel: Channel, stream: str, *, lease: Lease | None, stopping: Callable[[], bool]
    ) -> Report:
        """Return how the pass went; between two pages it asks `stopping`."""
        ...


class PushStock(Protocol):
    """Pushes stock numbers: one claim, one call."""

    def __call__(self, ctx: Context, channel: Channel, *, urgent_only: bool = False) -> int:
        """Return how many rows were handled, 0 when nothing is due."""
        ...


class ReclaimLeases(Protocol):
    """Takes back what a lost worker had leased."""

    def __call__(self, ctx: Context, *, owner_gone: bool = False) -> int:
        """Return how many rows were taken back."""
        ...


class Reconcile(Protocol):
    """Compares a channel with what we hold."""

    def __call__(self, ctx: Context, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
        """Return what was found; one call does a few windows only."""
        ...


class WatchAlarms(Protocol):
    """Looks at what is wrong, and tells it once each way."""

    def __call__(self, ctx: Context, limits: Limits) -> int:
        """Return how many alarms were told."""
        ...


class WatchDisks(Protocol):
    """Looks at the disks of this machine, and tells what is wrong once each way."""

    def __call__(self, ctx: Context, disks: Iterable[Disk], limits: Limits) -> int:
        """Return how many alarms were told."""
        ...


def _nothing_to_compare(ctx: Context, channel: Channel, *, stopping: Callable[[], bool]) -> Reconciled:
    del ctx, channel, stopping
    return Reconciled()


def _nobody_to_tell(ctx: Context, *, step: Callable[[], None] = lambda: None) -> float | None:
    del ctx, step
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """The use cases that the daemon schedules. All may run twice and never raise for a channel's trouble."""

    streams_of: Callable[[Channel], list[str]]
    due_streams: Callable[[Context, Channel], list[str]]
    outlooks: Callable[[Context, Collection[Channel]], Mapping[int, Outlook]]
    poll_stream: PollStream
    pull_hints: Callable[[Context, Channel], bool]
    ask_tracks: Callable[[Context, Channel], bool]
    apply_inbox: Callable[[Context], int]
    fan_out: Callable[[Context], bool]
    push_stock: PushStock
    push_shipments: Callable[[Context, Channel], int]
    release_ready: Callable[[Context], int]
    push_releases: Callable[[Context, Channel], int]
    make_due_waves: Callable[[Context], int]
    make_due: Callable[[Context], int]
    push_waybills: Callable[[Context, Channel], int]
    push_events: Callable[..., int]
    next_run_s: Callable[[Context], float | None]
    mark_untold: Callable[[Context], None]
    replan_changed: Callable[[Context], int]
    expire_reservations: Callable[[Context], int]
    reclaim_leases: ReclaimLeases
    free_fresh: Callable[[Context], int]
    relook: Callable[[Context], int]
    prune: Callable[[Context, Mapping[str, int]], int]
    complete_own: Callable[[Context], int]
    drop_refused: Callable[[Context], int]
    judge_due: Callable[[Context], int]
    next_look_s: Callable[[Context], float | None]
    verify_counters: Callable[[Context], list[str]]
    watch_tokens: Callable[[Context], int]
    learn_arrivals: Callable[[Context], int]
    tell_late: Callable[[Context], int]
    tell_stale: Callable[[Context], int]
    watch_alarms: WatchAlarms
    watch_disks: WatchDisks
    push_messages: Callable[..., float | None] = _nobody_to_tell
    reconcile: Reconcile = _nothing_to_compare


def flow_stages() -> Stages:
    """Return the product's own stages."""
    from erpsync.flows.alarms import arrivals, late_orders, watch
    from erpsync.flows.api import event_webhooks
    from erpsync.flows.audit import looks
    from erpsync.flows.availability import fan_out
    from erpsync.flows.availability import push as stock_push
    from erpsync.flows.channels import credentials, streams
    from erpsync.flows.couriers import push as waybill_push
    from erpsync.flows.couriers import stale
    from erpsync.flows.desk import waves
    from erpsync.flows.intake import hints, poll, schedule, track_questions, webhooks
    from erpsync.flows.messages import tell
    from erpsync.flows.operations import config_change, counters, prune, reservations, upkeep
    from erpsync.flows.own_orders import complete, drop_refused
    from erpsync.flows.production import netting
    from erpsync.flows.reconcile import compare
    from erpsync.flows.shipments import push as shipment_push
    from erpsync.flows.warehouses import push, release

    return Stages(
        streams_of=streams.streams_of,
        due_streams=schedule.due_streams,
        outlooks=schedule.outlooks,
        poll_stream=poll.poll_stream,
        pull_hints=hints.pull_hints,
        ask_tracks=track_questions.ask_tracks,
        apply_inbox=webhooks.apply_inbox,
        fan_out=fan_out.fan_out,
        push_stock=stock_push.push_stock,
        push_shipments=shipment_push.push_shipments,
        release_ready=release.release_ready,
        push_releases=push.push_releases,
        make_due_waves=waves.make_due_waves,
        make_due=netting.make_due,
        push_waybills=waybill_push.push_waybills,
        push_events=event_webhooks.push_events,
        push_messages=tell.push_messages,
        next_run_s=stock_push.next_run_s,
        mark_untold=fan_out.mark_untold,
        replan_changed=config_change.replan_changed,
        expire_reservations=reservations.expire_reservations,
        reclaim_leases=upkeep.reclaim_leases,
        free_fresh=upkeep.free_fresh,
        relook=upkeep.relook,
        prune=prune.prune,
        complete_own=complete.complete_own,
        drop_refused=drop_refused.drop_refused,
        judge_due=looks.judge_due,
        next_look_s=looks.next_look_s,
        verify_counters=counters.verify_counters,
        watch_tokens=credentials.watch_tokens,
        learn_arrivals=arrivals.learn_arrivals,
        tell_late=late_orders.tell_late,
        tell_stale=stale.tell_stale,
        watch_alarms=watch.watch,
        watch_disks=watch.watch_disks,
        reconcile=compare.reconcile,
    )
