"""Calls about claimed effects begin only while the claim is surely ours.

Why: what a silent node has claimed and may repeat passes on after some seconds, and so does everything at the end of
its lease. A process that was stopped, or waited for its budget, does not know; it asks before it calls.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from erpsync.flows.context import Context
from erpsync.sdk.deadline import refuse_late, to_be_sent_within
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import Claimed, still_leased

SURE_S = 5.0
"""So long a claim is believed without asking: half the silence after which a node loses what may be repeated."""


@contextmanager
def while_ours(ctx: Context, rows: Sequence[Claimed]) -> Iterator[None]:
    """Let calls inside the `with` block begin only while these claims hold; raises `TooLateError`, at once too."""

    def held(tx: Tx) -> bool:
        return all(still_leased(tx, row) for row in rows)

    with to_be_sent_within(ctx.store.clock, SURE_S, renew=lambda: ctx.store.retrying(held)):
        refuse_late()
        yield
