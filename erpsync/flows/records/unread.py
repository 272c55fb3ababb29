"""What was not understood of an order: kept as a dead letter, and the order held until that ends.

Why the hold follows from the letters and is nothing of its own: whatever ends the last of them (read again, a newer
view that can be read, a person) frees the order in the same transaction, and nothing can forget to.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import select

from erpsync.core.orders import KnownOrder, unshown
from erpsync.core.readings import Reading, is_old_news
from erpsync.flows.context import Channel
from erpsync.flows.records.batch import Batch, OrderRecord, letter_of
from erpsync.flows.records.unshown import unshown_letters
from erpsync.sdk.bad_lines import as_one
from erpsync.sdk.errors import PayloadError
from erpsync.store import tables
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import DeadLetter, add_dead_letters, close_dead_letters, open_line_letters
from erpsync.store.orders import lock_refunds
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.unread import end_read, holding, orders_of_refunds, status_tasks, unknown_statuses

Read = tuple[OrderRecord, KnownOrder | None, int]
"""A record that counted, with its order as it was known and its row id."""

TASK = "unknown_status"


def named(tx: Tx, channel: Channel, letters: Sequence[DeadLetter]) -> list[DeadLetter]:
    """Return the letters; one about a refund that names no order names the order of the refund as it is known."""
    nameless = {letter.key for letter in letters if letter.kind == "refund" and not letter.order_external_id}
    if not nameless:
        return list(letters)
    order_ids = orders_of_refunds(tx, channel.id, nameless)
    return [
        replace(letter, order_external_id=order_ids[letter.key])
        if letter.key in nameless & order_ids.keys()
        else letter
        for letter in letters
    ]


def take_unread(
    tx: Tx,
    channel: Channel,
    batch: Batch,
    letters: Sequence[DeadLetter],
    stored: Mapping[str, KnownOrder],
    read: Mapping[str, Reading],
) -> set[str]:
    """Store what could not be read, end what was read now; return the orders, by external id, whose holds may change.

    Args:
        letters: what could not be read, each with the order it speaks of.
        stored: the orders as they stand here, locked.
        read: the readings of the orders that counted.
    """
    of_orders = end_read(tx, channel.id, "order", read)
    of_refunds = end_read(tx, channel.id, "refund", {r.refund.external_id: r.reading for r in batch.refunds})
    add_dead_letters(
        tx, _of_news(tx, channel, letters, {key: order.reading for key, order in stored.items()} | dict(read), stored)
    )
    if letters or of_orders.of_status or of_refunds.of_status:
        ask_about_statuses(tx, channel.id)
    concerned = {letter.order_external_id for letter in letters if letter.order_external_id}
    return concerned | of_orders.orders | of_refunds.orders


def _of_news(
    tx: Tx,
    channel: Channel,
    letters: Sequence[DeadLetter],
    readings: Mapping[str, Reading],
    stored: Mapping[str, KnownOrder],
) -> list[DeadLetter]:
    """Return the letters with the orders they hold; a view that is older than what is known holds none."""
    keys = {letter.key for letter in letters if letter.kind == "refund"}
    refunds = {key: reading for key, (_, reading, _) in lock_refunds(tx, channel.id, keys).items()} if keys else {}
    with_orders = []
    for letter in letters:
        beside = refunds.get(letter.key) if letter.kind == "refund" else readings.get(letter.order_external_id or "")
        order = stored.get(letter.order_external_id or "")
        if beside is not None and is_old_news(letter.version_at, letter.digest, beside):
            with_orders.append(replace(letter, order_external_id=None, order_id=order.id if order else None))
        else:
            with_orders.append(replace(letter, order_id=order.id if order else None))
    return with_orders


def bury_lines(tx: Tx, channel: Channel, read: Sequence[Read], *, late: Sequence[Read] = ()) -> None:
    """Store the bad lines of what was read; those of an earlier view of the same orders end.

    Args:
        late: older views of which lines were taken.
    """
    reread = [stored.id for _, stored, _ in read if stored is not None]
    stay = unshown_letters(tx, channel.id, read)
    open_ones = open_line_letters(tx, reread)
    mended = [key for order_id, keys in open_ones.items() for key in keys if key not in stay.get(order_id, ())]
    close_dead_letters(tx, channel.id, "line", mended, state="superseded")
    letters = [letter for reading in (*read, *late) for letter in _of_lines(channel, *reading)]
    add_dead_letters(tx, letters)
    if mended or letters:
        ask_about_statuses(tx, channel.id)


def _of_lines(channel: Channel, record: OrderRecord, stored: KnownOrder | None, order_id: int) -> list[DeadLetter]:
    """Return the one letter about an order's bad lines, if there are any; it is called after the first of them."""
    of_line = stored is not None and bool(unshown(stored, record.order))
    return [
        replace(letter_of(channel, "line", record.raw, bad.error, key=bad.key, order_id=order_id), of_line=of_line)
        for bad in as_one(record.order.bad_lines)
    ]


def nothing_wanted(channel: Channel, record: OrderRecord) -> DeadLetter:
    """Return the letter of a new order of which nothing is wanted: every line was taken out, or cannot be read."""
    bad = record.order.bad_lines
    error = bad[0].error if bad else PayloadError("no line has a quantity of 1 or more", path="lines")
    return letter_of(channel, "order", record.raw, error)


def unread_of(tx: Tx, orders: Collection[KnownOrder]) -> dict[int, str]:
    """Return, by order id, what was not understood of these orders."""
    by_channel: dict[int, dict[str, int]] = {}
    for order in orders:
        by_channel.setdefault(order.channel_id, {})[order.external_id] = order.id
    return {
        ids[external_id]: said
        for channel_id, ids in by_channel.items()
        for external_id, said in holding(tx, channel_id, ids).items()
    }


def ask_about_statuses(tx: Tx, channel_id: int) -> None:
    """Bring the tasks about status texts that are in no table to what is open: one for each text, closed with the last.

    A task is locked before letters are counted, so that of two transactions that end the last letters one sees both.
    """
    asked = set(status_tasks(tx, TASK, channel_id))
    unknown = unknown_statuses(tx, channel_id)
    if not asked and not unknown:
        return
    name = tx.execute(select(tables.channel.c.name).where(tables.channel.c.id == channel_id)).scalar_one()
    wanted = {f"{name}:{status}": (status, *told) for status, told in unknown.items()}
    open_tasks(tx, [_asking(key, name, channel_id, *told) for key, told in wanted.items()])
    close_tasks(tx, TASK, asked - wanted.keys(), by="erpsync")


def _asking(key: str, name: str, channel_id: int, status: str, count: int, newest: int) -> Task:
    orders = "an order" if count == 1 else f"{count} orders"
    reason = (
        f"{name} calls {orders} {status!r}, a status that is in no table; what of it is known is held, the newest is "
        f"`erpsync dead show {newest}`"
    )
    return Task(kind=TASK, key=key, reason=reason, channel_id=channel_id)
