"""The chains that keep order: reservations, lost leases, old data, counters.

On PostgreSQL each runs on one node at a time, under a lease.
"""

from collections.abc import Callable, Mapping

import structlog

from erpsync.runtime.chains import Chain, Launcher
from erpsync.runtime.world import World
from erpsync.store.leases import LeaseLostError, under

log = structlog.get_logger("erpsync.runtime.upkeep")

OFTEN_S = 5.0
LEAST_S = 0.05
FREE_S = 30.0
RELOOK_S = 300.0
PRUNE_S = 3600.0
COMPLETE_S = 3600.0
WAVES_S = 60.0
ACCOUNTS_S = 60.0
COUNT_S = 60.0
TOKENS_S = 30.0
SHARE = 50
"""Counters are compared at most so much of the time: 1 second in 50."""

DEADLINE_S = 900.0


class Upkeep:
    """The upkeep chains; `retention_days` says how long each channel's personal data is kept."""

    def __init__(self, world: World, launcher: Launcher, retention_days: Callable[[], Mapping[str, int]]) -> None:
        self._world = world
        self._retention_days = retention_days
        self.reclaim = self._chain(launcher, "reclaim", self._reclaim)
        self.looks = self._chain(launcher, "looks", self._judge_due)
        self.chains = [
            self._chain(launcher, "reservations", self._expire),
            self.reclaim,
            self.looks,
            self._chain(launcher, "fresh", self._free),
            self._chain(launcher, "relook", self._relook),
            self._chain(launcher, "prune", self._prune),
            self._chain(launcher, "complete", self._complete),
            self._chain(launcher, "waves", self._make_waves),
            self._chain(launcher, "accounts", self._watch_accounts),
            self._chain(launcher, "counters", self._compare),
            Chain("tokens", self._watch_tokens, launcher=launcher, pool=lambda: "upkeep"),
        ]

    def close(self) -> None:
        """Begin no further run."""
        for chain in self.chains:
            chain.close()

    def _chain(self, launcher: Launcher, name: str, work: Callable[[], float]) -> Chain:
        return Chain(name, lambda: self._alone(name, work), launcher=launcher, pool=lambda: "upkeep")

    def _alone(self, name: str, work: Callable[[], float]) -> float:
        with self._world.presence.lease(f"upkeep:{name}") as held:
            if held is None:
                return OFTEN_S
            try:
                with self._world.running(name, kind="upkeep", deadline_s=DEADLINE_S), under(held.lease):
                    return work()
            except LeaseLostError:
                return OFTEN_S

    def _expire(self) -> float:
        expired = self._world.stages.expire_reservations(self._world.ctx)
        if expired:
            self._world.meters.add("erpsync_reservations_expired_total", expired)
        return OFTEN_S

    def _judge_due(self) -> float:
        """Judge the orders whose look is due, and be there when the next one is."""
        judged = self._world.stages.judge_due(self._world.ctx)
        if judged:
            self._world.meters.add("erpsync_orders_judged_total", judged)
        next_s = self._world.stages.next_look_s(self._world.ctx)
        return OFTEN_S if next_s is None else min(OFTEN_S, max(LEAST_S, next_s))

    def _reclaim(self) -> float:
        taken = self._world.stages.reclaim_leases(self._world.ctx)
        if taken:
            self._world.meters.add("erpsync_reclaimed_rows_total", taken)
        return OFTEN_S

    def _free(self) -> float:
        self._world.stages.free_fresh(self._world.ctx)
        return FREE_S

    def _relook(self) -> float:
        self._world.stages.relook(self._world.ctx)
        return RELOOK_S

    def _prune(self) -> float:
        pruned = self._world.stages.prune(self._world.ctx, self._retention_days())
        if pruned:
            log.info("store.pruned", rows=pruned)
        return PRUNE_S

    def _complete(self) -> float:
        self._world.stages.complete_own(self._world.ctx)
        self._world.stages.drop_refused(self._world.ctx)
        return COMPLETE_S

    def _make_waves(self) -> float:
        self._world.stages.make_due_waves(self._world.ctx)
        return WAVES_S

    def _watch_accounts(self) -> float:
        self._world.stages.watch_accounts(self._world.ctx)
        return ACCOUNTS_S

    def _watch_tokens(self) -> float:
        """Renew and watch tokens: on every node, for each has to hear of a pair that another one renewed."""
        with self._world.running("tokens", kind="upkeep", deadline_s=DEADLINE_S):
            renewed = self._world.stages.watch_tokens(self._world.ctx)
        if renewed:
            self._world.meters.add("erpsync_tokens_renewed_total", renewed)
        return TOKENS_S

    def _compare(self) -> float:
        """Compare the stock counters with the sums they stand for; a difference is a defect of ours."""
        began_s = self._world.store.clock.monotonic()
        differences = self._world.stages.verify_counters(self._world.ctx)
        self._world.meters.set("erpsync_counter_differences", len(differences))
        return max(COUNT_S, SHARE * (self._world.store.clock.monotonic() - began_s))
