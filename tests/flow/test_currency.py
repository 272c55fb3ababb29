"""Currencies that do not exist are refused, and one that changes is told."""

from dataclasses import replace

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.operations import dead_letters as dead
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.money import CURRENCIES, require_currency
from erpsync.sdk.types import Head, Order, Raw
from tests.support.facts import fact, later, order, take_in
from tests.support.looking import letter_id, letters, rows, status, tasks
from tests.support.shop import ShopConnector, Town
from tests.support.walk import poll, settle_in


class Foreign(ShopConnector):
    """A shop that names currencies of its own."""

    code = "ZZZ"

    def normalise(self, raw: Raw) -> Order:
        return replace(super().normalise(raw), currency=self.code)


def with_connector(town: Town, connector: ShopConnector) -> Town:
    channel = replace(town.channel(), connector=connector)
    return replace(town, ctx=replace(town.ctx, channels={channel.id: channel}))


def test_an_order_in_a_currency_that_does_not_exist_is_a_dead_letter_and_stops_no_other(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=9, actor="me")
    foreign = Foreign(town.shop, town.clock)
    abroad = with_connector(town, foreign)
    settle_in(abroad)
    town.shop.place("o1", ("TEA", 1))
    poll(abroad)
    assert letters(town) == [("order", "o1")]
    assert rows(town, "SELECT error FROM dead_letter") == [("currency: there is no currency 'ZZZ'",)]

    foreign.code = "TND"
    dead.replay_letter(abroad.ctx, letter_id(town, "o1"), actor="me")
    assert (letters(town), status(town, "o1")) == ([], ("allocated", None))


@pytest.mark.parametrize("code", ["CNY", "USD", "XCG", "ZWG", "KWD"])
def test_a_currency_that_exists_is_taken(code: str) -> None:
    require_currency(code)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "RMB", "cny", "", "USDT"])
def test_what_is_no_money_is_refused(code: str) -> None:
    with pytest.raises(PayloadError):
        require_currency(code)


def test_a_refund_may_leave_its_currency_to_its_order() -> None:
    require_currency("XXX", may_be_none=True)
    assert len(CURRENCIES) > 150


def test_an_order_whose_currency_changes_says_so(town: Town) -> None:
    take_in(town, fact(order()))
    take_in(town, fact(order(currency="USD", version_at=later(5)), digest="b", read=(6, 7)))

    (detail,) = rows(town, "SELECT detail FROM event WHERE kind = 'order.changed'")[0]
    assert '"currency CNY -> USD"' in detail
    assert tasks(town) == ["currency_changed"]


class Forgetful(ShopConnector):
    """A shop that leaves out what it has no more."""

    def complete(self, heads: list[Head]) -> list[Raw]:  # type: ignore[override]
        return super().complete([head for head in heads if head.external_id in self.shop.orders])


def test_a_replay_of_an_order_that_the_channel_shows_no_more_says_so(town: Town) -> None:
    town = with_connector(town, Forgetful(town.shop, town.clock))
    settle_in(town)
    town.shop.hidden.add("o1")
    town.shop.place("o1", ("TEA", 1))
    poll(town)
    del town.shop.orders["o1"]

    with pytest.raises(Refused, match="the channel does not show it any more"):
        dead.replay_letter(town.ctx, letter_id(town, "o1"), actor="me")
