"""What waits in back-off: who may go at once, and who has to wait until its time."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from erpsync.flows.availability import push
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.sdk.errors import RateLimitedError, TransientError
from erpsync.store.db.bulk import insert_many
from erpsync.store.outbox.hurry import hurry_all
from erpsync.store.outbox.queue import LANE_REST, LANE_URGENT, STOCK, Effect, claim, enqueue, retry
from erpsync.store.tables import inbox, outbox
from tests.support import looking, walk
from tests.support.shop import NOON, Town


def failing(town: Town, *, times: int = 9) -> None:
    """Have a listing whose number was answered "busy" so many times in a row."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    walk.run(town)
    town.shop.trouble["stock before"] = [TransientError("busy") for _ in range(times)]
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=50, actor="me")
    for _ in range(times):
        walk.fan(town)
        town.advance(push.next_run_s(town.ctx) or 0)
        walk.read(town, "orders")
        walk.push_due(town)


def waits_s(town: Town) -> float:
    return push.next_run_s(town.ctx) or 0.0


def effect(*, lane: int = LANE_REST, in_s: float = 0) -> Effect:
    at = NOON + timedelta(seconds=in_s)
    return Effect(destination_id=1, kind=STOCK, key="1", ref_id=1, serial_key="1", lane=lane, run_at=at, marked_at=NOON)


def attempts(town: Town) -> int:
    ((count,),) = looking.rows(town, select(outbox.c.attempts).where(outbox.c.state == "pending"))
    return int(count)


def test_what_sells_out_elsewhere_goes_at_once_although_the_channel_failed_nine_times(town: Town) -> None:
    """The shop showed what was gone for 167 s more."""
    failing(town)
    assert waits_s(town) > 100

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    walk.fan(town)

    assert waits_s(town) == 0
    walk.read(town, "orders")
    walk.push_due(town)
    assert town.shop.shown == {"A": 0}


def test_an_ordinary_mark_keeps_its_back_off(town: Town) -> None:
    failing(town)
    before = waits_s(town)

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=40, actor="me")
    walk.fan(town)

    assert waits_s(town) == pytest.approx(before, abs=0.001)


def test_a_try_that_is_brought_forward_brings_nobody_nearer_to_giving_up(town: Town) -> None:
    """A SKU that sells its last units during an outage marked itself dead in a minute."""
    failing(town)
    before = attempts(town)
    town.shop.trouble["stock before"] = [TransientError("busy") for _ in range(5)]
    for left in (4, 3, 2, 1, 0):
        counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=left, actor="me")
        walk.push_due(town)

    assert not town.shop.trouble["stock before"]
    assert attempts(town) == before
    assert waits_s(town) > 100


@pytest.mark.parametrize(("lane", "waits"), [(LANE_URGENT, 0), (LANE_REST, 90)])
def test_an_urgent_mark_set_during_a_call_that_fails_does_not_wait_for_its_back_off(
    town: Town, lane: int, waits: int
) -> None:
    with town.store.begin() as tx:
        enqueue(tx, [effect()])
        (row,) = claim(tx, "me", 1, STOCK, limit=1, lease_s=60)
    with town.store.begin() as tx:
        enqueue(tx, [effect(lane=lane)])
    with town.store.begin() as tx:
        retry(tx, row, run_at=tx.now + timedelta(seconds=90), error="busy")

    assert waits_s(town) == pytest.approx(waits, abs=0.001)
    assert attempts(town) == 1


def test_a_channel_that_answers_again_hurries_what_waits_for_it(town: Town) -> None:
    failing(town)
    assert waits_s(town) > 100
    town.shop.trouble["orders"] = [TransientError("no answer")]
    walk.read(town, "orders")
    assert waits_s(town) > 100

    walk.read(town, "orders")

    assert waits_s(town) == 0


def test_a_channel_that_answers_again_hurries_the_webhooks_whose_orders_it_has_to_be_asked_for(town: Town) -> None:
    row = {"channel_id": town.channel().id, "delivery_key": "d1", "received_at": NOON, "state": "pending", "lane": 1}
    with town.store.begin() as tx:
        late = tx.now + timedelta(seconds=200)
        insert_many(tx, inbox, [row | {"attempts": 8, "run_at": late, "error": "no answer"}])
    town.shop.trouble["orders"] = [TransientError("no answer")]
    walk.read(town, "orders")

    walk.read(town, "orders")

    assert looking.rows(town, select(inbox.c.id).where(inbox.c.run_at < town.clock.now() + timedelta(seconds=1))) == [
        (1,)
    ]


def test_a_number_that_is_taken_again_hurries_the_others_although_another_stream_still_fails(town: Town) -> None:
    failing(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=9, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="B", sku="B")], actor="me")
    town.shop.trouble["stock before"] = [TransientError("busy")]
    walk.fan(town)
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)
    town.shop.trouble["refunds"] = [TransientError("busy")]
    walk.read(town, "refunds")
    town.advance(waits_s(town))
    walk.push_due(town)

    assert waits_s(town) == 0
    walk.push_due(town)
    assert town.shop.shown == {"A": 50, "B": 9}


def test_a_start_hurries_what_waits(town: Town) -> None:
    failing(town)

    town.store.retrying(hurry_all)

    assert waits_s(town) == 0
    walk.push_due(town)
    assert town.shop.shown == {"A": 50}


def test_what_waits_for_a_person_is_hurried_by_nobody(town: Town) -> None:
    failing(town)
    held = {"state": "waiting", "waiting_for": "person"}
    with town.store.begin() as tx:
        tx.execute(update(outbox).where(outbox.c.state == "pending").values(**held))
        hurry_all(tx)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="me")
    walk.fan(town)

    assert looking.effects(town) == [("waiting", "person", 9)]


def test_a_channel_that_asks_to_wait_no_time_at_all_is_not_called_without_pause(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    town.shop.trouble["stock before"] = [RateLimitedError("slow down", retry_after_s=0) for _ in range(50)]
    walk.settle_in(town)
    walk.fan(town)
    town.advance(3)

    handled = [push.push_stock(town.ctx, town.channel()) for _ in range(10)]

    assert sum(handled) == 1
