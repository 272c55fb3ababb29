"""Why an order must not leave, and that each reason ends by itself: design section 7, rules people rely on."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.core.policy import OrderPolicy
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import cancel_order, end_hold, hold_order
from erpsync.sdk.types import OrderState, Recipient, RefundState
from tests.support.facts import HOME, fact, later, line, order, refund, refund_fact, take_in
from tests.support.looking import held, status, story
from tests.support.shop import Town

NOBODY = Recipient(name="王小明")


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten TEA in SH."""
    return stocked(make_town())


def stocked(town: Town) -> Town:
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    return town


def again(seconds: float, **fields: Any) -> Any:
    """A newer view of o1."""
    return fact(order(version_at=later(seconds), **fields), digest=str(seconds), read=(seconds, seconds))


def test_an_order_that_must_not_ship_yet_keeps_its_units_and_goes_on_by_itself(town: Town) -> None:
    take_in(town, fact(order(do_not_ship="presale until May")))
    assert (status(town, "o1"), held(town, "o1")) == (("held", "do_not_ship"), {"TEA": 1})

    take_in(town, again(9))

    assert status(town, "o1") == ("allocated", None)


def test_an_order_without_an_address_waits_for_one_and_no_longer(town: Town) -> None:
    take_in(town, fact(order(recipient=NOBODY)))
    assert (status(town, "o1"), held(town, "o1")) == (("held", "incomplete_address"), {"TEA": 1})

    take_in(town, again(9, recipient=HOME))

    assert status(town, "o1") == ("allocated", None)


def test_the_platforms_ciphertext_is_an_address(town: Town) -> None:
    take_in(town, fact(order(recipient=Recipient(ciphertext="oaid-1"))))

    assert status(town, "o1") == ("allocated", None)


@pytest.mark.parametrize(
    ("rule", "carries", "shown"),
    [
        ("auto", True, ("held", "incomplete_address")),
        ("auto", False, ("allocated", None)),
        ("always", False, ("held", "incomplete_address")),
        ("never", True, ("allocated", None)),
    ],
)
def test_an_address_is_asked_for_where_the_channel_carries_one_or_the_shopkeeper_says_so(
    make_town: Callable[..., Town], rule: Any, carries: bool, shown: tuple[str, str | None]
) -> None:
    town = stocked(make_town(orders=OrderPolicy(require_address=rule)))
    town.channel().connector.carries_recipients = carries  # type: ignore[union-attr]

    take_in(town, fact(order(recipient=None)))

    assert status(town, "o1") == shown


def test_a_finished_order_with_a_hidden_address_is_not_held_for_it(town: Town) -> None:
    take_in(town, fact(order(state=OrderState.COMPLETED, recipient=None)))

    assert status(town, "o1") == ("completed", None)


def test_an_unpaid_order_is_not_asked_for_its_address(town: Town) -> None:
    take_in(town, fact(order(state=OrderState.UNPAID, recipient=None)))

    assert status(town, "o1") == ("unpaid", None)


def test_an_operators_hold_lasts_until_it_is_released_whatever_the_channel_says(town: Town) -> None:
    take_in(town, fact(order()))
    hold_order(town.ctx, "o1", reason="call the buyer", actor="ana")
    take_in(town, again(9, total_minor=900))
    assert (status(town, "o1"), held(town, "o1")) == (("held", "operator"), {"TEA": 1})

    end_hold(town.ctx, "o1", actor="ana")

    assert status(town, "o1") == ("allocated", None)
    assert {"order.held", "order.freed"} <= set(story(town, "o1"))


def test_a_release_ends_no_other_reason(town: Town) -> None:
    take_in(town, fact(order(do_not_ship="risk")))

    with pytest.raises(Refused, match="held by do_not_ship"):
        end_hold(town.ctx, "o1", actor="ana")
    hold_order(town.ctx, "o1", reason="call", actor="ana")
    end_hold(town.ctx, "o1", actor="ana")

    assert status(town, "o1") == ("held", "do_not_ship")


def test_an_order_cancelled_here_frees_its_units_and_a_newer_view_does_not_bring_it_back(town: Town) -> None:
    take_in(town, fact(order("o1", line(qty=10))))
    cancel_order(town.ctx, "o1", reason="fraud", actor="ana")
    assert (status(town, "o1"), held(town, "o1")) == (("cancelled", None), {})

    take_in(town, fact(order("o1", line(qty=10), version_at=later(9)), digest="b", read=(9, 9)))

    assert status(town, "o1") == ("cancelled", None)


def test_of_several_reasons_the_next_one_shows_when_the_first_one_ends(town: Town) -> None:
    take_in(town, fact(order(do_not_ship="risk", recipient=NOBODY)))
    take_in(town, refunds=[refund_fact(refund(state=RefundState.OPEN))])
    assert status(town, "o1") == ("held", "refund_open")

    take_in(town, refunds=[refund_fact(refund(state=RefundState.CLOSED), digest="b", read=(9, 9))])
    assert status(town, "o1") == ("held", "do_not_ship")
    take_in(town, again(9, recipient=NOBODY))
    assert status(town, "o1") == ("held", "incomplete_address")
    take_in(town, again(10))
    assert status(town, "o1") == ("allocated", None)


def test_a_held_order_waits_for_stock_like_any_other_but_is_not_served_before_it_is_free(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=0, actor="keeper")
    take_in(town, fact(order()))
    hold_order(town.ctx, "o1", reason="call", actor="ana")
    take_in(town, fact(order("o2", paid_at=later(60))))
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=1, actor="keeper")
    assert (held(town, "o1"), status(town, "o2")) == ({}, ("allocated", None))

    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=2, actor="keeper")
    end_hold(town.ctx, "o1", actor="ana")

    assert status(town, "o1") == ("allocated", None)
