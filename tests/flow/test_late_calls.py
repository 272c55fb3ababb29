"""A stock call that had no answer may land behind a later one: until that is over no other number is sure."""

from collections.abc import Callable, Mapping, Sequence
from contextvars import Context
from dataclasses import replace

import pytest
from sqlalchemy import select

from erpsync.core.policy import StockPolicy
from erpsync.flows.availability import fan_out, push
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import upkeep
from erpsync.sdk.doubt import note_lost
from erpsync.sdk.errors import ConnectorError, OutcomeUnknownError, RateLimitedError, TransientError
from erpsync.sdk.types import StockLevel
from erpsync.store.outbox.queue import STOCK
from erpsync.store.tables import listing, outbox
from tests.support import looking, walk
from tests.support.shop import ShopConnector, Town

MakeTown = Callable[..., Town]


@pytest.fixture
def told(town: Town) -> Town:
    """The shop shows 100, surely."""
    count(town, 100)
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    walk.run(town)
    return town


def count(town: Town, on_hand: int) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=on_hand, actor="me")


def tell(town: Town, on_hand: int) -> None:
    """Have another number told, as far as that goes by itself within seconds."""
    count(town, on_hand)
    walk.run(town)


def time_out(town: Town, on_hand: int) -> None:
    """Have a number sent whose answer never comes; it has not landed yet."""
    town.shop.trouble["stock before"] = [OutcomeUnknownError("no answer")]
    count(town, on_hand)
    walk.fan(town)
    town.advance(3)
    walk.read(town, "orders")
    walk.push_due(town)
    assert looking.told(town) == {"A": (100, False)}


def later(town: Town, seconds: float) -> None:
    town.advance(seconds)
    walk.read(town, "orders")
    walk.run(town)


def pushes(town: Town) -> list[int]:
    return [call["A"] for call in town.shop.stock_calls]


def test_a_call_that_lands_behind_a_later_number_is_overwritten_when_none_can_land_any_more(told: Town) -> None:
    """100, 77 without an answer, 20: the shop showed 77 and was "told 20, sure" for up to an hour."""
    time_out(told, 77)
    tell(told, 20)
    assert looking.told(told) == {"A": (20, False)}
    told.shop.shown["A"] = 77  # it lands late

    later(told, 45)
    assert told.shop.shown == {"A": 77}
    later(told, 20)

    assert told.shop.shown == {"A": 20}
    assert looking.told(told) == {"A": (20, True)}
    assert looking.effects(told) == []


def test_a_number_that_is_the_same_as_the_one_without_an_answer_is_sure(told: Town) -> None:
    time_out(told, 77)
    walk.run(told)

    assert looking.told(told) == {"A": (77, True)}
    assert looking.effects(told) == []


def test_but_the_next_number_is_not_sure_while_that_may_still_land(told: Town) -> None:
    time_out(told, 77)
    walk.run(told)
    later(told, 10)
    tell(told, 20)

    assert looking.told(told) == {"A": (20, False)}
    later(told, 61)
    assert looking.told(told) == {"A": (20, True)}
    assert pushes(told)[-2:] == [20, 20]


def test_a_number_is_told_once_more_and_not_for_ever(told: Town) -> None:
    time_out(told, 77)
    tell(told, 20)
    for _ in range(5):
        later(told, 70)

    assert pushes(told) == [100, 20, 20]


def test_it_holds_after_a_restart(make_town: MakeTown, told: Town) -> None:
    time_out(told, 77)
    tell(told, 20)
    again = make_town(town=told)
    fan_out.mark_untold(again.ctx)
    walk.run(again)
    assert looking.told(again) == {"A": (20, False)}
    told.shop.shown["A"] = 77

    later(again, 61)

    assert told.shop.shown == {"A": 20}
    assert looking.told(again) == {"A": (20, True)}


