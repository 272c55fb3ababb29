"""The life of an order as a pure matter: merging views, refunds, holds, phases, money."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.order_holds import ORDER_HOLDS, first_reason, hold_reasons
from erpsync.core.orders import KnownOrder, merge, phase, residual_minor, with_shipped
from erpsync.core.refunds import with_refunds
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, Line, Order, OrderState, Recipient, Refund, RefundState
from tests.support.views import NOON, READ, asked, granted, known, line, merged, view

HOME = Recipient(name="王小明", phone="13800001111", address="解放路 1 号")


def reasons(order: KnownOrder, *refunds: Refund, **fields: Any) -> dict[str, str]:
    asked_for = {"bad_lines": False, "needs_address": False} | fields
    return hold_reasons(order, refunds=refunds, **asked_for)


# -- views


def test_a_field_that_a_view_does_not_carry_keeps_what_a_fuller_view_said() -> None:
    before = known(line(title="绿茶", item_ref="77:1"), freight_minor=500, paid_minor=2500, recipient=HOME)

    after = merged(before, view(line(), freight_minor=None, paid_at=None)).order

    assert (after.freight_minor, after.paid_minor, after.paid_at, after.address_complete) == (500, 2500, NOON, True)
    assert (after.lines[0].title, after.lines[0].item_ref) == ("绿茶", "77:1")


def test_a_recipient_with_nothing_in_it_erases_nothing() -> None:
    after = merged(known(recipient=HOME), view(line(), recipient=Recipient())).order

    assert after.address_complete is True


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (view(line(qty=5)), "line L1 changed"),
        (view(line(sku="RED")), "line L1 changed"),
        (view(line(title="Green")), "details of line L1"),
        (view(line(), line("L2")), "line L2 added"),
        (view(line("L2")), "line L1 cancelled"),
        (view(line(), total_minor=1900), "total_minor"),
        (view(line(), do_not_ship="risk"), "do_not_ship"),
        (view(line(), state=OrderState.CANCELLED), "state"),
    ],
)
def test_every_edit_on_the_channel_is_named(new: Order, change: str) -> None:
    """failures.md row 24."""
    assert change in merged(known(), new).changes


@pytest.mark.parametrize(("before", "after", "named"), [(1, 3, True), (3, 1, True), (3, 3, False), (None, 0, False)])
def test_another_flag_of_the_seller_is_named(before: int | None, after: int | None, named: bool) -> None:
    changes = merged(known(seller_flag=before), view(line(), seller_flag=after)).changes

    assert ("seller_flag" in changes) is named


@pytest.mark.parametrize(("before", "after"), [("CNY", "USD"), ("USD", "CNY")])
def test_another_currency_is_named_with_the_one_before(before: str, after: str) -> None:
    assert merged(known(currency=before), view(line(), currency=after)).changes == (f"currency {before} -> {after}",)


def test_an_equal_view_changes_nothing() -> None:
    assert merged(known(), view(line())).changes == ()


def test_a_line_missing_from_a_newer_view_is_cancelled_and_one_that_comes_back_is_open() -> None:
    gone = merged(known(line(), line("L2")), view(line())).order
    back = merged(gone, view(line(), line("L2"))).order

    assert [item.open_qty for item in gone.lines] == [2, 0]
    assert [item.open_qty for item in back.lines] == [2, 2]


def bad(line_id: str | None, key: str = "o1@file:3") -> BadLine:
    return BadLine(key=key, error=PayloadError("expected a quantity", path="qty"), row={"line_id": line_id})


@pytest.mark.parametrize("unreadable", [bad("L2"), bad(""), bad(None), bad(None, key="L2")])
def test_a_line_that_cannot_be_read_is_not_taken_for_a_cancelled_one(unreadable: BadLine) -> None:
    after = merged(known(line(), line("L2")), view(line(), bad_lines=(unreadable,))).order

    assert [item.open_qty for item in after.lines] == [2, 2]


def test_a_line_that_is_named_as_bad_protects_no_other() -> None:
    after = merged(known(line(), line("L2"), line("L3")), view(line(), bad_lines=(bad("L2"),))).order

    assert [item.open_qty for item in after.lines] == [2, 2, 0]


def test_a_cancelled_order_leaves_nothing_open_not_even_what_cannot_be_read() -> None:
    after = merged(known(line(), line("L2")), view(line(), state=OrderState.CANCELLED, bad_lines=(bad(""),))).order

    assert phase(after) == "cancelled"


def test_an_order_that_is_opened_again_under_a_newer_version_is_believed() -> None:
    after = merged(known(state=OrderState.CANCELLED), view(line())).order

    assert (after.state, after.open_qty) == (OrderState.PAID, 2)


@pytest.mark.parametrize("older", [OrderState.UNPAID, OrderState.PAID])
def test_without_change_times_a_state_never_goes_back_nor_the_time_since_when_it_is_ready(older: OrderState) -> None:
    before = merged(known(), view(line(), state=OrderState.SHIPPED)).order
    after = merged(before, view(line(), state=older, undated=True, ready_at=None)).order

    assert (after.state, after.ready_at) == (OrderState.SHIPPED, NOON)


def test_an_order_is_ready_since_it_was_paid() -> None:
    before = merged(known(state=OrderState.UNPAID), view(line(), state=OrderState.UNPAID)).order
    assert before.ready_at is None

    assert merged(before, view(line())).order.ready_at == NOON


def test_a_time_to_ship_by_is_taken_up_when_it_is_told_and_kept_when_it_is_not() -> None:
    told = merged(known(), view(line(), ship_by_at=NOON)).order

    assert told.ship_by_at == NOON
    assert merged(told, view(line(), ship_by_at=None)).order.ship_by_at == NOON


def test_what_a_view_does_not_say_of_refunds_stays_and_what_it_says_counts() -> None:
    before = known(refund_asked="r1")

    assert merged(before, view(line(), refund_asked=None)).order.refund_asked == "r1"
    assert merged(before, view(line(), refund_asked="")).order.refund_asked == ""


def test_a_line_that_names_other_goods_is_to_be_mapped_anew() -> None:
    before = known(line(item_ref="77:1"))
    before = replace(before, lines=(replace(before.lines[0], sku_id=7, factor=3, parts={7: 3}, no_stock=True),))

    same = merged(before, view(line(qty=1, item_ref="77:1"))).order.lines[0]
    others = [line(sku=sku, item_ref="77:1") for sku in ("RED", "TEE")] + [
        line(item_ref=ref) for ref in ("77:0", "77:2")
    ]

    assert (same.sku_id, same.factor, same.parts, same.no_stock) == (7, 3, {7: 3}, True)
    for other in (merged(before, view(other)).order.lines[0] for other in others):
        assert (other.sku_id, other.factor, other.parts, other.no_stock) == (None, 1, {}, False)


def test_the_most_that_was_to_pay_is_kept_as_long_as_the_total_is_lower() -> None:
    order, kept = known(), []
    for hour, total in enumerate((1500, 900, 900, 1999, 2000)):
        reading = replace(READ, version_at=NOON + timedelta(hours=hour))
        order = merge(order, view(line(), total_minor=total), reading, []).order
        kept.append((order.most_minor, order.lowered_at))

    first, second = NOON, NOON + timedelta(hours=1)
    assert kept == [(2000, first), (2000, second), (2000, second), (2000, second), (None, None)]


def test_a_price_agreed_on_before_the_order_was_due_is_simply_its_price() -> None:
    unpaid = known(state=OrderState.UNPAID)

    assert merged(unpaid, view(line(), total_minor=1500)).order.most_minor is None


# -- what left


def test_what_the_channel_ships_itself_is_left_behind_with_us() -> None:
    assert merged(known(), view(line(), state=OrderState.SHIPPED)).left_behind == {1: 2}
    assert merged(known(), view(line(shipped_qty=1))).left_behind == {1: 1}


def test_units_that_were_refunded_or_given_up_do_not_leave_with_the_rest() -> None:
    before = with_refunds(known(), [granted(L1=1)])

    assert merged(before, view(line(), state=OrderState.SHIPPED)).left_behind == {1: 1}


def test_a_parcel_of_ours_that_the_channel_confirms_takes_nothing_twice() -> None:
    ours = with_shipped(with_refunds(known(), [granted(L1=1)]), {1: 1})

    assert merged(ours, view(line(), state=OrderState.SHIPPED)).left_behind == {}


def test_an_order_first_seen_as_shipped_has_left_already() -> None:
    assert phase(known(state=OrderState.SHIPPED)) == "shipped"
    assert phase(known(state=OrderState.COMPLETED)) == "completed"


def test_of_an_order_first_seen_in_part_the_rest_is_open() -> None:
    order = known(line(qty=3, shipped_qty=1), line("L2", qty=3, shipped_qty=9))

    assert [(item.shipped_qty, item.open_qty) for item in order.lines] == [(1, 2), (3, 0)]


def test_a_line_never_shrinks_below_what_has_left() -> None:
    after = merged(with_shipped(known(), {1: 2}), view(line(qty=1))).order

    assert (after.lines[0].qty, after.lines[0].shipped_qty) == (2, 2)


# -- refunds


def test_a_granted_refund_cancels_the_units_it_names() -> None:
    """failures.md row 23."""
    assert with_refunds(known(), [granted(700, L1=1)]).open_qty == 1


def test_money_alone_cancels_only_if_it_covers_the_whole_order() -> None:
    assert with_refunds(known(), [granted(1999)]).open_qty == 2
    assert with_refunds(known(), [granted(2000)]).open_qty == 0
    assert with_refunds(known(), [granted(1500), granted(500)]).open_qty == 0


def test_where_totals_are_what_refunds_left_half_the_money_back_cancels_nothing() -> None:
    """Real order 641 of a Tmall shop: two masks for 128.00, one refunded; its total had become 64.00 by then."""
    assert with_refunds(known(total_minor=6400), [granted(6400)], net=True).open_qty == 2
    assert with_refunds(known(total_minor=0), [granted(12800)], net=True).open_qty == 0


def test_who_does_not_know_what_a_total_means_leaves_units_as_they_were_decided() -> None:
    decided = with_refunds(known(), [granted(2000)])

    assert with_refunds(decided, [granted(2000)], net=None).open_qty == 0
    assert with_refunds(known(), [granted(2000)], net=None).open_qty == 2


def test_money_given_back_for_an_order_that_costs_nothing_cancels_nothing() -> None:
    assert with_refunds(known(total_minor=0), [granted(0)]).open_qty == 2


def test_units_that_left_are_not_cancelled_by_a_refund() -> None:
    after = with_refunds(with_shipped(known(), {1: 1}), [granted(L1=2)])

    assert (after.lines[0].cancelled_qty, after.open_qty) == (1, 0)


def test_a_refund_that_ends_without_money_gives_its_units_back() -> None:
    assert with_refunds(with_refunds(known(), [granted(L1=1)]), [asked(state=RefundState.CLOSED, L1=1)]).open_qty == 2


# -- holds


def test_the_reason_shown_first_is_the_most_pressing() -> None:
    order = replace(known(do_not_ship="risk"), address_complete=False)

    held = reasons(order, asked(), bad_lines=True, needs_address=True, by_hand={"operator": "call first"})

    assert set(held) == {"refund_open", "operator", "do_not_ship", "unmapped_sku", "bad_line", "incomplete_address"}
    assert first_reason(held) == "refund_open"


def test_what_we_lack_ourselves_stops_no_parcel_and_a_persons_hold_no_word_of_one_that_left() -> None:
    refusing = {reason for reason, hold in ORDER_HOLDS.items() if hold.refusal}
    waiting = {reason for reason, hold in ORDER_HOLDS.items() if hold.gate_waits}

    assert set(ORDER_HOLDS) - refusing == {"unmapped_sku", "incomplete_address"}
    assert refusing - waiting == {"operator", "warehouse_refused", "rule", "void", "bad_spec"}
    assert waiting <= refusing


def test_an_address_is_asked_for_only_between_payment_and_departure() -> None:
    unpaid = known(state=OrderState.UNPAID, paid_at=None)

    assert "incomplete_address" in reasons(known(), needs_address=True)
    assert "incomplete_address" not in reasons(unpaid, needs_address=True)
    assert "incomplete_address" not in reasons(known(state=OrderState.COMPLETED), needs_address=True)


def test_a_line_given_up_needs_no_mapping() -> None:
    assert "unmapped_sku" in reasons(known())
    assert "unmapped_sku" not in reasons(with_refunds(known(), [granted(L1=2)]))


# -- phases


def phases() -> list[tuple[KnownOrder, str]]:
    order, half = known(), with_shipped(known(), {1: 1})
    closed = with_refunds(known(), [granted(L1=2)])
    return [
        (replace(closed, state=OrderState.COMPLETED), "cancelled"),
        (replace(with_shipped(order, {1: 2}), state=OrderState.COMPLETED), "completed"),
        (with_shipped(order, {1: 2}), "shipped"),
        (replace(half, holds={"operator": ""}), "partially_shipped"),
        (replace(order, holds={"operator": ""}, ready_at=None), "held"),
        (replace(order, ready_at=None), "unpaid"),
        (order, "ready"),
    ]


@pytest.mark.parametrize(("order", "name"), phases(), ids=[name for _, name in phases()])
def test_the_first_phase_that_fits_is_the_one_shown(order: KnownOrder, name: str) -> None:
    assert phase(order) == name


def test_an_order_of_nothing_but_services_waits_for_nothing_but_its_payment() -> None:
    order = known()
    order = replace(order, lines=(replace(order.lines[0], no_stock=True),))

    assert phase(replace(order, ready_at=None)) == "unpaid"
    assert phase(order) == "shipped"
    assert phase(replace(order, state=OrderState.COMPLETED)) == "completed"
    assert phase(replace(order, lines=(replace(order.lines[0], closed_qty=2),))) == "cancelled"


# -- money

amounts = st.integers(min_value=0, max_value=10**9)
bought = st.lists(st.tuples(amounts, st.integers(min_value=1, max_value=999)), min_size=1, max_size=8)


@settings(max_examples=500)
@given(bought, amounts, st.none() | amounts, st.none() | amounts)
def test_no_order_is_refused_for_a_cent_and_what_is_left_over_is_shown(
    lines: list[tuple[int, int]], total: int, freight: int | None, discount: int | None
) -> None:
    """failures.md row 25: amounts stay as given, lines + freight - discount + residual = total."""
    given_lines = tuple(
        Line(external_id=str(n), channel_sku="TEA", qty=qty, price_minor=price) for n, (price, qty) in enumerate(lines)
    )

    order = known(*given_lines, total_minor=total, freight_minor=freight, discount_minor=discount)

    goods = sum(price * qty for price, qty in lines)
    assert (order.total_minor, order.freight_minor, order.discount_minor) == (total, freight, discount)
    assert goods + (freight or 0) - (discount or 0) + residual_minor(order) == total


# -- quantities never run away

states = st.sampled_from(OrderState)
views = st.builds(
    lambda qty, closed, shipped, state: view(
        line(qty=qty, cancelled_qty=min(qty, closed), shipped_qty=min(qty, shipped)), state=state
    ),
    st.integers(0, 5),
    st.integers(0, 5),
    st.integers(0, 5),
    states,
)


@given(st.lists(views, min_size=1, max_size=6), st.integers(0, 5), st.integers(0, 5000))
def test_whatever_the_channel_says_a_line_adds_up(told: list[Order], refunded: int, money: int) -> None:
    order = known()
    for each in told:
        step = merged(order, each)
        order = with_refunds(with_shipped(step.order, step.left_behind), [granted(money, L1=refunded)])
        for item in order.lines:
            assert min(item.cancelled_qty, item.open_qty, item.shipped_qty) >= 0
            assert item.cancelled_qty + item.open_qty + item.shipped_qty == item.qty
        assert order.shipped_qty >= 0


def test_time_goes_by_the_payment_then_by_the_number() -> None:
    """failures.md row 32."""
    early = known(paid_at=NOON - timedelta(hours=1))
    unpaid = replace(known(), paid_at=None, placed_at=NOON - timedelta(hours=2), number="S0")

    assert sorted([known(), early, unpaid], key=lambda order: order.due) == [unpaid, early, known()]
