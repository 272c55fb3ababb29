"""A gift as its rule has it, as long as nothing of its order was released; and then as it was."""

from collections.abc import Callable
from typing import Any

import pytest

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.orders.actions import cancel_order
from erpsync.flows.warehouses.release import release_ready
from erpsync.sdk.types import RefundState
from tests.support import looking
from tests.support.depot import Depot, build_depot, read_shop, work
from tests.support.facts import fact, later, line, order, refund, refund_fact, take_in
from tests.support.ruled import lines_of, put_in_force
from tests.support.shop import Town

SKUS = ("TEA", "SCARF", "FAN", "CUP")


def give(town: Town, gift: str, when: str = "total: {ge: 0}", more: str = "") -> None:
    put_in_force(town, f"rules: [{{id: spring, when: {{{when}}}, then: {{gift: {{{gift}}}{more}}}}}]")


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten of each in SH."""
    town = make_town()
    for sku in SKUS:
        counts.set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
    return town


def seen(at: float = 0, **fields: Any) -> Any:
    item = order("o1", line(qty=2), version_at=later(at), **fields)
    return fact(item, digest=str(at), read=(at, at + 1))


def test_it_is_another_one_when_the_rule_names_another(town: Town) -> None:
    give(town, "sku: SCARF")
    take_in(town, seen())

    give(town, "sku: FAN, qty: 3")

    assert (lines_of(town, "o1")["gift:spring"], looking.held(town, "o1")) == ((3, 0), {"TEA": 2, "FAN": 3})
    assert looking.problems(town) == []


def test_a_set_is_given_with_all_its_parts(town: Town) -> None:
    parts = [BundlePart(bundle="BOX", sku="SCARF", qty=1), BundlePart(bundle="BOX", sku="CUP", qty=2)]
    import_bundles(town.ctx, parts, actor="keeper")
    give(town, "sku: BOX")

    take_in(town, seen())

    assert looking.held(town, "o1") == {"TEA": 2, "SCARF": 1, "CUP": 2}


def test_one_that_nobody_has_keeps_no_order_and_comes_when_somebody_has_it(town: Town) -> None:
    give(town, "sku: HAT", when="weight_g: {lt: 9}")
    import_goods(town.ctx, [GoodsRow(sku="TEA", cells={"weight_g": "1"})], actor="keeper")
    take_in(town, seen())
    assert (looking.status(town, "o1")[0], looking.held(town, "o1")) == ("allocated", {"TEA": 2})

    import_goods(town.ctx, [GoodsRow(sku="HAT", cells={"weight_g": "1"})], actor="keeper")
    counts.set_stock(town.ctx, warehouse="SH", sku="HAT", on_hand=1, actor="keeper")
    judge_due(town.ctx)

    assert looking.held(town, "o1") == {"TEA": 2, "HAT": 1}


def test_no_fact_total_or_refund_is_about_it(town: Town) -> None:
    give(town, "sku: SCARF, qty: 5", when="units: 2, lines: 1, sku: {only: [TEA]}")

    take_in(town, seen(), refunds=[refund_fact(refund(state=RefundState.OPEN, L1=1))])

    assert (looking.see(town, "o1")["residual_minor"], looking.held(town, "o1")["SCARF"]) == (0, 5)


def test_a_part_that_is_given_back_leaves_it_and_all_that_is_takes_it(town: Town) -> None:
    give(town, "sku: SCARF")
    take_in(town, seen(), refunds=[refund_fact(refund("r1", state=RefundState.GRANTED, amount=1000, L1=1))])
    assert looking.held(town, "o1") == {"TEA": 1, "SCARF": 1}

    take_in(town, refunds=[refund_fact(refund("r2", state=RefundState.GRANTED, amount=1000, L1=1))])

    assert (looking.held(town, "o1"), looking.on_shelf(town)["SH", "SCARF"]) == ({}, (10, 0))


def test_an_order_taken_for_none_holds_no_gift_until_it_is_one(town: Town) -> None:
    give(town, "sku: SCARF", more=", void: 疑似刷单, ask: true")
    take_in(town, seen())
    assert looking.held(town, "o1") == {}

    approve(town.ctx, "o1", actor="li")

    assert looking.held(town, "o1") == {"TEA": 2, "SCARF": 1}


def test_it_goes_back_on_the_shelf_when_somebody_cancels_the_order(town: Town) -> None:
    give(town, "sku: SCARF, most: 1")
    take_in(town, seen())

    cancel_order(town.ctx, "o1", reason="changed his mind", actor="li")

    assert (looking.on_shelf(town)["SH", "SCARF"], looking.problems(town)) == ((10, 0), [])
    assert looking.rows(town, "SELECT given FROM gift_count") == [(0,)]


@pytest.mark.parametrize("rules", ["rules: []", None])
def test_what_was_released_with_it_keeps_it(database_url: str, rules: str | None) -> None:
    town, depot = _depot(database_url)
    give(town, "sku: SCARF")
    town.shop.place("o1", ("TEA", 1))
    work(town)
    assert depot.numbers

    if rules is None:
        give(town, "sku: FAN")
    else:
        put_in_force(town, rules)

    assert (lines_of(town, "o1")["gift:spring"], looking.held(town, "o1")) == ((1, 0), {"TEA": 1, "SCARF": 1})
    town.store.close()


def test_what_was_released_without_one_gets_none_any_more(database_url: str) -> None:
    town, depot = _depot(database_url)
    town.shop.place("o1", ("TEA", 1))
    work(town)
    assert depot.numbers

    give(town, "sku: SCARF")

    assert looking.held(town, "o1") == {"TEA": 1}
    town.store.close()


def test_a_warehouse_is_told_of_the_gift_that_is_wanted_when_it_is_told(database_url: str) -> None:
    town, depot = _depot(database_url)
    give(town, "sku: SCARF")
    town.shop.place("o1", ("TEA", 1))
    read_shop(town)
    assert (release_ready(town.ctx), depot.numbers) == (1, [])

    give(town, "sku: FAN")
    work(town)

    (told,) = depot.got
    assert {each.sku: each.qty for each in told.lines} == looking.held(town, "o1") == {"TEA": 1, "FAN": 1}
    town.store.close()


def _depot(url: str) -> tuple[Town, Depot]:
    town, depot = build_depot(url)
    for sku in SKUS:
        counts.set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="me")
    return town, depot
