"""Dead letters of lines that a view of some lines does not show: they stay, and their order stays held.

Why the letter is opened: which lines it is about stands only in the rows that it keeps, and those are sealed.
"""

from collections.abc import Sequence

from sqlalchemy import select

from erpsync.core.orders import KnownOrder
from erpsync.flows.records.batch import OrderRecord
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import open_line_letters
from erpsync.store.encrypted import dead_letter_row
from erpsync.store.tables import dead_letter

Record = tuple[OrderRecord, KnownOrder | None, int]


def unshown_letters(tx: Tx, channel_id: int, read: Sequence[Record]) -> dict[int, list[str]]:
    """Return, by order id, the keys of line letters that these readings leave as they are."""
    partial = {stored.id: record for record, stored, _ in read if stored is not None and record.order.some_lines}
    orders = {stored.id: stored for _, stored, _ in read if stored is not None}
    stay: dict[int, list[str]] = {}
    for order_id, keys in open_line_letters(tx, partial).items():
        view = partial[order_id].order
        shown = {line.external_id for line in view.lines}
        new = shown - {line.external_id for line in orders[order_id].of_channel}
        for key in keys:
            about = _lines_of(tx, channel_id, key)
            if not (about <= shown if about else new):
                stay.setdefault(order_id, []).append(key)
    return stay


def _lines_of(tx: Tx, channel_id: int, key: str) -> set[str]:
    """Return the lines that a letter names; none where it cannot tell."""
    query = select(dead_letter.c.body).where(
        dead_letter.c.channel_id == channel_id,
        dead_letter.c.kind == "line",
        dead_letter.c.key == key,
        dead_letter.c.state == "open",
    )
    sealed = tx.execute(query).scalar()
    if sealed is None:
        return set()
    body = tx.vault.decrypt(sealed, row=dead_letter_row(channel_id, "line", key))
    row = body["payload"]
    named = row.get("line_ids") or [row.get("line_id")]
    return {str(line_id) for line_id in named} if all(named) else set()
