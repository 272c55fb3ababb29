"""A process that ends at a commit: right before it is durable, or right behind it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Any, Literal

from sqlalchemy.event import listen, remove

from erpsync.flows.context import Context
from erpsync.flows.operations.upkeep import reclaim_leases
from erpsync.store.db.store import Store, Tx
from tests.support.shop import Town

WRITES = ("INSERT", "UPDATE", "DELETE")
At = Literal["before", "behind"]


class Crash(BaseException):
    """The process ends."""


class DyingStore(Store):
    """Ends the process at one of its commits: right behind it, or before it is durable.

    Args:
        writes: only transactions count that have written something.
    """

    commits_left = -1
    at: At = "behind"
    writes = False

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """Yield a transaction; the one that was counted down to is the last."""
        counted = not self.writes

        def note(_conn: Any, cursor: Any, statement: str, *_: Any) -> None:
            nonlocal counted
            counted |= statement.lstrip().startswith(WRITES) and cursor.rowcount != 0

        with super().begin() as tx:
            listen(tx.connection, "after_cursor_execute", note)
            try:
                yield tx
            finally:
                remove(tx.connection, "after_cursor_execute", note)
            self.commits_left -= counted
            if counted and self.commits_left == 0 and self.at == "before":
                raise Crash
        if counted and self.commits_left == 0:
            raise Crash


def dying(town: Town, at: At) -> Context:
    """Return a town's context in a process that ends at its first commit; what the clock had to keep is kept before."""
    town.store.trusted_now()
    if at == "before":
        return replace(town.ctx, store=town.store.stamped(_die))
    store = DyingStore(town.store.engine, clock=town.clock, vault=town.store.vault)
    store.clock, store.commits_left = town.store.clock, 1
    return replace(town.ctx, store=store)


def killed_at_each_commit(town: Town, at: At, tell: Callable[[int], Callable[[], object]], *, every: int = 1) -> int:
    """Tell a story again and again, each time to a process that ends at a later commit, until one outlives it.

    What died is started again and told the same story to its end. Return how many commits a story has.

    Args:
        tell: begins the story of that number and returns what goes on with it, once more after a crash.
        every: how many commits later the next one ends; 1 leaves none out.
    """
    alive = town.ctx
    for commit in count(1, every):
        go_on = tell(commit)
        town.store.trusted_now()
        store = DyingStore(town.store.engine, clock=town.clock, vault=town.store.vault)
        store.clock, store.owner = town.store.clock, town.store.owner
        store.commits_left, store.at, store.writes = commit, at, True
        town.ctx = replace(alive, store=store)
        try:
            go_on()
        except Crash:
            town.ctx = alive
            reclaim_leases(town.ctx, owner_gone=True)
            go_on()
        else:
            town.ctx = alive
            return commit - 1
    raise AssertionError("a story has an end")


def _die(tx: Tx) -> None:
    del tx
    raise Crash
