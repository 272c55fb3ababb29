"""How a story ends: with what a person is to do, or with that there is nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from erpsync.flows.channels.control import pause_channel, resume_channel
from erpsync.flows.explain.explain import explain
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import hold_order
from erpsync.flows.shipments.record import ship
from tests.support.looking import letter_id
from tests.support.shop import Town
from tests.support.walk import run, settle_in


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with three TEA in SH."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=3, actor="keeper")
    return town


def number(town: Town, external_id: str) -> str:
    return str(explain(town.ctx, external_id)["order"]["number"])


def ends(town: Town, name: str) -> list[str]:
    """Return the end of a story."""
    found: list[str] = explain(town.ctx, name)["next"]
    return found


def switched_off(town: Town) -> Town:
    """Return the town with its shop switched off in the configuration."""
    off = {row_id: replace(channel, enabled=False) for row_id, channel in town.ctx.channels.items()}
    return replace(town, ctx=replace(town.ctx, channels=off))


def test_an_order_to_be_sent_says_how_and_one_that_is_not_paid_that_it_waits(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.place("o2", ("TEA", 1), paid=False)
    settle_in(town)

    assert ends(town, "o1") == [f"send it, then `erpsync ship {number(town, 'o1')} --carrier CODE --tracking NUMBER`"]
    assert ends(town, "o2") == ["nothing to do: it waits for the buyer's payment"]


def test_an_order_that_left_says_when_the_channel_was_told(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    run(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="ana")
    assert ends(town, "o1") == ["nothing to do: its parcels are told to the channel by and by"]

    run(town)
    [said] = ends(town, "o1")
    assert said.startswith("nothing to do: the channel was told on 2026-03-02T12:")


def test_what_is_missing_held_or_unknown_says_what_helps(town: Town) -> None:
    town.shop.place("short", ("TEA", 9))
    town.shop.place("odd", ("NOBODY-KNOWS", 1))
    town.shop.place("kept", ("TEA", 1))
    settle_in(town)
    hold_order(town.ctx, "kept", reason="the buyer calls back", actor="ana")

    assert ends(town, "short")[0].startswith("`erpsync stock add` or `stock import` what arrives")
    assert ends(town, "odd")[0].startswith("`erpsync listings import FILE` ties")
    assert ends(town, "kept") == [f"`erpsync orders release {number(town, 'kept')}` ends the hold"]
    assert ends(town, "TEA")[0].startswith("`erpsync stock add` or `stock import` what arrives")


def test_a_line_that_could_not_be_read_names_its_dead_letter(town: Town) -> None:
    row = town.shop.place("o1", ("TEA", 1), ("TEA", 2))
    row["lines"][1]["bad"] = True
    settle_in(town)

    source, letter = ends(town, "o1")

    assert source == "mend the line at its source; the order goes on when it is read again"
    assert letter.startswith(f"dead letter {letter_id(town, 'o1/o1-2')}: mend it at its source")


def test_a_shop_that_does_not_work_is_named_last(town: Town) -> None:
    town.shop.place("o1", ("TEA", 9))
    settle_in(town)
    pause_channel(town.ctx, "shop", reason="stocktaking", actor="ana")
    assert ends(town, "o1")[-1] == "shop is paused: `erpsync channels resume shop` ends the pause"

    resume_channel(town.ctx, "shop", actor="ana")
    assert len(ends(town, "o1")) == 1
    assert ends(switched_off(town), "o1")[-1].startswith("shop is switched off in the configuration: nothing, or set")
