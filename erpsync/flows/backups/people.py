"""What only people can bring back after a backup was restored: a task for each thing that they look at.

Why not left to a manual: whoever restores at night has no time to read, and what was taken in from a file or by a
webhook after the backup comes from nowhere a second time.
"""

from collections.abc import Sequence
from datetime import datetime

from erpsync.core.instants import stamp
from erpsync.flows.context import Channel, Context
from erpsync.flows.warehouses.doubt import releasing, task_of_releases
from erpsync.sdk.roles import OrderSource, WebhookSource
from erpsync.store.db.store import Tx
from erpsync.store.restored import Restored, next_id
from erpsync.store.tables import task
from erpsync.store.tasks import Task, open_tasks


def questions(ctx: Context, *, taken_at: datetime, now: datetime) -> list[Task]:
    """Return the tasks of a restoring."""
    since, until = stamp(taken_at), stamp(now)
    asked = [_of_store(since, until)]
    asked += [_of_releases(channel, since, until) for channel in releasing(ctx) if channel.enabled]
    asked += [item for channel in ctx.channels.values() if (item := _of_source(channel, since, until)) is not None]
    return asked


def ask_people(tx: Tx, asked: Sequence[Task], restored: Restored) -> None:
    """Open these tasks under ids that nobody has seen: `tasks done 7` in somebody's notes is never about another."""
    open_tasks(tx, asked, first_id=next_id(tx, task, restored.gap))


def _of_store(since: str, now: str) -> Task:
    reason = (
        f"the database was restored at {now} from a backup of {since}; what people entered in between is gone: orders"
        " made here, counts, arrivals, holds, parcels that no shop shows as shipped, users and tokens. Enter it again,"
        " count what was moved, and end once more whom you had shut out"
    )
    return Task(kind="restored", key=f"store:{since}", reason=reason)


def _of_releases(channel: Channel, since: str, now: str) -> Task:
    reason = (
        f"{channel.name} may have been handed releases between {since} and {now} that nothing is known of here, so it"
        " is handed no new ones; look there which orders it got since then, keep each of those here by"
        " `erpsync orders hold` and record its parcel by `erpsync ship` when it leaves; then `erpsync tasks done ID`"
        " lets all others go"
    )
    return Task(kind="restored", key=task_of_releases(channel), reason=reason, channel_id=channel.id)


def _of_source(channel: Channel, since: str, now: str) -> Task | None:
    """Return what to do about a channel whose orders cannot be asked for a second time; None where they can."""
    kind = channel.connector_kind
    if kind is None or not channel.enabled:
        return None
    if issubclass(kind, OrderSource):
        if kind.rereads:
            return None
        reason = (
            f"files that {channel.name} read between {since} and {now} are not in the restored database; put them from"
            " where they went when they were read (done, or your own copies) back to where files come in: what is"
            " known already changes nothing"
        )
    elif issubclass(kind, WebhookSource):
        reason = (
            f"what {channel.name} sent between {since} and {now} is not in the restored database, and it cannot be"
            " asked for it; have it send every order again that changed since then: what is known already"
            " changes nothing"
        )
    else:
        return None
    return Task(kind="restored", key=f"orders:{channel.name}", reason=reason, channel_id=channel.id)
