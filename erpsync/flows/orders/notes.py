"""What people wrote, on its way into the books: encrypted, and opened only where a view says something about it."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from erpsync.core.notes import Notes, changed, older, told
from erpsync.core.orders import KnownLine, KnownOrder, Origin
from erpsync.sdk.types import Order
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import buyer_index, line_row, notes_row
from erpsync.store.notes import Properties, opened_notes, opened_properties

Join = Callable[[Notes, Order], Notes]
"""How a view is joined with what is known: `newer` or `older`."""


def with_notes(
    tx: Tx, order: KnownOrder, view: Order, join: Join, *, before: KnownOrder | None = None
) -> tuple[KnownOrder, tuple[str, ...]]:
    """Return the order with what a view tells of its buyer, notes and properties; and the names of what changed.

    Args:
        before: the order as it was stored; nothing of a new one, or of a line that is, has changed.
    """
    said = {line.external_id: line.properties for line in view.lines if line.properties is not None}
    lines = order.lines
    if said:
        lines = tuple(_with_properties(tx, order.id, line, said.get(line.external_id), join) for line in lines)
    names = _names(before, lines) if said and before else []
    carried = (view.buyer, view.buyer_note, view.seller_note) != (None, None, None)
    written = any(line.properties is not None for line in lines)
    if not carried and (order.notes is not None or not written):
        return (replace(order, lines=lines) if said else order), tuple(names)
    stored = opened_notes(tx, order)
    now = join(stored, view)
    kept = told(now)
    if kept == told(stored) and (order.notes is not None) == (written or bool(kept)):
        return (replace(order, lines=lines) if said else order), tuple(names)
    sealed = tx.vault.encrypt(kept, row=notes_row(order.channel_id, order.external_id)) if kept or written else None
    index = buyer_index(tx.vault, order.channel_id, now.buyer) if now.buyer else None
    noted = replace(order, lines=lines, notes=sealed, buyer_index=index)
    return noted, (*(changed(stored, now) if before else ()), *names)


def _with_properties(tx: Tx, order_id: int, line: KnownLine, said: Properties | None, join: Join) -> KnownLine:
    if said is None or line.origin is not Origin.CHANNEL or (line.properties is not None and join is older):
        return line
    if said == opened_properties(tx, order_id, line):
        return line
    sealed = tx.vault.encrypt(said, row=line_row(order_id, line.external_id)) if said else None
    return replace(line, properties=sealed)


def _names(before: KnownOrder, lines: Iterable[KnownLine]) -> list[str]:
    """Return how a change of properties is told: where none were known, nothing that is to be sent has changed."""
    stored = {line.id: line.properties for line in before.lines}
    differing = [line for line in lines if line.id in stored and line.properties != stored[line.id]]
    return [
        f"details of line {line.external_id}" if stored[line.id] is None else f"line {line.external_id} changed"
        for line in differing
    ]
