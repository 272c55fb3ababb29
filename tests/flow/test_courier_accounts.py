"""What accounts say of themselves: waybills that run out and are bought again, places that a courier does not go to."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import CourierPolicy
from erpsync.core.rules import compile_book
from erpsync.flows.context import Context
from erpsync.flows.couriers import acts
from erpsync.flows.couriers.again import choose_again, watch_accounts
from erpsync.flows.couriers.rates import import_rates
from erpsync.flows.explain.explain import explain_order
from erpsync.sdk.errors import TransientError
from erpsync.store.tables import channel, outbox, release, task
from tests.support import looking
from tests.support.courier import Courier, build_courier_desk, push, rate, release_one, states
from tests.support.desk import work
from tests.support.explaining import flat
from tests.support.shop import SHANGHAI, Town

Make = Callable[..., tuple[Town, Courier]]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Build desks with an account that says how many waybills it has; each is closed at the end."""
    made: list[Town] = []

    def build(*, left: int | None = None, low: int = 0, **options: Any) -> tuple[Town, Courier]:
        town, courier = build_courier_desk(database_url, **({"tells": True} | options))
        courier.left = left
        town.ctx = replace(town.ctx, couriers=CourierPolicy(low_balance=low))
        made.append(town)
        return town, courier

    yield build
    for town in made:
        town.store.close()


def waiting(town: Town) -> list[str]:
    """Return what bookings wait for."""
    with town.store.read() as connection:
        query = select(outbox.c.waiting_for).where(outbox.c.kind == "waybill", outbox.c.state == "waiting")
        return list(connection.execute(query).scalars())


def kept(town: Town) -> int | None:
    with town.store.read() as connection:
        left: int | None = connection.execute(select(channel.c.balance).where(channel.c.name == "sf")).scalar()
        return left


def carriers(town: Town) -> list[str]:
    with town.store.read() as connection:
        return list(connection.execute(select(release.c.carrier).order_by(release.c.id)).scalars())


def reasons(town: Town) -> list[str]:
    with town.store.read() as connection:
        return list(connection.execute(select(task.c.reason).where(task.c.closed_at.is_(None))).scalars())


def test_bookings_wait_for_waybills_and_go_on_when_some_are_bought(make: Make) -> None:
    town, courier = make(left=2)
    watch_accounts(town.ctx)
    for name in ("o1", "o2", "o3"):
        release_one(town, name, qty=1)

    push(town)

    assert sorted(states(town)) == ["booked", "booked", "wanted"]
    assert (waiting(town), courier.calls, kept(town)) == (["low_balance"], 2, 0)
    assert reasons(town) == ["account sf has no waybills left and its bookings wait; buy some, and they go on"]

    courier.left = 5
    town.advance(61)
    watch_accounts(town.ctx)
    push(town)

    assert (states(town), waiting(town), looking.tasks(town)) == (["booked"] * 3, [], [])


def test_what_waits_for_waybills_says_so_with_its_order(make: Make) -> None:
    town, _ = make(left=0)
    watch_accounts(town.ctx)
    release_one(town)
    push(town)

    said = [step["text"] for step in flat(explain_order(town.ctx, "o1")["steps"])]

    assert "its waybill waits until account sf has waybills again" in said


def test_few_waybills_are_one_task_that_ends_when_there_are_enough(make: Make) -> None:
    town, courier = make(left=9, low=10)

    watch_accounts(town.ctx)
    watch_accounts(town.ctx)
    assert reasons(town) == ["account sf has 9 waybills left; buy some"]

    courier.left = 10
    town.advance(901)
    watch_accounts(town.ctx)
    assert looking.tasks(town) == []


def test_an_account_is_asked_now_and_then_and_after_bookings(make: Make) -> None:
    town, courier = make(left=1000)
    for _ in range(3):
        watch_accounts(town.ctx)
    assert courier.asked == ["balance"]

    town.advance(61)
    release_one(town)
    courier.asked.clear()
    push(town)
    assert (courier.asked, kept(town)) == (["balance"], 999)


def test_an_account_that_counts_nothing_or_does_not_answer_keeps_nobody_waiting(make: Make) -> None:
    town, courier = make(left=0)
    watch_accounts(town.ctx)
    release_one(town)
    push(town)
    assert waiting(town) == ["low_balance"]

    courier.left = None
    courier.trouble["balance"] = [TransientError("away")] * 2
    town.advance(61)
    watch_accounts(town.ctx)
    assert waiting(town) == ["low_balance"]
    town.advance(3600)
    watch_accounts(town.ctx)
    assert waiting(town) == []
    push(town)

    assert states(town) == ["booked"]


def test_a_booking_that_began_to_wait_when_the_answer_came_goes_on_with_the_next_look(make: Make) -> None:
    town, courier = make(left=0)
    watch_accounts(town.ctx)
    release_one(town)
    push(town)
    with town.store.begin() as tx:
        tx.execute(channel.update().where(channel.c.name == "sf").values(balance=5))
    courier.left = 5

    watch_accounts(town.ctx)
    push(town)

    assert (states(town), courier.asked) == (["booked"], ["balance", "balance"])


