"""The call budget of a channel as one row: a token bucket shared by all nodes.

A quarter of the bucket is kept for cancels, urgent stock and shipments; back-fill and details use the rest. Within that
quarter the more urgent lane always finds a call where the less urgent one has to wait.

Why details take a few calls at once: a commit per call costs as much as the call itself on a quick channel. What is
taken and not used within a quarter of a second is lost, so the shared bound holds.
"""

import threading
from datetime import datetime, timedelta

from sqlalchemy import select, update

from erpsync.core.policy import LimitPolicy
from erpsync.sdk.errors import RateLimitedError
from erpsync.store.db.store import Store
from erpsync.store.tables import channel

KEPT_SHARE = 0.25
KEPT_FROM = {"shipment": 1 / 16, "urgent": 1 / 32, "cancel": 0.0}
"""Share of the bucket that a lane leaves to those before it."""

GRADED_FROM = 16
"""A smaller bucket holds too few calls to be shared out among the urgent lanes."""

LONGEST_WAIT_S = 1.0
MOST_AT_ONCE = 8
AT_ONCE_S = 0.25
OWN_BUDGET = "own-budget"
"""Code of the error that our own bucket raises: one lane has to wait, the channel itself stops nobody."""


class SharedLimiter:
    """A `Limiter` of the SDK's HTTP client whose state is the channel's row."""

    def __init__(self, store: Store, channel_id: int, policy: LimitPolicy) -> None:
        self._store = store
        self._channel_id = channel_id
        self._policy = policy
        self._lock = threading.Lock()
        self._spare = 0
        self._spare_until_s = 0.0

    def acquire(self, lane: str) -> None:
        """Take one call; waits up to a second, beyond that raises `RateLimitedError`."""
        if lane == "rest" and self._take_spare():
            return
        while True:
            wait_s = self._take(lane)
            if wait_s <= 0:
                return
            if wait_s > LONGEST_WAIT_S:
                raise RateLimitedError("the channel's call budget is used up", retry_after_s=wait_s, code=OWN_BUDGET)
            self._store.clock.sleep(wait_s)

    def _take(self, lane: str) -> float:
        floor = self._kept(lane)
        with self._store.begin() as tx:
            query = select(channel.c.tokens, channel.c.tokens_at, channel.c.blocked_until_at)
            row = tx.execute(query.where(channel.c.id == self._channel_id).with_for_update(key_share=True)).one()
            tokens, at, blocked = row.tokens, row.tokens_at, row.blocked_until_at
            if blocked is not None and blocked > tx.now:
                return float((blocked - tx.now).total_seconds())
            tokens = calls_left(tokens, at, tx.now, self._policy)
            if tokens - 1 < floor:
                return float(floor + 1 - tokens) / self._policy.calls_per_s
            taken = self._at_once(tokens - floor) if lane == "rest" else 1
            left = {"tokens": tokens - taken, "tokens_at": tx.now}
            tx.execute(update(channel).where(channel.c.id == self._channel_id).values(**left))
        self._keep_spare(taken - 1)
        return 0.0

    def _kept(self, lane: str) -> float:
        """Return how many calls a lane leaves in the bucket."""
        burst = self._policy.burst
        if lane == "rest":
            return burst * KEPT_SHARE if burst >= 4 else 0.0
        return burst * KEPT_FROM[lane] if burst >= GRADED_FROM else 0.0

    def _at_once(self, free: float) -> int:
        """Return how many calls to take: few when little is left, and no more than are soon made up for."""
        return max(1, int(min(MOST_AT_ONCE, free / 4, self._policy.calls_per_s * AT_ONCE_S)))

    def _take_spare(self) -> bool:
        with self._lock:
            if not self._spare or self._store.clock.monotonic() > self._spare_until_s:
                return False
            self._spare -= 1
            return True

    def _keep_spare(self, count: int) -> None:
        if count:
            with self._lock:
                self._spare, self._spare_until_s = count, self._store.clock.monotonic() + AT_ONCE_S


def calls_left(tokens: float, at: datetime | None, now: datetime, policy: LimitPolicy) -> float:
    """Return how many calls a bucket holds now that held `tokens` at an instant; None is one that was never used."""
    if at is None:
        return float(policy.burst)
    gained = max(0.0, (now - at).total_seconds()) * policy.calls_per_s
    return min(float(policy.burst), tokens + gained)


def block(store: Store, channel_id: int, *, seconds: float) -> None:
    """Stop all calls to a channel for a while, because it said so."""
    with store.begin() as tx:
        until = tx.now + timedelta(seconds=seconds)
        tx.execute(update(channel).where(channel.c.id == channel_id).values(blocked_until_at=until))
