"""Orders leave in parcels as their policy wants: merged, split, in part or whole; what stays keeps nobody back."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, update

from erpsync.core.policy import MergePolicy, ParcelPolicy, WarehousePolicy
from erpsync.flows.audit.marks import seal_order
from erpsync.flows.explain.explain import explain
from erpsync.flows.explain.staying import why_orders_stay
from erpsync.flows.inventory import counts
from erpsync.flows.orders.actions import end_hold, hold_order
from erpsync.flows.warehouses import release as releasing
from erpsync.flows.warehouses.siblings import siblings_of
from erpsync.store.order_rules import StoredMark, write_marks
from erpsync.store.tables import cursor, hold, order_line, orders, release, release_line, release_order, sku, warehouse
from tests.support import looking
from tests.support.depot import read_shop
from tests.support.desk import build_desk, printed, states, work
from tests.support.shop import Town

DESKS = (WarehousePolicy(id="SH", desk=True), WarehousePolicy(id="GZ", desk=True, priority=2))
Content = dict[str, int]


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """Two desks; ten of A and ten of B in SH."""
    town = build_desk(database_url, warehouses=DESKS)
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=10, actor="me")
    yield town
    town.store.close()


def pack(town: Town, **leaving: Any) -> None:
    """Let the shop's orders leave as said."""
    channels = {
        id: replace(channel, orders=replace(channel.orders, **leaving)) for id, channel in town.ctx.channels.items()
    }
    town.ctx = replace(town.ctx, channels=channels)


def same_recipient(town: Town, *names: str, index: bytes = b"wang") -> None:
    """Let orders go to one recipient."""
    with town.store.begin() as tx:
        tx.execute(update(orders).where(orders.c.external_id.in_(names)).values(merge_index=index))


def contents(town: Town) -> list[tuple[str, Content]]:
    """Return what each open release holds, by warehouse: the channel's units by order and SKU."""
    query = (
        select(release.c.id, warehouse.c.code, orders.c.external_id, sku.c.code, release_line.c.qty)
        .join(release_line, release_line.c.release_id == release.c.id)
        .join(order_line, order_line.c.id == release_line.c.line_id)
        .join(orders, orders.c.id == order_line.c.order_id)
        .join(sku, sku.c.id == release_line.c.sku_id)
        .join(warehouse, warehouse.c.id == release.c.warehouse_id)
        .where(release.c.ended_at.is_(None))
        .order_by(release.c.id, orders.c.id, release_line.c.line_id)
    )
    found: dict[int, tuple[str, Content]] = {}
    for id, place, order, code, qty in looking.rows(town, query):
        found.setdefault(id, (place, {}))[1][f"{order} {code}"] = qty
    return list(found.values())


def parts(town: Town) -> list[str]:
    return [part for (part,) in looking.rows(town, select(release_order.c.part).order_by(release_order.c.release_id))]


def test_orders_of_one_recipient_leave_in_one_parcel(town: Town) -> None:
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("B", 1))
    town.shop.place("o3", ("B", 1))
    read_shop(town)
    same_recipient(town, "o1", "o3")
    work(town, shop=False)

    assert contents(town) == [("SH", {"o1 A": 2, "o3 B": 1}), ("SH", {"o2 B": 1})]
    assert [looking.status(town, order)[0] for order in ("o1", "o2", "o3")] == ["released"] * 3


def test_a_sealed_order_shares_no_parcel(town: Town) -> None:
    for order in ("o1", "o2", "o3"):
        town.shop.place(order, ("A", 1))
    read_shop(town)
    same_recipient(town, "o1", "o2", "o3")
    seal_order(town.ctx, str(looking.see(town, "o2")["number"]), ["merge"], actor="me")
    work(town, shop=False)

    assert sorted(len(held) for _, held in contents(town)) == [1, 2]


def test_a_held_order_joins_nobody_and_what_is_told_does_not_grow(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("A", 1))
    read_shop(town)
    same_recipient(town, "o1", "o2")
    number = str(looking.see(town, "o2")["number"])
    hold_order(town.ctx, number, reason="look", actor="me")
    work(town, shop=False)
    assert contents(town) == [("SH", {"o1 A": 1})]

    end_hold(town.ctx, number, actor="me")
    work(town, shop=False)
    assert contents(town) == [("SH", {"o1 A": 1}), ("SH", {"o2 A": 1})]


