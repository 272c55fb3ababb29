"""What could not be read or applied: kept, superseded, replayed, dropped. failures.md row 14."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.catalogue import apply_listings
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.dead_letters import drop_letter, replay_letter
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, ListingPage, ListingRow
from erpsync.store.tables import event, listing
from tests.support.looking import held, letter_id, letters, lines, rows, status
from tests.support.shop import Town
from tests.support.walk import poll, settle_in


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten TEA in SH."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    set_stock(town.ctx, warehouse="SH", sku="CUP", on_hand=10, actor="keeper")
    return town


def with_bad_line(town: Town, order: str = "o1") -> dict[str, Any]:
    """Place an order of which the second line cannot be read."""
    row = town.shop.place(order, ("TEA", 1), ("CUP", 2))
    row["lines"][1]["bad"] = True
    settle_in(town)
    return row


def mended(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the lines as they are once the second one can be read."""
    return [{**line, "bad": False} for line in row["lines"]]


def open_error(town: Town) -> list[str]:
    return [row[0] for row in rows(town, "SELECT error FROM dead_letter WHERE state = 'open'")]


# -- whole orders


def test_an_order_that_could_not_be_read_is_superseded_by_a_view_that_can(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1), broken=True)
    settle_in(town)
    assert letters(town) == [("order", "o1")]

    town.shop.change("o1", broken=False)
    poll(town)

    assert (letters(town), letters(town, "superseded")) == ([], [("order", "o1")])
    assert status(town, "o1") == ("allocated", None)


def test_an_order_is_read_again_by_a_mended_connector(town: Town) -> None:
    row = town.shop.place("o1", ("TEA", 1), total=10**30)
    settle_in(town)
    town.shop.orders["o1"] = row | {"total": 1000}

    with pytest.raises(Refused, match="still cannot be read"):
        replay_letter(town.ctx, letter_id(town, "o1"), actor="ana")  # the letter keeps what was read
    assert letters(town) == [("order", "o1")]

    town.shop.change("o1", total=1000)
    poll(town)
    assert (letters(town), status(town, "o1")) == ([], ("allocated", None))


def test_an_order_that_still_cannot_be_read_stays_a_dead_letter(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1), broken=True)
    settle_in(town)

    with pytest.raises(Refused, match="still cannot be read"):
        replay_letter(town.ctx, letter_id(town, "o1"), actor="ana")

    assert letters(town) == [("order", "o1")]
    tried = select(event.c.actor, event.c.detail).where(event.c.kind == "letter.replay_failed")
    with town.store.read() as connection:
        [(actor, detail)] = connection.execute(tried).all()
    assert (actor, "it still cannot be read" in detail) == ("ana", True)


def test_a_dead_letter_is_moved_on_once(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1), broken=True)
    settle_in(town)
    letter = letter_id(town, "o1")

    drop_letter(town.ctx, letter, actor="ana")

    assert letters(town, "dropped") == [("order", "o1")]
    with pytest.raises(Refused, match="was dropped already"):
        replay_letter(town.ctx, letter, actor="ana")
    with pytest.raises(Refused, match="is not known"):
        drop_letter(town.ctx, 999, actor="ana")


def test_a_refund_that_could_not_be_read_is_kept_and_read_again(town: Town) -> None:
    town.shop.place("o1", ("TEA", 2))
    settle_in(town)
    town.shop.refund("r1", "o1", state="lost", n1=1)
    town.advance(60)
    settle_in(town)
    assert letters(town) == [("refund", "r1")]

    town.shop.refund("r1", "o1", state="granted", n1=1)
    town.advance(60)
    settle_in(town)

    assert (letters(town), lines(town, "o1")) == ([], {"o1-1": (2, 1, 0)})


# -- single lines


def test_an_order_with_a_line_that_cannot_be_read_is_held_with_the_others_reserved(town: Town) -> None:
    with_bad_line(town)

    assert (status(town, "o1"), held(town, "o1")) == (("held", "bad_line"), {"TEA": 1})
    assert letters(town) == [("line", "o1/o1-2")]


def test_an_order_goes_on_when_a_newer_view_can_be_read(town: Town) -> None:
    row = with_bad_line(town)

    town.shop.change("o1", lines=mended(row))
    poll(town)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 1, "CUP": 2})
    assert letters(town, "superseded") == [("line", "o1/o1-2")]


def test_an_order_goes_on_when_its_bad_line_is_dropped(town: Town) -> None:
    with_bad_line(town)

    drop_letter(town.ctx, letter_id(town, "o1/o1-2"), actor="ana")

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 1})


def test_an_order_goes_on_whole_when_its_bad_line_is_replayed(town: Town) -> None:
    with_bad_line(town)
    letter = letter_id(town, "o1/o1-2")
    with pytest.raises(Refused, match="still cannot be read"):
        replay_letter(town.ctx, letter, actor="ana")

    town.channel().connector.forgiving = True  # type: ignore[union-attr]
    replay_letter(town.ctx, letter, actor="ana")

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 1, "CUP": 2})
    assert (letters(town), letters(town, "replayed")) == ([], [("line", "o1/o1-2")])


def test_after_a_replay_the_next_view_counts_as_ever(town: Town) -> None:
    row = with_bad_line(town)
    town.channel().connector.forgiving = True  # type: ignore[union-attr]
    replay_letter(town.ctx, letter_id(town, "o1/o1-2"), actor="ana")

    town.shop.change("o1", lines=mended(row)[:1])
    poll(town)

    assert lines(town, "o1") == {"o1-1": (1, 0, 0), "o1-2": (2, 2, 0)}


def test_a_known_line_that_becomes_unreadable_is_not_taken_for_cancelled(town: Town) -> None:
    row = town.shop.place("o1", ("TEA", 1), ("CUP", 2))
    settle_in(town)

    town.shop.change("o1", lines=[row["lines"][0], {**row["lines"][1], "bad": True}])
    poll(town)

    assert (status(town, "o1"), held(town, "o1")) == (("held", "bad_line"), {"TEA": 1, "CUP": 2})


def test_a_line_that_stays_unreadable_is_one_dead_letter_not_many(town: Town) -> None:
    with_bad_line(town)
    for total in (1, 2, 3):
        town.shop.change("o1", total=total)
        poll(town)

    assert (letters(town), status(town, "o1")[1]) == ([("line", "o1/o1-2")], "bad_line")
    assert open_error(town) == ["$.lines.qty: expected a quantity"]


def test_a_listing_that_cannot_be_read_is_a_dead_letter_until_it_can(town: Town) -> None:
    """failures.md row 14: the rest of the catalogue is known at once."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    tea = ListingRow(channel_sku="TEA", item_ref="1")
    odd = BadLine(key="2", error=PayloadError("expected text", path="$.title", source="page 1"), row={"id": "2"})

    def read(page: ListingPage) -> None:
        town.store.retrying(lambda tx: apply_listings(tx, ctx=town.ctx, channel=town.channel(), page=page))

    for _ in range(2):
        read(ListingPage(rows=(tea,), bad=(odd,), mark="1"))
    known, told = rows(town, select(listing.c.channel_sku)), letters(town)
    read(ListingPage(rows=(tea, ListingRow(channel_sku="CUP", item_ref="2")), mark="1"))

    assert ([row[0] for row in known], told) == (["TEA"], [("listing", "2")])
    assert letters(town) == []
