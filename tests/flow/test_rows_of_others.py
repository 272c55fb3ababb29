"""What is done to one row of the outbox is done to no other: of another channel, kind, effect, or node."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.allocation.recall import set_released
from erpsync.flows.inventory.counts import set_stock
from erpsync.store.db.bulk import insert_many
from erpsync.store.nodes import leave
from erpsync.store.orders import lock_orders
from erpsync.store.outbox.held import end_arrived, free_held, hold_unclaimed, in_doubt, rule_anew, send_again, unpark
from erpsync.store.outbox.hurry import hurry_all, run_now
from erpsync.store.outbox.queue import (
    CORRECTION,
    LANE_REST,
    RELEASE,
    SHIPMENT,
    SILENT_S,
    STOCK,
    Effect,
    ack,
    claim,
    enqueue,
    reclaim,
    retry,
)
from erpsync.store.tables import hold, inbox, node, orders, outbox, release, release_order, sku
from tests.support import looking, walk
from tests.support.shop import NOON, Town

KINDS = (CORRECTION, RELEASE, SHIPMENT, STOCK)
CHANNELS = (1, 2, 3)


@pytest.fixture
def three(make_town: Callable[..., Town]) -> Town:
    """Three shops, each with an effect of every kind about the same things."""
    town = make_town(names=("east", "mid", "west"))
    with town.store.begin() as tx:
        enqueue(tx, [effect(channel, kind) for channel in CHANNELS for kind in KINDS])
    return town


def effect(channel: int, kind: str, key: str = "1", *, ref_id: int = 7) -> Effect:
    return Effect(
        destination_id=channel,
        kind=kind,
        key=key,
        ref_id=ref_id,
        serial_key=f"{kind}:{channel}:{key}",
        lane=LANE_REST,
        run_at=NOON,
        marked_at=NOON,
    )


def put_all(town: Town, **values: Any) -> None:
    with town.store.begin() as tx:
        tx.execute(update(outbox).values(**values))


def rows(town: Town, *which: Any) -> list[tuple[int, str]]:
    """Return (channel, kind) of the rows that meet all conditions."""
    query = select(outbox.c.destination_id, outbox.c.kind).where(*which).order_by(outbox.c.id)
    return [(channel, kind) for channel, kind in looking.rows(town, query)]


def id_of(town: Town, channel: int, kind: str) -> int:
    which = (outbox.c.destination_id == channel, outbox.c.kind == kind)
    return int(looking.rows(town, select(outbox.c.id).where(*which))[0][0])


def waiting_for_a_person(town: Town, **values: Any) -> None:
    put_all(town, state="waiting", waiting_for="person", **values)


def test_a_persons_question_is_about_one_channels_parcel(three: Town) -> None:
    waiting_for_a_person(three, sent_at=NOON)

    with three.store.begin() as tx:
        doubted = {channel: in_doubt(tx, channel, "1") for channel in CHANNELS}

    assert {channel: {row.destination_id for row in found} for channel, found in doubted.items()} == {
        channel: {channel} for channel in CHANNELS
    }


@pytest.mark.parametrize("end", [lambda tx, id: end_arrived(tx, id, note="there"), send_again])
def test_a_persons_answer_moves_one_row(three: Town, end: Callable[..., None]) -> None:
    waiting_for_a_person(three, sent_at=NOON)

    with three.store.begin() as tx:
        end(tx, id_of(three, 2, SHIPMENT))

    assert rows(three, outbox.c.state != "waiting") == [(2, SHIPMENT)]


def test_an_order_that_changed_sends_its_parcels_to_the_gate_and_nothing_else(three: Town) -> None:
    waiting_for_a_person(three)

    with three.store.begin() as tx:
        freed = rule_anew(tx, [7])

    assert freed == [7, 7, 7]
    assert {kind for _, kind in rows(three, outbox.c.state == "pending")} == {SHIPMENT}


def test_a_channel_that_can_be_read_again_frees_its_own_parcels(three: Town) -> None:
    waiting_for_a_person(three, held_since_at=NOON)

    with three.store.begin() as tx:
        assert free_held(tx, 2) == 1

    assert rows(three, outbox.c.state == "pending") == [(2, SHIPMENT)]


@pytest.mark.parametrize(("waiting_for", "held"), [("refunds", True), ("gate", False), ("person", False)])
def test_what_waits_for_something_else_already_is_not_held_for_a_person(
    three: Town, waiting_for: str, held: bool
) -> None:
    put_all(three, state="waiting", waiting_for=waiting_for)

    with three.store.begin() as tx:
        assert hold_unclaimed(tx, id_of(three, 2, SHIPMENT), error="cannot be read") is held


@pytest.mark.parametrize(("kinds", "hurried"), [((), KINDS), ((STOCK,), (STOCK,))])
def test_a_channel_that_answers_again_hurries_what_failed_of_its_own(
    three: Town, kinds: Sequence[str], hurried: Sequence[str]
) -> None:
    later = NOON + timedelta(hours=1)
    put_all(three, run_at=later, error="busy")
    webhook = {"body": b"", "state": "pending", "received_at": NOON, "run_at": later, "error": "busy"}
    with three.store.begin() as tx:
        insert_many(tx, inbox, [webhook | {"channel_id": id, "delivery_key": str(id)} for id in CHANNELS])

    with three.store.begin() as tx:
        assert run_now(tx, 2, kinds=kinds) == len(hurried) + (not kinds)

    assert rows(three, outbox.c.run_at < later) == [(2, kind) for kind in hurried]


def test_what_never_failed_is_not_hurried(three: Town) -> None:
    put_all(three, run_at=NOON + timedelta(hours=1))

    with three.store.begin() as tx:
        assert run_now(tx, 2) == 0


def test_a_node_that_leaves_gives_back_what_it_leased_and_did_not_send(three: Town) -> None:
    with three.store.begin() as tx:
        for owner, channel in ((three.store.owner, 1), ("another", 2), (three.store.owner, 3)):
            claim(tx, owner, channel, STOCK, limit=1, lease_s=60)
    put_all_of(three, 3, sent_at=NOON)

    leave(three.store)

    assert rows(three, outbox.c.state == "leased", outbox.c.lease_until_at < NOON) == [(1, STOCK)]


def put_all_of(town: Town, channel: int, **values: Any) -> None:
    with town.store.begin() as tx:
        tx.execute(update(outbox).where(outbox.c.destination_id == channel).values(**values))


@pytest.mark.parametrize("behind", [-1, 1])
def test_who_claimed_a_row_before_or_after_cannot_end_it(three: Town, behind: int) -> None:
    with three.store.begin() as tx:
        (row,) = claim(tx, "me", 1, STOCK, limit=1, lease_s=60)
    put_all_of(three, 1, fence=row.fence + behind)

    with three.store.begin() as tx:
        assert not ack(tx, row)

    assert rows(three, outbox.c.state == "leased") == [(1, STOCK)]


def test_a_number_that_fails_slows_down_the_newer_one_of_its_listing_and_no_other(three: Town) -> None:
    with three.store.begin() as tx:
        (row,) = claim(tx, "me", 2, STOCK, limit=1, lease_s=60)
        enqueue(tx, [effect(2, STOCK, key) for key in ("0", "1", "2")])
        retry(tx, row, run_at=NOON + timedelta(hours=1), error="busy")

    slowed = select(outbox.c.destination_id, outbox.c.kind, outbox.c.key).where(outbox.c.attempts > 0)
    assert looking.rows(three, slowed) == [(2, STOCK, "1")]


def test_a_number_that_fails_is_tried_again_whatever_waits_for_other_shops(three: Town) -> None:
    with three.store.begin() as tx:
        (row,) = claim(tx, "me", 2, STOCK, limit=1, lease_s=60)
        retry(tx, row, run_at=NOON + timedelta(hours=1), error="busy")

    assert (2, STOCK) in rows(three, outbox.c.state == "pending", outbox.c.error == "busy")


def test_a_persons_question_is_about_one_parcel_of_a_channel(three: Town) -> None:
    with three.store.begin() as tx:
        enqueue(tx, [effect(2, SHIPMENT, "2")])
    waiting_for_a_person(three, sent_at=NOON)

    with three.store.begin() as tx:
        assert {row.key for row in in_doubt(tx, 2, "1")} == {"1"}


@pytest.mark.parametrize("unread", [True, False], ids=["its order cannot be read", "it is asked about"])
def test_a_decision_frees_one_parcel_and_says_so(three: Town, unread: bool) -> None:
    with three.store.begin() as tx:
        enqueue(tx, [effect(2, SHIPMENT, str(id), ref_id=id) for id in (8, 9)])
    waiting_for_a_person(three, held_since_at=NOON if unread else None)

    with three.store.begin() as tx:
        assert unpark(tx, SHIPMENT, 8)

    assert rows(three, outbox.c.state == "pending") == [(2, SHIPMENT)]
    assert rows(three, outbox.c.state == "pending", outbox.c.ref_id == 8) == [(2, SHIPMENT)]


def test_a_daemon_that_begins_counts_all_that_it_hurries(three: Town) -> None:
    later = NOON + timedelta(hours=1)
    put_all(three, run_at=later, error="busy")
    webhook = {"body": b"", "state": "pending", "received_at": NOON, "run_at": later, "error": "busy"}
    with three.store.begin() as tx:
        insert_many(tx, inbox, [webhook | {"channel_id": id, "delivery_key": str(id)} for id in CHANNELS])

    with three.store.begin() as tx:
        assert hurry_all(tx) == len(CHANNELS) * len(KINDS) + len(CHANNELS)


def test_what_a_silent_node_leased_is_taken_back_and_what_a_living_one_leased_is_not(three: Town) -> None:
    silent = NOON - timedelta(seconds=SILENT_S + 1)
    with three.store.begin() as tx:
        beats = {"living": NOON, "silent": silent}
        insert_many(tx, node, [{"id": id, "started_at": silent, "heartbeat_at": at} for id, at in beats.items()])
        claim(tx, "living", 1, STOCK, limit=1, lease_s=60)
        claim(tx, "silent", 2, STOCK, limit=1, lease_s=60)

    with three.store.begin() as tx:
        taken_back = reclaim(tx)

    assert [row.id for row in taken_back] == [id_of(three, 2, STOCK)]


def test_a_warehouse_that_is_told_to_send_is_told_of_its_own_units_alone(make_town: Callable[..., Town]) -> None:
    town = make_town(warehouses=(WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2)))
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="wang")
    set_stock(town.ctx, warehouse="GZ", sku="B", on_hand=1, actor="wang")
    town.shop.place("o1", ("A", 1), ("B", 1))
    walk.read(town, "orders")
    ids = dict(looking.rows(town, select(sku.c.code, sku.c.id)))

    place = next(id for id, policy in town.ctx.warehouses.items() if policy.id == "GZ")
    with town.store.begin() as tx:
        [stored] = lock_orders(tx, town.channel().id, ["o1"]).values()
        concerned = set_released(tx, [line.id for line in stored.lines], place, released=True)

    assert concerned == {ids["B"]}
    assert dict(looking.rows(town, select(hold.c.sku_id, hold.c.released))) == {ids["A"]: False, ids["B"]: True}


def test_a_channel_that_can_be_read_again_frees_what_warehouses_are_told_of_its_own_orders(
    make_town: Callable[..., Town],
) -> None:
    town = make_town(names=("east", "west"))
    for name in ("east", "west"):
        town.shops[name].place("o1", ("A", 1))
        walk.read(town, "orders", name=name)
    with town.store.begin() as tx:
        for row in tx.all(select(orders.c.id, orders.c.channel_id)):
            known = {"warehouse_id": next(iter(town.ctx.warehouses))}
            told = known | {"id": row.id, "number": f"R{row.id}", "state": "pending", "made_at": NOON}
            insert_many(tx, release, [told])
            insert_many(tx, release_order, [known | {"release_id": row.id, "order_id": row.id}])
            enqueue(tx, [effect(town.channel("east").id, RELEASE, f"R{row.id}", ref_id=row.id)])
    waiting_for_a_person(town, held_since_at=NOON)

    with town.store.begin() as tx:
        assert free_held(tx, town.channel("west").id) == 1

    freed = select(orders.c.channel_id).join(outbox, outbox.c.ref_id == orders.c.id)
    assert looking.rows(town, freed.where(outbox.c.state == "pending")) == [(town.channel("west").id,)]
