"""The daemon: starts everything in the right order, reloads on SIGHUP, ends on SIGTERM.

Why nothing is saved at the end: whatever matters was committed when it happened, so `kill -9` at any instant loses
nothing, and an orderly stop only saves the next start from waiting.
"""

import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import NoReturn

import structlog
from sqlalchemy.exc import SQLAlchemyError

from erpsync import __version__
from erpsync.flows.context import Context
from erpsync.runtime.alarms import Alarms
from erpsync.runtime.chains import Chain
from erpsync.runtime.comparing import Comparing
from erpsync.runtime.jobs import Jobs
from erpsync.runtime.lock import only_daemon
from erpsync.runtime.logging import configure
from erpsync.runtime.meters import Meters
from erpsync.runtime.once import drain
from erpsync.runtime.parts import Built, Face, Server, Stages, flow_stages
from erpsync.runtime.polls import Polling
from erpsync.runtime.pushes import Pushing
from erpsync.runtime.reload import Reloaded, reload, try_refused
from erpsync.runtime.signals import Signals
from erpsync.runtime.systemd import Notifier
from erpsync.runtime.upkeep import DEADLINE_S, Upkeep
from erpsync.runtime.wakes import Watcher, watcher
from erpsync.runtime.world import World
from erpsync.store.db.engine import StoreError
from erpsync.store.db.identity import FileMovedError
from erpsync.store.db.store import Stage
from erpsync.store.leases import BEAT_S, end_all_leases
from erpsync.store.nodes import Refusal
from erpsync.store.outbox.hurry import hurry_all

log = structlog.get_logger("erpsync.runtime")

TICK_S = 1.0
NET_S = 5.0
"""The safety net: so often every dispatcher looks by itself."""

HINT_S = 1.0
JUMP_S = 2.0
ALIVE_S = 30.0
MOST_THREADS = 32
UNUSABLE = 78
"""The exit code after which the service manager does not start the daemon again."""


def run(built: Built, *, once: bool = False) -> int:
    """Run the daemon until it is told to end, or once through everything; return the exit code.

    Raises `AlreadyRunningError` when another daemon runs on the same SQLite file, `FileMovedError` when that file was
    removed or replaced meanwhile, `OSError` when the web address cannot be had.
    """
    if not structlog.is_configured():
        configure()
    with only_daemon(built.config.sqlite_file):
        if once:
            with Signals() as signals:
                return run_once(built, stopping=lambda: signals.ending)
        daemon = Daemon(built, notifier=Notifier.from_environ(os.environ))
        try:
            daemon.serve(Signals())
        except FileMovedError as error:
            if daemon.clean:
                raise
            sys.stderr.write(f"erpsync: {error}\n")
            return _leave(UNUSABLE)
    return 0 if daemon.clean else _leave(0)


def run_once(built: Built, *, stages: Stages | None = None, stopping: Callable[[], bool] = lambda: False) -> int:
    """Poll every channel once, drain and push until nothing is due; return the exit code.

    It is 1 when told to stop, and when the last pass over a stream of a channel failed.
    """
    used = stages or flow_stages()
    take_over(built, used)
    used.watch_tokens(built.ctx)
    done = drain(built.ctx, stages=used, stopping=stopping)
    if _compare(built.ctx, used, stopping):
        done.last |= drain(built.ctx, poll=False, stages=used, stopping=stopping).last
    built.store.verify()  # a stream whose pass failed was noted as failing, whatever the reason
    log.info("run.completed", polls=done.polls, failed=done.failed, pushed=done.pushed, took_ms=done.took_ms)
    if done.unread:
        log.error("run.unread", channels="; ".join(done.unread), action="see what each failed with; then run again")
    return 1 if stopping() or done.unread else 0


def _compare(ctx: Context, stages: Stages, stopping: Callable[[], bool]) -> bool:
    """Compare every channel with what we hold, as far as one run goes; return whether something may be to push."""
    wanted = False
    for channel in ctx.channels.values():
        if channel.enabled and channel.connector is not None and not stopping():
            compared = stages.reconcile(ctx, channel, stopping=stopping)
            wanted = wanted or bool(compared.missed or compared.drifted)
    return wanted


def take_over(built: Built, stages: Stages) -> None:
    """Take up what an earlier daemon left.

    On SQLite what it had leased is taken back at once, for it is known to be gone; on PostgreSQL leases end by
    themselves. What failed is tried at once, and listings that were never told a number, or not surely, are pushed.
    """
    alone = built.store.is_sqlite
    if alone:
        with built.store.begin() as tx:
            end_all_leases(tx)
    stages.reclaim_leases(built.ctx, owner_gone=alone)
    built.store.retrying(hurry_all)
    stages.mark_untold(built.ctx)
    stages.replan_changed(built.ctx)
    try_refused(built.ctx, stages)