def test_one_of_two_merged_orders_is_cancelled_and_the_other_is_released_anew(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("A", 2))
    read_shop(town)
    same_recipient(town, "o1", "o2")
    work(town, shop=False)
    town.shop.change("o1", state="cancelled")
    work(town)

    assert contents(town) == [("SH", {"o2 A": 2})]
    assert list(states(town).values()) == ["stopped", "told"]
    assert looking.on_shelf(town)[("SH", "A")] == (10, 2)


def test_after_paper_the_other_waits_until_the_parcel_is_surely_stopped(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("A", 2))
    read_shop(town)
    same_recipient(town, "o1", "o2")
    work(town, shop=False)
    [number] = states(town)
    printed(town, number)
    town.shop.change("o1", state="cancelled")
    work(town)

    assert list(states(town).values()) == ["recalled"]
    assert looking.on_shelf(town)[("SH", "A")] == (10, 3)


def test_a_release_knows_the_orders_that_could_not_come_along_and_why(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="C", on_hand=0, actor="me")
    for order, code in (("o1", "A"), ("o2", "A"), ("o3", "C"), ("o4", "A")):
        town.shop.place(order, (code, 1))
    read_shop(town)
    same_recipient(town, "o1", "o2", "o3", "o4")
    held, sealed = (str(looking.see(town, order)["number"]) for order in ("o2", "o4"))
    hold_order(town.ctx, held, reason="look", actor="me")
    seal_order(town.ctx, sealed, ["merge"], actor="me")
    work(town, shop=False)

    ids = [id for (id,) in looking.rows(town, select(release.c.id).order_by(release.c.id))]
    with town.store.read() as connection:
        found = siblings_of(connection, town.ctx, ids)
    told = [{each.order[-1]: each.because.code.value for each in found[id]} for id in ids]
    assert told == [{"2": "held", "3": "short", "4": "sealed"}, {"1": "sealed", "2": "held", "3": "short"}]


def test_a_parcel_waits_for_an_order_of_its_recipient_until_it_would_be_late(town: Town) -> None:
    pack(town, merge=MergePolicy(sibling="wait"))
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("B", 1))
    read_shop(town)
    same_recipient(town, "o1", "o2")
    hold_order(town.ctx, str(looking.see(town, "o2")["number"]), reason="look", actor="me")
    work(town, shop=False)
    assert contents(town) == []

    margin, within = (timedelta(hours=hours) for hours in (6, 48))
    town.clock.advance(seconds=(within - margin).total_seconds())
    work(town)
    assert contents(town) == [("SH", {"o1 A": 1})]


def test_a_parcel_that_waited_takes_the_order_along_once_that_may_leave(town: Town) -> None:
    pack(town, merge=MergePolicy(sibling="wait"))
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("B", 1))
    read_shop(town)
    same_recipient(town, "o1", "o2")
    number = str(looking.see(town, "o2")["number"])
    hold_order(town.ctx, number, reason="look", actor="me")
    work(town, shop=False)
    end_hold(town.ctx, number, actor="me")
    work(town, shop=False)

    assert contents(town) == [("SH", {"o1 A": 1, "o2 B": 1})]


def test_an_order_in_two_warehouses_leaves_in_two_parcels_and_waits_until_both_are_there(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="GZ", sku="C", on_hand=1, actor="me")
    town.shop.place("o1", ("A", 1), ("C", 2))
    work(town)
    assert contents(town) == []

    counts.set_stock(town.ctx, warehouse="GZ", sku="C", on_hand=5, actor="me")
    work(town, shop=False)
    assert contents(town) == [("SH", {"o1 A": 1}), ("GZ", {"o1 C": 2})]


def test_what_is_there_leaves_before_the_rest_where_the_shop_says_so(town: Town) -> None:
    pack(town, partial="ready")
    town.shop.place("o1", ("A", 12))
    work(town)
    assert contents(town) == [("SH", {"o1 A": 10})]

    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=20, actor="me")
    work(town, shop=False)
    assert contents(town) == [("SH", {"o1 A": 10}), ("SH", {"o1 A": 2})]
    assert parts(town) == ["", "#2"]
    assert looking.on_shelf(town)[("SH", "A")] == (20, 12)


def test_a_parcel_holds_no_more_than_it_may(town: Town) -> None:
    pack(town, parcel=ParcelPolicy(max_units=4))
    town.shop.place("o1", ("A", 9))
    work(town)

    assert contents(town) == [("SH", {"o1 A": 4}), ("SH", {"o1 A": 4}), ("SH", {"o1 A": 1})]
    assert parts(town) == ["", "#2", "#3"]


