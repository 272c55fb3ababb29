"""Until when a parcel may wait for its order to be read."""

from datetime import UTC, datetime, timedelta

from erpsync.core.deadline import asks_at, look_again_at, ship_by
from erpsync.core.orders import KnownOrder
from erpsync.core.policy import OrderPolicy
from erpsync.core.readings import Reading
from erpsync.sdk.types import OrderState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def order(
    *, paid_at: datetime | None = NOON, ready_at: datetime | None = None, ship_by_at: datetime | None = None
) -> KnownOrder:
    return KnownOrder(
        id=1,
        channel_id=1,
        external_id="o1",
        number="S1",
        state=OrderState.PAID,
        reading=Reading(version_at=NOON, digest="", read_from=NOON, read_to=NOON),
        placed_at=NOON - HOUR,
        paid_at=paid_at,
        ready_at=ready_at or paid_at,
        ship_by_at=ship_by_at,
        currency="CNY",
        total_minor=0,
    )


def test_without_a_word_of_the_channel_the_limit_runs_from_the_payment() -> None:
    assert ship_by(order(), OrderPolicy()) == NOON + 48 * HOUR
    assert asks_at(order(), OrderPolicy()) == NOON + 42 * HOUR


def test_what_the_channel_says_counts() -> None:
    assert ship_by(order(ship_by_at=NOON + 5 * HOUR), OrderPolicy()) == NOON + 5 * HOUR


def test_an_order_that_is_paid_on_delivery_counts_from_when_it_was_due_else_from_when_it_was_placed() -> None:
    assert ship_by(order(paid_at=None, ready_at=NOON + HOUR), OrderPolicy()) == NOON + 49 * HOUR
    assert ship_by(order(paid_at=None), OrderPolicy()) == NOON + 47 * HOUR


def test_the_payment_counts_whenever_the_order_was_due() -> None:
    assert ship_by(order(ready_at=NOON + HOUR), OrderPolicy()) == NOON + 48 * HOUR


def test_the_longer_it_fails_the_later_it_is_tried_again() -> None:
    asks = NOON + 40 * HOUR
    pauses = [
        look_again_at(since=NOON, asks=asks, now=NOON + timedelta(seconds=s), rest_s=0) - NOON - timedelta(seconds=s)
        for s in (0, 60, 86_400)
    ]
    assert pauses == [timedelta(seconds=5), timedelta(seconds=30), timedelta(seconds=300)]


def test_a_channel_that_asks_for_rest_gets_it_but_the_margin_is_not_slept_through() -> None:
    assert look_again_at(since=NOON, asks=NOON + HOUR, now=NOON, rest_s=600) == NOON + timedelta(seconds=600)
    assert look_again_at(since=NOON, asks=NOON + HOUR, now=NOON, rest_s=86_400) == NOON + HOUR


def test_past_the_margin_it_is_still_tried_again() -> None:
    assert look_again_at(since=NOON - HOUR, asks=NOON, now=NOON) == NOON + timedelta(seconds=5)
    assert look_again_at(since=NOON - HOUR, asks=NOON + timedelta(seconds=6), now=NOON) == NOON + timedelta(seconds=6)
