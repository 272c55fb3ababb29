"""What orders are called: our number, the channel's id, tracking numbers, releases; so written that a part is found.

Each name stands there twice, forwards behind `>` and backwards behind `<`: what begins or ends with a text is one
stretch of the table's key.
"""

import re
from collections.abc import Iterable
from typing import Any
from unicodedata import normalize

from sqlalchemy import Connection, func, select

from erpsync.store.db.bulk import insert_columns
from erpsync.store.db.store import Tx
from erpsync.store.tables import PART_ORDERS, order_name, orders

FORWARDS, BACKWARDS = ">", "<"
MOST_CHARS = 100  # of a name: the key of an index holds no text of any length
NEWEST_PARTS = 1000
_LOOSE = re.compile("[\\s\\-\u2010-\u2015\u2212]+")


def plain(text: str) -> str:
    """Return a name as it is compared: whatever its width and case, without spaces and dashes."""
    return _LOOSE.sub("", text if text.isascii() else normalize("NFKC", text)).casefold()


def beginning(name: str) -> str:
    """Return what the key of a name that begins with this plain one begins with."""
    return FORWARDS + name[:MOST_CHARS]


def ending(name: str) -> str:
    """Return what the key of a name that ends with this plain one begins with."""
    return BACKWARDS + name[: -MOST_CHARS - 1 : -1]


def part_of(order_id: int) -> int:
    """Return the part of the table that holds an order's names."""
    return order_id // PART_ORDERS


def write_names(tx: Tx, named: Iterable[tuple[int, str]]) -> None:
    """Note what orders are called (order id, name); a name that is known already stays."""
    parts: list[int] = []
    names: list[str] = []
    ids: list[int] = []
    for order_id, name in named:
        if short := plain(name):
            names += (beginning(short), ending(short))
            parts += (part_of(order_id),) * 2
            ids += (order_id, order_id)
    if names:
        columns: dict[str, list[Any]] = {"part": parts, "name": names, "order_id": ids}
        insert_columns(tx, order_name, columns, conflict="ON CONFLICT DO NOTHING")


def newest_called(connection: Connection, name: str) -> list[int]:
    """Return the ids of the newest orders that have exactly this name, of a few million at most."""
    last = part_of(connection.execute(select(func.max(orders.c.id))).scalar() or 0)
    parts = range(max(0, last - NEWEST_PARTS + 1), last + 1)
    called = order_name.c.part.in_(parts) & (order_name.c.name == beginning(plain(name)))
    query = select(order_name.c.order_id).where(called).order_by(order_name.c.order_id)
    return list(connection.execute(query).scalars())
