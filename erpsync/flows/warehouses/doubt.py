"""Releases that a warehouse may have, though nobody here has sent them: those of a database that was restored.

Why what is held is marked as handed over: the warehouse may be packing it, and none of it may be given away before it
is known whether it has the release. Why new ones wait: which releases were made after the backup nobody here knows, so
an order that looks as if none had it may lie packed over there.
"""

from sqlalchemy import select

from erpsync.flows.allocation.recall import set_released
from erpsync.flows.context import Channel, Context
from erpsync.flows.warehouses.planning import lacks_units
from erpsync.sdk.roles import WarehouseSink
from erpsync.store.db.store import Tx
from erpsync.store.outbox.queue import IS_OPEN, RELEASE, drop_open, free_waiting
from erpsync.store.releases import lock_orders_in, pieces_in, read_head, set_release_state
from erpsync.store.tables import outbox, task
from erpsync.store.tasks import StoredTask

TASK = "restored"
"""Of the tasks of a restoring, and what releases wait for until a person has looked what the warehouse has."""

_OF_RELEASES = "releases:"


def doubt_releases(tx: Tx) -> int:
    """Take every release that was about to be sent for one that may be there; return how many there are.

    One that cannot be sent as it is any more is dropped, as at the gate, and made anew; new ones wait.
    """
    # Scans outbox: releases, once when a backup is restored.
    query = select(outbox.c.ref_id).where(outbox.c.kind == RELEASE, IS_OPEN).order_by(outbox.c.ref_id)
    pending = [id for id in tx.execute(query).scalars() if read_head(tx, id).state == "pending"]
    return sum(_doubt(tx, release_id) for release_id in pending)


def _doubt(tx: Tx, release_id: int) -> bool:
    head = read_head(tx, release_id)
    lock_orders_in(tx, release_id)
    why = lacks_units(tx, head)
    if why:
        set_release_state(tx, head.id, "dropped", reason=why)
        drop_open(tx, RELEASE, [head.id], note=why)
        return False
    set_released(tx, [piece.line_id for piece in pieces_in(tx, head.id)], head.warehouse_id, released=True)
    set_release_state(tx, head.id, "unsure")
    return True


def releasing(ctx: Context) -> list[Channel]:
    """Return the channels that are told releases."""
    return [channel for channel in ctx.channels.values() if channel.plays(WarehouseSink) and ctx.run_by(channel)]


def task_of_releases(channel: Channel) -> str:
    """Return the key of the task that asks what a warehouse was told since a backup."""
    return f"{_OF_RELEASES}{channel.name}"


def waits_for_a_look(tx: Tx, channel: Channel) -> bool:
    """Whether a person is still to look what this channel was told between a backup and its restoring."""
    asked = select(task.c.id).where(
        task.c.kind == TASK, task.c.key == task_of_releases(channel), task.c.closed_at.is_(None)
    )
    return tx.execute(asked).first() is not None


def let_releases_go(tx: Tx, answered: StoredTask) -> None:
    """Let releases go that waited until somebody had looked; any other task of a restoring asks for nothing here."""
    if answered.key.startswith(_OF_RELEASES):
        free_waiting(tx, TASK, destination_id=answered.channel_id, kind=RELEASE)
