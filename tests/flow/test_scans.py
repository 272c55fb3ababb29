"""A parcel leaves the desk when it is scanned, once; what must not leave is refused with what to do instead."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert, select

from erpsync.flows.desk.scans import Left, leave, look_up
from erpsync.flows.desk.stops import stop
from erpsync.flows.desk.waves import make_wave
from erpsync.flows.errors import Refused
from erpsync.flows.operations import counters
from erpsync.flows.orders.actions import end_hold, hold_order
from erpsync.flows.shipments.record import ship
from erpsync.store.tables import release, waybill
from erpsync.store.views.releases import show_release
from erpsync.store.views.values import NotFound
from tests.support import looking
from tests.support.desk import build_desk, printed, states, work
from tests.support.dying import At, Crash, dying
from tests.support.shop import Town


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A desk in SH that has got o1, two of A, and o2, one of A."""
    town = build_desk(database_url)
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 1))
    work(town)
    yield town
    town.store.close()


def first(town: Town) -> str:
    return next(iter(states(town)))


def scan(town: Town, code: str, tracking: str = "", carrier: str = "", *, actor: str = "li") -> Left:
    return leave(town.ctx, code, carrier=carrier or ("SF" if tracking else ""), tracking=tracking, actor=actor)


def book(town: Town, number: str, tracking: str, *, state: str = "booked", parcel: int = 1) -> None:
    """Let a courier have given a number for a release."""
    with town.store.begin() as tx:
        id = tx.execute(select(release.c.id).where(release.c.number == number)).scalar_one()
        row = {"account_id": town.channel().id, "release_id": id, "parcel": parcel, "key": f"{number}-1"}
        own = {"carrier": "SF", "number": tracking, "state": state, "made_at": tx.now}
        tx.execute(insert(waybill).values(**row, **own))


def refused(town: Town) -> list[dict[str, Any]]:
    return [detail for _, detail in looking.events(town, "scan.refused")]


def test_a_scanned_parcel_has_left_and_the_shop_is_told(town: Town) -> None:
    number = first(town)
    left = scan(town, number.lower(), "sf 1001")
    work(town)

    assert left == Left(
        release=number,
        carrier="SF",
        tracking="SF1001",
        orders=(looking.see(town, "o1")["number"],),
        shipments=(f"{looking.see(town, 'o1')['number']}-1",),
    )
    assert list(states(town).values()) == ["shipped", "told"]
    assert [(each.order_external_id, each.tracking, each.whole) for each in town.shop.parcels] == [
        ("o1", "SF1001", True)
    ]
    assert looking.on_shelf(town)[("SH", "A")] == (8, 1)
    assert (looking.story(town, "o1").count("order.shipped"), counters.verify_counters(town.ctx)) == (1, [])
    with town.store.read() as connection:
        assert show_release(connection, number)["tracking"] == ["SF1001"]


def test_a_release_without_a_waybill_asks_for_the_courier_and_its_label_and_nothing_leaves(town: Town) -> None:
    number = first(town)
    seen = look_up(town.ctx, number)

    assert (seen.kind, seen.may, seen.asks) == ("release", ("leave", "stop"), ("carrier", "tracking"))
    with pytest.raises(Refused, match="has no waybill; say which courier takes it, and scan its label"):
        scan(town, number)
    with pytest.raises(Refused, match=r"has no waybill; say which courier takes it$"):
        leave(town.ctx, number, tracking="SF1001", actor="li")
    with pytest.raises(Refused, match="that is no courier's number"):
        scan(town, number, "??")
    assert (states(town)[number], refused(town)) == ("told", [])


def test_a_release_leaves_with_its_waybill_which_is_used_then(town: Town) -> None:
    number = first(town)
    book(town, number, "SF777001")

    assert (look_up(town.ctx, "sf777001").number, look_up(town.ctx, "SF777001").asks) == (number, ())
    assert scan(town, "SF777001").tracking == "SF777001"
    assert looking.rows(town, select(waybill.c.state)) == [("used",)]
    assert states(town)[number] == "shipped"


