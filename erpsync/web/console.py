"""The console: what the shop looks like now, the orders, and one order's story. It only shows, it changes nothing.

Why no personal data at all and not masked: who looks after the daemon need not know who bought; `orders show
--recipient` tells the one who must, and leaves a trace.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy import Connection, select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from erpsync import __version__
from erpsync.core.phones import spellings
from erpsync.store.status.figures import spell
from erpsync.store.status.latencies import said as took
from erpsync.store.status.storage import room
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
from erpsync.web import words
from erpsync.web.charts import hourly, spark
from erpsync.web.site import Look, Site

TEMPLATES = Path(__file__).parent / "templates"
LATEST, ASKED, PAGE = 12, 6, 50
STEPS = ("Placed", "Paid", "Allocated", "Shipped", "Completed")
_REACHED = {"allocated": 3, "released": 3, "partially_shipped": 3, "shipped": 4, "completed": 5}

Page = dict[str, Any]


class Console:
    """The pages. `version` names the state of the static files."""

    def __init__(self, site: Site, *, version: str) -> None:
        self._site = site
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "money": words.money,
            "spell": spell,
            "room": room,
            "took": took,
            "plain": words.plain,
            "phrase": words.phrase,
            "commands": words.commands,
            "unread": words.unread,
            "halted": words.halted,
        }
        self._templates.globals |= {
            "asset": version,
            "notice": site.notice,
            "version": __version__,
            "many": words.many,
            "no_phone": words.NO_PHONE,
            "status_words": words.STATUS_WORDS,
            "tones": words.TONES,
            "levels": words.LEVELS,
            "state_words": words.STATE_WORDS,
        }

    def routes(self) -> list[Route]:
        """Return the addresses of all pages."""
        return [
            Route("/", self.overview),
            Route("/live", self.live),
            Route("/orders", self.orders),
            Route("/orders/{order:path}", self.order),
        ]

    def overview(self, request: Request) -> Response:
        """Answer the page that people keep open."""
        return self._page("overview.html", self._overview(request))

    def live(self, request: Request) -> Response:
        """Answer the part of the overview that changes."""
        return self._page("live.html", self._overview(request))

    def orders(self, request: Request) -> Response:
        """Answer a page of orders; with `q` what fits this text."""
        asked = request.query_params
        if query := asked.get("q", "").strip():
            return self._found(request, query)
        wanted = OrderFilter(channel=asked.get("channel") or None, status=asked.get("status") or None)
        after = asked.get("after") or None
        try:
            with self._site.store.read() as connection:
                found = list_orders(connection, wanted, PAGE + 1, after)
                titles = titles_of(connection, [order["number"] for order in found])
        except NotFound as error:
            raise HTTPException(404, str(error)) from error
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        page = self._common() | {
            "orders": found[:PAGE],
            "more": found[PAGE - 1]["number"] if len(found) > PAGE else None,
            "titles": titles,
            "wanted": wanted,
            "after": after,
            "statuses": STATUSES,
            "channels": sorted(channel.name for channel in self._site.ctx().channels.values()),
        }
        return self._page("orders.html", page)

    def _found(self, request: Request, query: str) -> Response:
        """Answer what a text fits; to the one order that has exactly this number or channel id, go at once."""
        try:
            with self._site.store.read() as connection:
                order = named_exactly(connection, query)
                found = search_orders(connection, query, PAGE) if order is None else None
                titles = titles_of(connection, [each["number"] for each in found.orders]) if found else {}
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        if found is None:
            return RedirectResponse(str(request.url_for("order", order=order).path), 303)
        phone = bool(spellings(query))
        page = {"found": found, "titles": titles, "query": "" if phone else query, "phone": phone, "most": PAGE}
        return self._page("found.html", self._common() | page)

    def order(self, request: Request) -> Response:
        """Answer one order's story: what was bought, held, shipped and paid back, and why."""
        name = request.path_params["order"]
        try:
            with self._site.store.read() as connection:
                order = show_order(connection, name)
                order_id = find_order(connection, order["number"])
                shipments = list_shipments(connection, order_id=order_id, limit=0)
                to_do = next_of_order(connection, order_id, order, off=self._off())
                titles = titles_of(connection, [order["number"]])
        except NotFound as error:
            raise HTTPException(404, str(error)) from error
        page = {
            "order": order,
            "shipments": shipments,
            "titles": titles.get(order["number"], {}),
            "steps": steps(order, shipments),
            "next": to_do,
        }
        return self._page("order.html", self._common() | page)

    def _off(self) -> set[str]:
        return {channel.name for channel in self._site.ctx().channels.values() if not channel.enabled}

    def error(self, request: Request, error: Exception) -> Response:
        """Answer an address or request that leads nowhere."""
        if not isinstance(error, HTTPException):
            raise error
        if request.url.path.startswith(("/hooks/", "/api/")):
            return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
        page = self._common() | {"status_code": error.status_code, "said": error.detail}
        return self._page("error.html", page, error.status_code)

    def _common(self) -> Page:
        ctx, now = self._site.ctx(), self._site.store.clock.now()
        return {"clock": words.Clockface(now, ctx.timezone), "timezone": ctx.timezone.key}

    def _overview(self, request: Request) -> Page:
        del request
        look = self._site.look()
        with self._site.store.read() as connection:
            latest = list_orders(connection, OrderFilter(), LATEST)
            page = {
                "latest": latest,
                "titles": titles_of(connection, [order["number"] for order in latest]),
                "letters": list_dead(connection, limit=ASKED),
                "tasks": list_tasks(connection, limit=ASKED),
            }
        return self._common() | page | figures_page(look)

    def _page(self, template: str, page: Mapping[str, Any], status_code: int = 200) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(page), status_code)


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
        {"channel": each["name"], "kind": kind, **row}
        for each in channels
        for kind, row in each["queue"]["kinds"].items()
    ]
    empty = {"kind": "webhook", "leased": 0, "waiting": 0, "unknown": 0, "waiting_for": {}}
    inboxes = [{"channel": each["name"], "pending": each["inbox"], **empty} for each in channels if each["inbox"]]
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
    found: dict[str, dict[str, str]] = {}
    joined = query.join(order_line, order_line.c.order_id == orders.c.id).where(orders.c.number.in_(numbers))
    for row in connection.execute(joined.order_by(order_line.c.id)):
        found.setdefault(row.number, {})[row.external_id] = row.title or row.channel_sku
    return found


def steps(order: Mapping[str, Any], shipments: Sequence[Mapping[str, Any]]) -> list[Page]:
    """Return the five steps of an order's way and which of them are behind it.

    They need not be taken in turn: with cash on delivery an order leaves long before it is paid.
    """
    reached = _REACHED.get(order["status"], 1)
    left_at = min((parcel["shipped_at"] for parcel in shipments), default=None)
    partly = order["status"] == "partially_shipped"
    instants = (order["placed_at"], order["paid_at"], None, left_at, None)
    done = (True, order["paid_at"] is not None, reached >= 3, reached >= 4, reached >= 5)
    found = [
        {"name": name, "done": on, "at": at, "said": ""} for name, on, at in zip(STEPS, done, instants, strict=True)
    ]
    found[3]["said"] = "partly, " if partly else ""
    return found
