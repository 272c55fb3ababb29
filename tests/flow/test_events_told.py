"""What there is to tell of: each event stands in the commit that makes it true, once, and says nothing of people."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from erpsync.core.policy import BrakePolicy, OrderPolicy, StockPolicy
from erpsync.flows.alarms.late_orders import AT_ONCE, tell_late
from erpsync.flows.availability.brake import confirm_stock
from erpsync.flows.channels.credentials import watch_tokens
from erpsync.flows.inventory import counts
from erpsync.flows.operations.tasks import finish_task
from erpsync.flows.orders.actions import hold_order
from erpsync.sdk.errors import TransientError
from erpsync.store.tasks import Task, open_tasks
from tests.support import looking, walk
from tests.support.looking import events
from tests.support.shop import NOON, Town, days

MakeTown = Callable[..., Town]
HOUR_S = 3600


def kinds_of(town: Town, order: str) -> list[str]:
    query = text(
        "SELECT event.kind FROM event JOIN orders ON orders.id = event.order_id"
        " WHERE orders.external_id = :order ORDER BY event.id"
    )
    return [kind for (kind,) in looking.rows(town, query, order=order)]


@pytest.fixture
def stocked(town: Town) -> Town:
    """Five of A."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    walk.settle_in(town)
    return town


# -- orders


def test_an_order_that_its_stock_covers_says_only_that_it_came_in(stocked: Town) -> None:
    stocked.shop.place("o1", ("A", 5))
    walk.read(stocked)

    assert kinds_of(stocked, "o1") == ["order.imported"]


def test_an_order_that_nothing_covers_is_backordered_by_so_many(stocked: Town) -> None:
    stocked.shop.place("o1", ("A", 7))
    walk.read(stocked)
    stocked.shop.change("o1", note="seen again")
    walk.read(stocked)

    ((_, detail),) = events(stocked, "order.backordered")
    assert [lacks["qty"] for lacks in detail["short"]] == [2]


