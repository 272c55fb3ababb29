"""Our clock against a platform's: called off by the date of an answer, right again by another, trusted after a leap."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime

import pytest

from erpsync.core.policy import OrderPolicy
from erpsync.flows.channels.clocks import PlatformClock
from erpsync.flows.intake import poll
from erpsync.flows.inventory import counts
from erpsync.flows.operations import reservations
from erpsync.flows.operations.tasks import finish_task
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox.base import SandboxRequest, SandboxResponse
from erpsync.settings.models import Status
from erpsync.store.status import figures
from tests.support import looking
from tests.support.dialects import on_sqlite
from tests.support.shop import Town

MINUTE, HOUR, DAY = 60, 3600, 86_400
MakeTown = Callable[..., Town]


class Platform:
    """Answers every call with the date of a clock that is right."""

    def __init__(self, town: Town, **headers: str) -> None:
        self.right = town.clock.now()
        self.headers = headers
        heard = PlatformClock(town.store, town.channel().id, "shop").heard
        self._http = HttpClient(clock=town.clock, mount=self._answer, heard=heard)

    def call(self) -> None:
        self._http.request("GET", "https://shop.test/", repeatable=True)

    def _answer(self, request: SandboxRequest) -> SandboxResponse:
        del request
        found = SandboxResponse.of_json({})
        return replace(
            found, headers={**found.headers, "Date": format_datetime(self.right, usegmt=True), **self.headers}
        )


def open_tasks(town: Town) -> list[tuple[object, ...]]:
    return looking.rows(town, "SELECT kind, key, reason FROM task WHERE closed_at IS NULL")


def problems(town: Town) -> list[str]:
    with town.store.read() as connection:
        found = figures.status(connection, town.ctx, Status(freshness_s=None), town.clock.now())
    return [each["text"] for each in found["problems"] if each["check"] == "clock"]


@on_sqlite
def test_a_clock_that_is_off_is_called_that_and_the_task_closes_itself_when_it_is_right_again(town: Town) -> None:
    platform = Platform(town)
    town.clock.jump(seconds=15 * MINUTE)
    platform.call()

    words = "this machine's clock is 15 min ahead of shop"
    assert open_tasks(town) == [("clock", "shop", f"{words}; set it right (NTP), this task is closed then")]
    assert problems(town) == [f"shop: {words}"]
    assert looking.rows(town, "SELECT clock_ahead_s FROM channel") == [(-899.5,)]

    town.clock.jump(seconds=-15 * MINUTE)
    platform.call()
    assert (open_tasks(town), problems(town)) == ([], [])


@pytest.mark.parametrize(("by_s", "words"), [(-2 * HOUR, "2 h behind"), (2 * DAY, "2 d ahead of")])
def test_on_postgresql_it_is_the_database_s_clock(town: Town, by_s: int, words: str) -> None:
    platform = Platform(town)
    town.clock.jump(seconds=by_s)
    platform.call()

    ours = "this machine's" if town.store.is_sqlite else "the database's"
    assert problems(town) == [f"shop: {ours} clock is {words} shop"]


@pytest.mark.parametrize("headers", [{"Age": "3600"}, {"Date": "yesterday"}, {"Date": "Mon, 01 Jan 99999 0:0:0 GMT"}])
def test_an_answer_without_a_date_of_its_own_says_nothing(town: Town, headers: dict[str, str]) -> None:
    platform = Platform(town, **headers)
    town.clock.jump(seconds=HOUR)
    platform.call()

    assert looking.rows(town, "SELECT clock_ahead_s FROM channel") == [(None,)]


def reserve(make_town: MakeTown) -> Town:
    """A shop with an order that holds a unit for half an hour, and a clock that then leaps ahead by two days."""
    town = make_town(orders=OrderPolicy(reserve="placement", reserve_minutes=30))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 1), paid=False)
    poll.poll_stream(town.ctx, town.channel(), "orders")
    poll.poll_stream(town.ctx, town.channel(), "backfill")
    return town


def test_a_platform_confirms_a_leap_ahead_by_the_date_of_any_answer(make_town: MakeTown) -> None:
    town = reserve(make_town)
    platform = Platform(town)
    town.clock.jump(seconds=2 * DAY)
    platform.call()
    assert reservations.expire_reservations(town.ctx) == 0

    platform.right += timedelta(days=2)
    platform.call()
    assert reservations.expire_reservations(town.ctx) == 1


def test_a_person_confirms_a_leap_ahead_that_no_platform_does(make_town: MakeTown) -> None:
    """A folder tells no time."""
    town = reserve(make_town)
    town.clock.jump(seconds=2 * DAY)
    reservations.expire_reservations(town.ctx)
    assert open_tasks(town) == []
    town.advance(301)
    reservations.expire_reservations(town.ctx)
    ((kind, key, reason),) = open_tasks(town)
    assert (kind, key) == ("clock", "leap")
    assert str(reason).startswith("the clock went ahead by 2 d (it was set, or erpsync stood still)")

    ((id,),) = looking.rows(town, "SELECT id FROM task WHERE closed_at IS NULL")
    finish_task(town.ctx, int(str(id)), actor="me")
    town.advance(6)
    with town.store.begin():
        pass
    assert reservations.expire_reservations(town.ctx) == 1
    assert open_tasks(town) == []
    assert looking.promised(town) == {}


def test_a_leap_that_is_taken_back_takes_its_question_back(make_town: MakeTown) -> None:
    town = reserve(make_town)
    town.clock.jump(seconds=2 * DAY)
    reservations.expire_reservations(town.ctx)
    town.advance(301)
    reservations.expire_reservations(town.ctx)
    assert len(open_tasks(town)) == 1

    town.clock.jump(seconds=-2 * DAY)
    with town.store.begin():
        pass
    reservations.expire_reservations(town.ctx)
    assert open_tasks(town) == []
