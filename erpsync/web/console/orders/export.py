"""Orders as a CSV file: a row for each line, and nothing personal.

Why read page by page and not in one go: a browser on a slow line would otherwise keep one state of the database alive
for as long as it loads. Why the signs in front of some cells: a spreadsheet runs what begins like a formula, and rounds
the last digits of a long number away.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from erpsync.core.instants import local
from erpsync.flows.errors import Refused
from erpsync.languages import Language
from erpsync.sdk.money import major
from erpsync.store.views import OrderFilter, list_orders
from erpsync.store.views.goods import titles_of
from erpsync.store.views.orders import STATUSES, list_numbered
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import MOST_ORDERS
from erpsync.web.console.orders.filters import wanted_of
from erpsync.web.spoken import spoken

PAGE = 200
BOM = "\ufeff"
"""By it Excel knows that a file is UTF-8, and does not show Chinese as other signs."""

HEAD_WORDS = (
    "Order",
    "Channel",
    "Channel’s number",
    "Status",
    "Reason of hold",
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

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_LONG_NUMBER = re.compile(r"\d{16,}", re.ASCII)

Rows = Iterator[tuple[list[Json], dict[str, dict[str, str]]]]


class Export:
    """The orders of a filter, or those that are chosen, as a file."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses; what is chosen comes in a form, whose keys must not stand in an address."""
        door = self._kit.door
        return [
            door.page("/orders/export", self.export, role="read"),
            door.act("/orders/export", self.export_chosen, role="read"),
        ]

    def export(self, visit: Visit) -> Response:
        """Answer all orders that the filters of the address fit."""
        wanted = wanted_of(visit.request.query_params).filter(self._kit.site.ctx().timezone)
        if wanted.status is not None and wanted.status not in STATUSES:
            raise Refused(f"there is no status “{wanted.status}”")
        return self._file(self._pages(wanted))

    def export_chosen(self, visit: Visit) -> Response:
        """Answer the orders that are ticked."""
        chosen = visit.form.all("order")
        if not chosen:
            raise Refused("no order is chosen: tick those that are meant")
        if len(chosen) > MOST_ORDERS:
            raise Refused(f"{MOST_ORDERS} orders at most can be chosen at once; a filter exports any number")
        return self._file(self._chosen(list(chosen)))

    def _file(self, pages: Rows) -> Response:
        ctx, now = self._kit.site.ctx(), self._kit.site.store.clock.now()
        name = f"orders-{now.astimezone(ctx.timezone):%Y-%m-%d-%H%M}.csv"
        headers = {"Content-Disposition": f'attachment;filename="{name}"'}
        return StreamingResponse(written(pages, spoken(), ctx.timezone), media_type="text/csv", headers=headers)

    def _pages(self, wanted: OrderFilter) -> Rows:
        after: str | None = None
        while True:
            with self._kit.site.store.read() as connection:
                page = _with_titles(connection, list_orders(connection, wanted, PAGE, after))
            yield page
            if len(page[0]) < PAGE:
                return
            after = page[0][-1]["number"]

    def _chosen(self, numbers: list[str]) -> Rows:
        with self._kit.site.store.read() as connection:
            page = _with_titles(connection, list_numbered(connection, numbers))
        yield page


def _with_titles(connection: Connection, orders: list[Json]) -> tuple[list[Json], dict[str, dict[str, str]]]:
    return orders, titles_of(connection, [order["number"] for order in orders])


def written(pages: Rows, speech: Language, zone: ZoneInfo) -> Iterator[bytes]:
    """Yield a CSV file piece by piece, a page of orders in each, its head in the reader's language."""
    yield BOM.encode()
    yield _lines([[speech.say(word) for word in HEAD_WORDS]])
    for orders, titles in pages:
        rows = [row for order in orders for row in _rows(order, titles.get(order["number"], {}), speech, zone)]
        yield _lines(rows)


def cell(text: str) -> str:
    """Return a text as a spreadsheet shows it and does not run or round it."""
    return f"'{text}" if text.startswith(_FORMULA) or _LONG_NUMBER.fullmatch(text) else text


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    page = io.StringIO()
    csv.writer(page, lineterminator="\r\n").writerows(rows)
    return page.getvalue().encode("utf-8", "replace")


def _rows(order: Json, titles: dict[str, str], speech: Language, zone: ZoneInfo) -> Iterator[list[str]]:
    currency = order["currency"]
    of_order = [
        cell(order["number"]),
        cell(order["channel"]),
        cell(order["external_id"]),
        speech.phrase(order["status"]),
        speech.phrase(order["hold_reason"] or ""),
        _when(order["placed_at"], zone),
        _when(order["paid_at"], zone),
        currency,
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
            cell(line["external_id"]),
            cell(line["channel_sku"]),
            cell(line["sku"] or ""),
            cell(titles.get(line["external_id"], "")),
            _amount(line["price_minor"], currency),
            *(str(line[name]) for name in ("qty", "cancelled_qty", "shipped_qty", "backordered_qty")),
            cell(" ".join(dict.fromkeys(held["warehouse"] for held in line["allocations"]))),
            cell(" ".join(dict.fromkeys(parcel["carrier"] for parcel in parcels))),
            cell(" ".join(parcel["tracking"] for parcel in parcels)),
        ]


def _when(at: str | None, zone: ZoneInfo) -> str:
    return "" if at is None else local(datetime.fromisoformat(at), zone)


def _amount(minor: int | None, currency: str) -> str:
    return "" if minor is None else str(major(minor, currency))