def test_an_order_whose_units_are_taken_back_is_backordered_then(stocked: Town) -> None:
    stocked.shop.place("o1", ("A", 5))
    walk.read(stocked)
    counts.set_stock(stocked.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")
    counts.set_stock(stocked.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")

    assert [detail["short"][0]["qty"] for _, detail in events(stocked, "order.backordered")] == [3, 1]
    assert kinds_of(stocked, "o1")[:3] == ["order.imported", "order.taken_back", "order.backordered"]


def test_an_order_that_the_channel_wants_kept_is_held_once_and_says_why(stocked: Town) -> None:
    stocked.shop.place("o1", ("A", 1))
    walk.read(stocked)
    stocked.shop.change("o1", do_not_ship="risk check")
    walk.read(stocked)
    stocked.shop.change("o1", note="again")
    walk.read(stocked)

    (held,) = events(stocked, "order.held")
    assert list(held[1]["held"]) == ["do_not_ship"]


def test_a_person_who_holds_an_order_is_told_of_once(stocked: Town) -> None:
    stocked.shop.place("o1", ("A", 1))
    walk.read(stocked)
    hold_order(stocked.ctx, "o1", reason="wait", actor="wang")

    assert kinds_of(stocked, "o1").count("order.held") == 1


def test_an_order_that_the_channel_cancels_is_cancelled(stocked: Town) -> None:
    row = stocked.shop.place("o1", ("A", 1))
    walk.read(stocked)
    stocked.shop.change("o1", state="cancelled", lines=[line | {"closed": 1} for line in row["lines"]])
    walk.read(stocked)

    assert kinds_of(stocked, "o1") == ["order.imported", "order.changed", "order.cancelled"]


def test_an_order_that_comes_in_cancelled_has_been_that_elsewhere(stocked: Town) -> None:
    row = stocked.shop.place("o1", ("A", 1))
    stocked.shop.change("o1", state="cancelled", lines=[line | {"closed": 1} for line in row["lines"]])
    walk.read(stocked)

    assert kinds_of(stocked, "o1") == ["order.imported"]


def test_an_order_that_is_shipped_elsewhere_is_shipped(stocked: Town) -> None:
    row = stocked.shop.place("o1", ("A", 2))
    walk.read(stocked)
    stocked.shop.change("o1", state="shipped", lines=[line | {"shipped": 2} for line in row["lines"]])
    walk.read(stocked)

    (shipped,) = events(stocked, "order.shipped")
    assert shipped[1] == {"qty": 2, "phase": "shipped"}


def test_a_refund_is_told_when_it_is_granted_and_not_when_it_is_asked_for(stocked: Town) -> None:
    stocked.shop.place("o1", ("A", 2))
    walk.read(stocked)
    stocked.shop.refund("r1", "o1", n1=1, amount=1000)
    walk.read(stocked)
    assert events(stocked, "order.refunded") == []

    stocked.shop.refund("r1", "o1", state="granted", n1=1, amount=1000)
    walk.read(stocked)
    walk.read(stocked)
    assert [detail["qty"] for _, detail in events(stocked, "order.refunded")] == [1]


# -- late


def test_an_order_that_should_have_left_is_told_of_once(make_town: MakeTown) -> None:
    town = make_town(orders=OrderPolicy(ship_within_h=2))
    town.shop.place("o1", ("A", 1))
    town.shop.place("said", ("A", 1), ship_by_at=NOON + days(30))
    town.shop.place("unpaid", ("A", 1), paid=False)
    walk.read(town)
    told = []
    for _ in range(6):
        town.advance(HOUR_S / 2)
        told.append(tell_late(town.ctx))

    assert sum(told) == 1
    assert kinds_of(town, "o1")[-1] == "order.late"
    assert (kinds_of(town, "said"), kinds_of(town, "unpaid")).count("order.late") == 0


def test_a_clock_that_leaps_ahead_makes_no_order_late_before_it_is_believed(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    town.clock.jump(seconds=30 * 24 * HOUR_S)

    assert tell_late(town.ctx) == 0


def test_many_late_orders_are_told_in_commits_of_their_own(make_town: MakeTown) -> None:
    town = make_town(orders=OrderPolicy(ship_within_h=0.5))
    for number in range(7):
        town.shop.place(f"o{number}", ("A", 1))
    walk.read(town)
    town.advance(HOUR_S / 2)
    town.advance(HOUR_S / 4)

    assert (tell_late(town.ctx), tell_late(town.ctx), AT_ONCE) == (7, 0, 500)
    assert len(events(town, "order.late")) == 7


def test_an_order_of_a_shop_that_is_switched_off_is_not_late(make_town: MakeTown) -> None:
    town = make_town(orders=OrderPolicy(ship_within_h=0.5))
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    off = make_town(town=town, enabled=False)
    for _ in range(3):
        off.advance(HOUR_S / 2)

    assert tell_late(off.ctx) == 0


# -- channels, tasks, letters, the brake, tokens


def test_a_channel_is_told_to_be_down_once_and_up_once(stocked: Town) -> None:
    stocked.shop.trouble["orders"] = [TransientError("no route to 13800001111"), TransientError("time-out")]
    for _ in range(4):
        walk.poll(stocked)

    told = events(stocked, "channel.down", "channel.up")
    assert [kind for kind, _ in told] == ["channel.down", "channel.up"]
    assert told[0][1]["error"] == "no route to ***"


def test_a_task_is_told_to_be_opened_once_however_often_it_is_asked(stocked: Town) -> None:
    for reason in ("look at 5", "look at 6"):
        task = Task(kind="gate", key="9", reason=reason)
        stocked.store.retrying(lambda tx, task=task: open_tasks(tx, [task]))
    id = looking.rows(stocked, "SELECT id FROM task WHERE kind = 'gate'")[0][0]
    finish_task(stocked.ctx, id, actor="wang")

    told = events(stocked, "task.")
    assert told[0] == ("task.opened", {"id": id, "task": "gate", "key": "9", "reason": "look at 5"})
    assert told[1:] == [("task.done", {"id": id, "task": "gate", "key": "9"})]
    assert looking.rows(stocked, "SELECT reason FROM task WHERE kind = 'gate'") == [("look at 6",)]


def test_a_dead_letter_is_told_of_once_however_often_it_comes(stocked: Town) -> None:
    stocked.shop.place("bad", ("A", 1), broken=True)
    walk.read(stocked)
    stocked.shop.change("bad", note="again")
    walk.read(stocked)

    (told,) = events(stocked, "letter.opened")
    assert (told[1]["kind"], told[1]["key"]) == ("order", "bad")
    assert looking.rows(stocked, "SELECT attempts FROM dead_letter")[0][0] > 1


def test_the_brake_is_told_to_hold_once_and_to_let_go_once(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(brake=BrakePolicy(zero_share=0.1, min_listings=2)))
    for code in "AB":
        walk.make_known(town, code)
    for code in "AB":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=0, actor="me")
    walk.run(town)
    walk.run(town)
    confirm_stock(town.ctx, "shop", actor="wang")

    assert [kind for kind, _ in events(town, "brake.")] == ["brake.held", "brake.released"]


def test_a_token_that_ends_is_told_of_once_for_each_alarm(stocked: Town) -> None:
    at = stocked.clock.now() + days(2)
    stocked.channel().connector.token_expires_at = lambda: at  # type: ignore[union-attr, method-assign]
    watch_tokens(stocked.ctx)
    watch_tokens(stocked.ctx)

    assert [detail["days"] for _, detail in events(stocked, "token.expiring")] == [3]
