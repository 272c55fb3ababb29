"""Parcels that left, and how channels are told of them: once, whole or split, whatever happens on the way."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.operations import dead_letters, tasks, upkeep
from erpsync.flows.shipments import record
from erpsync.flows.shipments.record import ShipLine, ship
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.types import Repeat, Shipment
from erpsync.store.outbox.queue import SHIPMENT, Claimed, claim, mark_sent
from erpsync.store.tables import dead_letter, task
from tests.support import looking, walk
from tests.support.shop import SHANGHAI, ShopConnector, Town


@pytest.fixture
def paid(town: Town) -> Town:
    """An order o1 of two lines, two units each, all allocated, and the refunds read."""
    for code in ("A", "B"):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), ("B", 2))
    walk.read(town)
    return town


def send(town: Town, tracking: str = "SF1", *lines: tuple[str, int | None], order: str = "o1") -> record.ShipResult:
    wanted = [ShipLine(line=line, qty=qty) for line, qty in lines]
    return record.ship(town.ctx, order=order, carrier="SF", tracking=tracking, lines=wanted, actor="me")


def with_repeat(town: Town, repeat: Repeat) -> None:
    """Let the shop's connector promise another repeat rule."""
    kind = type("Other", (ShopConnector,), {"repeat": repeat})
    spec = ChannelSpec(name="shop", kind="shop", connector=kind(town.shop, town.clock))
    town.ctx = open_context(town.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)


# -- what leaves


def test_a_parcel_without_lines_holds_everything(paid: Town) -> None:
    assert send(paid).number.endswith("-1")
    walk.tell(paid)

    (parcel,) = paid.shop.parcels
    assert (parcel.whole, [(line.qty, line.ordered_qty) for line in parcel.lines]) == (True, [(2, 2), (2, 2)])
    assert looking.on_shelf(paid) == {("SH", "A"): (3, 0), ("SH", "B"): (3, 0)}
    assert looking.shipments(paid) == [(parcel.number, "sent")]


def test_three_lines_in_four_parcels_are_told_parcel_by_parcel(town: Town) -> None:
    """failures.md row 18: each parcel has its own tracking number, units and place in the row."""
    for code in "ABC":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=9, actor="me")
    town.shop.place("o1", ("A", 3), ("B", 1), ("C", 2))
    walk.read(town)
    send(town, "SF1", ("o1-1", 1))
    send(town, "SF2", ("o1-1", 1), ("o1-2", None))
    send(town, "SF3", ("o1-1", 1), ("o1-3", 1))
    send(town, "SF4")
    while walk.tell(town):
        pass

    assert [
        (p.tracking, p.whole, [(line.external_id, line.qty, line.ordered_qty, line.earlier_qty) for line in p.lines])
        for p in town.shop.parcels
    ] == [
        ("SF1", False, [("o1-1", 1, 3, 0)]),
        ("SF2", False, [("o1-1", 1, 3, 1), ("o1-2", 1, 1, 0)]),
        ("SF3", False, [("o1-1", 1, 3, 2), ("o1-3", 1, 2, 0)]),
        ("SF4", False, [("o1-3", 1, 2, 1)]),
    ]
    assert not looking.problems(town)


def test_the_same_tracking_number_again_is_the_same_parcel(paid: Town) -> None:
    first, second = send(paid), send(paid)

    assert (second.number, second.repeated) == (first.number, True)
    assert looking.on_shelf(paid)["SH", "A"] == (3, 0)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([("o1-1", 3)], "has 2 open, not 3"),
        ([("o1-1", 0)], "has 2 open, not 0"),
        ([("o1-1", 2), ("o1-1", 1)], "has 2 open, not 1"),
        ([("o1-9", 1)], "no line o1-9; it has o1-1, o1-2"),
    ],
)
def test_a_parcel_that_cannot_be_is_refused(paid: Town, lines: list[tuple[str, int]], problem: str) -> None:
    with pytest.raises(Refused, match=problem):
        send(paid, "SF1", *lines)
    assert looking.on_shelf(paid)["SH", "A"] == (5, 2)


