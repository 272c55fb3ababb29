"""Messages of a type that nobody here knows: kept, counted and told once; they are no order that could be lost.

Why no dead letter: the shop says more than it was asked for, as own shops do after an update of theirs, and nothing of
it waits for us. Why the number of types is bounded: a type is whatever a shop writes there.
"""

import structlog
from sqlalchemy import func, select

from erpsync.flows.context import Channel
from erpsync.sdk.text import storable
from erpsync.sdk.types import UnknownMessage, WebhookResult
from erpsync.store.db.store import Tx
from erpsync.store.payloads import keep_payloads
from erpsync.store.tables import unknown_message
from erpsync.store.tasks import Task, open_tasks

TASK = "unknown_message"
MOST_TYPES, MOST_CHARS = 50, 60
OTHERS = "(other types)"
log = structlog.get_logger()


def note_unknown(tx: Tx, channel: Channel, result: WebhookResult) -> None:
    """Keep what a delivery holds of unknown types, count it, and open a task at the first of each type."""
    for message in result.unknown:
        keep_payloads(tx, channel.id, "webhook", [(storable(result.key), message.payload)])
        type = _counted_as(tx, channel, message)
        if _count(tx, channel, type) == 1:
            reason = (
                f"{channel.name} sent a message of type {type!r}, which is not known here; it was answered 200 and "
                "kept, and nothing was done: have the shop leave it out, or install a version that knows it"
            )
            open_tasks(tx, [Task(kind=TASK, key=f"{channel.name}:{type}", reason=reason, channel_id=channel.id)])
            log.warning("webhook.unknown_type", channel=channel.name, type=type)


def _counted_as(tx: Tx, channel: Channel, message: UnknownMessage) -> str:
    """Return the type as it is counted; beyond so many of a channel the rest count as one."""
    shown = "".join(char if char.isprintable() else "?" for char in storable(message.type))[:MOST_CHARS]
    of_channel = unknown_message.c.channel_id == channel.id
    others = tx.execute(select(func.count()).where(of_channel, unknown_message.c.type != shown)).scalar_one()
    return shown if others < MOST_TYPES else OTHERS


def _count(tx: Tx, channel: Channel, type: str) -> int:
    """Return how many of this type have come now."""
    row = tx.insert(unknown_message).values(channel_id=channel.id, type=type, count=1, first_at=tx.now, last_at=tx.now)
    again = {"count": unknown_message.c["count"] + 1, "last_at": tx.now}
    counted = row.on_conflict_do_update(index_elements=["channel_id", "type"], set_=again)
    return int(tx.execute(counted.returning(unknown_message.c["count"])).scalar_one())