def test_the_label_of_another_parcel_does_not_leave(town: Town) -> None:
    one, two = states(town)
    book(town, one, "SF777001")

    with pytest.raises(Refused, match=f"release {one} has the label SF777001, not SF778001; put the right one on"):
        scan(town, one, "SF778001")
    with pytest.raises(Refused, match=f"SF777001 is the number of another parcel; put the label of release {two} on"):
        scan(town, two, "SF777001")
    scan(town, one)
    assert [each["why"] for each in refused(town)] == ["other_label", "other_label"]


def test_two_labels_with_one_number_never_leave_unnoticed(town: Town) -> None:
    """Row 37."""
    one, two = states(town)
    scan(town, one, "SF1001")

    with pytest.raises(Refused, match=f"release {one} has left already, with SF1001"):
        scan(town, one, "SF1001")
    with pytest.raises(Refused, match="SF1001 has left already, with order"):
        scan(town, two, "SF1001")
    with pytest.raises(Refused, match="SF1001 has left already, with order"):
        scan(town, "SF1001")
    assert [(each["why"], each.get("release")) for each in refused(town)] == [
        ("left", one),
        ("label_used", two),
        ("left", None),
    ]
    assert looking.count(town, "shipment") == 1


def test_a_courier_that_has_given_no_number_yet_is_waited_for(town: Town) -> None:
    book(town, first(town), "", state="unsure")

    with pytest.raises(Refused, match="the courier has given no number for release"):
        scan(town, first(town), "SF1001")
    assert [each["why"] for each in refused(town)] == ["no_label"]


def test_a_label_that_was_cancelled_is_not_used_any_more(town: Town) -> None:
    number = first(town)
    book(town, number, "SF777001", state="cancelled")

    with pytest.raises(Refused, match="SF777001 is not to be used any more"):
        scan(town, "SF777001")
    assert refused(town) == [{"why": "void_label", "release": number, "label": "SF777001"}]


def test_a_code_of_nobody_is_refused_and_not_kept(town: Town) -> None:
    for code in ("13800001111", "王小明", "R20260101999999"):
        assert look_up(town.ctx, code).kind == "unknown"
        with pytest.raises(Refused, match="no release and no label of ours has that number"):
            scan(town, code, "SF100100")
    assert refused(town) == [{"why": "unknown"}] * 3


@pytest.mark.parametrize(("change", "why"), [("cancelled", "is cancelled"), ("held", "is held")])
def test_a_recalled_parcel_is_taken_out_and_stopped(town: Town, change: str, why: str) -> None:
    """Row 36: printed, and then it must not leave."""
    number = first(town)
    printed(town, number)
    if change == "held":
        hold_order(town.ctx, "o1", reason="ask him", actor="me")
    else:
        town.shop.change("o1", state="cancelled")
    work(town)

    with pytest.raises(Refused, match=f"must not leave, order .* {why}; take it out and stop it"):
        scan(town, number, "SF100100")
    assert look_up(town.ctx, number).may == ("stop",)
    stop(town.ctx, number, actor="li")
    assert (states(town)[number], looking.tasks(town)) == ("stopped", [])
    assert looking.on_shelf(town)[("SH", "A")] == (10, 1 if change == "cancelled" else 3)
    with pytest.raises(Refused, match=f"release {number} was stopped; put its goods back on the shelf"):
        scan(town, number, "SF100100")
    assert [each["why"] for each in refused(town)] == ["recalled", "stopped"]


def test_a_slip_that_another_release_replaces_is_refused_with_its_number(town: Town) -> None:
    """Row 37: the old paper of what was planned anew."""
    number = first(town)
    printed(town, number)
    hold_order(town.ctx, "o1", reason="ask him", actor="me")
    work(town)
    stop(town.ctx, number, actor="li")
    end_hold(town.ctx, "o1", actor="me")
    work(town)
    newest = list(states(town))[-1]

    with pytest.raises(Refused, match=f"release {number} is replaced by {newest}"):
        scan(town, number, "SF100100")
    assert scan(town, newest, "SF100100").release == newest


def test_what_left_before_it_was_stopped_keeps_its_units_and_is_asked_back(town: Town) -> None:
    number = first(town)
    printed(town, number)
    town.shop.change("o1", state="cancelled")
    work(town)
    stop(town.ctx, number, actor="li", left=True)

    assert (states(town)[number], looking.tasks(town)) == ("kept", ["recall"])
    scan(town, number, "SF100100")
    assert states(town)[number] == "shipped"


