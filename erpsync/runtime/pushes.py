"""When what is pushed where, and when what came in is applied.

One dispatcher looks which outbox rows are due, wakes the chains of their destinations and sets its timer for the next
ones. Urgent numbers have a chain of their own, so that they need not wait for an ordinary call under way.
"""

from dataclasses import dataclass

from sqlalchemy import func, select

from erpsync.runtime.chains import Chain, Launcher
from erpsync.runtime.world import Visit, World
from erpsync.store.db.store import Store
from erpsync.store.outbox.queue import (
    CORRECTION,
    IS_PENDING,
    LANE_URGENT,
    RELEASE,
    RELEASE_CANCEL,
    SHIPMENT,
    STOCK,
    WAYBILL,
    WAYBILL_CANCEL,
)
from erpsync.store.tables import outbox

ROUND = 20
LOOK_AT_WORK_S = 60.0
"""So many calls in a row before the channel goes behind the others of its pool."""

_CHAIN_OF = {RELEASE_CANCEL: RELEASE, CORRECTION: SHIPMENT, WAYBILL_CANCEL: WAYBILL}
"""Kinds that go in another one's chain."""

CALL_DEADLINE_S = 900.0
INTERNAL_DEADLINE_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When the earliest pending row of a destination is to run, in seconds from now; 0 or less is now."""

    destination_id: int
    kind: str
    urgent: bool
    in_s: float


def due_rows(store: Store) -> list[Due]:
    """Return the earliest pending outbox row per destination, kind and urgency, in one query."""
    urgent = (outbox.c.lane <= LANE_URGENT).label("urgent")
    query = (
        select(outbox.c.destination_id, outbox.c.kind, urgent, func.min(outbox.c.run_at).label("run_at"))
        .where(IS_PENDING)
        .group_by(outbox.c.destination_id, outbox.c.kind, urgent)
    )
    with store.read() as connection:
        rows = connection.execute(query).all()
    now = store.clock.now()
    return [
        Due(
            destination_id=row.destination_id,
            kind=row.kind,
            urgent=bool(row.urgent),
            in_s=(row.run_at - now).total_seconds(),
        )
        for row in rows
    ]


class Pushing:
    """The chains that apply what came in and push what is due."""

    def __init__(self, world: World, launcher: Launcher) -> None:
        self._world = world
        self._launcher = launcher
        self._chains: dict[tuple[str, str], Chain] = {}
        self.inbox = Chain("inbox", self._apply_inbox, launcher=launcher, pool=lambda: "ingest")
        self.events = Chain("events", self._push_events, launcher=launcher, pool=lambda: "push")
        self.releases = Chain("releases", self._release, launcher=launcher, pool=lambda: "ingest")
        self.works = Chain("works", self._make, launcher=launcher, pool=lambda: "ingest")
        self.fan_out = Chain("fan_out", self._fan_out, launcher=launcher, pool=lambda: "ingest")
        self.messages = Chain("messages", self._push_messages, launcher=launcher, pool=lambda: "push")
        self.inner = (self.inbox, self.works, self.releases, self.events, self.messages)
        self.dispatcher = Chain("push.dispatch", self._dispatch, launcher=launcher, pool=lambda: "ingest")
        self.settle()

    def settle(self) -> None:
        """Have exactly the chains that the context in force needs."""
        wanted = {channel.name for channel in self._world.ctx.channels.values() if channel.enabled}
        for key in [key for key in self._chains if key[0] not in wanted]:
            self._chains.pop(key).close()
        for name in sorted(wanted):
            for kind in ("urgent", STOCK, SHIPMENT, RELEASE, WAYBILL):
                if (name, kind) not in self._chains:
                    self._chains[name, kind] = self._chain(name, kind)

    def follow(self) -> None:
        """Look for events that subscribers and departments are to be told."""
        self.events.wake()
        self.messages.wake()

    def close(self) -> None:
        """Begin no further run."""
        for chain in (*self.inner, self.fan_out, self.dispatcher, *self._chains.values()):
            chain.close()

    def _chain(self, name: str, kind: str) -> Chain:
        return Chain(
            f"push {name} {kind}",
            lambda: self._push(name, kind),
            launcher=self._launcher,
            pool=lambda: self._world.pool(name, "push"),
        )

    def _dispatch(self) -> float | None:
        """Wake the chains that have a row to push; return when the next row is due."""
        names = {channel.id: channel.name for channel in self._world.ctx.channels.values() if channel.enabled}
        later: list[float] = []
        for due in due_rows(self._world.store):
            kind = "urgent" if due.kind == STOCK and due.urgent else _CHAIN_OF.get(due.kind, due.kind)
            chain = self._chains.get((names.get(due.destination_id, ""), kind))
            if chain is None:
                continue
            if due.in_s > 0:
                later.append(due.in_s)
            else:
                chain.wake()
        return min(later, default=None)

    def _push(self, name: str, kind: str) -> float | None:
        """Push a channel's due rows, a fair number at a time."""
        world, clock = self._world, self._world.store.clock
        visit = world.visit(name)
        if visit is None:
            return None
        began_s, handled, more = clock.monotonic(), 0, True
        with world.running(f"push {name} {kind}", kind="push", deadline_s=CALL_DEADLINE_S) as run:
            for _ in range(ROUND):
                if visit.stopping() or not more:
                    break
                done = self._stage(visit, kind)
                run.touch()
                handled, more = handled + done, done > 0
        if handled:
            told = STOCK if kind == "urgent" else kind
            world.meters.add("erpsync_pushes_total", handled, channel=name, kind=told)
            world.meters.add("erpsync_push_seconds_total", clock.monotonic() - began_s, channel=name, kind=told)
            self.dispatcher.wake()
        return 0 if more and not visit.stopping() else None

    def _stage(self, visit: Visit, kind: str) -> int:
        stages = self._world.stages
        if kind == SHIPMENT:
            return stages.push_shipments(visit.ctx, visit.channel)
        if kind == RELEASE:
            return stages.push_releases(visit.ctx, visit.channel)
        if kind == WAYBILL:
            return stages.push_waybills(visit.ctx, visit.channel)
        return stages.push_stock(visit.ctx, visit.channel, urgent_only=kind == "urgent")

    def _fan_out(self) -> float | None:
        with self._world.running("fan_out", kind="ingest", deadline_s=INTERNAL_DEADLINE_S):
            return 0 if self._world.stages.fan_out(self._world.ctx) else None

    def _release(self) -> float | None:
        with self._world.running("releases", kind="ingest", deadline_s=INTERNAL_DEADLINE_S):
            return 0 if self._world.stages.release_ready(self._world.ctx) else None

    def _make(self) -> float | None:
        """Bring work orders to what is wanted; return when those are looked for that have waited long enough since."""
        if self._world.ctx.production is None:
            return None
        with self._world.running("works", kind="ingest", deadline_s=INTERNAL_DEADLINE_S):
            return 0 if self._world.stages.make_due(self._world.ctx) else LOOK_AT_WORK_S

    def _push_events(self) -> float | None:
        with self._world.running("events", kind="push", deadline_s=CALL_DEADLINE_S) as run:
            told = self._world.stages.push_events(self._world.ctx, step=run.touch)
        if told:
            self._world.meters.add("erpsync_events_told_total", told)
        return 0 if told else None

    def _push_messages(self) -> float | None:
        if not self._world.ctx.routes:
            return None
        with self._world.running("messages", kind="push", deadline_s=CALL_DEADLINE_S) as run:
            next_s: float | None = self._world.stages.push_messages(self._world.ctx, step=run.touch)
        return next_s

    def _apply_inbox(self) -> float | None:
        with self._world.running("inbox", kind="ingest", deadline_s=CALL_DEADLINE_S):
            applied = self._world.stages.apply_inbox(self._world.ctx)
        if applied:
            self._world.meters.add("erpsync_inbox_applied_total", applied)
        return 0 if applied else None
