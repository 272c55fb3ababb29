"""A town with a console, for tests of the pages about stock, listings and bundles."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.types import ListingRow
from erpsync.web.server import AppServer
from tests.support import walk
from tests.support.explaining import Written
from tests.support.shop import Town, build_town
from tests.support.visitor import act, visitor
from tests.support.web_shop import serve

TWO = (WarehousePolicy(id="SH", priority=1, safety_stock=2), WarehousePolicy(id="GZ", priority=2))
CHINESE = {"Accept-Language": "zh-CN"}


@dataclass
class Room:
    """A town, its console, and a person of the role operate in front of it."""

    town: Town
    server: AppServer
    browser: requests.Session

    def text(self, path: str, **headers: str) -> str:
        """Return the source of a page."""
        answer = self.browser.get(f"{self.server.url}{path}", headers=headers, timeout=60)
        answer.encoding = "utf-8"
        assert answer.status_code == 200, answer.text
        return answer.text

    def said(self, path: str, **headers: str) -> str:
        """Return what a page says, without its marks."""
        return words_of(self.text(path, **headers))

    def do(self, path: str, *, on: str = "stock", **form: Any) -> str:
        """Send a form as the page `on` does; return what came of it, as it is said there."""
        self.browser.headers["Referer"] = f"{self.server.url}{on}"
        page = act(self.browser, self.server.url, path, **form)
        assert page.status_code == 200, page.text
        notice = re.search(r'<section class="told.*?</section>', page.text, re.DOTALL)
        return words_of(notice[0]) if notice else ""

    def sell(self, code: str, *, title: str = "", sku: str = "", channel: str = "shop", factor: int = 1) -> None:
        """Put goods into a shop's catalogue, mapped where a SKU is given."""
        self.town.shops[channel].catalogue.append(ListingRow(channel_sku=code, item_ref="", title=title))
        if sku:
            row = ListingMapping(channel=channel, channel_sku=code, sku=sku, factor=factor)
            assert import_listings(self.town.ctx, [row], actor="me").refused == []

    def read_catalogues(self) -> None:
        """Have what the shops sell read, and everything told that is due."""
        for name in self.town.shops:
            walk.poll(self.town, "listings", name=name)
        walk.run(self.town)


def words_of(text: str) -> str:
    """Return what is said in a piece of a page."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))).strip()


@contextmanager
def open_room(url: str, *, role: str = "operate", **town: Any) -> Iterator[Room]:
    """Open a console over a town of this database."""
    options = {"names": ("shop", "other"), "warehouses": TWO} | town
    built = build_town(url, **options)
    server, _ = serve(built.store, built.ctx, keep_s=0, settings=Written)
    yield Room(built, server, visitor(built.store, "lin", role=role))
    server.stop(2)
    built.store.close()
