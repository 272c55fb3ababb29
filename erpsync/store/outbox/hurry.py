"""What waits in back-off and may be tried at once, because what stopped it is mended or a daemon begins.

Why not on every call that works: a channel whose stock interface is broken answers its order list all the time, and its
numbers would be tried at the pace of the polls. Who calls this has seen that what failed answers again.
"""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, select, text, true, update

from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Stage, Tx
from erpsync.store.outbox.queue import IS_PENDING
from erpsync.store.tables import inbox, outbox


def run_now(tx: Tx, destination_id: int, *, kinds: Sequence[str] = ()) -> int:
    """Let a channel's effects (of these kinds, or all) and webhooks that failed be tried now; return how many."""
    of_channel = outbox.c.destination_id == destination_id
    effects = _effects(tx, and_(of_channel, outbox.c.kind.in_(kinds)) if kinds else of_channel)
    return effects if kinds else effects + _webhooks(tx, destination_id)


def run_about(tx: Tx, kind: str, refs: Collection[int]) -> int:
    """Let effects of a kind that are about these rows be tried now; return how many."""
    return _effects(tx, and_(outbox.c.kind == kind, outbox.c.ref_id.in_(sorted(refs)))) if refs else 0


def hurry_all(tx: Tx) -> int:
    """As `hurry`, of all channels: a daemon begins, and tries what an earlier one was waiting with."""
    return _effects(tx, true()) + _webhooks(tx)


def _effects(tx: Tx, which: Any) -> int:
    late = and_(which, IS_PENDING, outbox.c.error != "", outbox.c.run_at > tx.now)
    in_order = (outbox.c.destination_id, outbox.c.kind, outbox.c.key)  # as marks are locked: none waits for the other
    ids = [row.id for row in tx.all(select(outbox.c.id).where(late).order_by(*in_order).with_for_update())]
    for part in in_parts(ids):
        tx.execute(update(outbox).where(outbox.c.id.in_(part)).values(run_at=tx.now))
    if ids:
        tx.wake(Stage.PUSH)
    return len(ids)


def _webhooks(tx: Tx, channel_id: int | None = None) -> int:
    """Hurry what is stored and not applied; by channel afterwards, for only the index of what is pending is short."""
    late = and_(text("inbox.state = 'pending'"), inbox.c.error != "", inbox.c.run_at > tx.now)
    query = select(inbox.c.id, inbox.c.channel_id).where(late).order_by(inbox.c.run_at, inbox.c.id)
    ids = [row.id for row in tx.all(query.with_for_update(skip_locked=True)) if channel_id in (None, row.channel_id)]
    for part in in_parts(ids):
        tx.execute(update(inbox).where(inbox.c.id.in_(part)).values(run_at=tx.now))
    if ids:
        tx.wake(Stage.INBOX)
    return len(ids)
