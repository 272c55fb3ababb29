"""The page of messages: how each route stands, a test by a button, in both languages."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from erpsync.flows.messages.tell import push_messages
from erpsync.sdk.sandbox import Fault
from erpsync.store.views.routes import list_routes
from erpsync.web.api import examples
from tests.e2e.test_console import words_of
from tests.support.departments import Departments, route
from tests.support.visitor import act, visitor
from tests.support.web_shop import AppServer, serve


@dataclass
class Office:
    """A console with a route through a robot."""

    server: AppServer
    town: Departments

    def page(self, role: str = "operate", language: str = "en") -> str:
        browser = visitor(self.town.store, f"{role}-user", role=role)
        browser.headers["Accept-Language"] = language
        return words_of(browser.get(f"{self.server.url}messages", timeout=60))

    def act(self, deed: str) -> str:
        browser = visitor(self.town.store, "operate-user", role="operate")
        browser.headers["Referer"] = f"{self.server.url}messages"
        return words_of(act(browser, self.server.url, f"messages/sales/{deed}"))


@pytest.fixture
def office(sqlite_file: Path) -> Iterator[Office]:
    town = Departments(url=f"sqlite:///{sqlite_file}", routes=(route(department="Sales"),))
    town.ctx = replace(town.ctx, console_url="https://erp.example.com")
    server, _ = serve(town.store, town.ctx, keep_s=0)
    yield Office(server, town)
    server.stop(2)
    town.store.close()


def test_a_route_that_gets_through_says_so_and_when_it_last_told(office: Office) -> None:
    assert "sales Sales" in office.page()
    assert "gets through" in office.page()
    assert "never" in office.page()

    office.town.happen("order.imported")
    push_messages(office.town.ctx)

    assert "never" not in office.page()
    assert "https://erp.example.com/" in office.town.robot.texts[0]


def test_a_test_is_sent_by_a_button_and_says_what_came_of_it(office: Office) -> None:
    assert "robot accepted the test message sales-test-" in office.act("test")
    assert len(office.town.robot.texts) == 1

    office.town.robot.faults.force(Fault.EXPIRED_TOKEN)
    assert "the test message was not accepted: the WeCom robot refuses: invalid webhook url" in office.act("test")


def test_a_route_that_does_not_get_through_says_why_and_is_tried_by_a_button(office: Office) -> None:
    office.town.robot.faults.force(Fault.EXPIRED_TOKEN)
    office.town.happen("order.imported")
    push_messages(office.town.ctx)

    page = office.page()
    assert "does not get through" in page
    assert "invalid webhook url" in page
    assert "Try now" in page
    assert "route sales is tried now" in office.act("retry")
    push_messages(office.town.ctx)
    assert "gets through" in office.page()


def test_who_only_looks_has_no_buttons(office: Office) -> None:
    assert "Send a test" in office.page()
    assert "Send a test" not in office.page(role="read")


def test_the_api_tells_of_routes_as_its_example_says(office: Office) -> None:
    with office.town.store.read() as connection:
        [row] = list_routes(connection, office.town.ctx.routes)

    assert list(row) == list(examples.ROUTE)


def test_a_sender_of_messages_has_no_past_that_could_be_proven(office: Office) -> None:
    browser = visitor(office.town.store, "reader", role="read")
    page = words_of(browser.get(f"{office.server.url}reconciliation", timeout=60))

    assert "shop" in page
    assert "robot" not in page
