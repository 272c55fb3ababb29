"""What pages of the desk say to somebody who packs there for the first time, in the words of the trade."""

import re
from collections.abc import Iterator

import pytest

from erpsync.flows.desk.waves import make_wave
from erpsync.flows.orders.actions import hold_order
from tests.support.courier import build_courier_desk
from tests.support.desk import printed, work
from tests.support.order_desk import OrderDesk, words_of
from tests.support.packing import PackingDesk, packing_desk, release_of


@pytest.fixture
def desk(database_url: str) -> Iterator[PackingDesk]:
    with packing_desk(database_url, role="pack") as opened:
        yield opened


def recalled(desk: OrderDesk, order: str) -> str:
    """Let a printed release be one that must not leave; return its number."""
    number = release_of(desk, order)
    printed(desk.town, number)
    hold_order(desk.town.ctx, desk.named(order), reason="the buyer asks", actor="lin")
    work(desk.town, shop=False)
    return number


def taken_out(desk: OrderDesk, number: str) -> str:
    return words_of(desk.post("desk/scanned", do="stop", code=number, once="0"))


def test_the_last_parcel_that_is_taken_out_does_not_say_that_the_others_have_left(desk: OrderDesk) -> None:
    make_wave(desk.town.ctx, warehouse="SH", actor="lin")

    assert "2 of the wave are still to leave" in taken_out(desk, recalled(desk, "o1"))
    assert "1 of the wave is still to leave" in taken_out(desk, recalled(desk, "o2"))
    assert "nothing of the wave is still to leave" in taken_out(desk, recalled(desk, "o3"))


def test_a_stop_list_says_of_each_parcel_why_it_must_not_leave(desk: OrderDesk) -> None:
    number = recalled(desk, "o1")

    page = words_of(desk.get("desk"))

    assert f"release {number} must not leave, order {desk.named('o1')} is held; take it out and stop it" in page


def test_what_else_is_in_a_parcel_is_said_and_not_added_up(desk: OrderDesk) -> None:
    assert "×1 and 1 other" in words_of(desk.get("desk"))


def test_a_wave_begins_with_its_pick_list_and_that_button_stands_out(desk: OrderDesk) -> None:
    make_wave(desk.town.ctx, warehouse="SH", actor="lin")
    page = desk.get("desk").text

    assert '<button class="button main-act">Pick list</button>' in page
    assert '<button class="quiet">Slips</button>' in page


def test_who_may_not_look_for_phone_numbers_is_not_asked_for_one(desk: OrderDesk) -> None:
    assert 'placeholder="Number, tracking, SKU, goods"' in desk.get("desk").text


def test_what_was_printed_of_a_release_is_told_in_words(desk: OrderDesk) -> None:
    number = release_of(desk, "o1")
    desk.act("releases/print", on=f"releases/{number}", number=number, paper="slip")

    assert "paper Slip" in words_of(desk.get(f"releases/{number}"))


def test_orders_are_asked_for_by_shops_and_not_by_accounts_with_couriers(desk: OrderDesk, database_url: str) -> None:
    town, _ = build_courier_desk(database_url, town=desk.town)
    desk.town.ctx = town.ctx

    page = desk.get("orders").text

    town.store.close()
    assert re.findall(r'href="/orders\?channel=(\w+)"', page) == ["internal", "shop"]
