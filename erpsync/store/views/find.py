"""Orders by what people have in hand: part of a number of ours, of the channel's, a parcel or a release, a SKU, goods.

Why no query is as long as the history: names are looked up in the parts of `order_name`, newest first, until enough
are found; what begins or ends with the text is found among all of them, what only holds it among the newest. Goods are
looked up in the catalogue, then each thing's orders from its newest on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, select

from erpsync.sdk.text import storable
from erpsync.store.names import FORWARDS, beginning, ending, part_of, plain
from erpsync.store.tables import PART_ORDERS, order_name, orders, release, release_order
from erpsync.store.views.goods import codes_of, find_goods, orders_of
from erpsync.store.views.orders import load_orders
from erpsync.store.views.values import Json

MOST_SKUS = 12
MOST_PARTS = 32  # looked through in one query
MIDDLE_PARTS = 3
MIDDLE_ORDERS = (MIDDLE_PARTS - 1) * PART_ORDERS  # the newest part may have just begun


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found.

    Args:
        orders: as `list_orders` shows them.
        matched: what of each fits, by its number.
        skus: codes of ours that the text names or whose goods it fits, no more than `MOST_SKUS`.
        notes: what to know of it.
    """

    orders: list[Json]
    matched: dict[str, str]
    skus: list[str]
    notes: list[str]


def search_orders(connection: Connection, text: str, limit: int = 100) -> Found:
    """Return orders that a text fits: those it names exactly first, then the others, newest first.

    Width, case, spaces and dashes do not count. When more than `limit` fit, those that came in last are returned.

    Raises:
        ValueError: there is nothing to look for in the text.
    """
    text = storable(text).strip()
    name = plain(text)
    if not name:
        raise ValueError("there is nothing to look for: letters or digits are needed")
    last = part_of(connection.execute(select(func.max(orders.c.id))).scalar() or 0)
    goods = find_goods(connection, text)
    meant = orders_of(connection, goods.exact, limit)
    bought = meant | orders_of(connection, goods.things, limit)
    exact = meant.union(_named(connection, name, last, limit))
    chosen = sorted(exact, reverse=True)[:limit]
    others = bought.union(_called(connection, name, last, limit)) - exact
    chosen += sorted(others, reverse=True)[: limit - len(chosen)]
    loaded, released = load_orders(connection, chosen), _releases(connection, chosen)
    ordered = sorted(loaded, key=lambda id: id not in exact)
    notes = [goods.note] if goods.note else []
    if last >= MIDDLE_PARTS and len(chosen) < limit:
        notes.append(f"parts from the middle of a number are looked for among the newest {MIDDLE_ORDERS:,} orders only")
    return Found(
        orders=[loaded[id] for id in ordered],
        matched={
            loaded[id]["number"]: _matched(loaded[id], name, bought=id in bought, releases=released.get(id, ()))
            for id in ordered
        },
        skus=codes_of(connection, goods, MOST_SKUS),
        notes=notes,
    )


def _releases(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return the numbers of the releases that hold lines of these orders, by order id."""
    query = select(release_order.c.order_id, release.c.number).join(release)
    numbers: dict[int, list[str]] = {}
    for row in connection.execute(query.where(release_order.c.order_id.in_(ids))):
        numbers.setdefault(row.order_id, []).append(row.number)
    return numbers


def _matched(order: Json, name: str, *, bought: bool, releases: Sequence[str]) -> str:
    """Return what of an order holds a plain name, in words."""
    called = {
        "number": [order["number"]],
        "channel's id": [order["external_id"]],
        "tracking": [parcel["tracking"] for parcel in order["shipments"]],
        "release": releases,
    }
    holders = [what for what, names in called.items() if any(name in plain(called_name) for called_name in names)]
    return ", ".join([*holders, "goods"] if bought else holders)


def _named(connection: Connection, name: str, last: int, limit: int) -> Iterator[int]:
    """Yield the orders that have exactly this name."""
    for parts in _parts(last, least=1000, most=1000):
        yield from _look(connection, parts, [order_name.c.name == beginning(name)], limit)


def _called(connection: Connection, name: str, last: int, limit: int) -> set[int]:
    """Return the newest orders of whose names this is a part."""
    middle = [*_begins_with(FORWARDS), order_name.c.name.contains(name, autoescape=True)]
    older = last - MIDDLE_PARTS
    ids = set(_look(connection, range(max(0, older + 1), last + 1), middle, limit))
    for parts in _parts(older, least=4, most=MOST_PARTS):
        if len(ids) >= limit:
            break
        for key in (beginning(name), ending(name)):
            ids.update(_look(connection, parts, _begins_with(key), limit))
    return ids


def _parts(last: int, *, least: int, most: int) -> Iterator[Sequence[int]]:
    """Yield all parts from the newest on, more and more at once."""
    size = least
    while last >= 0:
        first = max(0, last - size + 1)
        yield range(first, last + 1)
        last, size = first - 1, min(2 * size, most)


def _look(
    connection: Connection, parts: Iterable[int], wanted: Sequence[ColumnElement[bool]], limit: int
) -> Iterator[int]:
    query = select(order_name.c.order_id).distinct().where(order_name.c.part.in_(list(parts)), *wanted)
    yield from connection.execute(query.order_by(order_name.c.order_id.desc()).limit(limit)).scalars()


def _begins_with(key: str) -> list[ColumnElement[bool]]:
    return [order_name.c.name >= key, order_name.c.name < f"{key}\U0010ffff"]