class Dying(ShopConnector):
    """A platform in the middle of whose call the daemon dies."""

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Take nothing now; the call is still on its way."""
        raise SystemExit


def with_connector(town: Town, connector: ShopConnector) -> Town:
    others = {id: replace(channel, connector=connector) for id, channel in town.ctx.channels.items()}
    return replace(town, ctx=replace(town.ctx, channels=others))


def test_a_call_in_which_the_daemon_died_may_land_late_too(told: Town) -> None:
    count(told, 77)
    walk.fan(told)
    told.advance(3)
    walk.read(told, "orders")
    with pytest.raises(SystemExit):
        walk.push_due(with_connector(told, Dying(told.shop, told.clock)))
    told.advance(1)
    upkeep.reclaim_leases(told.ctx, owner_gone=True)
    tell(told, 20)
    assert looking.told(told) == {"A": (20, False)}
    told.shop.shown["A"] = 77

    later(told, 61)

    assert told.shop.shown == {"A": 20}
    assert looking.told(told) == {"A": (20, True)}


class Stuttering(ShopConnector):
    """A platform whose client loses the first try of the next call; the second one is answered."""

    losing = True

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Take the numbers at the second try."""
        if self.losing:
            note_lost()
            self.losing = False
        return super().push_stock(levels)


def test_a_first_try_that_a_second_one_saved_may_land_late_too(told: Town) -> None:
    """A shop of one's own: its client tries again within the call, and nothing says so."""
    shop = with_connector(told, Stuttering(told.shop, told.clock))
    tell(shop, 77)
    assert looking.told(shop) == {"A": (77, True)}
    tell(shop, 20)
    assert looking.told(shop) == {"A": (20, False)}
    told.shop.shown["A"] = 77

    later(shop, 61)

    assert told.shop.shown == {"A": 20}


@pytest.mark.parametrize("error", [RateLimitedError("slow down", retry_after_s=2), TransientError("503")])
def test_a_call_that_was_surely_not_carried_out_leaves_no_doubt(told: Town, error: ConnectorError) -> None:
    told.shop.trouble["stock before"] = [error]
    count(told, 77)
    walk.fan(told)
    told.advance(3)
    walk.read(told, "orders")
    walk.push_due(told)
    tell(told, 20)

    assert looking.told(told) == {"A": (20, True)}


def test_a_refusal_in_between_does_not_end_the_doubt(told: Town) -> None:
    time_out(told, 77)
    told.shop.trouble["stock before"] = [TransientError("503")]
    tell(told, 20)
    assert looking.told(told) == {"A": (20, False)}

    later(told, 61)
    assert looking.told(told) == {"A": (20, True)}


def test_what_sold_out_is_told_again_even_while_the_orders_cannot_be_read(told: Town) -> None:
    """A 0 that was accepted is not sent again; one that a late call may have undone is, once."""
    time_out(told, 77)
    tell(told, 0)
    told.shop.shown["A"] = 77
    told.shop.trouble["orders"] = [TransientError("no answer") for _ in range(99)]
    told.advance(61)
    walk.read(told, "orders")
    for _ in range(4):
        walk.push_due(told)
        told.advance(3)

    assert told.shop.shown == {"A": 0}
    assert pushes(told) == [100, 0, 0]


def test_how_long_a_call_may_take_effect_can_be_set(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(late_call_s=200))
    count(town, 100)
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    walk.run(town)
    time_out(town, 77)
    tell(town, 20)

    later(town, 150)
    assert looking.told(town) == {"A": (20, False)}
    later(town, 60)
    assert looking.told(town) == {"A": (20, True)}
    assert looking.rows(town, select(listing.c.late_until_at)) == [(None,)]
    assert looking.rows(town, select(outbox.c.id).where(outbox.c.kind == STOCK, outbox.c.state != "done")) == []


def test_a_number_that_lands_after_its_lease_was_lost_is_corrected(town: Town) -> None:
    """failures.md row 15: a call that hung lands behind the newer number of whoever took over."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    walk.run(town)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="me")
    walk.fan(town)
    town.advance(3)
    walk.read(town, "orders")

    def take_over() -> None:
        town.advance(push.LEASE_S + 1)
        assert upkeep.reclaim_leases(town.ctx) == 1
        counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=4, actor="me")
        Context().run(walk.run, town)  # another process has time of its own
        assert town.shop.shown == {"A": 4}

    town.shop.during = take_over
    push.push_stock(town.ctx, town.channel())
    assert town.shop.shown == {"A": 9}

    walk.run(town)

    assert town.shop.shown == {"A": 4}
