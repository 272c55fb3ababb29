"""What follows the restoring of a backup, in one transaction: the database takes up where it stood then, in doubt.

    the lost database, after the backup        and so here
    ───────────────────────────────────        ───────────
    read pages, moved cursors                  every stream is read from where it stood then, less the overlap, and what
                                               is open is read by itself; nothing counts as read to its end before
    told numbers                               every number is unsure and told anew, once orders were read
    told of parcels, handed over releases      whatever was open may be there: it is looked for, or a person is
    handed over releases nobody here knows     new ones wait until a person has looked
    gave numbers                               they are passed by
    let people in, ended tokens, took counts   log-ins end; a task says what only people can enter again

Why not simply as after a crash: a process that died has done nothing since, and a lost database has.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from erpsync.core.instants import stamp
from erpsync.flows.backups.people import ask_people, questions
from erpsync.flows.context import Context
from erpsync.flows.warehouses.doubt import doubt_releases
from erpsync.store.cursors import forget_progress, read_again
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.listings import doubt
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.outbox.doubt import doubt_effects
from erpsync.store.outbox.queue import reclaim
from erpsync.store.restored import next_id, pass_numbers
from erpsync.store.tables import event, in_force, lease, listing, login_session, node
from erpsync.store.windows import open_since


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequences:
    """What followed: how old the backup was, how many numbers were passed, effects in doubt, log-ins that ended."""

    age: timedelta
    gap: int
    in_doubt: int
    sessions: int
    tasks: int


def after_restore(tx: Tx, ctx: Context, *, taken_at: datetime, actor: str) -> Consequences:
    """Put a database that is exactly as it was at `taken_at` into doubt about all that came after it."""
    age = max(tx.now - taken_at, timedelta(0))
    restored = pass_numbers(tx, taken_at=taken_at, age=age)
    sessions = _forget_who_was_here(tx)
    reclaim(tx, owner_gone=True)
    doubt_releases(tx)
    in_doubt = doubt_effects(
        tx, sent_at=taken_at, why=f"the database is that of {stamp(taken_at)}, restored from a backup"
    )
    _tell_all_numbers(tx)
    _go_back(tx, ctx, taken_at)
    asked = questions(ctx, taken_at=taken_at, now=tx.now)
    done = Consequences(age=age, gap=restored.gap, in_doubt=in_doubt, sessions=sessions, tasks=len(asked))
    _write(tx, done, taken_at=taken_at, actor=actor)  # the first event, whose id lies past the gap
    ask_people(tx, asked, restored)
    return done


def _forget_who_was_here(tx: Tx) -> int:
    """End log-ins and leases, and forget the daemons: their words are of another life. Return how many log-ins."""
    ended = tx.execute(delete(login_session)).rowcount
    for table in (lease, in_force, node):
        tx.execute(delete(table))
    return ended


def _tell_all_numbers(tx: Tx) -> None:
    """Let every listing be told anew: what was told since the backup nobody here knows."""
    doubt(tx, listing.c.id > 0)
    mark_dirty(tx, tx.execute(select(listing.c.sku_id).where(listing.c.sku_id.is_not(None)).distinct()).scalars())


def _go_back(tx: Tx, ctx: Context, taken_at: datetime) -> None:
    """Let every channel be read from the backup on, less its overlap.

    The mark of a stream *is* where it stood then, and connectors take the overlap off it. Besides, the back-fill reads
    by creation and by what is open, so that what is found does not rest on one list. A catalogue is counted by pages
    that have moved since: it begins anew. A window that was sealed close to the backup is proven again.
    """
    for channel in ctx.channels.values():
        since = taken_at - timedelta(seconds=channel.poll.overlap_s)
        read_again(tx, channel.id, since=since)
        lag = timedelta(seconds=max(ctx.sealing.lag_s, channel.poll.overlap_s))
        open_since(tx, channel.id, taken_at - lag, why="it is proven again: a backup was restored")
    forget_progress(tx)
    for stage in (Stage.POLL, Stage.INBOX, Stage.PUSH, Stage.DIRTY, Stage.RELEASE, Stage.MAKE):
        tx.wake(stage)


def _write(tx: Tx, done: Consequences, *, taken_at: datetime, actor: str) -> None:
    detail = {
        "taken_at": stamp(taken_at),
        "age_s": round(done.age.total_seconds()),
        "gap": done.gap,
        "in_doubt": done.in_doubt,
        "sessions_ended": done.sessions,
        "tasks": done.tasks,
    }
    write_events(tx, [Event(kind="store.restored", detail=detail, actor=actor)], first_id=next_id(tx, event, done.gap))
