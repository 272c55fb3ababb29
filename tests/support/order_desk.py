"""A console over a shop whose orders were read, with what tests of its pages ask of it."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from erpsync.flows.intake import poll
from erpsync.flows.inventory import counts
from erpsync.store.db.store import Store
from erpsync.store.views import iter_trail, show_order
from erpsync.store.views.trail import TrailFilter
from erpsync.web.server import AppServer
from tests.support.shop import Town, build_town
from tests.support.visitor import Filled, act, csrf_of, visitor
from tests.support.web_shop import serve


@dataclass
class OrderDesk:
    """A town, its console, and the browser of somebody who operates it."""

    town: Town
    server: AppServer
    browser: requests.Session

    @property
    def store(self) -> Store:
        return self.town.store

    def named(self, external_id: str) -> str:
        """Return our number of an order."""
        return str(self.order(external_id)["number"])

    def order(self, name: str) -> dict[str, Any]:
        with self.store.read() as connection:
            return show_order(connection, name)

    def read(self) -> None:
        """Let the shop's orders and refunds be read once."""
        for stream in ("backfill", "orders", "refunds"):
            poll.poll_stream(self.town.ctx, self.town.channel(), stream)

    def get(self, path: str, browser: requests.Session | None = None, **headers: str) -> requests.Response:
        answer = (browser or self.browser).get(
            f"{self.server.url}{path}", timeout=60, allow_redirects=False, headers=headers
        )
        answer.encoding = "utf-8"
        return answer

    def act(
        self, path: str, browser: requests.Session | None = None, *, on: str = "orders", **form: Filled
    ) -> requests.Response:
        """Send the form of a page; return the page that it leads to."""
        browser = browser or self.browser
        browser.headers["Referer"] = f"{self.server.url}{on}"
        return act(browser, self.server.url, path, **form)

    def post(self, path: str, browser: requests.Session | None = None, **form: Filled) -> requests.Response:
        """Send a form that may be sent any number of times; return its answer."""
        browser = browser or self.browser
        answer = browser.post(
            f"{self.server.url}{path}", data=form | {"csrf": csrf_of(browser)}, timeout=60, allow_redirects=False
        )
        answer.encoding = "utf-8"
        return answer

    def events(self, kind: str) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [row for row in iter_trail(connection, TrailFilter(), 0) if row["kind"] == kind]


@contextmanager
def order_desk(url: str) -> Iterator[OrderDesk]:
    """Yield a desk over three orders: o1 is allocated (2 A), o2 backordered (9 B), o3 unpaid (1 A)."""
    town = build_town(url)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="wang")
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=1, actor="wang")
    town.shop.place("o1", ("A", 2), buyer="mug-fan", buyer_note="请用蓝色纸", seller_note="VIP")
    town.shop.place("o2", ("B", 9))
    town.shop.place("o3", ("A", 1), paid=False, phone="13900002222")
    server, site = serve(town.store, town.ctx, keep_s=0)
    site.ctx = lambda: town.ctx
    desk = OrderDesk(town, server, visitor(town.store, "lin", role="operate"))
    desk.read()
    yield desk
    server.stop(2)
    town.store.close()


def words_of(answer: requests.Response) -> str:
    """Return what a page says, without its marks."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", answer.text)))


def numbers_of(answer: requests.Response) -> list[str]:
    """Return the orders that a page lists."""
    return re.findall(r'href="/orders/([^"]+)" data-open', answer.text)