def _leave(code: int) -> NoReturn:
    """End the process although threads still hang in calls; their rows stay leased and are unknown outcomes."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Daemon:
    """Everything that runs, in one process.

    Args:
        notifier: tells the service manager.
    """

    def __init__(self, built: Built, *, stages: Stages | None = None, notifier: Notifier | None = None) -> None:
        self.meters = Meters()
        self._built = built
        self._stages = stages or flow_stages()
        self._notifier = notifier or Notifier()
        self._world = World(built.ctx, stages=self._stages, meters=self.meters)
        self._jobs = Jobs(_pools(len(built.ctx.channels)), self.meters)
        self._polling = Polling(self._world, self._jobs)
        self._pushing = Pushing(self._world, self._jobs)
        self._upkeep = Upkeep(self._world, self._jobs, self._retention_days)
        self._comparing = Comparing(self._world, self._jobs)
        limits, disks = (lambda: built.config.status), built.disks
        self._alarms = Alarms(self._world, self._jobs, limits=limits, disks=disks)
        self._beat = Chain("beat", self._beats, launcher=self._jobs, pool=lambda: "beat")
        self._replanning = Chain("replan", self._replan, launcher=self._jobs, pool=lambda: "upkeep")
        self._watcher: Watcher = watcher(built.store, self._commit_seen)
        self._server: Server | None = None
        self._ticked_at_s = time.monotonic()
        self._lead_s = time.time() - time.monotonic()
        self._hinted_at_s = float("-inf")
        self.clean = True

    def serve(self, signals: Signals) -> bool:
        """Run until a signal says to end; return whether everything ended in time, as `clean` does afterwards.

        Raises `FileMovedError`, once everything has ended, when the file of the database was removed or replaced.
        """
        with signals:
            try:
                self.start()
                while (name := signals.wait(TICK_S)) not in {"SIGTERM", "SIGINT"}:
                    if name == "SIGHUP":
                        self.reload()
                    self._watch()
            finally:
                self.clean = self.stop(signal=signals.last)
        return self.clean

    def start(self) -> None:
        """Take over, start the threads, accept requests, and only then say that we are ready."""
        take_over(self._built, self._stages)
        self._world.presence.configuration = self._built.config.kept
        self._world.presence.beat()
        self._built.store.listen(self._committed)
        self._server = self._built.server(self._face())
        if self._server is not None:
            self._server.start()
        self._watcher.start()
        self._jobs.start()
        self._jobs.every("tick", self._tick, TICK_S)
        self._jobs.wake_every(self._beat, BEAT_S)
        pushing = self._pushing
        for chain in (self._polling.dispatcher, pushing.dispatcher, pushing.fan_out, *pushing.inner):
            self._jobs.wake_every(chain, NET_S)
        for chain in (*self._upkeep.chains, self._alarms.chain):
            self._jobs.wake_in(chain, 0)
        self._comparing.settle()
        self.meters.set("erpsync_started_at_seconds", time.time())
        self._notifier.ready(self._summary())
        log.info(
            "daemon.started",
            version=__version__,
            channels=sum(channel.enabled for channel in self._world.ctx.channels.values()),
            database=self._built.store.engine.dialect.name,
            node=self._built.store.owner,
        )

    def reload(self) -> Reloaded:
        """Put the configuration's files in force, all or nothing."""
        self._notifier.reloading()
        done = reload(self._built, self._world)
        self.meters.set("erpsync_config_last_reload_successful", float(done.taken))
        self.meters.add("erpsync_config_reloads_total", outcome="taken" if done.taken else "refused")
        if done.taken:
            self._polling.settle()
            self._pushing.settle()
            self._comparing.settle()
            self._replanning.wake()  # may take longer than the service manager waits for a sign of life
            self._wake(set(Stage) - {Stage.EVENTS})
        self._tell(done)
        self._notifier.ready(self._summary())
        return done

    def _tell(self, done: Reloaded) -> None:
        """Let the next heartbeat, which is made at once, tell those who ask what became of a reload."""
        presence = self._world.presence
        presence.configuration = self._built.config.kept
        presence.refusal = None if done.taken else Refusal(at=datetime.now(UTC), why=done.why)
        self._beat.wake()

    def _replan(self) -> None:
        """Tell and plan anew what another configuration changes; again a little later if the database is away."""
        with self._world.running("replan", kind="upkeep", deadline_s=DEADLINE_S):
            self._stages.mark_untold(self._world.ctx)
            self._stages.replan_changed(self._world.ctx)

    def stop(self, *, signal: str = "") -> bool:
        """Begin nothing new, let what runs end within `stop_s`, give leases back; False when a call still hangs."""
        began_s = time.monotonic()
        deadline_s = began_s + self._built.config.stop_s
        self._notifier.stopping()
        self._world.ending.set()
        self._watcher.stop()
        for part in (self._polling, self._pushing, self._upkeep, self._comparing, self._alarms):
            part.close()
        for chain in (self._beat, self._replanning):
            chain.close()
        self._jobs.stop()
        if self._server is not None:
            self._server.stop(max(0.0, deadline_s - time.monotonic()))
        clean = self._jobs.wait_idle(max(0.0, deadline_s - time.monotonic()))
        for name in self._world.runs.names():
            log.warning("call.abandoned", call=name)
        # A database that is away keeps nobody from ending; leases end by themselves.
        with suppress(SQLAlchemyError, StoreError):
            self._world.presence.leave()
        took_ms = round((time.monotonic() - began_s) * 1000)
        log.info("daemon.stopped", signal=signal, clean=clean, took_ms=took_ms)
        return clean

    def alive(self) -> bool:
        """Whether the scheduler ticks, no worker is past its deadline and the heart beats.

        Also while the database takes no write, which a restart would not mend: requests are refused with the reason
        meanwhile, and `/readyz` says it.
        """
        tried_at_s = self._world.presence.tried_at_s
        beats = tried_at_s is not None and self._built.store.clock.monotonic() - tried_at_s < self._within_s
        return beats and self.turns()

    def turns(self) -> bool:
        """Whether the scheduler ticks and no worker is past its deadline, however the database is."""
        return time.monotonic() - self._ticked_at_s < self._within_s and not self._world.runs.overdue()

    @property
    def _within_s(self) -> float:
        return self._notifier.watchdog_s or ALIVE_S

    def _face(self) -> Face:
        return Face(
            ctx=lambda: self._world.ctx,
            config=lambda: self._built.config,
            meters=self.meters,
            alive=self.turns,
            draining=self._world.ending.is_set,
        )

    def _tick(self) -> None:
        self._ticked_at_s = time.monotonic()

    def _beats(self) -> None:
        if self._world.presence.beat():
            self._upkeep.reclaim.wake()

    def _watch(self) -> None:
        """Once a second, on the main thread: the database's file, the watchdog's sign of life, jumps of the clock."""
        self._built.store.verify()
        if self.alive():
            self._notifier.alive()
        self._notifier.status(self._summary())
        lead_s = time.time() - time.monotonic()
        if abs(lead_s - self._lead_s) > JUMP_S:
            log.warning("clock.jumped", by_s=round(lead_s - self._lead_s))
            self._jobs.hurry()
        self._lead_s = lead_s

    def _committed(self, stages: set[Stage]) -> None:
        """Wake the next stages after a commit of this process."""
        if not self._world.ending.is_set():
            self._wake(stages)

    def _commit_seen(self, stages: set[Stage]) -> None:
        """As `_committed`, of any process; what is due to be polled is looked up at most once a second then."""
        rest_s = self._hinted_at_s + HINT_S - time.monotonic()
        if Stage.POLL in stages and rest_s > 0:
            self._jobs.wake_in(self._polling.dispatcher, rest_s, why="hint")
            stages = stages - {Stage.POLL}
        elif Stage.POLL in stages:
            self._hinted_at_s = time.monotonic()
        self._committed(stages)

    def _wake(self, stages: set[Stage]) -> None:
        wakes: dict[Stage, Callable[[], None]] = {
            Stage.DIRTY: self._pushing.fan_out.wake,
            Stage.LOOK: self._upkeep.looks.wake,
            Stage.RELEASE: self._pushing.releases.wake,
            Stage.MAKE: self._pushing.works.wake,
            Stage.PUSH: self._pushing.dispatcher.wake,
            Stage.POLL: self._polling.wake,
            Stage.INBOX: self._pushing.inbox.wake,
            Stage.EVENTS: self._pushing.follow,
        }
        for stage in sorted(stages):
            wakes[stage]()

    def _summary(self) -> str:
        channels = [channel for channel in self._world.ctx.channels.values() if channel.enabled]
        overdue = self._world.runs.overdue()
        stuck = f", stuck: {', '.join(overdue)}" if overdue else ""
        problem = self._world.presence.problem
        unwritable = f", THE DATABASE TAKES NO WRITES: {problem}" if problem else ""
        return f"{len(channels)} channels{stuck}{unwritable}{self._refused()}"

    def _refused(self) -> str:
        refusal = self._world.presence.refusal
        if refusal is None:
            return ""
        at = refusal.at.astimezone(self._world.ctx.timezone)
        return f", RELOAD REFUSED at {at:%H:%M:%S}, the old configuration stays in force: {refusal.why}"

    def _retention_days(self) -> dict[str, int]:
        config = self._built.config
        gone = {"": config.privacy.retention_days} if config.privacy else {}
        return gone | {channel.id: channel.retention_days for channel in config.channels}


def _pools(channels: int) -> dict[str, int]:
    """Return threads per class of work: one per channel while they are few, so that none waits for another."""
    per_pool = min(MOST_THREADS, max(4, channels))
    return {
        "beat": 1,
        "ingest": 4,
        "poll": per_pool,
        "fast": per_pool,
        "bulk": min(MOST_THREADS, 3 * per_pool),
        "push": 2 * per_pool,
        "slow": 6,
        "upkeep": 2,
    }