def test_a_connector_that_knows_no_balance_is_never_asked(make: Make) -> None:
    town, courier = make(tells=False)

    watch_accounts(town.ctx)
    release_one(town)
    push(town)

    assert (courier.asked, kept(town), states(town)) == ([], None, ["booked"])


def test_a_booking_that_waits_is_dropped_with_its_release(make: Make) -> None:
    town, courier = make(left=0)
    watch_accounts(town.ctx)
    number = release_one(town)
    push(town)

    acts.void(town.ctx, number, actor="me")
    courier.left = 5
    town.advance(61)
    watch_accounts(town.ctx)
    push(town)

    assert (states(town), courier.calls, waiting(town)) == (["cancelled"], 0, [])


def test_a_place_that_the_courier_does_not_go_to_is_known_before_it_is_booked(make: Make) -> None:
    town, courier = make()
    courier.away = frozenset({"拉萨市"})
    town.shop.place("o1", ("A", 1), province="西藏自治区", city="拉萨市")
    town.shop.place("o2", ("A", 1), province="浙江省", city="杭州市", name="王二")
    work(town)
    push(town)

    assert sorted(carriers(town)) == ["", "SF"]
    assert (looking.tasks(town), len(courier.paid)) == (["no_courier"], 1)
    assert "sf not_covered" in reasons(town)[0]


def test_a_place_is_asked_about_once_until_the_answer_is_old(make: Make) -> None:
    town, courier = make()
    for day, name in ((0, "o1"), (6, "o2"), (2, "o3")):
        town.advance(day * 86400)
        town.shop.place(name, ("A", 1), province="浙江省", city="杭州市", name=f"王{name}")
        work(town)

    assert [each for each in courier.asked if each == "杭州市"] == ["杭州市"] * 2


def test_a_courier_that_does_not_say_where_it_goes_is_booked_all_the_same(make: Make) -> None:
    town, courier = make()
    courier.trouble["covers"] = [TransientError("away")]
    town.shop.place("o1", ("A", 1), province="西藏自治区", city="拉萨市")
    work(town)
    push(town)

    assert (states(town), carriers(town)) == (["booked"], ["SF"])


def no_price(town: Town) -> None:
    """Let a card have a price for no place that any order goes to."""
    with_zone(town)
    import_rates(town.ctx, [(rate("far", 1200), "r.csv:2")], bad=[], actor="me")


def with_zone(town: Town) -> None:
    town.ctx = replace(town.ctx, book=compile_book((), {"far": [("新疆", "")]}, SHANGHAI))


def test_a_release_that_nobody_takes_is_taken_when_a_card_has_a_price_for_it(make: Make) -> None:
    town, _ = make()
    no_price(town)
    town.shop.place("o1", ("A", 1), province="浙江省", city="杭州市")
    work(town)
    assert (carriers(town), looking.tasks(town)) == ([""], ["no_courier"])
    assert choose_again(town.ctx) == 0

    import_rates(town.ctx, [(rate("", 900), "r.csv:2")], bad=[], actor="me")
    assert (choose_again(town.ctx), choose_again(town.ctx)) == (1, 0)
    push(town)

    assert (carriers(town), states(town), looking.tasks(town)) == (["SF"], ["booked"], [])


def test_a_release_that_nobody_takes_is_tried_again_after_a_while_though_nothing_that_is_seen_changed(
    make: Make,
) -> None:
    town, courier = make()
    courier.away = frozenset({"拉萨市"})
    town.shop.place("o1", ("A", 1), province="西藏自治区", city="拉萨市")
    work(town)
    courier.away = frozenset()

    town.advance(7 * 86400 - 60)
    assert choose_again(town.ctx) == 0
    town.advance(16 * 60)
    assert choose_again(town.ctx) == 1
    assert (carriers(town), looking.tasks(town)) == (["SF"], [])


def test_a_release_that_was_made_where_nobody_could_choose_is_chosen_for_by_who_can(make: Make) -> None:
    town, _ = make()
    blind: Context = replace(
        town.ctx, channels={id: replace(each, connector=None) for id, each in town.ctx.channels.items()}
    )
    seeing, town.ctx = (
        town.ctx,
        replace(town.ctx, channels={id: c for id, c in town.ctx.channels.items() if c.name != "sf"}),
    )
    town.shop.place("o1", ("A", 1), province="浙江省", city="杭州市")
    work(town)
    assert carriers(town) == [""]
    assert choose_again(blind) == 0

    assert choose_again(seeing) == 1


@pytest.mark.concurrent("threads")
def test_two_nodes_that_choose_again_book_once(make: Make) -> None:
    town, _ = make()
    no_price(town)
    town.shop.place("o1", ("A", 1), province="浙江省", city="杭州市")
    work(town)
    import_rates(town.ctx, [(rate("", 900), "r.csv:2")], bad=[], actor="me")

    with ThreadPoolExecutor(2) as pool:
        chosen = list(pool.map(choose_again, [town.ctx, town.ctx]))
    assert sorted(chosen) == [0, 1]
    push(town)

    assert states(town) == ["booked"]