def test_what_nobody_recalled_waits_for_a_person_once_it_was_stopped(town: Town) -> None:
    number = first(town)
    with pytest.raises(Refused, match="nobody has recalled release"):
        stop(town.ctx, number, actor="li", left=True)
    stop(town.ctx, number, actor="li", reason="the glass is broken")
    work(town)

    assert (states(town)[number], looking.status(town, "o1")) == ("stopped", ("held", "warehouse_refused"))
    [event] = [each for each in looking.see(town, "o1")["events"] if each["kind"] == "release.stopped"]
    assert (event["actor"], event["detail"]["why"]) == ("li", "the glass is broken")
    with pytest.raises(Refused, match=f"release {number} is stopped already"):
        stop(town.ctx, number, actor="li")
    with pytest.raises(NotFound):
        stop(town.ctx, "R1", actor="li")


def test_a_wave_says_what_of_it_is_still_to_leave(town: Town) -> None:
    number = make_wave(town.ctx, warehouse="SH", actor="li") or ""
    seen = look_up(town.ctx, number)
    assert (seen.kind, seen.may) == ("wave", ("print", "drop"))
    assert seen.text == f"2 of the 2 releases of wave {number} are still to leave"


def test_an_order_that_is_shipped_by_hand_ends_its_release_at_the_desk(town: Town) -> None:
    number = first(town)
    make_wave(town.ctx, warehouse="SH", actor="li")
    ship(town.ctx, order="o1", carrier="SF", tracking="SF9", actor="me")
    work(town)

    assert states(town)[number] == "shipped"
    assert looking.on_shelf(town)[("SH", "A")] == (8, 1)
    with pytest.raises(Refused):
        scan(town, number, "SF100110")
    assert (looking.count(town, "shipment"), counters.verify_counters(town.ctx)) == (1, [])


@pytest.mark.parametrize("at", ["before", "behind"])
def test_a_scan_that_dies_around_its_commit_has_left_whole_or_not_at_all(town: Town, at: At) -> None:
    number = first(town)
    book(town, number, "SF777001")
    with pytest.raises(Crash):
        leave(dying(town, at), "SF777001", actor="li")

    done = at == "behind"
    assert states(town)[number] == ("shipped" if done else "told")
    assert looking.rows(town, select(waybill.c.state)) == [("used" if done else "booked",)]
    assert looking.count(town, "shipment") == (1 if done else 0)
    if done:
        with pytest.raises(Refused, match="has left already"):
            scan(town, "SF777001")
    else:
        assert scan(town, "SF777001").release == number
    assert (looking.count(town, "shipment"), looking.problems(town)) == (1, [])


@pytest.mark.concurrent("threads")
def test_of_many_who_scan_one_parcel_one_sends_it(town: Town) -> None:
    number = first(town)
    start = threading.Barrier(4)

    def one(index: int) -> bool:
        start.wait()
        try:
            return scan(town, number, f"SF100{index}", actor=f"li{index}").release == number
        except Refused:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(one, range(4))) == [False, False, False, True]
    assert [each["why"] for each in refused(town)] == ["left"] * 3
    assert (looking.count(town, "shipment"), looking.on_shelf(town)[("SH", "A")]) == (1, (8, 1))


@pytest.mark.concurrent("threads")
def test_a_scan_against_a_recall_ends_as_one_of_them_says(town: Town) -> None:
    number = first(town)
    printed(town, number)
    start = threading.Barrier(2)

    def hold() -> None:
        start.wait()
        hold_order(town.ctx, "o1", reason="ask him", actor="me")

    def go() -> bool:
        start.wait()
        try:
            return scan(town, number, "SF100100").release == number
        except Refused:
            return False

    with ThreadPoolExecutor(2) as pool:
        held, left = pool.submit(hold), pool.submit(go)
        went = left.result()
    assert (went, held.exception() is None) in ((True, True), (True, False), (False, True))
    assert states(town)[number] == ("shipped" if went else "recalled")
    assert (looking.count(town, "shipment"), looking.problems(town)) == (1 if went else 0, [])
