"""What the read models show, on both databases. The shapes are promises to operators' scripts."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event as engine_events

from erpsync.core import advice
from erpsync.store import tables as t
from erpsync.store import views
from erpsync.store.db.store import Store
from erpsync.store.views import NotFound, OrderFilter
from erpsync.store.views.order_counts import count_open
from tests.unit.cli.builders import NOON, Shop, minutes

ORDER = [
    "number", "channel", "kind", "external_id", "status", "hold_reason", "tags", "placed_at", "paid_at", "ready_at",
    "currency", "total_minor", "paid_minor", "refunded_minor", "goods_minor", "freight_minor", "discount_minor",
    "residual_minor", "seller_flag", "lines", "shipments", "refunds", "marks", "look_at", "events",
]  # fmt: skip
LINE = [
    "external_id", "channel_sku", "sku", "origin", "rule", "qty", "cancelled_qty", "price_minor", "allocations",
    "backordered_qty", "shipped_qty",
]  # fmt: skip


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    store = Store.open(database_url)
    yield Shop(store)
    store.close()


def listed(shop: Shop, limit: int = 0, after: str | None = None, **filters: Any) -> list[str]:
    with shop.store.read() as connection:
        return [order["number"] for order in views.list_orders(connection, OrderFilter(**filters), limit, after)]


def shown(shop: Shop, name: str) -> dict[str, Any]:
    with shop.store.read() as connection:
        return views.show_order(connection, name)


def test_an_order_has_exactly_the_promised_keys(shop: Shop) -> None:
    order = shop.order()

    assert list(shown(shop, order.number)) == ORDER
    assert list(shown(shop, order.number)["lines"][0]) == LINE


def test_the_list_gives_the_same_orders_without_their_events(shop: Shop) -> None:
    order = shop.order().hold()
    whole = shown(shop, order.number)
    for name in ("marks", "look_at", "events"):
        del whole[name]

    with shop.store.read() as connection:
        assert views.list_orders(connection) == [whole]


def test_an_order_is_shown_with_all_that_belongs_to_it(shop: Shop) -> None:
    order = shop.order(total_minor=2_500, freight_minor=600, lines=[{"qty": 2}, {"sku": None, "channel_sku": "新品"}])
    order.hold(warehouse="GZ", qty=1).hold(warehouse="SH", qty=1).missing(sku="B", qty=2).missing(sku="A", qty=1)
    order.parcel(number="S0001-1", qty=1, line=1)
    shop.add(
        t.refund,
        channel_id=shop.channels["tmall"],
        external_id="R1",
        order_external_id="E1",
        state="open",
        version_at=NOON,
        read_from_at=NOON,
        read_to_at=NOON,
        amount_minor=900,
        currency="CNY",
        reason="七天无理由",
    )
    shop.put(t.refund_line, {"refund_id": 1, "line_external_id": "L1", "qty": 1})
    shop.event("order.held", order_id=order.id, detail={"reason": "refund_open"}, actor="wang")

    got = shown(shop, "S0001")

    assert got["placed_at"] == "2026-03-02T04:01:00Z"
    assert got["residual_minor"] == 2_500 - 4_000 - 600
    assert got["lines"][0]["allocations"] == [
        {"warehouse": "SH", "sku": "A", "qty": 1},
        {"warehouse": "GZ", "sku": "A", "qty": 1},
    ]
    assert [line["backordered_qty"] for line in got["lines"]] == [3, 0]
    assert (got["lines"][1]["sku"], got["lines"][1]["channel_sku"]) == (None, "新品")
    assert got["shipments"] == [
        {
            "number": "S0001-1",
            "carrier": "SF",
            "tracking": "SFS0001-1",
            "lines": [{"external_id": "L2", "qty": 1}],
            "state": "sent",
            "track": None,
        }
    ]
    assert got["refunds"] == [
        {
            "external_id": "R1",
            "state": "open",
            "amount_minor": 900,
            "currency": "CNY",
            "lines": [{"external_id": "L1", "qty": 1}],
            "reason": "七天无理由",
        }
    ]
    assert got["events"] == [
        {"at": "2026-03-02T04:00:00Z", "kind": "order.held", "detail": {"reason": "refund_open"}, "actor": "wang"}
    ]


def test_an_event_tells_names_where_rows_ids_were_written(shop: Shop) -> None:
    order = shop.order()
    take = {"line_id": order.lines[0], "sku_id": shop.sku("A"), "warehouse_id": shop.warehouses["GZ"], "qty": 2}
    shop.event("order.allocated", order_id=order.id, sku_id=shop.sku("A"), detail={"takes": [take], "order_id": 99})
    named = {"takes": [{"line": "L1", "sku": "A", "warehouse": "GZ", "qty": 2}], "order_id": 99}

    with shop.store.read() as connection:
        stories = [views.tell_order(connection, order.number), views.tell_sku(connection, "A")]

    assert [event["detail"] for event in shown(shop, order.number)["events"]] == [named]
    assert [entry["detail"] for story in stories for entry in story["story"]] == [named, named]


def test_status_of_a_ready_order_follows_from_its_holds_and_backorders(shop: Shop) -> None:
    orders = {
        "open": shop.order(),
        "allocated": shop.order().hold(),
        "backordered": shop.order().hold().missing(),
        "released": shop.order().hold(released=True).missing(sku="B"),
    }

    assert {status: shown(shop, order.number)["status"] for status, order in orders.items()} == {
        status: status for status in orders
    }
    assert {status: listed(shop, status=status) for status in orders} == {
        status: [order.number] for status, order in orders.items()
    }


def test_any_other_status_is_the_phase_whatever_is_held(shop: Shop) -> None:
    phases = ("cancelled", "completed", "shipped", "partially_shipped", "held", "unpaid")
    orders = {phase: shop.order(phase=phase, hold_reason="operator").hold().missing() for phase in phases}

    assert {phase: listed(shop, status=phase) for phase in phases} == {p: [orders[p].number] for p in phases}
    assert {shown(shop, order.number)["status"] for order in orders.values()} == set(phases)


def test_orders_come_newest_first_also_those_of_one_instant(shop: Shop) -> None:
    for placed in (5, 5, 1, 5):
        shop.order(placed_at=minutes(placed))

    assert listed(shop) == ["S0004", "S0002", "S0001", "S0003"]


@pytest.mark.parametrize("size", [1, 2, 3, 7])
def test_page_after_page_gives_every_order_once(shop: Shop, size: int) -> None:
    for number in range(7):
        shop.order(placed_at=minutes(number // 3))
    pages = [listed(shop, size)]
    while pages[-1]:
        pages.append(listed(shop, size, pages[-1][-1]))

    assert [number for page in pages for number in page] == listed(shop)
    assert len(listed(shop)) == 7


def test_going_on_after_an_order_that_is_not_there_is_refused(shop: Shop) -> None:
    with pytest.raises(NotFound, match="no order S9 to go on after"):
        listed(shop, after="S9")


def test_filters_are_all_to_hold(shop: Shop) -> None:
    mine = shop.order(channel="jd", placed_at=minutes(10), phase="held", hold_reason="operator").held_for("operator")
    shop.order(channel="jd", placed_at=minutes(20))
    shop.order(channel="tmall", placed_at=minutes(10), phase="held", hold_reason="operator").held_for("operator")

    assert listed(shop, channel="jd", since=minutes(10), until=minutes(20)) == [mine.number]
    assert listed(shop, channel="jd", hold_reason="operator") == [mine.number]
    assert listed(shop, channel="jd", hold_reason="refund_open") == []


def test_orders_are_filtered_by_the_warehouse_that_holds_units_for_them(shop: Shop) -> None:
    here, there = shop.order().hold(warehouse="SH"), shop.order().hold(warehouse="GZ")
    shop.order()

    assert listed(shop, warehouse="SH") == [here.number]
    assert listed(shop, warehouse="GZ", status="allocated") == [there.number]
    assert listed(shop, warehouse="GZ", status="held") == listed(shop, warehouse="none") == []


def test_open_orders_with_a_sku_come_page_by_page_latest_placed_first(shop: Shop) -> None:
    """They are few: their SKU is looked at, instead of all orders that the SKU was ever in."""
    late, early = (
        shop.order(placed_at=minutes(at), phase="held", hold_reason="operator", lines=[{"sku": "A"}, {"sku": "A"}])
        for at in (9, 3)
    )
    boxed = shop.order(
        placed_at=minutes(5), phase="held", hold_reason="operator", lines=[{"sku": "BOX", "has_parts": True}]
    )
    shop.put(t.line_part, {"line_id": boxed.lines[0], "sku_id": shop.sku("A"), "qty": 3})
    shop.order(placed_at=minutes(7), lines=[{"sku": "A"}])
    shop.order(placed_at=minutes(8), phase="held", hold_reason="operator", lines=[{"sku": "C"}])

    assert listed(shop, sku="A", status="held") == [late.number, boxed.number, early.number]
    assert listed(shop, 2, boxed.number, sku="A", status="held") == [early.number]
    assert listed(shop, sku="nothing of ours", status="held") == []


def test_open_orders_are_counted_by_status_and_by_what_holds_them(shop: Shop) -> None:
    shop.order(channel="jd").hold()
    shop.order(channel="jd").missing()
    shop.order(channel="jd", phase="completed", state="completed")
    shop.order(channel="jd", phase="unpaid", state="unpaid")
    for reason in ("operator", "refund_open"):
        shop.order(channel="tmall", phase="held", hold_reason=reason).held_for(reason)

    with shop.store.read() as connection:
        every, jd, none = (count_open(connection, channel) for channel in (None, "jd", "no such channel"))

    assert every.statuses == {"allocated": 1, "backordered": 1, "unpaid": 1, "held": 2}
    assert every.reasons == {"operator": 1, "refund_open": 1}
    assert (jd.statuses, jd.reasons) == ({"allocated": 1, "backordered": 1, "unpaid": 1}, {})
    assert (none.statuses, none.reasons, every.more) == ({}, {}, frozenset())


def test_an_order_is_found_by_a_sku_inside_a_bundle(shop: Shop) -> None:
    plain, boxed = shop.order(lines=[{"sku": "A"}]), shop.order(lines=[{"sku": "BOX", "has_parts": True}])
    shop.order(lines=[{"sku": "C"}])
    shop.put(t.line_part, {"line_id": boxed.lines[0], "sku_id": shop.sku("A"), "qty": 3})

    assert listed(shop, sku="A") == [boxed.number, plain.number]
    assert listed(shop, sku="BOX") == [boxed.number]
    assert listed(shop, sku="nothing of ours") == []


def test_orders_with_a_sku_come_page_by_page_the_latest_stored_first(shop: Shop) -> None:
    """All that a best seller was ever in cannot be sorted by date for each page."""
    for placed in (3, 1, 4, 2):
        shop.order(placed_at=minutes(placed), lines=[{"sku": "A"}, {"sku": "BOX", "has_parts": True}, {"sku": "A"}])
    shop.order(channel="jd", lines=[{"sku": "B"}])
    boxed = shop.order(channel="jd", lines=[{"sku": "BOX", "has_parts": True}])
    shop.put(t.line_part, {"line_id": boxed.lines[0], "sku_id": shop.sku("A"), "qty": 3})
    pages = [listed(shop, 2, sku="A")]
    while pages[-1]:
        pages.append(listed(shop, 2, pages[-1][-1], sku="A"))

    assert pages == [["S0006", "S0004"], ["S0003", "S0002"], ["S0001"], []]
    assert listed(shop, 1, sku="A", channel="tmall", until=minutes(2)) == ["S0002"]
    assert listed(shop, sku="A", channel="tmall", until=minutes(3)) == ["S0004", "S0002"]


def test_an_order_is_found_by_the_channels_id_unless_two_channels_have_it(shop: Shop) -> None:
    shop.order(external_id="77", channel="tmall")
    shop.order(external_id="88", channel="tmall")
    shop.order(external_id="88", channel="jd")

    assert shown(shop, "77")["number"] == "S0001"
    with pytest.raises(NotFound, match=r"more than one channel; name one of S000\d \(\w+\), S000\d \(\w+\)"):
        shown(shop, "88")
    with pytest.raises(NotFound, match="no order 99"):
        shown(shop, "99")


def test_a_page_costs_the_same_few_queries_however_many_orders_are_on_it(shop: Shop) -> None:
    def queries(limit: int) -> int:
        seen = []
        engine_events.listen(shop.store.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
        listed(shop, limit)
        return len(seen)

    for _ in range(12):
        shop.order().hold().missing(sku="B").parcel(number=f"P{len(shop.skus)}{_}")

    assert queries(2) == queries(12) <= 10


@pytest.mark.sqlite
def test_looking_at_one_order_never_walks_through_the_holds_of_all(migrated_sqlite: Path, tmp_path: Path) -> None:
    """A join of holds and lines began at all holds: 20 s for a list of 100 orders among 100 000."""
    store = Store.open(f"sqlite:///{shutil.copy(migrated_sqlite, tmp_path)}")
    seen: list[tuple[str, Any]] = []
    shop = Shop(store)
    shop.order().hold()
    engine_events.listen(store.engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    for status in views.STATUSES:
        listed(shop, status=status)
    with store.read() as connection:
        plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", bound).all() for sql, bound in list(seen)]
    steps = [step[3] for plan in plans for step in plan if " hold " in step[3]]
    store.close()

    assert steps
    assert [step for step in steps if "owner_id=?" not in step] == []


def test_available_is_on_hand_less_reserved_less_safety_stock_and_never_below_zero(shop: Shop) -> None:
    for code, on_hand, reserved in (("A", 9, 3), ("B", 1, 0)):
        place = {"sku_id": shop.sku(code), "warehouse_id": shop.warehouses["SH"]}
        shop.put(t.stock, place | {"on_hand": on_hand, "reserved": reserved})

    with shop.store.read() as connection:
        assert views.list_stock(connection) == [
            {"warehouse": "SH", "sku": "A", "on_hand": 9, "reserved": 3, "available": 4},
            {"warehouse": "SH", "sku": "B", "on_hand": 1, "reserved": 0, "available": 0},
        ]
        assert [row["sku"] for row in views.list_stock(connection, sku_code="B", warehouse_code="SH")] == ["B"]


def test_unknown_stock_names_what_nobody_counted_also_inside_bundles(shop: Shop) -> None:
    for code in ("A", "B", "BOX", "C"):
        shop.add(t.listing, channel_id=shop.channels["jd"], channel_sku=f"jd-{code}", sku_id=shop.sku(code))
    shop.put(t.bundle, *({"bundle_id": shop.sku("BOX"), "sku_id": shop.sku(part), "qty": 1} for part in ("A", "B")))
    for code, place in (("A", "SH"), ("C", "GZ")):
        row = {"sku_id": shop.sku(code), "warehouse_id": shop.warehouses[place], "on_hand": 0, "reserved": 0}
        shop.put(t.stock, row)

    with shop.store.read() as connection:
        found = views.list_unknown_stock(connection, {shop.channels["jd"]: [shop.warehouses["SH"]]})

    assert [(row["channel_sku"], row["sku"]) for row in found] == [("jd-B", "B"), ("jd-BOX", "B"), ("jd-C", "C")]


def test_dead_letters_have_exactly_the_promised_keys_and_only_open_ones_are_listed(shop: Shop) -> None:
    row = {
        "channel_id": shop.channels["jd"],
        "kind": "order",
        "at": NOON,
        "error": "$.price: missing",
        "source": "a.csv:7",
    }
    shop.add(t.dead_letter, **row, key="1", state="open")
    shop.add(t.dead_letter, **row, key="2", state="dropped")

    with shop.store.read() as connection:
        assert views.list_dead(connection) == [
            {
                "id": 1,
                "channel": "jd",
                "kind": "order",
                "key": "1",
                "at": "2026-03-02T04:00:00Z",
                "attempts": 1,
                "error": "$.price: missing",
                "source": "a.csv:7",
                "remedy": "drop",  # no record was kept with it
                "next": "nothing is left to try again: `erpsync dead drop 1`",
            }
        ]
        assert views.list_dead(connection, channel_name="tmall") == []


def test_tasks_name_their_order_and_done_ones_are_left_out_unless_asked_for(shop: Shop) -> None:
    order = shop.order()
    shop.add(t.task, kind="parcel", key="1", order_id=order.id, reason="ask the parcel back", opened_at=NOON)
    shop.add(t.task, kind="parcel", key="2", reason="done", opened_at=NOON, closed_at=minutes(1), closed_by="li")

    with shop.store.read() as connection:
        assert [(row["order"], row["reason"]) for row in views.list_tasks(connection)] == [
            (order.number, "ask the parcel back")
        ]
        assert [row["closed_by"] for row in views.list_tasks(connection, closed=True)] == ["", "li"]
        assert [row["closed_by"] for row in views.list_tasks(connection, closed=True, limit=1)] == ["li"]


def test_shipments_are_found_by_their_channel_and_by_each_state(shop: Shop) -> None:
    for number, state in enumerate(("sent", "pending", "waiting", "dropped"), 1):
        shop.order().parcel(number=f"P{number}", state=state)
    shop.order(channel="jd").parcel(number="P5")

    with shop.store.read() as connection:
        found = {
            state: [row["number"] for row in views.list_shipments(connection, channel_name="tmall", state=state)]
            for state in ("sent", "pending", "waiting", "dropped", "unknown")
        }
        everywhere = [row["number"] for row in views.list_shipments(connection, state="sent")]

    assert found == {"sent": ["P1"], "pending": ["P2"], "waiting": ["P3"], "dropped": ["P4"], "unknown": []}
    assert everywhere == ["P5", "P1"]


def test_a_shipment_says_what_its_report_waits_for(shop: Shop) -> None:
    parcel = shop.order().parcel(number="S0001-1", state="waiting")
    shop.add(
        t.outbox,
        destination_id=shop.channels["tmall"],
        kind="shipment",
        key="S0001-1",
        ref_id=parcel,
        serial_key="order:1",
        state="waiting",
        lane=2,
        run_at=NOON,
        marked_at=NOON,
        waiting_for="gate",
        error="a refund is open",
    )

    with shop.store.read() as connection:
        [found] = views.list_shipments(connection, state="waiting")

    assert (found["order"], found["waiting_for"], found["error"]) == ("S0001", "gate", "a refund is open")
    assert found["lines"] == [{"external_id": "L1", "qty": 1}]


def test_the_story_of_an_order_tells_movements_and_events_in_time_order(shop: Shop) -> None:
    shop.order(placed_at=minutes(1)).missing(qty=3)
    shop.order(placed_at=minutes(2)).missing(qty=5, waits=False)
    order = shop.order(placed_at=minutes(3), phase="ready").hold(warehouse="GZ", qty=1).missing(qty=2)
    order.held_for("operator", "客户改地址")
    shop.event("order.held", minutes(4), order_id=order.id)
    ref = {"ref_kind": "line", "ref_id": order.lines[0], "sku_id": shop.sku("A"), "warehouse_id": shop.warehouses["GZ"]}
    shop.add(t.ledger, **ref, qty=-1, reason="shipped", at=minutes(3.5), actor="")

    with shop.store.read() as connection:
        got = views.tell_order(connection, order.number)

    assert [(entry["about"], entry["what"]) for entry in got["story"]] == [
        ("stock", "shipped"),
        ("event", "order.held"),
    ]


def test_the_story_of_a_sku_tells_holders_waiters_and_told_numbers(shop: Shop) -> None:
    shop.order(placed_at=minutes(2)).missing(qty=2)
    shop.order(placed_at=minutes(1)).hold(qty=4).missing(qty=1)
    shop.add(
        t.listing, channel_id=shop.channels["jd"], channel_sku="jd-A", sku_id=shop.sku("A"), told_qty=7, told_sure=True
    )
    place = {"sku_id": shop.sku("A"), "warehouse_id": shop.warehouses["SH"]}
    shop.add(t.ledger, **place, qty=9, reason="count", at=NOON, actor="li")

    with shop.store.read() as connection:
        got = views.tell_sku(connection, "A")

    assert [(row["order"], row["qty"]) for row in got["holds"]] == [("S0002", 4)]
    assert [row["order"] for row in got["backorders"]] == ["S0002", "S0001"]
    assert [(row["channel"], row["told_qty"], row["told_sure"]) for row in got["listings"]] == [("jd", 7, True)]
    assert [entry["what"] for entry in got["story"]] == ["count"]
    assert [*got] == ["sku", "stock", "holds", "more_holds", "backorders", "listings", "bundles", "story", "next"]
    assert got["next"][0] == advice.STOCK["unknown"]  # no count of it in any warehouse


def test_what_belongs_to_no_order_stands_among_those_who_have_a_sku_and_wait_for_it(shop: Shop) -> None:
    order = shop.order(placed_at=minutes(1)).hold(qty=4).missing(qty=1)
    owner = {"owner_kind": "work", "owner_id": order.lines[0], "sku_id": shop.sku("A")}
    shop.put(t.hold, owner | {"warehouse_id": shop.warehouses["SH"], "qty": 3})
    shop.put(t.backorder, owner | {"qty": 2, "due_at": minutes(-60), "number": "W1", "waits": True})

    with shop.store.read() as connection:
        got = views.tell_sku(connection, "A")

    assert [(row["owner"], row["order"], row["channel"], row["qty"]) for row in got["holds"]] == [
        ("line", order.number, "tmall", 4),
        ("work", None, None, 3),
    ]
    assert [(row["owner"], row["order"], row["channel"], row["qty"]) for row in got["backorders"]] == [
        ("work", None, None, 2),
        ("line", order.number, "tmall", 1),
    ]


def test_a_channel_is_shown_with_its_streams_and_queues(shop: Shop) -> None:
    shop.put(t.cursor, {"channel_id": shop.channels["jd"], "stream": "orders", "mark": "m", "began_at": NOON})

    with shop.store.read() as connection:
        got = views.show_channel(connection, "jd")
        with pytest.raises(NotFound, match="no channel pdd"):
            views.show_channel(connection, "pdd")
        assert [row["id"] for row in views.list_channels(connection)] == ["jd", "tmall"]

    assert [(row["stream"], row["began_at"]) for row in got["streams"]] == [("orders", "2026-03-02T04:00:00Z")]
    assert (got["queue"], got["dead_letters"], got["tasks"]) == ([], 0, 0)
