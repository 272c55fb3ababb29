"""Finding orders by a buyer's telephone: by its keyed hash, and on record who asked, though never for which number."""

from sqlalchemy import select

from erpsync.core.phones import spellings
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
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
    hashes = {tx.vault.phone_index(each) for each in spellings(phone) or (phone,)}
    found: list[tuple[int, int]] = []
    if None in hashes:
        raise Refused("a phone number is needed whole: 7 digits at least, none of them starred out")
    for each in hashes:
        query = select(orders.c.placed_at, orders.c.id).where(orders.c.phone_index == each)
        found += tx.all(query.order_by(orders.c.placed_at.desc(), orders.c.id.desc()).limit(limit))
    newest = [id for _, id in sorted(found, reverse=True)[:limit]]
    write_events(tx, [Event(kind="phone.searched", detail={"orders": len(newest)}, actor=actor)])
    return newest
