"""Another recipient for an own order, as long as nobody has been told where it goes."""

from dataclasses import replace

from erpsync.core.orders import KnownOrder, OrderKind, phase
from erpsync.flows.allocation.recall import released_orders
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.find import find_order
from erpsync.flows.own_orders.form import OwnRecipient
from erpsync.store.db.bulk import update_many
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_columns, recipient_row
from erpsync.store.tables import orders


def edit_recipient(ctx: Context, order: str, recipient: OwnRecipient, *, actor: str) -> None:
    """Send an own order to somebody else, or somewhere else; raises `Refused` where it is too late.

    A release that its warehouse was not told yet goes to the new recipient.
    """

    def edit(tx: Tx) -> None:
        stored = find_order(tx, order)
        _refuse(tx, stored)
        plain = recipient.plain()
        columns = recipient_columns(tx.vault, plain, row=recipient_row(stored.channel_id, stored.external_id))
        if columns["recipient_index"] == stored.recipient_index:
            return
        update_many(tx, orders, [columns | {"id": stored.id}], keys=["id"])
        edited = replace(stored, address_complete=plain.complete, recipient_index=columns["recipient_index"])
        people = {stored.id: plain}
        detail = {"changes": ["recipient"]}
        redecide(tx, ctx, [(stored, edited)], event="order.changed", actor=actor, detail=detail, people=people)

    ctx.store.retrying(edit)


def _refuse(tx: Tx, order: KnownOrder) -> None:
    if order.kind is OrderKind.CHANNEL:
        raise Refused(f"order {order.number} is of a channel: its recipient is edited there")
    if order.open_qty == 0:
        raise Refused(f"order {order.number} is {phase(order)}; there is nothing left to send")
    if order.shipped_qty:
        raise Refused(f"a parcel of order {order.number} has left; its recipient stays")
    if released_orders(tx, [order.id]):
        raise Refused(f"a warehouse was told to send order {order.number}; its recipient stays")
