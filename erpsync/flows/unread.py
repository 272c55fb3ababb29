"""Dead letters of orders and refunds: of what could not be read, and the end of those that were read now."""

from collections.abc import Sequence

from erpsync.core.orders import KnownOrder
from erpsync.flows.facts import Batch, OrderRecord, letter_of
from erpsync.flows.house import Channel
from erpsync.sdk.bad_lines import as_one
from erpsync.store.notes import DeadLetter, bury, end_letters, open_line_letters
from erpsync.store.store import Tx


def bury_unread(
    tx: Tx, channel: Channel, batch: Batch, read: Sequence[tuple[OrderRecord, KnownOrder | None, int]]
) -> None:
    """Store what could not be read; what was read now ends the dead letters of an earlier try.

    Args:
        read: the records that counted, each with its order as it was known and its row id.
    """
    end_letters(tx, channel.id, "order", [record.order.external_id for record, _, _ in read], state="superseded")
    end_letters(tx, channel.id, "refund", [r.refund.external_id for r in batch.refunds], state="superseded")
    reread = [known.id for _, known, _ in read if known is not None]
    mended = [key for keys in open_line_letters(tx, reread).values() for key in keys]
    end_letters(tx, channel.id, "line", mended, state="superseded")
    bury(tx, [*batch.letters, *(letter for each in read for letter in _of_lines(channel, each[0], each[2]))])


def _of_lines(channel: Channel, record: OrderRecord, order_id: int) -> list[DeadLetter]:
    """Return the one letter about an order's bad lines, if there are any; it is called after the first of them."""
    return [
        letter_of(channel, "line", record.raw, bad.error, key=bad.key, order_id=order_id)
        for bad in as_one(record.order.bad_lines)
    ]
