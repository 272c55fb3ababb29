"""Showing who gets a parcel: the one place that opens a recipient for a person's eyes."""

from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.flows.orders.find import find_order
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_row
from erpsync.store.events import Event, write_events
from erpsync.store.tables import orders


def reveal_recipient(ctx: Context, order: str, *, actor: str) -> dict[str, str] | None:
    """Return who gets the parcel, None where the channel never said; who asked is on record before it is returned.

    Raises `Refused` when no order, or more than one, is meant; `PrivacyError` when no key at hand opens it.
    """

    def look(tx: Tx) -> dict[str, str] | None:
        known = find_order(tx, order)
        sealed = tx.execute(select(orders.c.recipient).where(orders.c.id == known.id)).scalar_one()
        opened: dict[str, str] | None = None
        if sealed is not None:
            opened = tx.vault.decrypt(sealed, row=recipient_row(known.channel_id, known.external_id))
        write_events(tx, [Event(kind="order.recipient_shown", order_id=known.id, actor=actor)])
        return opened

    return ctx.store.retrying(look)