def test_one_parcel_of_several_that_is_stopped_leaves_the_marks_of_the_others(town: Town) -> None:
    pack(town, parcel=ParcelPolicy(max_units=5))
    town.shop.place("o1", ("A", 8))
    work(town)
    first, second = states(town)
    printed(town, first)
    [line] = town.shop.orders["o1"]["lines"]
    town.shop.change("o1", lines=[line | {"qty": 5}])
    work(town)
    work(town)

    assert states(town) == {first: "recalled", second: "stopped"}
    assert looking.rows(town, select(hold.c.qty, hold.c.released)) == [(8, True)]


def test_a_part_leaves_in_a_parcel_of_its_own(town: Town) -> None:
    town.shop.place("o1", ("A", 1), ("B", 1))
    read_shop(town)
    order_id = looking.rows(town, select(orders.c.id))[0][0]
    with town.store.begin() as tx:
        write_marks(tx, {(order_id, "part:cold"): StoredMark(value='{"sku": ["B"]}', rule="frozen")})
    work(town, shop=False)

    assert contents(town) == [("SH", {"o1 A": 1}), ("SH", {"o1 B": 1})]
    assert parts(town) == ["", "cold"]


def test_orders_that_stay_keep_no_younger_ones_back(town: Town) -> None:
    pack(town, partial="ready", partial_min=Decimal(10_000))
    for code, on_hand in (("A", 250), ("C", 0)):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=on_hand, actor="me")
    for nth in range(releasing.ORDERS_AT_ONCE + 1):
        town.shop.place(f"o{nth}", ("A", 1), ("C", 1))
    town.shop.place("whole", ("B", 1))
    work(town)

    assert contents(town) == [("SH", {"whole B": 1})]


@pytest.mark.concurrent("threads")
def test_nodes_that_plan_at_once_hand_out_every_unit_once(town: Town) -> None:
    pack(town, parcel=ParcelPolicy(max_units=3))
    names = [f"o{nth}" for nth in range(6)]
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=100, actor="me")
    for order in names:
        town.shop.place(order, ("A", 4), ("B", 1))
    read_shop(town)
    same_recipient(town, *names)
    gate = threading.Barrier(3)

    def make() -> int:
        gate.wait()
        return releasing.release_ready(town.ctx)

    with ThreadPoolExecutor(3) as pool:
        for each in [pool.submit(make) for _ in range(3)]:
            each.result()
    work(town, shop=False)

    released = Counter[str]()
    for _, held in contents(town):
        assert sum(held.values()) <= 3
        released.update(held)
    assert released == {f"{order} {code}": qty for order in names for code, qty in (("A", 4), ("B", 1))}


def test_a_change_between_plan_and_commit_is_planned_anew(town: Town) -> None:
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 1))
    read_shop(town)
    same_recipient(town, "o1", "o2")
    planned = releasing.plan_page(town.ctx, set(town.ctx.desks.values()), 0)
    assert planned is not None
    page, _, _ = planned
    hold_order(town.ctx, str(looking.see(town, "o2")["number"]), reason="look", actor="me")

    with town.store.begin() as tx:
        releasing.make_planned(tx, ctx=town.ctx, run=set(town.ctx.desks.values()), page=page, leaving=set(page.orders))
    assert contents(town) == [("SH", {"o1 A": 2})]


def test_why_ready_orders_stay_is_said_of_all_at_once_in_the_sentence_of_each(town: Town) -> None:
    pack(town, parcel=ParcelPolicy(max_units=3))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=100, actor="me")
    names = [f"o{nth}" for nth in range(7)]
    for order in names:
        town.shop.place(order, ("A", 4))
    town.shop.place("small", ("A", 1))
    read_shop(town)
    numbers = [str(looking.see(town, order)["number"]) for order in names]
    for number in numbers:
        seal_order(town.ctx, number, ["split"], actor="me")
    hold_order(town.ctx, numbers[6], reason="look", actor="me")
    work(town, shop=False)

    [why] = why_orders_stay(town.ctx)

    assert why == {
        "reason": "sealed",
        "warehouse": "SH",
        "text": "it may not be split, and SH could send it in 2 parcels only",
        "orders": 6,
        "first": numbers[:5],
    }
    assert why["text"] in str(explain(town.ctx, numbers[0]))
    assert [held for _, held in contents(town)] == [{"small A": 1}]


def test_orders_wait_until_the_refunds_of_their_shop_are_known_and_that_is_said(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    read_shop(town)
    with town.store.begin() as tx:
        tx.execute(update(cursor).where(cursor.c.stream == "refunds").values(complete_ended_at=None))

    [why] = why_orders_stay(town.ctx)

    assert (why["reason"], why["orders"]) == ("refunds", 1)
    assert why["text"] == "nothing is handed over before the refunds of shop were read to the end"
