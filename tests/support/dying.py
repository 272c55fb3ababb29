"""A process that ends at a commit: right before it is durable, or right behind it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal

from erpsync.flows.context import Context
from erpsync.store.db.store import Store, Tx
from tests.support.shop import Town

At = Literal["before", "behind"]


class Crash(BaseException):
    """The process ends."""


class DyingStore(Store):
    """Ends the process right behind one of its commits."""

    commits_left = -1

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Yield a transaction; the one that was counted down to is the last."""
        with super().begin() as tx:
            yield tx
        self.commits_left -= 1
        if self.commits_left == 0:
            raise Crash


def dying(town: Town, at: At) -> Context:
    """Return a town's context in a process that ends at its first commit; what the clock had to keep is kept before."""
    town.store.trusted_now()
    if at == "before":
        return replace(town.ctx, store=town.store.stamped(_die))
    store = DyingStore(town.store.engine, clock=town.clock, vault=town.store.vault)
    store.clock, store.commits_left = town.store.clock, 1
    return replace(town.ctx, store=store)


def _die(tx: Tx) -> None:
    del tx
    raise Crash
