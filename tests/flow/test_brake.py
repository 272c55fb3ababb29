"""A wave of zeros that no sale explains waits for a person; everything else goes on."""

import pytest

from erpsync.flows.availability import brake
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.counts import Count
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.shipments import record
from tests.support import looking, walk
from tests.support.shop import Town

CODES = [f"S{n:02}" for n in range(30)]


def count_all(town: Town, codes: list[str], on_hand: int) -> None:
    counts.import_counts(town.ctx, [Count(warehouse="SH", sku=code, on_hand=on_hand) for code in codes], actor="me")


def shown(town: Town) -> list[int]:
    return [town.shop.shown[code] for code in CODES]


@pytest.fixture
def busy(town: Town) -> Town:
    """Thirty listings that show ten each."""
    count_all(town, CODES, 10)
    import_listings(
        town.ctx, [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in CODES], actor="me"
    )
    walk.run(town)
    assert shown(town) == [10] * 30
    town.advance(61)
    return town


def test_a_truncated_file_of_zeros_does_not_empty_the_shop(busy: Town) -> None:
    """failures.md row 20: at most three in ten listings go to zero without a sale before a person has looked."""
    count_all(busy, CODES, 0)
    walk.run(busy)

    assert sum(1 for number in shown(busy) if number == 0) <= 9
    assert looking.tasks(busy) == ["brake"]
    assert ("waiting", "brake", 0) in looking.effects(busy)


def test_zeros_that_wait_do_not_leak_out_one_by_one_when_their_goods_are_looked_at_again(busy: Town) -> None:
    """failures.md row 20: only a person lets them go, however often and late they are marked anew."""
    count_all(busy, CODES, 0)
    walk.run(busy)
    went = sum(1 for number in shown(busy) if number == 0)
    for code in CODES:
        busy.advance(61)
        counts.add_stock(busy.ctx, warehouse="SH", sku=code, qty=1, reason="found", actor="me")
        counts.add_stock(busy.ctx, warehouse="SH", sku=code, qty=-1, reason="lost", actor="me")
        walk.run(busy)

    assert sum(1 for number in shown(busy) if number == 0) == went
    assert looking.tasks(busy) == ["brake"]


def test_what_was_confirmed_goes(busy: Town) -> None:
    count_all(busy, CODES, 0)
    walk.run(busy)

    assert brake.confirm_stock(busy.ctx, "shop", actor="me") >= 21
    walk.run(busy)

    assert shown(busy) == [0] * 30
    assert looking.tasks(busy) == []


def test_only_the_zeros_wait(busy: Town) -> None:
    count_all(busy, CODES[:20], 0)
    count_all(busy, CODES[20:], 7)
    walk.run(busy)

    assert shown(busy)[20:] == [7] * 10
    assert looking.tasks(busy) == ["brake"]


def test_stock_that_is_counted_again_lets_the_held_back_listings_go(busy: Town) -> None:
    count_all(busy, CODES, 0)
    walk.run(busy)
    count_all(busy, CODES, 4)
    walk.run(busy)

    assert shown(busy) == [4] * 30


def test_listings_that_were_sold_out_are_not_held_back(busy: Town) -> None:
    for code in CODES:
        busy.shop.place(f"o-{code}", (code, 10))
    walk.read(busy, "orders")
    for code in CODES[:15]:
        record.ship(busy.ctx, order=f"o-{code}", carrier="SF", tracking=f"T{code}", actor="me")
    walk.run(busy, rounds=30)

    assert shown(busy) == [0] * 30
    assert looking.tasks(busy) == []


def test_one_small_sale_each_does_not_explain_that_all_is_gone(busy: Town) -> None:
    for code in CODES:
        busy.shop.place(f"o-{code}", (code, 1))
    walk.read(busy, "orders")
    for code in CODES:
        record.ship(busy.ctx, order=f"o-{code}", carrier="SF", tracking=f"T{code}", actor="me")
    walk.run(busy, rounds=30)
    busy.advance(61)
    count_all(busy, CODES, 0)
    walk.run(busy)

    assert "brake" in looking.tasks(busy)
    assert sum(1 for number in shown(busy) if number == 0) <= 9


def test_a_first_number_never_counts(town: Town) -> None:
    count_all(town, CODES, 0)
    import_listings(
        town.ctx, [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in CODES], actor="me"
    )
    walk.run(town)

    assert shown(town) == [0] * 30
    assert looking.tasks(town) == []


def test_a_small_shop_has_no_brake(town: Town) -> None:
    few = CODES[:5]
    count_all(town, few, 10)
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in few], actor="me")
    walk.run(town)
    count_all(town, few, 0)
    walk.run(town)

    assert town.shop.shown == dict.fromkeys(few, 0)


def test_zeros_a_minute_apart_are_not_one_wave(busy: Town) -> None:
    for first in range(0, 30, 6):
        count_all(busy, CODES[first : first + 6], 0)
        walk.run(busy)
        busy.advance(61)

    # Of the last twelve listings above zero six are more than their share, but twelve are too few for a brake.
    assert shown(busy) == [0] * 30


def test_a_right_count_ends_the_brake_and_its_task(busy: Town) -> None:
    """It stayed open, and somebody confirmed zeros that were long void."""
    count_all(busy, CODES, 0)
    walk.run(busy)
    assert looking.tasks(busy) == ["brake"]
    busy.advance(61)

    count_all(busy, CODES, 10)
    walk.run(busy)

    assert shown(busy) == [10] * 30
    assert looking.tasks(busy) == []


def test_a_right_count_of_some_leaves_the_task_about_the_others(busy: Town) -> None:
    count_all(busy, CODES, 0)
    walk.run(busy)
    busy.advance(61)

    count_all(busy, CODES[:2], 10)
    walk.run(busy)

    assert looking.tasks(busy) == ["brake"]
    assert ("waiting", "brake", 0) in looking.effects(busy)
