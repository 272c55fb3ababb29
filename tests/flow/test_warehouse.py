"""Orders go out to the system that runs a warehouse, and come back as parcels and counts."""

from collections.abc import Callable, Iterator
from contextvars import Context
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import OrderPolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.operations import counters, reservations, upkeep
from erpsync.flows.operations.dead_letters import replay_letter
from erpsync.flows.orders import actions
from erpsync.flows.shipments import record
from erpsync.flows.warehouses import push
from erpsync.flows.warehouses import release as releasing
from erpsync.runtime.once import drain
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.types import Repeat
from erpsync.store.cursors import set_cursor
from erpsync.store.tables import dead_letter, release
from tests.support import looking
from tests.support.depot import Depot, build_depot, read_shop, work
from tests.support.dying import Crash, DyingStore
from tests.support.shop import NOON, Town

Pair = tuple[Town, Depot]


@pytest.fixture
def make(database_url: str) -> Iterator[Callable[..., Pair]]:
    """Build towns with a depot on this test's database; each is closed at the end."""
    made: list[Town] = []

    def build(**options: Any) -> Pair:
        town, depot = build_depot(database_url, **options)
        made.append(town)
        return town, depot

    yield build
    for town in made:
        town.store.close()


@pytest.fixture
def pair(make: Callable[..., Pair]) -> Pair:
    """Ten A in SH, run by the depot."""
    town, depot = make()
    put(town, "A", 10)
    return town, depot


def put(town: Town, sku: str, qty: int, warehouse: str = "SH") -> None:
    counts.set_stock(town.ctx, warehouse=warehouse, sku=sku, on_hand=qty, actor="me")


def out(town: Town) -> list[tuple[str, str]]:
    """Return the states of all releases, each as the how manieth it is."""
    with town.store.read() as connection:
        states = connection.execute(select(release.c.state).order_by(release.c.id)).scalars()
        return [(f"R{nth}", state) for nth, state in enumerate(states, 1)]


def depot_number(town: Town) -> str:
    with town.store.read() as connection:
        return str(connection.execute(select(release.c.number)).scalar_one())


def letters(town: Town) -> list[str]:
    with town.store.read() as connection:
        return list(connection.execute(select(dead_letter.c.error).where(dead_letter.c.state == "open")).scalars())


def free(town: Town, sku: str = "A") -> dict[str, tuple[int, int]]:
    """Return on hand and reserved by warehouse."""
    return {place: numbers for (place, code), numbers in looking.on_shelf(town).items() if code == sku}


def test_a_ready_order_goes_to_its_warehouse_once_and_comes_back_as_a_parcel(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)

    assert out(town) == [("R1", "told")]
    assert looking.status(town, "o1")[0] == "released"
    [got] = depot.got
    assert [(line.line, line.sku, line.qty) for line in got.lines] == [("o1-1", "A", 2)]
    assert (got.warehouse, got.recipient.name, got.recipient.address) == ("SH", "王小明", "解放路 1 号")

    work(town)
    depot.send(got.number, "SF1")
    work(town)

    assert out(town) == [("R1", "shipped")]
    assert looking.status(town, "o1")[0] == "shipped"
    assert [(parcel.tracking, parcel.whole) for parcel in town.shop.parcels] == [("SF1", True)]
    assert free(town) == {"SH": (8, 0)}
    assert (len(depot.got), counters.verify_counters(town.ctx)) == (1, [])


def test_without_a_channel_nothing_is_released(make: Callable[..., Pair]) -> None:
    town, depot = make(warehouses=[WarehousePolicy(id="SH")])
    put(town, "A", 10)
    town.shop.place("o1", ("A", 2))
    work(town)

    assert (depot.got, looking.status(town, "o1")[0]) == ([], "allocated")


@pytest.mark.parametrize("how", ["unpaid", "short", "held", "refund"])
def test_an_order_that_may_not_leave_is_not_released(pair: Pair, how: str) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 20 if how == "short" else 2), paid=how != "unpaid")
    if how == "refund":
        town.shop.refund("r1", "o1", n1=2)
    read_shop(town)
    if how == "held":
        actions.hold_order(town.ctx, "o1", reason="look", actor="me")
    work(town)

    assert (depot.got, out(town)) == ([], [])


