"""The console: what the shop looks like now, the orders, and one order's story. It only shows, it changes nothing.

Why no personal data at all and not masked: who looks after the daemon need not know who bought; `orders show
--recipient` tells the one who must, and leaves a trace.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from erpsync.core.phones import spellings
from erpsync.store.tables import order_line, orders
from erpsync.store.views import (
    NotFound,
    OrderFilter,
    find_order,
    list_dead,
    list_orders,
    list_shipments,
    list_tasks,
    show_order,
)
from erpsync.store.views.find import search_orders
from erpsync.store.views.next_steps import next_of_order
from erpsync.store.views.orders import STATUSES
from erpsync.web.access.door import Door, Guarded, visit_of
from erpsync.web.access.visit import Visit
from erpsync.web.charts import hourly, spark
from erpsync.web.pages import Pages
from erpsync.web.site import Look, Site

LATEST, ASKED, PAGE = 12, 6, 50
STEP_WORDS = ("Placed", "Paid", "Allocated", "Shipped", "Completed")
_REACHED = {"allocated": 3, "released": 3, "partially_shipped": 3, "shipped": 4, "completed": 5}

Page = dict[str, Any]


class Console:
    """The pages behind the door."""

    def __init__(self, site: Site, pages: Pages, door: Door) -> None:
        self._site = site
        self._pages = pages
        self._door = door

    def routes(self) -> list[Guarded]:
        """Return the addresses of all pages, each with the role that it takes."""
        return [
            self._door.page("/", self.overview, role="read"),
            self._door.part("/live", self.live, role="read"),
            self._door.page("/orders", self.orders, role="read"),
            self._door.page("/orders/{order:path}", self.order, role="read"),
        ]

    def overview(self, visit: Visit) -> Response:
        """Answer the page that people keep open."""
        return self._pages.answer("overview.html", self._overview(), visit)

    def live(self, visit: Visit) -> Response:
        """Answer the part of the overview that changes."""
        return self._pages.answer("live.html", self._overview(), visit)

    def orders(self, visit: Visit) -> Response:
        """Answer a page of orders; with `q` what fits this text."""
        asked = visit.request.query_params
        if query := asked.get("q", "").strip():
            return self._found(visit, query)
        wanted = OrderFilter(channel=asked.get("channel") or None, status=asked.get("status") or None)
        after = asked.get("after") or None
        try:
            with self._site.store.read() as connection:
                rows = list_orders(connection, wanted, PAGE + 1, after)
                titles = titles_of(connection, [order["number"] for order in rows])
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        page = {
            "orders": rows[:PAGE],
            "more": rows[PAGE - 1]["number"] if len(rows) > PAGE else None,
            "titles": titles,
            "wanted": wanted,
            "after": after,
            "statuses": STATUSES,
            "channels": sorted(channel.name for channel in self._site.ctx().channels.values()),
        }
        return self._pages.answer("orders.html", page, visit)

    def _found(self, visit: Visit, query: str) -> Response:
        """Answer what a text fits; to the one order that has exactly this number or channel id, go at once."""
        try:
            with self._site.store.read() as connection:
                order = named_exactly(connection, query)
                result = search_orders(connection, query, PAGE) if order is None else None
                titles = titles_of(connection, [order_row["number"] for order_row in result.orders]) if result else {}
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        if result is None:
            return RedirectResponse(str(visit.request.url_for("order", order=order).path), 303)
        phone = bool(spellings(query))
        page = {"found": result, "titles": titles, "query": "" if phone else query, "phone": phone, "most": PAGE}
        return self._pages.answer("found.html", page, visit)

    def order(self, visit: Visit) -> Response:
        """Answer one order's story: what was bought, held, shipped and paid back, and why."""
        with self._site.store.read() as connection:
            order = show_order(connection, visit.request.path_params["order"])
            order_id = find_order(connection, order["number"])
            shipments = list_shipments(connection, order_id=order_id, limit=0)
            to_do = next_of_order(connection, order_id, order, off=self._off())
            titles = titles_of(connection, [order["number"]])
        page = {
            "order": order,
            "shipments": shipments,
            "titles": titles.get(order["number"], {}),
            "steps": steps(order, shipments),
            "next": to_do,
        }
        return self._pages.answer("order.html", page, visit)

    def _off(self) -> set[str]:
        return {channel.name for channel in self._site.ctx().channels.values() if not channel.enabled}

    def error(self, request: Request, error: Exception) -> Response:
        """Answer an address or request that leads nowhere."""
        if not isinstance(error, HTTPException):
            raise error
        if request.url.path.startswith(("/hooks/", "/api/")):
            return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
        page = {"status_code": error.status_code, "said": error.detail}
        answer = self._pages.answer("error.html", page, visit_of(request), error.status_code)
        answer.headers.update(error.headers or {})
        return answer

    def _overview(self) -> Page:
        look = self._site.look()
        with self._site.store.read() as connection:
            latest = list_orders(connection, OrderFilter(), LATEST)
            page = {
                "latest": latest,
                "titles": titles_of(connection, [order["number"] for order in latest]),
                "letters": list_dead(connection, limit=ASKED),
                "tasks": list_tasks(connection, limit=ASKED),
            }
        return page | figures_page(look)


