"""Orders as a CSV file: a row for each line, and nothing personal.

Why read page by page and not in one go: a browser on a slow line, or a million orders, would otherwise keep one state
of the database alive for as long as they take.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from erpsync.core.orders import OrderKind
from erpsync.flows.exports.cells import Manner, Piece, lines
from erpsync.sdk.money import major
from erpsync.store.db.store import Store
from erpsync.store.views import OrderFilter, list_orders
from erpsync.store.views.goods import titles_of
from erpsync.store.views.orders import first_placed_at, list_numbered
from erpsync.store.views.values import Json

PAGE = 200

COLUMNS = (
    "order",
    "channel",
    "kind",
    "external_id",
    "status",
    "hold_reason",
    "tags",
    "placed_at",
    "paid_at",
    "currency",
    "total",
    "paid",
    "refunded",
    "line",
    "channel_sku",
    "sku",
    "title",
    "price",
    "qty",
    "cancelled_qty",
    "shipped_qty",
    "backordered_qty",
    "warehouse",
    "carrier",
    "tracking",
)
HEAD_WORDS = (
    "Order",
    "Channel",
    "Kind of order",
    "Channel’s number",
    "Status",
    "Reason of hold",
    "Tags",
    "Placed",
    "Paid on",
    "Currency",
    "To pay in all",
    "Paid",
    "Refunded",
    "Line",
    "Seller code",
    "SKU",
    "Goods",
    "Price",
    "Ordered",
    "Cancelled",
    "Shipped",
    "Missing",
    "Warehouse",
    "Carrier",
    "Tracking",
)
KIND_WORDS: Mapping[str, str] = {
    OrderKind.CHANNEL: "of a channel",
    OrderKind.PHONE: "by phone",
    OrderKind.B2B: "for a business",
    OrderKind.COD: "paid on delivery",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some orders, the titles of their lines by order number and line id, and how many orders there may be in all."""

    orders: list[Json]
    titles: dict[str, dict[str, str]]
    of: int | None = None


def pages_of(store: Store, wanted: OrderFilter, *, limit: int = 0, after: str | None = None) -> Iterator[Page]:
    """Yield the orders that a filter fits, as `list_orders` sorts them, each page in a snapshot of its own.

    How many there are is not counted: it is guessed from how far back in time the pages have come.

    Args:
        limit: how many orders at most; 0 is all.
        after: the number of an order: only what comes after it is yielded.
    """
    guess, done = _Guess(limit), 0
    while True:
        size = min(PAGE, limit - done) if limit else PAGE
        with store.read() as connection:
            orders = list_orders(connection, wanted, size, after)
            done += len(orders)
            of = guess.total(connection, wanted, orders, done) if len(orders) == size else done
            page = _page(connection, orders, of)
        yield page
        if len(orders) < size or done == limit:
            return
        after = orders[-1]["number"]


def chosen(store: Store, numbers: Sequence[str]) -> Iterator[Page]:
    """Yield the orders of these numbers; one that no order has is left out."""
    with store.read() as connection:
        orders = list_numbered(connection, numbers)
        page = _page(connection, orders, len(orders))
    yield page


@dataclass(slots=True)
class _Guess:
    limit: int
    _newest: datetime | None = field(default=None, init=False)
    _oldest: datetime | None = field(default=None, init=False)

    def total(self, connection: Connection, wanted: OrderFilter, orders: list[Json], done: int) -> int | None:
        """Return how many orders there may be, as if they were placed evenly over the time that is asked for."""
        last = datetime.fromisoformat(orders[-1]["placed_at"])
        if self._newest is None:
            self._newest = datetime.fromisoformat(orders[0]["placed_at"])
            self._oldest = max(filter(None, (wanted.since, first_placed_at(connection))), default=last)
        gone, whole = self._newest - last, self._newest - (self._oldest or last)
        if gone.total_seconds() <= 0 or whole < gone:
            return None
        guessed = round(done * (whole / gone))
        return min(guessed, self.limit) if self.limit else guessed


def _page(connection: Connection, orders: list[Json], of: int | None) -> Page:
    return Page(orders=orders, titles=titles_of(connection, [order["number"] for order in orders]), of=of)


def written(pages: Iterator[Page], manner: Manner) -> Iterator[Piece]:
    """Yield the file piece by piece: its head, then a page of orders in each; the pieces count orders."""
    yield manner.head(COLUMNS, HEAD_WORDS)
    for page in pages:
        rows = [row for order in page.orders for row in _rows(order, page.titles.get(order["number"], {}), manner)]
        yield Piece(content=lines(rows), rows=len(page.orders), of=page.of)


def _rows(order: Json, titles: dict[str, str], manner: Manner) -> Iterator[list[str]]:
    currency = order["currency"]
    of_order = [
        manner.text(order["number"]),
        manner.text(order["channel"]),
        manner.word(order["kind"], KIND_WORDS),
        manner.text(order["external_id"]),
        manner.code(order["status"]),
        manner.code(order["hold_reason"]),
        manner.text(", ".join(order["tags"])),
        manner.at(order["placed_at"]),
        manner.at(order["paid_at"]),
        manner.text(currency),
        *(_amount(order[name], currency) for name in ("total_minor", "paid_minor", "refunded_minor")),
    ]
    for line in order["lines"]:
        parcels = [
            parcel
            for parcel in order["shipments"]
            if any(inside["external_id"] == line["external_id"] for inside in parcel["lines"])
        ]
        yield [
            *of_order,
            manner.text(line["external_id"]),
            manner.text(line["channel_sku"]),
            manner.text(line["sku"]),
            manner.text(titles.get(line["external_id"])),
            _amount(line["price_minor"], currency),
            *(str(line[name]) for name in ("qty", "cancelled_qty", "shipped_qty", "backordered_qty")),
            manner.text(" ".join(dict.fromkeys(held["warehouse"] for held in line["allocations"]))),
            manner.text(" ".join(dict.fromkeys(parcel["carrier"] for parcel in parcels))),
            manner.text(" ".join(parcel["tracking"] for parcel in parcels)),
        ]


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(major(minor, currency))