def test_an_unknown_carrier_is_refused_with_what_was_perhaps_meant(paid: Town) -> None:
    with pytest.raises(Refused, match="YTO"):
        record.ship(paid.ctx, order="o1", carrier="YT0", tracking="1", actor="me")


def test_an_unready_order_leaves_only_by_force_with_a_reason(town: Town) -> None:
    town.shop.place("o1", ("A", 1), paid=False)
    walk.read(town)
    with pytest.raises(Refused, match="not ready"):
        send(town)
    with pytest.raises(Refused, match="needs --reason"):
        record.ship(town.ctx, order="o1", carrier="SF", tracking="1", force=True, actor="me")

    record.ship(town.ctx, order="o1", carrier="SF", tracking="1", force=True, reason="a friend", actor="me")
    walk.tell(town)
    assert looking.told_parcels(town) == ["1"]


def test_a_cancelled_order_never_leaves_not_even_by_force(paid: Town) -> None:
    paid.shop.change("o1", state="cancelled")
    walk.read(paid)

    with pytest.raises(Refused, match="is cancelled"):
        record.ship(paid.ctx, order="o1", carrier="SF", tracking="1", force=True, reason="x", actor="me")


# -- how the channel is told


def test_parcels_of_one_order_are_told_one_after_the_other(paid: Town) -> None:
    send(paid, "SF1", ("o1-1", 2))
    send(paid, "SF2", ("o1-2", 2))

    assert walk.tell(paid) == 1
    assert walk.tell(paid) == 1
    assert looking.told_parcels(paid) == ["SF1", "SF2"]


def test_a_timeout_after_the_effect_is_found_out_and_not_sent_twice(paid: Town) -> None:
    """failures.md row 26."""
    send(paid)
    paid.shop.trouble["ship after"] = [OutcomeUnknownError("no answer")]
    walk.tell(paid)
    assert looking.effects(paid, SHIPMENT) == [("pending", "", 1)]

    paid.advance(5)
    walk.tell(paid)
    assert looking.told_parcels(paid) == ["SF1"]
    assert [state for _, state in looking.shipments(paid)] == ["sent"]


def test_a_timeout_before_the_effect_is_found_out_and_sent_again(paid: Town) -> None:
    send(paid)
    paid.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    walk.tell(paid)
    paid.advance(5)
    walk.tell(paid)

    assert looking.told_parcels(paid) == ["SF1"]
    assert [state for _, state in looking.shipments(paid)] == ["sent"]


def test_where_repeating_is_safe_it_is_simply_sent_again(paid: Town) -> None:
    with_repeat(paid, Repeat.SAFE)
    send(paid)
    paid.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    walk.tell(paid)
    paid.advance(5)
    walk.tell(paid)

    assert looking.told_parcels(paid) == ["SF1"]


@pytest.mark.parametrize("there", [True, False])
def test_where_repeating_is_forbidden_a_person_looks_and_decides(paid: Town, there: bool) -> None:
    with_repeat(paid, Repeat.NEVER)
    send(paid)
    paid.shop.trouble["ship after" if there else "ship before"] = [OutcomeUnknownError("no answer")]
    walk.tell(paid)
    paid.advance(3600)
    assert walk.tell(paid) == 0
    assert looking.tasks(paid) == ["unknown"]

    (open_task,) = [i for (i,) in looking.rows(paid, select(task.c.id).where(task.c.closed_at.is_(None)))]
    tasks.finish_task(paid.ctx, open_task, arrived=there, actor="me")
    walk.tell(paid)
    assert (looking.told_parcels(paid), looking.tasks(paid)) == (["SF1"], [])


def claimed_by_a_ghost(town: Town, *, sent: bool) -> Claimed:
    """Claim as a worker that dies, before or after it noted that it was about to send."""
    with town.store.begin() as tx:
        (row,) = claim(tx, "ghost", town.channel().id, SHIPMENT, limit=1, lease_s=60)
        if sent:
            mark_sent(tx, [row])
    return row


