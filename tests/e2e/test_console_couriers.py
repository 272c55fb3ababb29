"""Accounts with couriers at the console: what waits, what was refused and is booked again, what nobody used."""

import re
from collections.abc import Iterator

import pytest

from erpsync.flows.couriers.report import Report, report
from erpsync.store.tables import WAYBILL_STATES, channel
from erpsync.web.console.desk.words import WAYBILL_WORDS
from tests.support.courier import push, rows
from tests.support.courier_desk import CourierDesk, courier_desk
from tests.support.order_desk import words_of
from tests.support.visitor import visitor


@pytest.fixture
def desk(database_url: str) -> Iterator[CourierDesk]:
    with courier_desk(database_url) as opened:
        yield opened


def section(desk: CourierDesk, name: str) -> str:
    """Return what a section of the page says, nothing where it has none."""
    found = re.search(rf'<section[^>]* id="{name}".*?</section>', desk.get("couriers").text, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", found[0]).split()) if found else ""


def now(desk: CourierDesk) -> Report:
    return report(desk.town.ctx)


def test_every_state_of_a_number_has_words() -> None:
    assert set(WAYBILL_WORDS) == set(WAYBILL_STATES)


def test_the_page_says_what_waits_what_was_refused_and_what_nobody_used(desk: CourierDesk) -> None:
    accounts, refused, stale = (section(desk, name) for name in ("accounts", "refused", "stale"))

    assert "sf in use" in accounts
    assert "has its number 2" in accounts
    assert "Rate card 1 row" in accounts
    assert desk.refused in refused
    assert "余额不足" in refused
    assert desk.stale in stale
    assert "SF0000000000001" in stale


def test_the_page_says_how_many_waybills_an_account_has_left_where_it_counts_them(desk: CourierDesk) -> None:
    before = section(desk, "accounts")
    with desk.town.store.begin() as tx:
        tx.execute(channel.update().where(channel.c.name == "sf").values(balance=7, balance_at=desk.town.clock.now()))

    assert "Waybills left" not in before
    assert "Waybills left 7" in section(desk, "accounts")


def test_what_parcels_cost_is_the_couriers_word_else_the_cards(desk: CourierDesk) -> None:
    far, unknown = now(desk).costs

    assert (far.zones, far.carrier, far.parcels, far.priced, far.cost_minor) == ((), "SF", 2, 2, 1200 + 900)
    assert (unknown.zones, unknown.parcels, unknown.priced, unknown.cost_minor) == (None, 1, 1, 1200)
    said = section(desk, "costs")
    assert "elsewhere SF Express" in said
    assert "21.00" in said


def test_parcels_of_longer_ago_than_a_month_are_in_no_cost(desk: CourierDesk) -> None:
    desk.town.clock.advance(seconds=28 * 86_400)

    assert now(desk).parcels == 2


def test_a_refused_release_is_booked_again_and_gone_from_the_list(desk: CourierDesk) -> None:
    page = desk.act("waybills/book", on="couriers", release=desk.refused)
    push(desk.town)

    assert f"release {desk.refused} is to be booked" in words_of(page)
    assert section(desk, "refused") == ""
    assert now(desk).accounts[0].states == {"booked": 3}


def test_a_number_that_nobody_used_becomes_void(desk: CourierDesk) -> None:
    page = desk.act("waybills/void", on="couriers", number="SF0000000000001")
    push(desk.town)

    assert "waybill SF0000000000001 is to be void" in words_of(page)
    assert desk.courier.void == ["SF0000000000001"]
    assert section(desk, "stale") == ""
    assert "cancelled" in rows(desk.town, "state")


def test_what_was_void_already_is_refused_in_a_sentence(desk: CourierDesk) -> None:
    desk.act("waybills/void", on="couriers", number="SF0000000000001")
    page = desk.act("waybills/void", on="couriers", number="SF0000000000001", once="2")

    assert "is cancelling and cannot be voided" in words_of(page)


@pytest.mark.parametrize("role", ["read", "pack"])
def test_who_only_looks_or_packs_sees_no_acts(desk: CourierDesk, role: str) -> None:
    looker = visitor(desk.store, "chen", role=role)

    page = desk.get("couriers", looker)

    assert page.status_code == 200
    assert "/waybills/" not in page.text


def test_a_shop_without_couriers_is_told_so(desk: CourierDesk) -> None:
    del desk.town.ctx.channels[desk.town.ctx.channel("sf").id]

    assert "No account with a courier is configured." in section(desk, "accounts")


def test_the_page_is_in_chinese_too(desk: CourierDesk) -> None:
    page = words_of(desk.get("couriers", **{"Accept-Language": "zh-CN"}))

    for said in ("快递账户", "没有快递承接的放行单", "取号后未使用", "顺丰速运", "其他地区"):
        assert said in page
