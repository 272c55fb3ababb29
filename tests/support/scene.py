"""A daemon in the test's own process, with stages that count, hang and fail as the test decides."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import Channel, ChannelSpec, Context, open_context
from erpsync.flows.intake.schedule import Outlook
from erpsync.runtime.daemon import Daemon
from erpsync.runtime.parts import Face, Server, Stages
from erpsync.sdk.roles import Connector
from erpsync.sdk.types import CheckReport
from erpsync.settings import ChannelConfig, Config, Loaded
from erpsync.store.db.store import Store
from erpsync.store.status.storage import Disk

LONG_S = 60


class Silent(Connector):
    """A connector that plays no role; the stages decide what happens."""

    def __init__(self) -> None:
        pass

    def check(self) -> CheckReport:
        return CheckReport()

    def close(self) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Pass:
    """What a stage says of a pass."""

    failed: bool = False
    timed_out: bool = False
    pages: int = 0


@dataclass
class Scene:
    """Stages whose work a test decides, and a diary of who did what on which thread."""

    due: dict[str, list[str]] = field(default_factory=dict)
    poll: Callable[[str, str, Callable[[], bool]], Pass] = lambda channel, stream, stopping: Pass()
    push: Callable[[str], int] = lambda channel: 0
    fan: Callable[[], bool] = lambda: False
    inbox: Callable[[], int] = lambda: 0
    reclaimed: list[bool] = field(default_factory=list)
    diary: list[tuple[str, str, str]] = field(default_factory=list)
    leases: list[object] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def note(self, what: str, channel: str = "") -> None:
        with self.changed:
            self.diary.append((what, channel, threading.current_thread().name))
            self.changed.notify_all()

    def count(self, what: str, channel: str = "") -> int:
        return sum(entry[:2] == (what, channel) for entry in self.diary)

    def wait_for(self, what: str, channel: str = "", *, times: int = 1) -> bool:
        with self.changed:
            return self.changed.wait_for(lambda: self.count(what, channel) >= times, LONG_S)

    def stages(self) -> Stages:
        return Stages(
            streams_of=lambda channel: list(self.due.get(channel.name, [])),
            due_streams=lambda ctx, channel: list(self.due.get(channel.name, [])),
            outlooks=lambda ctx, channels: {
                channel.id: Outlook(due=list(self.due.get(channel.name, [])), next_s=30.0) for channel in channels
            },
            poll_stream=self._poll,
            pull_hints=lambda ctx, channel: False,
            ask_tracks=lambda ctx, channel: False,
            apply_inbox=lambda ctx: (self.note("inbox"), self.inbox())[1],
            fan_out=lambda ctx: (self.note("fan_out"), self.fan())[1],
            push_stock=lambda ctx, channel, urgent_only=False: self._push(channel, urgent_only),
            push_shipments=lambda ctx, channel: 0,
            release_ready=lambda ctx: 0,
            push_releases=lambda ctx, channel: 0,
            push_waybills=lambda ctx, channel: 0,
            push_events=lambda ctx, step: (self.note("events"), 0)[1],
            next_run_s=lambda ctx: None,
            mark_untold=lambda ctx: self.note("mark_untold"),
            replan_changed=lambda ctx: 0,
            expire_reservations=lambda ctx: 0,
            reclaim_leases=lambda ctx, owner_gone=False: (self.reclaimed.append(owner_gone), 0)[1],
            free_fresh=lambda ctx: 0,
            relook=lambda ctx: 0,
            prune=lambda ctx, retention_days: 0,
            complete_own=lambda ctx: 0,
            drop_refused=lambda ctx: 0,
            make_due_waves=lambda ctx: 0,
            make_due=lambda ctx: 0,
            judge_due=lambda ctx: 0,
            next_look_s=lambda ctx: None,
            verify_counters=lambda ctx: [],
            watch_tokens=lambda ctx: 0,
            learn_arrivals=lambda ctx: 0,
            tell_late=lambda ctx: 0,
            tell_stale=lambda ctx: 0,
            watch_alarms=lambda ctx, limits: 0,
            watch_disks=lambda ctx, disks, limits: 0,
        )

    def _poll(
        self, ctx: Context, channel: Channel, stream: str, *, lease: object, stopping: Callable[[], bool]
    ) -> Pass:
        self.note(stream, channel.name)
        self.leases.append(lease)
        return self.poll(channel.name, stream, stopping)

    def _push(self, channel: Channel, urgent_only: bool) -> int:
        self.note("urgent" if urgent_only else "push", channel.name)
        return self.push(channel.name)


class FakeBuilt:
    """A configuration in force, with the context made of it."""

    def __init__(self, config: Config, store: Store) -> None:
        self.store = store
        self.next: Loaded = Loaded(config=config)
        self.config = config
        self.ctx = self._ctx(config)

    def _ctx(self, config: Config) -> Context:
        specs = [
            ChannelSpec(name=channel.id, kind=channel.connector, enabled=channel.enabled, connector=Silent())
            for channel in config.channels
        ]
        ctx = open_context(
            self.store, warehouses=config.warehouses, channels_=specs, timezone=ZoneInfo("Asia/Shanghai")
        )
        return replace(ctx, book=config.rules.book(config.timezone))

    def load(self) -> Loaded:
        return self.next

    def rebuild(self, config: Config) -> Context:
        self.ctx, self.config = self._ctx(config), config
        return self.ctx

    def disks(self) -> Sequence[Disk]:
        return ()

    def server(self, face: Face) -> Server | None:
        return None


def config_of(url: str, *names: str, stop_s: float = 5) -> Config:
    return Config(
        folder=Path("/etc/erpsync"),
        database=url,
        stop_s=stop_s,
        warehouses=(WarehousePolicy(id="SH"),),
        channels=tuple(ChannelConfig(id=name, connector="silent", settings=None) for name in names),
    )


def running(built: FakeBuilt, scene: Scene) -> AbstractContextManager[Daemon]:
    return running_with(built, scene.stages())


@contextmanager
def running_with(built: FakeBuilt, stages: Stages) -> Iterator[Daemon]:
    daemon = Daemon(built, stages=stages)
    try:
        daemon.start()
        yield daemon
    finally:
        daemon.stop()


def built_of(store: Store, *names: str, stop_s: float = 5) -> FakeBuilt:
    return FakeBuilt(config_of(store.engine.url.render_as_string(hide_password=False), *names, stop_s=stop_s), store)


def eventually(true: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(true() or pause.wait(0.02) for _ in range(50 * LONG_S))
