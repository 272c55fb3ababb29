"""What runs by the clock, unasked: looking for work, ending what ran out, deleting what is old."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from erpsync.core.arrivals import learn
from erpsync.core.policy import RefusedPolicy, ReleasePolicy
from erpsync.flows.alarms import late_orders, watch
from erpsync.flows.availability import push
from erpsync.flows.availability.fan_out import fan_out
from erpsync.flows.availability.unpaid import age_unpaid
from erpsync.flows.context import Context
from erpsync.flows.intake import schedule
from erpsync.flows.operations import counters, fill_notes, fill_recipients, prune, reservations, upkeep
from erpsync.flows.orders.find import find_orders
from erpsync.flows.own_orders.complete import complete_own
from erpsync.flows.own_orders.drop_refused import drop_refused
from erpsync.flows.warehouses import release
from erpsync.settings.config import StatusLimits
from erpsync.store.arrivals import arrivals_by_hour
from erpsync.store.db.sequence import set_mark
from erpsync.store.db.store import Store, Tx
from erpsync.store.outbox.queue import STOCK, claim, reclaim
from erpsync.store.tables import micros
from tests.growth.ground import Ground
from tests.growth.history import DAYS
from tests.growth.timing import MS, Measure, rate_of, time_of
from tests.growth.town import TMALL

PRUNED = 10_000
"""Of so many orders, or of half of them, the payloads and recipients are deleted."""


class _UndoneError(Exception):
    """What was done is taken back, so that it can be done again."""


def _undone(store: Store, work: Callable[[Tx], object]) -> None:
    try:
        with store.begin() as tx:
            work(tx)
            raise _UndoneError
    except _UndoneError:
        pass


def measures(ground: Ground) -> Iterator[Measure]:
    """Yield how long each takes; what deletes comes last."""
    ctx, store = ground.ctx, ground.store
    channel, names = ctx.channel(TMALL.name), [ground.names.order, ground.names.external_id]
    _settle(ctx)
    dropping = replace(ctx, releases=ReleasePolicy(refused=RefusedPolicy(drop_after_days=1)))
    chores: dict[str, Callable[[], object]] = {
        "ship: find 2 orders by their names": lambda: _undone(store, lambda tx: find_orders(tx, names)),
        "claim 20 numbers": lambda: _undone(store, lambda tx: claim(tx, "me", channel.id, STOCK, limit=20, lease_s=60)),
        "reclaim leases": lambda: _undone(store, reclaim),
        "look what is due": lambda: schedule.outlooks(ctx, list(ctx.channels.values())),
        "when to push next": lambda: push.next_run_s(ctx),
        "end reservations, age unpaid": lambda: reservations.expire_reservations(ctx),
        "let fresh rows go": lambda: upkeep.free_fresh(ctx),
        "look for new mappings": lambda: upkeep.relook(ctx),
        "look for releases to make": lambda: release.release_ready(ctx),
        "compare counters with sums": lambda: counters.verify_counters(ctx),
        "look at what is wrong": lambda: watch.watch(ctx, StatusLimits()),
        "look for late orders": lambda: late_orders.tell_late(ctx),
        "look for own orders that are over": lambda: complete_own(ctx),
        "look for own orders that no warehouse takes": lambda: drop_refused(dropping),
        "learn when a shop's orders come": lambda: _learn(ctx, channel.id),
    }
    for name, work in chores.items():
        yield time_of(name, work)
    yield from _prune(ground)


def _learn(ctx: Context, channel_id: int) -> None:
    now = ctx.store.clock.now()
    with ctx.store.read() as connection:
        learn(arrivals_by_hour(connection, channel_id, now), micros(now) // 3_600_000_000)


def _settle(ctx: Context) -> None:
    """Bring a database to where a daemon that has run for long has it."""
    ctx.store.retrying(lambda tx: set_mark(tx, fill_notes.MARK, fill_notes.DONE))
    ctx.store.retrying(lambda tx: set_mark(tx, fill_recipients.MARK, fill_recipients.DONE))
    late_orders.tell_late(ctx)
    for first in (age_unpaid, fan_out, release.release_ready):
        while first(ctx):
            pass


def _prune(ground: Ground) -> Iterator[Measure]:
    """Yield rows deleted or erased in a second, and how long the longest of the transactions was."""
    share = min(PRUNED, ground.orders // 2) / ground.orders
    days, longest = int(DAYS * (1 - share)), _Longest(ground.store)

    def work() -> tuple[int, float]:
        began = time.perf_counter()
        with longest.watched():
            done = prune.prune(ground.ctx, days)
        return done, time.perf_counter() - began

    yield rate_of("prune", "rows/s", work, rounds=1)
    yield Measure(name="prune, longest transaction", unit=MS, run=lambda: 1000 * longest.took_s)
    yield time_of("prune, nothing to do", lambda: prune.prune(ground.ctx, days))


class _Longest:
    """Watches how long transactions are open."""

    def __init__(self, store: Store) -> None:
        self._store, self.took_s = store, 0.0

    @contextmanager
    def watched(self) -> Iterator[None]:
        begin = self._store.begin

        @contextmanager
        def watching() -> Iterator[Tx]:
            with begin() as tx:
                began = time.perf_counter()
                yield tx
            self.took_s = max(self.took_s, time.perf_counter() - began)

        self._store.begin = watching  # type: ignore[method-assign]
        try:
            yield
        finally:
            self._store.begin = begin  # type: ignore[method-assign]
