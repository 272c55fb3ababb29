"""Acts at the console: carried out once, said on the page they lead back to, on record with who and from where."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pytest
import requests
from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import add_stock
from erpsync.settings.config import StatusLimits
from erpsync.store.db.store import Store
from erpsync.store.tables import event
from erpsync.store.views import list_stock
from erpsync.web.access.door import Door
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Acts, Said, each
from erpsync.web.app import create_app
from erpsync.web.pages import Pages
from erpsync.web.server import AppServer
from erpsync.web.site import Site
from tests.support.visitor import act, visitor
from tests.support.web_shop import fill, open_shop

DEED = {"sku": "TEA-LJ-250", "qty": "10"}


@dataclass
class House:
    """A console with one act: units found in a warehouse."""

    server: AppServer
    store: Store

    def send(self, browser: requests.Session, **form: str) -> requests.Response:
        browser.headers["Referer"] = f"{self.server.url}orders?status=held"
        return act(browser, self.server.url, "found", **form)

    def on_hand(self) -> int:
        with self.store.read() as connection:
            return sum(row["on_hand"] for row in list_stock(connection, sku_code="TEA-LJ-250"))

    def events(self, kind: str) -> list[tuple[dict[str, str], str]]:
        with self.store.read() as connection:
            rows = connection.execute(select(event.c.detail, event.c.actor).where(event.c.kind == kind))
            return [(json.loads(row.detail), row.actor) for row in rows]


@pytest.fixture
def house(database_url: str) -> Iterator[House]:
    store, ctx = open_shop(database_url)
    fill(store, ctx, count=3)
    site = Site(store=store, ctx=lambda: ctx, limits=StatusLimits)
    acts, pages = Acts(site), Pages(site, version="1")

    def found(visit: Visit, ctx: Context) -> Said:
        if visit.form.text("qty") == "0":
            raise Refused("nothing is nothing")
        sku, qty = visit.form.text("sku"), int(visit.form.text("qty"))
        add_stock(ctx, warehouse="SH", sku=sku, qty=qty, reason="found", actor=visit.actor)
        return Said(text=f"{qty} units were added")

    app = create_app(site)
    door = Door(site, pages)
    app.routes.insert(0, door.act("/found", lambda visit: acts.carry_out(visit, partial(found, visit)), role="operate"))
    server = AppServer(app)
    server.start()
    yield House(server, store)
    server.stop(2)
    store.close()


def test_an_act_leads_back_to_the_page_it_was_done_on_and_says_there_what_came_of_it(house: House) -> None:
    page = house.send(visitor(house.store), **DEED)

    assert page.url.startswith(f"{house.server.url}orders?status=held&said=")
    assert "10 units were added" in page.text
    assert house.on_hand() == 10


def test_a_form_that_is_sent_twice_is_carried_out_once_and_says_the_same(house: House) -> None:
    browser = visitor(house.store)
    first, second = (house.send(browser, once="k", **DEED) for _ in range(2))

    assert first.url == second.url
    assert "10 units were added" in second.text
    assert house.on_hand() == 10


def test_a_page_from_the_history_with_other_things_filled_in_is_another_act(house: House) -> None:
    browser = visitor(house.store)
    house.send(browser, once="k", **DEED)
    house.send(browser, once="k", **DEED | {"qty": "5"})

    assert house.on_hand() == 15


def test_what_is_refused_is_said_on_the_page_and_nothing_is_done(house: House) -> None:
    page = house.send(visitor(house.store), **DEED | {"qty": "0"})

    assert page.status_code == 200
    assert "nothing is nothing" in page.text
    assert house.on_hand() == 0
    assert house.events("console.changed") == []


def test_every_act_is_on_record_with_who_what_and_from_where(house: House) -> None:
    house.send(visitor(house.store, "lin", role="operate"), **DEED)

    assert house.events("console.changed") == [({"path": "/found", "address": "127.0.0.1"}, "web:lin")]


def test_what_came_of_an_act_is_said_to_nobody_else(house: House) -> None:
    page = house.send(visitor(house.store, "lin"), **DEED)
    other = visitor(house.store, "chen").get(page.url, timeout=60)

    assert "10 units were added" not in other.text
    assert "Load the page again" in other.text


def test_a_form_that_is_none_of_our_pages_is_not_carried_out(house: House) -> None:
    page = house.send(visitor(house.store), once="k" * 65, **DEED)

    assert page.status_code == 400
    assert house.on_hand() == 0


def test_of_many_things_one_that_is_refused_stops_no_other() -> None:
    def hold(order: str) -> None:
        if order == "b":
            raise Refused("it has left")

    assert each(["a", "b", "a", "c"], hold) == (["a", "c"], (("b", "it has left"),))