def test_two_warehouses_each_get_their_part_and_ship_it(make: Callable[..., Pair]) -> None:
    both = [WarehousePolicy(id="SH", channel="wms"), WarehousePolicy(id="GZ", priority=2, channel="wms")]
    town, depot = make(warehouses=both)
    put(town, "A", 5)
    put(town, "B", 5, "GZ")
    town.shop.place("o1", ("A", 2), ("B", 1))
    work(town)

    parts = {got.warehouse: got for got in depot.got}
    assert {code: [(each.sku, each.qty) for each in got.lines] for code, got in parts.items()} == {
        "SH": [("A", 2)],
        "GZ": [("B", 1)],
    }
    depot.send(parts["GZ"].number, "SF2")
    work(town)
    assert (looking.status(town, "o1")[0], free(town, "B")) == ("partially_shipped", {"GZ": (4, 0)})

    depot.send(parts["SH"].number, "SF1", ("o1-1", "A", 1))
    depot.send(parts["SH"].number, "SF3")
    work(town)
    assert (looking.status(town, "o1")[0], free(town)) == ("shipped", {"SH": (3, 0)})
    assert [parcel.tracking for parcel in town.shop.parcels] == ["SF2", "SF1", "SF3"]


def test_what_lies_in_a_warehouse_without_a_channel_stays_for_hand_work(make: Callable[..., Pair]) -> None:
    town, depot = make(warehouses=[WarehousePolicy(id="SH", channel="wms"), WarehousePolicy(id="GZ", priority=2)])
    put(town, "A", 5)
    put(town, "B", 5, "GZ")
    town.shop.place("o1", ("A", 2), ("B", 1))
    work(town)

    assert [[(each.sku, each.qty) for each in got.lines] for got in depot.got] == [[("A", 2)]]


def test_a_refund_opened_between_allocation_and_release_stops_it_at_the_gate(pair: Pair) -> None:
    """failures.md row 6."""
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    assert releasing.release_ready(town.ctx) == 1
    town.advance(60)
    town.shop.change("o1", do_not_ship="refund asked for")
    push.push_releases(town.ctx, town.channel("wms"))

    assert (depot.got, out(town), looking.status(town, "o1")) == ([], [("R1", "dropped")], ("held", "do_not_ship"))

    town.shop.change("o1", do_not_ship="")
    work(town)
    assert (len(depot.got), out(town)) == (1, [("R1", "dropped"), ("R2", "told")])