def figures_page(look: Look) -> Page:
    """Return what the overview shows of the figures."""
    figures, ctx = look.figures, look.ctx
    names = {channel.id: channel.name for channel in ctx.channels.values()}
    counts = {names[id]: numbers for id, numbers in figures.hourly.items() if id in names}
    empty = (0,) * len(figures.hours)
    return {
        "status": look.status,
        "chart": hourly(counts, figures.hours, ctx.timezone),
        "sparks": {name: spark(counts.get(name, empty)) for name in names.values()},
        "blocked": {name: look.blocked_s(id) for id, name in names.items()},
        "queues": queue_rows(look.status["channels"]),
    }


def queue_rows(channels: Sequence[Mapping[str, Any]]) -> list[Page]:
    """Return the queues that hold anything, by channel and kind."""
    effects = [
        {"channel": channel["name"], "kind": kind, **row}
        for channel in channels
        for kind, row in channel["queue"]["kinds"].items()
    ]
    empty = {"kind": "webhook", "leased": 0, "waiting": 0, "unknown": 0, "waiting_for": {}}
    inboxes = [
        {"channel": channel["name"], "pending": channel["inbox"], **empty} for channel in channels if channel["inbox"]
    ]
    return sorted(effects + inboxes, key=lambda row: (row["channel"], row["kind"]))


def named_exactly(connection: Connection, name: str) -> str | None:
    """Return the number of the one order that has this number or channel id."""
    try:
        return str(show_order(connection, name)["number"])
    except NotFound:
        return None


def titles_of(connection: Connection, numbers: list[str]) -> dict[str, dict[str, str]]:
    """Return what was bought, in the channel's words: title by line id, by order number."""
    query = select(orders.c.number, order_line.c.external_id, order_line.c.title, order_line.c.channel_sku)
    titles: dict[str, dict[str, str]] = {}
    joined = query.join(order_line, order_line.c.order_id == orders.c.id).where(orders.c.number.in_(numbers))
    for row in connection.execute(joined.order_by(order_line.c.id)):
        titles.setdefault(row.number, {})[row.external_id] = row.title or row.channel_sku
    return titles


def steps(order: Mapping[str, Any], shipments: Sequence[Mapping[str, Any]]) -> list[Page]:
    """Return the five steps of an order's way and which of them are behind it.

    They need not be taken in turn: with cash on delivery an order leaves long before it is paid.
    """
    reached = _REACHED.get(order["status"], 1)
    left_at = min((parcel["shipped_at"] for parcel in shipments), default=None)
    partly = order["status"] == "partially_shipped"
    instants = (order["placed_at"], order["paid_at"], None, left_at, None)
    done = (True, order["paid_at"] is not None, reached >= 3, reached >= 4, reached >= 5)
    stages = [
        {"name": name, "done": on, "at": at, "said": ""}
        for name, on, at in zip(STEP_WORDS, done, instants, strict=True)
    ]
    stages[3]["said"] = "partly, " if partly else ""
    return stages
