"""What an order has reached by one decision, without a database."""

from dataclasses import replace
from typing import Any

import pytest

from erpsync.core.milestones import milestones
from erpsync.core.orders import KnownOrder
from tests.support.views import known


def reached(before: KnownOrder | None, after: KnownOrder, **more: Any) -> list[str]:
    return [kind.removeprefix("order.") for kind, _ in milestones(before, after, **{"lacks": {}, **more})]


def with_line(order: KnownOrder, **fields: Any) -> KnownOrder:
    return replace(order, lines=tuple(replace(line, **fields) for line in order.lines))


def test_an_order_that_changes_nothing_of_these_has_reached_nothing() -> None:
    assert reached(known(), replace(known(), total_minor=1)) == []


def test_a_reason_to_hold_is_told_once_and_a_second_one_again() -> None:
    held = replace(known(), holds={"operator": "wait"})
    twice = replace(known(), holds={"operator": "wait", "refund_open": "asked for"})

    assert reached(known(), held) == ["held"]
    assert reached(held, held) == []
    assert list(milestones(held, twice, lacks={})) == [("order.held", {"held": {"refund_open": "asked for"}})]


def test_an_order_of_which_nothing_is_left_to_send_is_not_told_to_be_held() -> None:
    gone = with_line(known(), shipped_qty=known().lines[0].qty)

    assert reached(gone, replace(gone, holds={"refund_open": "asked for"})) == []


def test_what_lacks_is_told_by_sku() -> None:
    told = list(milestones(known(), known(), lacks={7: 2, 3: 1}))

    assert told == [("order.backordered", {"short": [{"sku_id": 3, "qty": 1}, {"sku_id": 7, "qty": 2}]})]


@pytest.mark.parametrize(
    ("field", "told"),
    [("shipped_qty", ["shipped"]), ("refunded_qty", ["refunded", "cancelled"]), ("closed_qty", ["cancelled"])],
)
def test_units_that_left_came_back_or_are_given_up_are_told_of_an_order_that_was_known(
    field: str, told: list[str]
) -> None:
    after = with_line(known(), **{field: known().lines[0].qty})

    assert reached(known(), after) == told
    assert reached(after, after) == []
    assert reached(None, after) == []


def test_money_that_is_given_back_is_a_refund_whatever_it_was_for() -> None:
    assert reached(known(), replace(known(), refunded_minor=500)) == ["refunded"]
    assert reached(replace(known(), refunded_minor=500), replace(known(), refunded_minor=500)) == []
    assert reached(known(), known(), refunded=True) == ["refunded"]