@pytest.mark.parametrize("sent", [True, False])
def test_a_worker_that_dies_around_its_call_sends_no_parcel_twice(paid: Town, sent: bool) -> None:
    """failures.md rows 15 and 26: between `mark_sent` and the answer nobody knows, so the next one looks."""
    send(paid)
    claimed_by_a_ghost(paid, sent=sent)
    if sent:  # and its call arrived
        ((number, _),) = looking.shipments(paid)
        paid.shop.parcels.append(
            Shipment(number=number, order_external_id="o1", carrier="SF", tracking="SF1", lines=())
        )
    paid.advance(61)
    upkeep.reclaim_leases(paid.ctx)
    walk.tell(paid)

    assert looking.told_parcels(paid) == ["SF1"]
    assert [state for _, state in looking.shipments(paid)] == ["sent"]


def test_a_look_that_fails_leaves_the_doubt(paid: Town) -> None:
    send(paid)
    paid.shop.trouble["ship after"] = [OutcomeUnknownError("no answer")]
    walk.tell(paid)
    paid.shop.trouble["find"] = [TransientError("away"), TransientError("away")]
    for _ in range(3):
        paid.advance(60)
        walk.tell(paid)

    assert looking.told_parcels(paid) == ["SF1"]
    assert [state for _, state in looking.shipments(paid)] == ["sent"]


@pytest.mark.parametrize(
    ("error", "after_s", "attempts"),
    [
        (TransientError("busy"), 1, 1),
        (RateLimitedError("slow down", retry_after_s=30), 30, 0),
        (AuthError("session expired"), 300, 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_passes_is_tried_again(paid: Town, error: ConnectorError, after_s: float, attempts: int) -> None:
    """failures.md row 16."""
    send(paid)
    paid.shop.trouble["ship before"] = [error]
    walk.tell(paid)
    assert looking.effects(paid, SHIPMENT) == [("pending", "", attempts)]

    paid.advance(after_s + 1)
    walk.read(paid, "orders")
    walk.tell(paid)
    assert looking.told_parcels(paid) == ["SF1"]


def test_a_refused_parcel_is_tried_once_and_can_be_replayed(paid: Town) -> None:
    """failures.md row 16."""
    send(paid)
    paid.shop.trouble["ship before"] = [RejectedError("carrier not open", code="B150")]
    walk.tell(paid)
    paid.advance(9999)
    assert walk.tell(paid) == 0
    assert [state for _, state in looking.shipments(paid)] == ["refused"]

    (letter,) = [i for (i,) in looking.rows(paid, select(dead_letter.c.id))]
    dead_letters.replay_letter(paid.ctx, letter, actor="me")
    walk.tell(paid)
    assert (looking.told_parcels(paid), [state for _, state in looking.shipments(paid)]) == (["SF1"], ["sent"])


def test_one_refused_parcel_blocks_no_other(paid: Town) -> None:
    """failures.md row 14."""
    paid.shop.place("o2", ("A", 1))
    walk.read(paid, "orders")
    send(paid, "SF1")
    send(paid, "SF2", order="o2")
    paid.shop.trouble["ship before"] = [RejectedError("no")]
    walk.tell(paid)

    assert looking.told_parcels(paid) == ["SF2"]


def test_a_database_that_is_away_for_a_moment_buries_no_parcel(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    town.shop.place("o1", ("TEA", 1))
    walk.settle_in(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1")
    town.shop.trouble["ship before"] = [OperationalError("select", {}, OSError("connection reset"))]  # type: ignore[list-item]
    walk.push_due(town)
    assert town.shop.parcels == []

    town.advance(5)
    walk.push_due(town)

    assert [parcel.tracking for parcel in town.shop.parcels] == ["SF1"]
    assert looking.letters(town) == []
