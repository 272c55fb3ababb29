"""Finding orders by a buyer's telephone: by its keyed hash, and on record who asked, though never for which number."""

from erpsync.core.phones import spellings
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.keyed import orders_with
from erpsync.store.tables import orders
from erpsync.store.views.orders import load_orders
from erpsync.store.views.values import Json


def find_by_phone(ctx: Context, phone: str, *, actor: str, limit: int = 100) -> list[Json]:
    """Return the orders of a whole phone number as `list_orders` shows them, newest first.

    Raises:
        Refused: it is no whole number. The number itself is never repeated.
    """
    ids = ctx.store.retrying(lambda tx: _look(tx, phone, actor, limit))
    with ctx.store.read() as connection:
        return list(load_orders(connection, ids).values())


def _look(tx: Tx, phone: str, actor: str, limit: int) -> list[int]:
    wanted = [tx.vault.phone_index(spelling) for spelling in spellings(phone) or (phone,)]
    hashes = {index for index in wanted if index is not None}
    if None in wanted:
        raise Refused("a phone number is needed whole: 7 digits at least, none of them starred out")
    newest = [row.id for row in orders_with(tx, orders.c.phone_index, hashes, limit=limit)]
    write_events(tx, [Event(kind="phone.searched", detail={"orders": len(newest)}, actor=actor)])
    return newest
