"""What all that follow the events share: whose turn it is, for how long, and what a failure leaves behind.

A follower is a row with a cursor over the events (`run_at`, `attempts`, `failing_since_at`, `error`, `told_at`): a
subscriber of the API, or a route to a department. Its cursor moves behind what was accepted, under a lease of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Table, select

from erpsync.flows.context import Context
from erpsync.flows.retry import backoff_s
from erpsync.store.db.store import Tx
from erpsync.store.leases import Lease, end_leases, take_lease

TURN_S = 20.0
"""So long one follower tells before the next one's turn."""

ASKS_AFTER = 5
"""Failures in a row after which a person is asked to look."""


class Follower(Protocol):
    """A row, as it was read."""

    id: int
    attempts: int
    failing_since_at: datetime | None


def due(ctx: Context, table: Table, which: ColumnElement[bool]) -> Sequence[Any]:
    """Return the rows whose time has come, those first that did not fail last."""
    query = select(table).where(which, table.c.run_at <= ctx.store.clock.now())
    with ctx.store.read() as connection:
        return connection.execute(query.order_by(table.c.attempts, table.c.id)).all()


def lease_s(call_s: float) -> float:
    """Return how long a turn's lease holds, with calls of at most so many seconds."""
    return TURN_S + call_s + 15


@contextmanager
def turn(ctx: Context, key: str, *, call_s: float) -> Iterator[Lease | None]:
    """Yield the lease of a follower for one turn, None while another node has it.

    Args:
        call_s: how long a call may take that begins at the end of the turn.
    """
    held = take_lease(ctx.store, key, ttl_s=lease_s(call_s))
    if held is None:
        yield None
        return
    try:
        yield held
    finally:
        end_leases(ctx.store, key=key)


def recovered(tx: Tx) -> dict[str, Any]:
    """Return the values of a row whose last call was accepted."""
    return {"attempts": 0, "failing_since_at": None, "error": "", "told_at": tx.now}


def failed(tx: Tx, row: Follower, problem: str, *, moved: bool = False, wait_s: float = 0.0) -> dict[str, Any]:
    """Return the values of a row whose last call failed: later each time, and not before the other side wants it.

    Args:
        moved: whether something was accepted in between; then it is the first failure of its kind.
    """
    attempts = 1 if moved else row.attempts + 1
    return {
        "attempts": attempts,
        "failing_since_at": tx.now if moved or row.failing_since_at is None else row.failing_since_at,
        "error": problem,
        "run_at": tx.now + timedelta(seconds=max(wait_s, backoff_s(attempts, row.id))),
    }
