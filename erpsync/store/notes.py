"""What people wrote, opened: the buyer, the notes of an order, the properties of a line."""

from erpsync.core.notes import Notes
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import line_row, notes_row

Properties = tuple[tuple[str, str], ...]


def opened_notes(tx: Tx, order: KnownOrder) -> Notes:
    """Return what is known of an order's buyer and notes."""
    if order.notes is None:
        return Notes()
    return Notes(**tx.vault.decrypt(order.notes, row=notes_row(order.channel_id, order.external_id)))


def opened_properties(tx: Tx, order_id: int, line: KnownLine) -> Properties:
    """Return what is known of a line's properties."""
    if line.properties is None:
        return ()
    rows = tx.vault.decrypt(line.properties, row=line_row(order_id, line.external_id))
    return tuple((name, value) for name, value in rows)
