"""Showing who bought, who gets the parcel and what they wrote: the one place that opens it for a person's eyes."""

from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import select

from erpsync.core.masking import masked
from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Context
from erpsync.flows.orders.find import find_order
from erpsync.store.buyers import orders_of_buyers
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_row
from erpsync.store.events import Event, write_events
from erpsync.store.notes import opened_notes, opened_properties
from erpsync.store.tables import orders

MOST_ORDERS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """What is personal of an order.

    Args:
        recipient: None where the channel never said.
        notes: by name (buyer, buyer_note, seller_note, invoice_note); empty where nobody told any.
        properties: by the line's external id, those that have any.
        same_buyer: numbers of other orders of the same buyer on the same channel, latest placed first, 20 at most.
    """

    recipient: dict[str, str] | None
    notes: dict[str, str]
    properties: dict[str, list[dict[str, str]]]
    same_buyer: list[str]

    def shown_in(self, order: dict[str, Any]) -> dict[str, Any]:
        """Return an order as views print it, with this in its places."""
        lines = [line | {"properties": self.properties.get(line["external_id"], [])} for line in order["lines"]]
        own = {"recipient": self.recipient, "notes": self.notes, "same_buyer": self.same_buyer}
        return order | {"lines": lines} | own


def reveal_recipient(ctx: Context, order: str, *, actor: str) -> Revealed:
    """Return what is personal of an order; who asked is on record before it is returned.

    Raises `Refused` when no order, or more than one, is meant; `PrivacyError` when no key at hand opens it.
    """

    def look(tx: Tx) -> Revealed:
        stored = find_order(tx, order)
        revealed = Revealed(
            recipient=_recipient(tx, stored),
            notes={name: text for name, text in asdict(opened_notes(tx, stored)).items() if text},
            properties={
                line.external_id: [
                    {"name": name, "value": value} for name, value in opened_properties(tx, stored.id, line)
                ]
                for line in stored.lines
                if line.properties is not None
            },
            same_buyer=_same_buyer(tx, stored),
        )
        write_events(tx, [Event(kind="order.recipient_shown", order_id=stored.id, actor=actor)])
        return revealed

    return ctx.store.retrying(look)


def _recipient(tx: Tx, order: KnownOrder) -> dict[str, str] | None:
    sealed = tx.execute(select(orders.c.recipient).where(orders.c.id == order.id)).scalar_one()
    if sealed is None:
        return None
    opened: dict[str, str] = tx.vault.decrypt(sealed, row=recipient_row(order.channel_id, order.external_id))
    return opened


def _same_buyer(tx: Tx, order: KnownOrder) -> list[str]:
    if order.buyer_index is None:
        return []
    theirs = orders_of_buyers(tx.connection, [order.buyer_index])
    latest = sorted(theirs, key=lambda row: (row.placed_at, row.id), reverse=True)
    return [row.number for row in latest if row.id != order.id][:MOST_ORDERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What of an order's people may be seen by everybody who looks at it.

    Args:
        recipient: `name`, `phone` and `city` with most of them hidden, see `core.masking`; empty where nothing is told.
        notes: whether buyer or seller wrote something.
        unreadable: why what is stored cannot be opened here; empty when it can.
    """

    recipient: dict[str, str]
    notes: bool
    unreadable: str = ""


def glimpse_recipient(ctx: Context, order_id: int) -> Glimpse:
    """Return what may be seen of an order's people; it leaves no trace, since it tells nobody who they are."""
    query = select(orders.c.channel_id, orders.c.external_id, orders.c.recipient, orders.c.notes)
    with ctx.store.read() as connection:
        row = connection.execute(query.where(orders.c.id == order_id)).one()
    notes = row.notes is not None
    if row.recipient is None:
        return Glimpse(recipient={}, notes=notes)
    if ctx.store.vault is None:
        return Glimpse(recipient={}, notes=notes, unreadable="this process has no keys for personal data")
    try:
        opened = ctx.store.vault.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id))
    except PrivacyError:
        return Glimpse(recipient={}, notes=notes, unreadable="the keys at hand do not open it")
    return Glimpse(recipient=masked(opened), notes=notes)
