"""What has to be done from time to time: sums that must agree, rows kept long enough. failures.md row 22."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from erpsync.core.policy import OrderPolicy
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.operations.dead_letters import drop_letter
from erpsync.flows.operations.prune import prune
from erpsync.flows.operations.reservations import expire_reservations
from erpsync.flows.operations.upkeep import AT_ONCE
from erpsync.sdk.types import OrderState
from erpsync.store.tables import hold, stock
from tests.support.calling import deliver, with_calls
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, letter_id, rows, see
from tests.support.shop import NOON, Town, days
from tests.support.walk import poll, settle_in


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop that calls us, with ten TEA in SH."""
    town = with_calls(make_town())
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    return town


# -- sums


def test_counters_that_equal_their_sums_are_not_reported(town: Town) -> None:
    take_in(town, fact(order("o1", line(qty=3))))

    assert verify_counters(town.ctx) == []


def test_a_counter_that_differs_from_its_sum_is_reported_and_not_mended_by_guessing(town: Town) -> None:
    """failures.md row 22."""
    take_in(town, fact(order("o1", line(qty=3))))
    with town.store.begin() as tx:
        tx.execute(hold.update().values(qty=2))
        tx.execute(stock.update().values(on_hand=9))

    told = verify_counters(town.ctx)

    assert [line.split(": ")[1] for line in told] == ["on hand 9, ledger 10", "reserved 3, holds 2"]
    assert rows(town, "SELECT on_hand, reserved FROM stock") == [(9, 3)]


# -- what is kept


def finished(town: Town, name: str, age_days: float, state: OrderState = OrderState.COMPLETED) -> None:
    """Take in an order that was placed so long ago."""
    at = NOON - days(age_days)
    take_in(town, fact(order(name, state=state, placed_at=at, paid_at=at, version_at=at)))


def with_recipient(town: Town) -> list[str]:
    kept = rows(town, "SELECT external_id FROM orders WHERE recipient IS NOT NULL ORDER BY external_id")
    return [row[0] for row in kept]


def test_recipients_of_finished_orders_are_erased_when_their_time_is_over_and_totals_stay(town: Town) -> None:
    finished(town, "old", 181)
    finished(town, "young", 179)
    finished(town, "open", 181, OrderState.PAID)

    prune(town.ctx, 180)

    assert with_recipient(town) == ["open", "young"]
    assert rows(town, "SELECT phone_index, recipient_index FROM orders WHERE external_id = 'old'") == [(None, None)]
    assert see(town, "old")["total_minor"] == 1000


def test_every_shop_may_keep_for_its_own_time(town: Town) -> None:
    finished(town, "o1", 20)

    prune(town.ctx, {"mall": 10})
    assert with_recipient(town) == ["o1"]
    prune(town.ctx, {"shop": 10})
    assert with_recipient(town) == []


def test_what_a_shop_left_behind_that_is_not_configured_any_more_goes_in_time(
    make_town: Callable[..., Town],
) -> None:
    town = make_town(names=("shop", "mall"))
    finished(town, "o1", 20)
    del town.shops["shop"]
    town = make_town(town=town)

    prune(town.ctx, {"mall": 10, "": 30})
    assert with_recipient(town) == ["o1"]
    prune(town.ctx, {"mall": 30, "": 10})
    assert with_recipient(town) == []


def test_payloads_and_deliveries_go_when_their_time_is_over_but_never_before_they_were_applied(town: Town) -> None:
    deliver(town, town.shop.place("o1", ("TEA", 1)))
    apply_inbox(town.ctx)
    deliver(town, town.shop.place("o2", ("TEA", 1)))
    town.advance(timedelta(days=181).total_seconds())

    prune(town.ctx, 180)

    assert rows(town, "SELECT state FROM inbox") == [("pending",)]
    assert count(town, "payload") == 0
    apply_inbox(town.ctx)
    assert count(town, "orders") == 2


def test_an_ended_dead_letter_goes_and_an_open_one_stays(town: Town) -> None:
    for name in ("o1", "o2"):
        town.shop.place(name, ("TEA", 1), broken=True)
    settle_in(town)
    drop_letter(town.ctx, letter_id(town, "o1"), actor="ana")
    town.advance(timedelta(days=8).total_seconds())

    prune(town.ctx, 180)

    assert rows(town, "SELECT key, state FROM dead_letter") == [("o2", "open")]


def test_pruning_twice_is_pruning_once(town: Town) -> None:
    finished(town, "old", 181)

    assert prune(town.ctx, 180) == 1
    assert prune(town.ctx, 180) == 0


def test_a_view_after_the_erasure_is_taken_in_as_ever(town: Town) -> None:
    finished(town, "old", 181)
    prune(town.ctx, 180)

    again = order("old", state=OrderState.COMPLETED, placed_at=NOON - days(181), version_at=later(5), recipient=None)
    take_in(town, fact(again, digest="b", read=(5, 6)))

    assert with_recipient(town) == []


# -- reservations, many of them


def test_more_reservations_than_fit_one_commit_all_end_at_once(make_town: Callable[..., Town]) -> None:
    town = make_town(orders=OrderPolicy(reserve="placement"))
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=AT_ONCE + 10, actor="keeper")
    many = (fact(order(f"o{n}", state=OrderState.UNPAID)) for n in range(AT_ONCE + 5))
    take_in(town, *many)
    assert count(town, "hold") == AT_ONCE + 5
    town.advance(1800)

    assert expire_reservations(town.ctx) == AT_ONCE + 5

    assert (count(town, "hold"), verify_counters(town.ctx)) == (0, [])
    assert not poll(town).failed
