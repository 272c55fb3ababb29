"""Which view of an order counts, in the database: design rule "Versions". failures.md rows 2 and 7."""

from collections.abc import Callable

import pytest

from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.sdk.errors import TransientError
from erpsync.sdk.types import OrderState, RefundState
from tests.support.calling import deliver, with_calls
from tests.support.facts import HOME, fact, later, line, order, refund, refund_fact, take_in
from tests.support.looking import count, lines, mark, rows, see, status
from tests.support.shop import Town
from tests.support.walk import poll, settle_in

SHIPPED, UNPAID = OrderState.SHIPPED, OrderState.UNPAID


def test_an_older_version_changes_nothing(town: Town) -> None:
    take_in(town, fact(order(version_at=later(9))))

    took = take_in(town, fact(order(version_at=later(5), state=OrderState.CANCELLED), digest="b", read=(20, 21)))

    assert (took.same, status(town, "o1")[0]) == (1, "held")  # TEA is not mapped: held, not cancelled


def test_the_same_digest_again_changes_nothing_and_keeps_no_second_payload(town: Town) -> None:
    """failures.md row 7."""
    for second in range(50):
        take_in(town, fact(order(), read=(second, second + 1)))

    told = [kind for (kind,) in rows(town, "SELECT kind FROM event ORDER BY id")]
    assert (count(town, "orders"), count(town, "payload"), told) == (1, 1, ["order.imported", "order.held"])


def test_a_newer_view_that_says_the_same_keeps_no_second_payload(town: Town) -> None:
    take_in(town, fact(order()))
    take_in(town, fact(order(version_at=later(5)), digest="b", read=(5, 6)))

    assert count(town, "payload") == 1


def test_within_one_second_the_later_reading_counts(town: Town) -> None:
    take_in(town, fact(order(), read=(0, 1)))
    take_in(town, fact(order("o1", line(qty=3)), digest="b", read=(2, 3)))
    take_in(town, fact(order("o1", line(qty=9)), digest="c", read=(0.5, 1)))

    assert lines(town, "o1") == {"L1": (3, 0, 0)}


def test_readings_that_overlap_are_not_decided_but_asked_about(town: Town) -> None:
    take_in(town, fact(order(), read=(0, 2)))

    took = take_in(town, fact(order("o1", line(qty=3)), digest="b", read=(1, 3)))

    assert (took.read_again, lines(town, "o1")) == (["o1"], {"L1": (1, 0, 0)})


def test_where_one_order_cannot_be_read_again_the_further_state_wins(town: Town) -> None:
    town.channel().connector.rereads = False  # type: ignore[union-attr]
    take_in(town, fact(order(state=UNPAID), read=(0, 2)))
    take_in(town, fact(order(state=SHIPPED), digest="b", read=(1, 3)))
    take_in(town, fact(order(state=OrderState.PAID), digest="c", read=(1, 3)))

    assert status(town, "o1") == ("shipped", None)


def test_a_view_without_recipient_and_amounts_erases_none(town: Town) -> None:
    take_in(town, fact(order(freight_minor=500, recipient=HOME)))
    take_in(town, fact(order(version_at=later(5), recipient=None), digest="b", read=(5, 6)))

    assert see(town, "o1")["freight_minor"] == 500
    assert count(town, "orders WHERE recipient IS NOT NULL AND address_complete") == 1


def test_a_late_reading_of_a_refund_opens_no_granted_one_again(town: Town) -> None:
    take_in(town, fact(order("o1", line(qty=2))))
    asked, granted = refund(state=RefundState.OPEN, L1=1), refund(state=RefundState.GRANTED, L1=1)
    take_in(town, refunds=[refund_fact(granted, digest="g", read=(0, 2))])
    take_in(town, refunds=[refund_fact(asked, digest="o", read=(1, 3))])

    assert lines(town, "o1") == {"L1": (2, 1, 0)}


def test_a_webhook_of_the_same_second_has_that_one_order_read_again(make_town: Callable[..., Town]) -> None:
    town = with_calls(make_town())
    row = town.shop.place("o1", ("TEA", 1))
    settle_in(town)
    stale = row | {"lines": [row["lines"][0] | {"qty": 7}]}
    town.shop.reads.clear()

    deliver(town, stale)
    apply_inbox(town.ctx)

    assert town.shop.reads == ["o1"]
    assert lines(town, "o1") == {"o1-1": (1, 0, 0)}


def test_a_webhook_that_cannot_ask_again_yet_is_kept_and_tried_later(make_town: Callable[..., Town]) -> None:
    town = with_calls(make_town())
    row = town.shop.place("o1", ("TEA", 1))
    settle_in(town)
    town.shop.orders["o1"] = row | {"lines": [row["lines"][0] | {"qty": 2}]}
    town.shop.trouble["complete"] = [TransientError("down")]

    deliver(town, town.shop.orders["o1"])
    apply_inbox(town.ctx)
    assert count(town, "inbox WHERE state = 'pending'") == 1
    town.advance(10)
    apply_inbox(town.ctx)

    assert count(town, "inbox WHERE state = 'done'") == 1
    assert lines(town, "o1") == {"o1-1": (2, 0, 0)}


def test_a_page_whose_order_has_to_be_read_again_is_committed_only_then(make_town: Callable[..., Town]) -> None:
    town = make_town()
    settle_in(town)
    town.shop.place("o1", ("TEA", 1))
    before = mark(town, "orders")
    take_in(town, fact(order(version_at=town.clock.now()), digest="webhook", read=(-1e6, 1e6)))

    report = poll(town)

    assert not report.failed
    assert town.shop.reads == ["o1", "o1"]
    assert mark(town, "orders") != before


@pytest.mark.parametrize("state", [OrderState.PAID, OrderState.UNPAID])
def test_an_order_that_was_opened_again_under_a_newer_version_is_believed(town: Town, state: OrderState) -> None:
    take_in(town, fact(order(state=OrderState.CANCELLED)))
    take_in(town, fact(order(state=state, version_at=later(5)), digest="b", read=(5, 6)))

    assert lines(town, "o1") == {"L1": (1, 0, 0)}
