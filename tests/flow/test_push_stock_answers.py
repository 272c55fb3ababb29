"""What follows a channel's answer to a number: refusals, doubts, throttling, refused credentials, lost workers."""

from collections.abc import Callable, Mapping, Sequence

import pytest
from sqlalchemy import select

from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.availability import fan_out, push
from erpsync.flows.channels import control
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import dead_letters, upkeep
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.types import StockLevel
from erpsync.store.outbox.queue import STOCK, Claimed, claim
from erpsync.store.tables import dead_letter, outbox
from tests.support import looking, walk
from tests.support.shop import SHANGHAI, ShopConnector, Town


def test_one_refused_listing_blocks_no_other(town: Town) -> None:
    """failures.md rows 14 and 16: it is tried once, and a person is told."""
    for code in "ABC":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=5, actor="me")
    rows = [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in "ABC"]
    import_listings(town.ctx, rows, actor="me")
    town.shop.refused["B"] = "item deleted"
    walk.run(town)

    assert town.shop.shown == {"A": 5, "C": 5}
    assert looking.effects(town) == [("dead", "", 0)]
    letter = select(dead_letter.c.error, dead_letter.c.source).where(dead_letter.c.state == "open")
    assert looking.rows(town, letter) == [("item deleted", "B")]


class Fussy(ShopConnector):
    """Refuses a whole call because of one listing, as some platforms do."""

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Take all levels or none."""
        if any(level.channel_sku in self.shop.refused for level in levels):
            raise RejectedError("one of the items is gone")
        return super().push_stock(levels)


@pytest.mark.parametrize("poison", [0, 3, 7])
def test_a_call_refused_whole_is_halved_until_the_listing_at_fault_is_alone(town: Town, poison: int) -> None:
    """failures.md row 14: one bundle failed the whole stock call; here n - 1 arrive."""
    fussy = ChannelSpec(name="shop", kind="shop", connector=Fussy(town.shop, town.clock))
    town.ctx = open_context(town.store, warehouses=[WarehousePolicy(id="SH")], channels_=[fussy], timezone=SHANGHAI)
    codes = [f"S{n}" for n in range(8)]
    for code in codes:
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=9, actor="me")
    import_listings(
        town.ctx, [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in codes], actor="me"
    )
    town.shop.refused[codes[poison]] = "gone"
    walk.run(town)

    assert town.shop.shown == {code: 9 for code in codes if code != codes[poison]}
    assert looking.effects(town) == [("dead", "", 0)]


def test_a_dead_letter_replayed_after_the_cause_is_mended_is_told(town: Town) -> None:
    """failures.md row 16."""
    town.shop.refused["A"] = "item deleted"
    walk.make_known(town)
    town.shop.refused.clear()
    (letter,) = [i for (i,) in looking.rows(town, select(dead_letter.c.id))]

    dead_letters.replay_letter(town.ctx, letter, actor="me")
    walk.run(town)

    assert town.shop.shown == {"A": 5}


def test_a_newer_number_that_is_accepted_ends_the_dead_letter_of_an_older_one(town: Town) -> None:
    town.shop.refused["A"] = "busy with an auction"
    walk.make_known(town)
    town.shop.refused.clear()
    walk.arrive(town, 1)
    walk.run(town)

    assert town.shop.shown == {"A": 6}
    assert looking.rows(town, select(dead_letter.c.state)) == [("superseded",)]


def test_a_number_whose_outcome_is_unknown_is_sent_again_even_if_it_is_right(town: Town) -> None:
    """failures.md row 26."""
    walk.make_known(town)
    walk.arrive(town, 1)
    town.shop.trouble["stock after"] = [OutcomeUnknownError("no answer")]
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)
    assert looking.told(town) == {"A": (5, False)}
    before = len(town.shop.stock_calls)

    walk.run(town)

    assert len(town.shop.stock_calls) == before + 1
    assert looking.told(town) == {"A": (6, True)}
    assert town.shop.shown == {"A": 6}


def test_while_a_channel_fails_tries_grow_further_apart_and_new_marks_do_not_hurry_them(town: Town) -> None:
    """failures.md row 16."""
    walk.make_known(town)
    town.shop.trouble["stock before"] = [TransientError("busy") for _ in range(6)]
    walk.arrive(town, 1)
    waits = []
    for _ in range(6):
        walk.fan(town)
        town.advance(push.next_run_s(town.ctx) or 0)
        walk.read(town, "orders")
        walk.push_due(town)
        walk.arrive(town, 1)
        walk.fan(town)
        waits.append(push.next_run_s(town.ctx) or 0)

    assert all(0.5 * 2**n <= wait <= 2**n for n, wait in enumerate(waits, 0)), waits
    assert looking.effects(town) == [("pending", "", 6)]
    town.advance(60)
    walk.run(town)
    assert town.shop.shown == {"A": 12}


def test_a_throttled_number_waits_as_told_and_costs_no_attempt(town: Town) -> None:
    """failures.md row 13."""
    walk.make_known(town)
    town.shop.trouble["stock before"] = [RateLimitedError("slow down", retry_after_s=40)]
    walk.arrive(town, 1)
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)

    assert looking.effects(town) == [("pending", "", 0)]
    assert push.push_stock(town.ctx, town.channel()) == 0
    town.advance(41)
    walk.run(town)
    assert town.shop.shown == {"A": 6}


def test_refused_credentials_pause_the_channel_with_one_alarm_until_they_work(town: Town) -> None:
    """failures.md row 10."""
    walk.make_known(town)
    town.shop.trouble["stock before"] = [AuthError("session expired")]
    walk.arrive(town, 1)
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)
    assert looking.tasks(town) == ["auth"]
    assert push.push_stock(town.ctx, town.channel()) == 0

    control.resume_channel(town.ctx, "shop", actor="me")
    walk.run(town)

    assert town.shop.shown == {"A": 6}
    assert looking.tasks(town) == []


def test_a_number_that_a_lost_worker_may_have_sent_is_pushed_by_the_next(town: Town) -> None:
    """failures.md row 15: it dies between its commit and the answer; the ack of a ghost counts for nothing."""
    walk.make_known(town)
    walk.arrive(town, 1)
    walk.fan(town)
    town.advance(3)
    walk.read(town, "orders")
    ghost = claimed_by_a_ghost(town)
    assert push.push_stock(town.ctx, town.channel()) == 0

    town.advance(push.LEASE_S + 1)
    assert upkeep.reclaim_leases(town.ctx) == 1
    walk.run(town)

    assert town.shop.shown == {"A": 6}
    assert looking.rows(town, select(outbox.c.state).where(outbox.c.id == ghost.id)) == [("done",)]


def claimed_by_a_ghost(town: Town) -> Claimed:
    with town.store.begin() as tx:
        (row,) = claim(tx, "ghost", town.channel().id, STOCK, limit=1, lease_s=push.LEASE_S)
    return row


def test_what_a_channel_missed_while_it_was_not_pushed_to_is_told_when_it_is_again(
    make_town: Callable[..., Town],
) -> None:
    town = make_town()
    walk.make_known(town)
    off = make_town(town=town, stock=StockPolicy(push=False))
    walk.arrive(off, 3)
    walk.run(off)
    assert town.shop.shown == {"A": 5}

    on = make_town(town=town)
    fan_out.mark_untold(on.ctx)
    walk.run(on)

    assert town.shop.shown == {"A": 8}