def test_a_shop_that_cannot_be_read_holds_the_release(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    releasing.release_ready(town.ctx)
    town.advance(60)
    town.shop.trouble["complete"] = [TransientError("timed out")]
    push.push_releases(town.ctx, town.channel("wms"))
    assert (depot.got, out(town)) == ([], [("R1", "pending")])

    town.advance(10)
    work(town, shop=False)
    assert out(town) == [("R1", "told")]


def test_a_cancel_before_the_release_asks_nobody(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    releasing.release_ready(town.ctx)
    actions.cancel_order(town.ctx, "o1", reason="changed mind", actor="me")
    work(town)

    assert (depot.got, depot.asked, out(town)) == ([], [], [("R1", "dropped")])
    assert free(town) == {"SH": (10, 0)}


def test_a_cancel_frees_nothing_before_the_warehouse_says_yes(pair: Pair) -> None:
    """failures.md row 6."""
    town, depot = pair
    town.shop.place("o1", ("A", 10))
    work(town)
    town.shop.place("o2", ("A", 1))
    read_shop(town)
    town.shop.change("o1", state="cancelled")
    read_shop(town)
    assert (out(town), free(town)) == ([("R1", "recalled")], {"SH": (10, 10)})
    assert looking.status(town, "o2")[0] == "backordered"

    work(town)
    assert (out(town)[0], depot.asked) == (("R1", "stopped"), [depot.got[0].number])
    assert (free(town), looking.status(town, "o2")[0]) == ({"SH": (10, 1)}, "released")
    assert (looking.tasks(town), counters.verify_counters(town.ctx)) == ([], [])


def test_a_release_to_be_stopped_where_nobody_runs_the_warehouse_any_more_is_a_persons(
    make: Callable[..., Pair],
) -> None:
    town, depot = make()
    put(town, "A", 10)
    town.shop.place("o1", ("A", 2))
    work(town)
    town, _ = make(town=town, depot=depot, warehouses=(WarehousePolicy(id="SH"),))

    town.shop.change("o1", state="cancelled")
    read_shop(town)

    assert (looking.tasks(town), depot.asked) == (["recall"], [])


def test_a_no_asks_a_person_and_the_parcel_that_follows_is_booked(pair: Pair) -> None:
    town, depot = pair
    depot.answer = False
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    work(town)
    assert (out(town), looking.tasks(town), free(town)) == ([("R1", "kept")], ["recall"], {"SH": (10, 2)})
    assert len(depot.asked) == 1

    depot.send(depot.got[0].number, "SF1")
    work(town)
    assert (out(town), free(town)) == ([("R1", "shipped")], {"SH": (8, 0)})
    assert (town.shop.parcels, looking.tasks(town), letters(town)) == ([], ["gate"], [])
    assert counters.verify_counters(town.ctx) == []


@pytest.mark.parametrize("stopped", [True, False])
def test_an_answer_may_come_later(pair: Pair, stopped: bool) -> None:
    town, depot = pair
    depot.answer = None
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    assert (out(town), looking.tasks(town), free(town)) == ([("R1", "recalled")], ["recall"], {"SH": (10, 2)})

    depot.say(depot.got[0].number, stopped=stopped)
    work(town)
    work(town)
    assert out(town) == [("R1", "stopped" if stopped else "kept")]
    assert (looking.tasks(town), free(town)) == (([], {"SH": (10, 0)}) if stopped else (["recall"], {"SH": (10, 2)}))
    assert len(depot.asked) == 1


def test_what_a_warehouse_may_be_sending_does_not_run_out_with_a_reservation(make: Callable[..., Pair]) -> None:
    town, depot = make(orders=OrderPolicy(reserve="placement"))
    put(town, "A", 10)
    depot.answer = None
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.change("o1", state="unpaid", paid_at=None)
    work(town)
    town.advance(3600)

    assert (reservations.expire_reservations(town.ctx), free(town)) == (0, {"SH": (10, 2)})

    depot.say(depot.got[0].number, stopped=True)
    work(town)
    assert (out(town), free(town)) == ([("R1", "stopped")], {"SH": (10, 0)})


def test_a_parcel_that_overtakes_the_answer_is_booked_and_the_answer_changes_nothing(pair: Pair) -> None:
    town, depot = pair
    depot.answer = None
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    depot.send(depot.got[0].number, "SF1")
    work(town)
    depot.say(depot.got[0].number, stopped=True)
    work(town)

    assert (out(town), free(town), looking.tasks(town)) == ([("R1", "shipped")], {"SH": (8, 0)}, ["gate"])


def test_a_refund_asked_for_recalls_the_order_and_a_closed_one_sends_it_again(pair: Pair) -> None:
    """failures.md row 6."""
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.refund("r1", "o1", n1=2)
    work(town)
    assert (out(town), looking.status(town, "o1")) == ([("R1", "stopped")], ("held", "refund_open"))
    assert free(town) == {"SH": (10, 2)}

    town.shop.refund("r1", "o1", state="closed", n1=2)
    work(town)
    assert (out(town), len(depot.got)) == ([("R1", "stopped"), ("R2", "told")], 2)


def test_a_refund_granted_for_part_of_it_sends_the_rest_anew(pair: Pair) -> None:
    town, depot = pair
    put(town, "B", 5)
    town.shop.place("o1", ("A", 2), ("B", 1))
    work(town)
    town.shop.refund("r1", "o1", state="granted", n2=1)
    work(town)

    assert out(town) == [("R1", "stopped"), ("R2", "told")]
    assert [(line.sku, line.qty) for line in depot.got[1].lines] == [("A", 2)]
    assert (free(town, "B"), counters.verify_counters(town.ctx)) == ({"SH": (5, 0)}, [])


def test_more_of_a_line_after_the_release_recalls_it_and_sends_all_of_it(pair: Pair) -> None:
    """failures.md row 24."""
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    lines = town.shop.orders["o1"]["lines"]
    town.shop.change("o1", lines=[lines[0] | {"qty": 3}])
    work(town)

    assert out(town) == [("R1", "stopped"), ("R2", "told")]
    assert [(line.sku, line.qty) for line in depot.got[1].lines] == [("A", 3)]


def test_more_of_a_line_that_a_warehouse_will_not_stop_follows_in_a_second_release(pair: Pair) -> None:
    town, depot = pair
    depot.answer = False
    town.shop.place("o1", ("A", 2))
    work(town)
    lines = town.shop.orders["o1"]["lines"]
    town.shop.change("o1", lines=[lines[0] | {"qty": 3}])
    work(town)
    depot.send(depot.got[0].number, "SF1")
    work(town)

    assert out(town) == [("R1", "shipped"), ("R2", "told")]
    assert [(line.sku, line.qty) for line in depot.got[1].lines] == [("A", 1)]
    assert (free(town), counters.verify_counters(town.ctx)) == ({"SH": (8, 1)}, [])


@pytest.mark.parametrize("how", ["told by the shop", "shipped by hand"])
def test_an_order_that_left_otherwise_is_asked_back_from_its_warehouse(pair: Pair, how: str) -> None:
    """Its units are off the books, so nothing else would keep the warehouse from sending it a second time."""
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    if how == "told by the shop":
        town.shop.change("o1", state="shipped")
    else:
        record.ship(town.ctx, order="o1", carrier="SF", tracking="SF9", actor="me")
    work(town)

    assert (out(town), depot.asked) == ([("R1", "stopped")], [depot.got[0].number])
    assert (free(town), counters.verify_counters(town.ctx)) == ({"SH": (8, 0)}, [])


def test_a_part_that_left_otherwise_has_the_warehouse_send_the_rest_only(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 3))
    work(town)
    lines = town.shop.orders["o1"]["lines"]
    town.shop.change("o1", lines=[lines[0] | {"shipped": 1}])
    work(town)

    assert out(town) == [("R1", "stopped"), ("R2", "told")]
    assert [(line.sku, line.qty) for line in depot.got[1].lines] == [("A", 2)]
    assert (free(town), counters.verify_counters(town.ctx)) == ({"SH": (9, 2)}, [])


def test_another_article_after_the_release_gives_the_first_one_back(pair: Pair) -> None:
    town, depot = pair
    put(town, "B", 5)
    town.shop.place("o1", ("A", 2))
    work(town)
    lines = town.shop.orders["o1"]["lines"]
    town.shop.change("o1", lines=[lines[0] | {"sku": "B"}])
    work(town)

    assert out(town) == [("R1", "stopped"), ("R2", "told")]
    assert [(line.sku, line.qty) for line in depot.got[1].lines] == [("B", 2)]
    assert (free(town), free(town, "B"), counters.verify_counters(town.ctx)) == ({"SH": (10, 0)}, {"SH": (5, 2)}, [])


def test_another_address_after_the_release_asks_a_person(pair: Pair) -> None:
    """failures.md row 24."""
    town, _ = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.change("o1", address="人民路 2 号")
    work(town)

    assert (out(town), looking.tasks(town)) == ([("R1", "told")], ["order_edited"])


def test_a_warehouse_that_shrinks_keeps_what_it_was_told_to_send(pair: Pair) -> None:
    town, _ = pair
    town.shop.place("o1", ("A", 6))
    work(town)
    put(town, "A", 4)

    assert (looking.status(town, "o1")[0], free(town), looking.tasks(town)) == (
        "released",
        {"SH": (4, 6)},
        ["stock_short"],
    )


def test_a_warehouse_that_gives_a_release_back_unasked_leaves_the_order_to_a_person(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    depot.say(depot.got[0].number, stopped=True, reason="broken")
    work(town)
    assert (out(town), looking.status(town, "o1")) == ([("R1", "stopped")], ("held", "warehouse_refused"))

    actions.end_hold(town.ctx, "o1", actor="me")
    work(town)
    assert out(town) == [("R1", "stopped"), ("R2", "told")]


def test_a_release_whose_answer_was_lost_is_looked_for_and_not_sent_twice(pair: Pair) -> None:
    """failures.md row 26."""
    town, depot = pair
    depot.trouble["release after"] = [OutcomeUnknownError("no answer")]
    town.shop.place("o1", ("A", 2))
    work(town)
    assert (out(town), looking.status(town, "o1")[0]) == ([("R1", "unsure")], "released")

    town.advance(10)
    work(town)
    assert (out(town), len(depot.got), letters(town)) == ([("R1", "told")], 1, [])


def test_a_release_that_surely_did_not_arrive_is_nobodys_and_can_be_cancelled_at_once(pair: Pair) -> None:
    town, depot = pair
    depot.trouble["release before"] = [TransientError("connection refused")]
    town.shop.place("o1", ("A", 2))
    work(town)
    assert (out(town), looking.status(town, "o1")[0]) == ([("R1", "pending")], "allocated")

    actions.cancel_order(town.ctx, "o1", reason="changed mind", actor="me")
    assert free(town) == {"SH": (10, 0)}
    town.advance(10)
    work(town)
    assert (out(town), depot.got, depot.asked) == ([("R1", "dropped")], [], [])


def test_an_unsure_release_that_is_cancelled_is_recalled_and_never_sent_again(pair: Pair) -> None:
    town, depot = pair
    depot.trouble["release after"] = [OutcomeUnknownError("no answer")]
    town.shop.place("o1", ("A", 2))
    work(town)
    town.shop.change("o1", state="cancelled")
    town.advance(10)
    work(town)

    assert (out(town), len(depot.got), depot.asked) == ([("R1", "stopped")], 1, depot.numbers)
    assert free(town) == {"SH": (10, 0)}


def test_a_warehouse_that_cannot_be_asked_leaves_an_unknown_release_to_a_person(make: Callable[..., Pair]) -> None:
    town, depot = make(repeat=Repeat.NEVER)
    put(town, "A", 10)
    depot.trouble["release after"] = [OutcomeUnknownError("no answer")]
    town.shop.place("o1", ("A", 2))
    work(town)

    assert (out(town), looking.tasks(town), len(letters(town))) == ([("R1", "unsure")], ["unknown"], 0)
    assert looking.status(town, "o1")[0] == "released"
    depot.send(depot.got[0].number, "SF1")
    work(town)
    assert (out(town), free(town)) == ([("R1", "shipped")], {"SH": (8, 0)})
    assert looking.tasks(town) == []


def test_a_refused_release_is_a_dead_letter_and_its_units_stay_with_the_order(pair: Pair) -> None:
    town, depot = pair
    depot.trouble["release before"] = [RejectedError("no such article", code="404")]
    town.shop.place("o1", ("A", 2))
    work(town)
    work(town)

    assert (out(town), letters(town)) == ([("R1", "refused")], ["no such article (404)"])
    assert (looking.status(town, "o1")[0], free(town)) == ("allocated", {"SH": (10, 2)})

    replay_letter(town.ctx, looking.letter_id(town, depot_number(town)), actor="me")
    work(town)
    assert (out(town), letters(town), len(depot.got)) == ([("R1", "told")], [], 1)


@pytest.mark.parametrize("call", ["cancel before", "cancel after"])
def test_a_wish_to_stop_is_repeated_until_it_is_answered(pair: Pair, call: str) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    depot.trouble[call] = [OutcomeUnknownError("no answer")]
    town.shop.change("o1", state="cancelled")
    work(town)
    assert out(town) == [("R1", "recalled")]

    town.advance(10)
    work(town)
    assert (out(town), free(town)) == ([("R1", "stopped")], {"SH": (10, 0)})


def test_reports_that_fit_nothing_are_dead_letters_and_stop_no_other(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    number = depot.got[0].number
    depot.send("R20260302999999", "SF9")
    depot.send(number, "SF8", ("o1-1", "A", 3))
    depot.send(number, "SF7", ("o1-1", "Z", 1))
    depot.say("R20260302999998", stopped=True)
    depot.send(number, "SF1", ("o1-1", "A", 1))
    work(town)

    assert len(letters(town)) == 4
    assert [parcel.tracking for parcel in town.shop.parcels] == ["SF1"]
    assert (out(town), free(town)) == ([("R1", "told")], {"SH": (9, 1)})


def test_a_second_parcel_of_what_has_left_whole_is_a_dead_letter_and_stops_no_other(make: Callable[..., Pair]) -> None:
    """The order has units left, in another warehouse: the books would take them for those of this release."""
    both = [WarehousePolicy(id="SH", channel="wms"), WarehousePolicy(id="GZ", priority=2, channel="wms")]
    town, depot = make(warehouses=both)
    put(town, "A", 2)
    put(town, "A", 1, "GZ")
    town.shop.place("o1", ("A", 3))
    work(town)
    first, second = sorted(depot.got, key=lambda got: got.warehouse, reverse=True)
    depot.send(first.number, "SF1")
    depot.send(first.number, "SF9", ("o1-1", "A", 1))
    depot.send(second.number, "SF2")
    work(town)

    assert letters(town) == [f"release {first.number} has 0 units of line o1-1 left to send"]
    assert (looking.status(town, "o1")[0], free(town)) == ("shipped", {"SH": (0, 0), "GZ": (0, 0)})
    assert [parcel.tracking for parcel in town.shop.parcels] == ["SF1", "SF2"]


def test_a_part_that_is_reported_again_changes_nothing_whatever_is_left(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 3))
    work(town)
    depot.send(depot.got[0].number, "SF1", ("o1-1", "A", 2))
    depot.send(depot.got[0].number, "SF1", ("o1-1", "A", 2))
    work(town)

    assert (letters(town), free(town)) == ([], {"SH": (8, 1)})


def test_reports_read_again_after_a_crash_change_nothing(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    depot.send(depot.got[0].number, "SF1", ("o1-1", "A", 1))
    work(town)
    town.advance(1)
    depot.count("A", 9, town.clock.now())
    work(town)
    with town.store.begin() as tx:
        set_cursor(tx, town.channel("wms").id, "warehouse", mark=None)
    work(town)

    assert (out(town), free(town), letters(town)) == ([("R1", "told")], {"SH": (9, 1)}, [])
    assert counters.verify_counters(town.ctx) == []


def test_a_snapshot_older_than_a_departure_has_it_taken_off(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    as_of = town.clock.now() + timedelta(seconds=1)
    town.advance(60)
    depot.send(depot.got[0].number, "SF1")
    work(town)
    depot.count("A", 20, as_of)
    work(town)

    assert free(town) == {"SH": (18, 0)}


def test_a_count_that_has_a_departure_off_already_is_not_reduced_again(pair: Pair) -> None:
    """Whichever of the two is reported first."""
    town, depot = pair
    for order in ("o1", "o2"):
        town.shop.place(order, ("A", 2))
    work(town)
    town.advance(60)
    left_at = town.clock.now()
    town.advance(60)
    as_of = town.clock.now()
    town.advance(60)
    depot.send(depot.got[0].number, "SF1", left_at=left_at)
    work(town)
    depot.count("A", 6, as_of)
    work(town)
    assert free(town) == {"SH": (6, 2)}

    depot.send(depot.got[1].number, "SF2", left_at=left_at)
    work(town)
    assert (free(town), counters.verify_counters(town.ctx), looking.tasks(town)) == ({"SH": (6, 0)}, [], [])


def test_a_count_of_nothing_left_has_off_what_a_parcel_took_that_is_reported_later(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)
    town.advance(60)
    left_at = town.clock.now()
    town.advance(60)
    depot.count("A", 0, town.clock.now())
    work(town)
    depot.send(depot.got[0].number, "SF1", left_at=left_at)
    work(town)

    assert (looking.status(town, "o1")[0], free(town), counters.verify_counters(town.ctx)) == (
        "shipped",
        {"SH": (0, 0)},
        [],
    )


@pytest.mark.parametrize("leaves", ["SH", "GZ"])
def test_of_a_line_that_two_warehouses_hold_that_one_gives_its_units_which_sent_them(
    make: Callable[..., Pair], leaves: str
) -> None:
    both = [WarehousePolicy(id="SH", channel="wms"), WarehousePolicy(id="GZ", priority=2, channel="wms")]
    town, depot = make(warehouses=both)
    for place in ("SH", "GZ"):
        put(town, "A", 1, place)
    town.shop.place("o1", ("A", 2))
    work(town)

    (sent,) = [got for got in depot.got if got.warehouse == leaves]
    depot.send(sent.number, "SF1")
    work(town)

    assert free(town) == {place: (0, 0) if place == leaves else (1, 1) for place in ("SH", "GZ")}


def test_an_older_snapshot_is_passed_over_quietly_and_a_foreign_one_is_not(pair: Pair) -> None:
    town, depot = pair
    depot.count("A", 3, NOON - timedelta(days=1))
    depot.count("A", 3, town.clock.now(), "GZ")
    work(town)

    assert (free(town), letters(town)) == (
        {"SH": (10, 0)},
        ["the warehouse named there is not run by this channel, SH is"],
    )


@pytest.mark.parametrize(("ahead_min", "taken"), [(4, True), (6, False)])
def test_a_count_by_a_clock_that_is_a_few_minutes_ahead_counts_as_made_now(
    pair: Pair, ahead_min: int, taken: bool
) -> None:
    town, depot = pair
    depot.count("A", 7, town.clock.now() + timedelta(minutes=ahead_min))
    work(town)

    assert free(town) == {"SH": (7 if taken else 10, 0)}
    assert len(letters(town)) == int(not taken)


def test_once_through_everything_releases_what_is_ready(pair: Pair) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    drain(town.ctx)
    assert (out(town), depot.numbers) == ([("R1", "told")], [each.number for each in depot.got])

    depot.send(depot.got[0].number, "SF1")
    town.shop.place("o2", ("A", 1))
    drain(town.ctx)
    assert (out(town), free(town)) == ([("R1", "shipped"), ("R2", "told")], {"SH": (8, 1)})
    assert [parcel.tracking for parcel in town.shop.parcels] == ["SF1"]


def test_a_worker_that_lost_its_lease_changes_nothing_more(pair: Pair) -> None:
    """failures.md row 15."""
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    read_shop(town)
    releasing.release_ready(town.ctx)
    wms = town.channel("wms")

    def another_takes_over() -> None:
        town.advance(400)
        upkeep.reclaim_leases(town.ctx)
        assert Context().run(push.push_releases, town.ctx, wms) == 1  # another process has time of its own

    depot.before = lambda: Context().run(another_takes_over)  # another node knows nothing of this call
    assert push.push_releases(town.ctx, wms) == 1

    assert (out(town), len(depot.got), letters(town)) == ([("R1", "told")], 1, [])
    assert free(town) == {"SH": (10, 2)}
    work(town)
    assert (out(town), len(depot.got)) == ([("R1", "told")], 1)


def test_a_process_killed_behind_any_commit_sends_each_order_once(make: Callable[..., Pair]) -> None:
    town, depot = make()
    put(town, "A", 10)
    for number in range(3):
        town.shop.place(f"o{number}", ("A", 1))
    read_shop(town)
    crashes = 0
    for step in range(80):
        dying = DyingStore(town.store.engine, clock=town.clock, vault=town.store.vault)
        dying.commits_left = step % 11 + 1
        sound, town.ctx = town.ctx, replace(town.ctx, store=dying)
        try:
            work(town, shop=False)
        except Crash:
            crashes += 1
            town.ctx = sound
            upkeep.reclaim_leases(town.ctx, owner_gone=True)
        town.ctx = sound
        town.advance(400)
        told = {getattr(report, "release", "") for report in depot.reports}
        for unsent in sorted(set(depot.numbers) - told):
            depot.send(unsent, f"SF-{unsent}")
        if len(town.shop.parcels) == 3:
            break

    assert crashes > 5
    assert len({each.order for each in depot.got}) == len(depot.got) == 3
    assert out(town) == [("R1", "shipped"), ("R2", "shipped"), ("R3", "shipped")]
    assert (free(town), counters.verify_counters(town.ctx), letters(town)) == ({"SH": (7, 0)}, [], [])
