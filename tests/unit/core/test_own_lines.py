"""Lines that only we know: no view, no refund and no total of the channel is about them."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.orders import (
    KnownLine,
    KnownOrder,
    Origin,
    first_seen,
    merge,
    phase,
    residual_minor,
    with_shipped,
)
from erpsync.core.own_lines import with_own_lines
from erpsync.core.readings import Reading
from erpsync.core.refunds import KnownRefund, is_unplaced, lines_asked, with_refunds
from erpsync.core.some_lines import completed
from erpsync.sdk.types import Line, Order, OrderState, RefundLine, RefundState
from tests.support.facts import line, order

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
READ = Reading(version_at=NOON, digest="a", read_from=NOON, read_to=NOON)
GIFT = KnownLine(
    id=99, external_id="gift-1", channel_sku="SCARF", qty=1, price_minor=0, parts={7: 1}, sku_id=7, origin=Origin.GIFT
)


def known(*lines: Line, **fields: Any) -> KnownOrder:
    seen = first_seen(order("o1", *lines, **fields), READ, id=1, channel_id=1, number="S1", ids=count(1))
    sold = (replace(each, parts={each.id: 1}, sku_id=each.id) for each in seen.lines)
    return replace(seen, lines=(*sold, GIFT))


def read(before: KnownOrder, view: Order) -> KnownOrder:
    """Return the order as a newer view makes it, decided as ever."""
    return with_own_lines(merge(before, completed(before, view), READ, count(100)).order)


def refunded(*named: str, amount: int = 0, state: RefundState = RefundState.GRANTED) -> KnownRefund:
    return KnownRefund(
        id=1,
        external_id="r1",
        order_external_id="o1",
        version_at=NOON,
        state=state,
        amount_minor=amount,
        currency="CNY",
        lines=tuple(RefundLine(line_external_id=name, qty=1) for name in named),
    )


def gift(of: KnownOrder) -> KnownLine:
    (found,) = (each for each in of.lines if each.origin is Origin.GIFT)
    return found


def test_a_gift_is_not_cancelled_because_the_channel_does_not_show_it() -> None:
    after = read(known(), order(version_at=NOON))

    assert gift(after) == GIFT
    assert merge(known(), order(), READ, count(100)).changes == ()


def test_a_gift_goes_when_every_line_of_the_channel_is_cancelled_and_comes_back_with_one() -> None:
    gone = read(known(), order(state=OrderState.CANCELLED))
    back = read(gone, order())

    assert (phase(gone), gift(gone).open_qty) == ("cancelled", 0)
    assert (phase(back), gift(back).open_qty) == ("ready", 1)


def test_a_gift_is_still_to_be_sent_when_the_rest_has_left() -> None:
    left = with_shipped(known(), {1: 1})

    assert phase(with_own_lines(left)) == "partially_shipped"
    assert phase(with_own_lines(with_shipped(left, {99: 1}))) == "shipped"


def test_an_order_of_our_own_lines_alone_is_judged_by_them() -> None:
    own = replace(known(), lines=(replace(GIFT, origin=Origin.HAND),))

    assert with_own_lines(own) is own
    assert phase(own) == "ready"


def test_what_we_added_is_in_no_total_of_the_channel() -> None:
    dear = replace(known(), lines=(*known().of_channel, replace(GIFT, price_minor=500)))

    assert residual_minor(dear) == 0


def test_a_refund_of_all_lines_of_the_channel_takes_the_gift_along() -> None:
    named = with_own_lines(with_refunds(known(), [refunded("L1")]))
    money = with_own_lines(with_refunds(known(), [refunded(amount=1000)]))

    assert (phase(named), phase(money)) == ("cancelled", "cancelled")


def test_a_refund_never_names_a_line_of_ours() -> None:
    assert gift(with_refunds(known(), [refunded("gift-1")])).refunded_qty == 0


def test_money_back_for_what_the_channel_does_not_want_any_more_is_no_riddle_for_a_gift_that_waits() -> None:
    left = with_shipped(known(), {1: 1})

    assert not is_unplaced(left, [refunded(amount=500)])


def test_a_gift_stays_with_the_last_line_of_which_a_refund_is_asked_for() -> None:
    asked = refunded("L1", state=RefundState.OPEN)
    two = known(line(id="L1"), line("CUP", id="L2"))

    assert lines_asked(known(), [asked]) is None
    assert lines_asked(two, [asked]) == {"L1"}


def test_a_file_that_does_not_show_the_gift_tells_how_far_the_order_is() -> None:
    view = order(state=OrderState.SHIPPED, some_lines=True)

    assert completed(known(), view).state is OrderState.SHIPPED


views = st.builds(
    lambda state, qty, two: order(
        "o1", *([line(qty=qty), line("CUP", id="L2")] if two else [line(qty=qty)]), state=state
    ),
    st.sampled_from(list(OrderState)),
    st.integers(1, 3),
    st.booleans(),
)


@given(st.lists(views, min_size=1, max_size=6))
def test_whatever_the_channel_says_it_says_the_same_with_a_gift_and_without(told: list[Order]) -> None:
    with_gift = known()
    without = replace(with_gift, lines=with_gift.of_channel)
    for view in told:
        with_gift, without = read(with_gift, view), read(without, view)

        assert [replace(each, id=0) for each in with_gift.of_channel] == [replace(each, id=0) for each in without.lines]
        assert residual_minor(with_gift) == residual_minor(without)
        assert (phase(with_gift) == "cancelled") == (phase(without) == "cancelled")
        assert gift(with_gift).qty == GIFT.qty
