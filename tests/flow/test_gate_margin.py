"""A parcel whose order cannot be read again is held, and given to a person while there is still time to look."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from erpsync.flows.channels import control
from erpsync.flows.inventory import counts
from erpsync.flows.operations import tasks, upkeep
from erpsync.flows.shipments import record
from erpsync.flows.warehouses import push as warehouses_push
from erpsync.flows.warehouses import release
from erpsync.sdk.errors import (
    AuthError,
    OutcomeUnknownError,
    PayloadError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.store.outbox.queue import RELEASE, SHIPMENT
from erpsync.store.tables import task
from tests.support import looking, walk
from tests.support.depot import Depot, read_shop
from tests.support.shop import Town

HOUR_S = 3600
AWAY = 1000
"""So many failures in a row are prepared: the channel is away for good."""


@pytest.fixture
def left(left: Town) -> Town:
    """What we know of the order is old."""
    left.advance(10)
    return left


def go_away(town: Town, error: Exception | None = None) -> None:
    town.shop.trouble["complete"] = [error or TransientError("no route")] * AWAY  # type: ignore[list-item]


def asked(town: Town) -> list[tuple[int, str]]:
    """Return id and text of what people are asked."""
    query = select(task.c.id, task.c.reason).where(task.c.kind == "gate", task.c.closed_at.is_(None))
    return [(id, text) for id, text in looking.rows(town, query)]


@pytest.mark.parametrize(
    "error",
    [
        TransientError("no route"),
        RateLimitedError("slow down", retry_after_s=30),
        RejectedError("no such order", code="404"),
        PayloadError("expected an amount", path="$.total"),
        AuthError("session ended"),
        KeyError("unforeseen"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_keeps_the_order_from_being_read_costs_no_attempt_and_buries_nothing(
    left: Town, error: Exception
) -> None:
    """failures.md row 6: nothing was sent, and only the channel can tell whether it may be."""
    go_away(left, error)
    for _ in range(20):
        walk.tell(left)
        left.advance(400)

    assert looking.effects(left, SHIPMENT) == [("pending", "", 0)]
    assert (looking.letters(left), left.shop.parcels) == ([], [])

    left.shop.trouble.clear()
    left.advance(400)
    control.resume_channel(left.ctx, "shop", actor="me")
    walk.tell(left)
    assert looking.parcel_state(left) == "sent"


def test_an_order_that_cannot_be_understood_any_more_holds_its_parcel(left: Town) -> None:
    left.shop.change("o1", broken=True)
    left.advance(10)
    walk.tell(left)

    assert (looking.effects(left, SHIPMENT), left.shop.parcels) == ([("pending", "", 0)], [])


def test_near_the_last_instant_a_person_is_asked_with_the_facts_beside_it(left: Town) -> None:
    """failures.md row 6: unreachable channel, hold until the ship-by margin."""
    go_away(left)
    walk.tell(left)
    left.advance(41 * HOUR_S)
    walk.tell(left)
    assert asked(left) == []

    left.advance(2 * HOUR_S)
    walk.tell(left)
    ((_, text),) = asked(left)
    assert looking.effects(left, SHIPMENT) == [("waiting", "person", 0)]
    for fact in ("o1", "SF SF1", "2026-03-04T12:00", "2026-03-02T12:00", "no route", "tasks done"):
        assert fact in text


def test_the_person_lets_it_go_and_it_is_told_without_being_read(left: Town) -> None:
    go_away(left)
    left.advance(43 * HOUR_S)
    walk.tell(left)
    ((task_id, _),) = asked(left)
    left.shop.reads.clear()

    tasks.finish_task(left.ctx, task_id, actor="me")
    walk.tell(left)
    assert (looking.parcel_state(left), len(left.shop.parcels), left.shop.reads) == ("sent", 1, [])


def test_one_that_did_not_arrive_the_first_time_is_let_go_all_the_same(left: Town) -> None:
    """failures.md rows 15 and 26: whoever looked for it has settled the doubt; only the order is still to be read."""
    walk.read(left, "orders")
    left.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    walk.tell(left)
    go_away(left)
    left.advance(43 * HOUR_S)
    walk.tell(left)
    ((task_id, _),) = asked(left)

    tasks.finish_task(left.ctx, task_id, actor="me")
    walk.tell(left)
    assert (looking.parcel_state(left), asked(left)) == ("sent", [])


def test_what_is_known_by_then_still_rules(left: Town) -> None:
    go_away(left)
    left.advance(43 * HOUR_S)
    walk.tell(left)
    ((task_id, _),) = asked(left)
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    tasks.finish_task(left.ctx, task_id, actor="me")
    walk.tell(left)

    assert (looking.effects(left, SHIPMENT), left.shop.parcels) == ([("waiting", "gate", 0)], [])


def test_a_limit_that_the_channel_names_counts(left: Town) -> None:
    left.shop.change("o1", ship_by_at=left.clock.now() + timedelta(hours=8))
    walk.read(left, "orders")
    go_away(left)
    left.advance(HOUR_S)
    walk.tell(left)
    assert asked(left) == []

    left.advance(1.5 * HOUR_S)
    walk.tell(left)
    assert len(asked(left)) == 1


def test_a_channel_that_can_be_read_again_frees_the_parcel_by_itself(left: Town) -> None:
    go_away(left)
    left.advance(43 * HOUR_S)
    walk.tell(left)
    assert len(asked(left)) == 1

    left.shop.trouble.clear()
    walk.read(left, "orders")
    walk.tell(left)
    assert (looking.parcel_state(left), asked(left)) == ("sent", [])


@pytest.mark.parametrize("why", ["paused", "refused"])
def test_a_channel_that_may_not_even_be_called_hides_no_parcel(left: Town, why: str) -> None:
    """failures.md row 10: while credentials are refused nothing is claimed, so the gate never comes to its margin."""
    if why == "paused":
        control.pause_channel(left.ctx, "shop", reason="moving house", actor="me")
    else:
        left.shop.trouble["orders"] = [AuthError("session ended")] * AWAY
    for _ in range(44):
        walk.read(left, "orders")
        walk.tell(left)
        left.advance(HOUR_S)
    if why == "refused":
        walk.read(left, "orders")
    walk.tell(left)

    ((_, text),) = asked(left)
    assert ("moving house" if why == "paused" else "session ended") in text


def test_a_parcel_whose_sending_is_in_doubt_is_looked_for_and_nobody_is_asked_whether_it_may_go(left: Town) -> None:
    """Whether it may go is no question any more; the task could be answered, and would change nothing."""
    left.shop.trouble["ship after"] = [OutcomeUnknownError("no answer")]
    walk.tell(left)
    control.pause_channel(left.ctx, "shop", reason="moving house", actor="me")
    left.advance(44 * HOUR_S)
    upkeep.free_fresh(left.ctx)
    assert asked(left) == []

    control.resume_channel(left.ctx, "shop", actor="me")
    walk.tell(left)
    assert (looking.parcel_state(left), len(left.shop.parcels)) == ("sent", 1)


@pytest.mark.parametrize("error", [TransientError("no route"), AuthError("no right to read refunds")], ids=repr)
def test_a_parcel_whose_refunds_cannot_be_read_is_a_persons_near_the_last_instant(town: Town, error: Exception) -> None:
    """failures.md rows 6 and 15: it waits for the first reading of all refunds, which may never end."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.read(town, "orders", "backfill")
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    walk.tell(town)
    town.shop.trouble["refunds"] = [error] * AWAY  # type: ignore[list-item]
    walk.read(town, "refunds")
    upkeep.free_fresh(town.ctx)
    assert (looking.effects(town, SHIPMENT), asked(town)) == ([("waiting", "refunds", 0)], [])

    town.advance(43 * HOUR_S)
    upkeep.free_fresh(town.ctx)
    ((task_id, text),) = asked(town)
    assert str(error) in text
    tasks.finish_task(town.ctx, task_id, actor="me")
    town.shop.trouble.clear()
    town.advance(HOUR_S)
    walk.tell(town)
    assert (looking.parcel_state(town), asked(town)) == ("sent", [])


def hand_over(town: Town) -> None:
    release.release_ready(town.ctx)
    warehouses_push.push_releases(town.ctx, town.channel("wms"))


def test_an_order_that_cannot_be_read_is_not_handed_to_the_warehouse_until_a_person_says_so(
    pair: tuple[Town, Depot],
) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    go_away(town)
    town.advance(60)
    hand_over(town)
    assert (depot.got, looking.effects(town, RELEASE)) == ([], [("pending", "", 0)])

    town.advance(43 * HOUR_S)
    hand_over(town)
    ((task_id, text),) = asked(town)
    assert "release" in text
    tasks.finish_task(town.ctx, task_id, actor="me")
    hand_over(town)
    assert (len(depot.got), asked(town)) == (1, [])


def test_a_paused_shop_is_not_called_for_a_release_either(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    control.pause_channel(town.ctx, "shop", reason="moving house", actor="me")
    town.shop.reads.clear()
    town.advance(60)
    hand_over(town)
    assert (depot.got, town.shop.reads) == ([], [])

    control.resume_channel(town.ctx, "shop", actor="me")
    town.advance(60)
    hand_over(town)
    assert (len(depot.got), town.shop.reads) == (1, ["o1"])
