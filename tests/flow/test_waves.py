"""A desk picks in waves: in the order of its shelves, each release in one wave at a time, however many ask at once."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select, update

from erpsync.core.allocation import StockKey
from erpsync.core.policy import WarehousePolicy
from erpsync.flows.desk.board import board
from erpsync.flows.desk.scans import leave
from erpsync.flows.desk.waves import drop_wave, finish_wave, make_due_waves, make_wave
from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.orders.actions import hold_order
from erpsync.store.goods import write_shelves
from erpsync.store.tables import orders, release, sku, wave
from erpsync.store.views.releases import list_releases, list_waves, show_wave, stop_list
from tests.support import looking
from tests.support.depot import read_shop
from tests.support.desk import build_desk, printed, work
from tests.support.shop import Town


@pytest.fixture
def town(database_url: str, request: pytest.FixtureRequest) -> Iterator[Town]:
    """A desk in SH with three releases: o1 of A, o2 of B, o3 of both; B lies on the first shelf."""
    town = build_desk(database_url, **getattr(request, "param", {}))
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=10, actor="me")
    with town.store.begin() as tx:
        ids = {row.code: row.id for row in tx.all(select(sku))}
        place = town.ctx.desks["SH"]
        write_shelves(tx, {StockKey(ids["A"], place): "A-10", StockKey(ids["B"], place): "A-2"})
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("B", 1))
    town.shop.place("o3", ("A", 1), ("B", 2))
    work(town)
    yield town
    town.store.close()


def make(town: Town, *numbers: str, most: int | None = None) -> str | None:
    return make_wave(town.ctx, warehouse="SH", numbers=numbers, most=most, actor="li")


def shown(town: Town, number: str | None) -> dict[str, Any]:
    with town.store.read() as connection:
        return show_wave(connection, number or "")


def number_of(town: Town, order: str) -> str:
    [number] = [each["number"] for each in listed(town) if each["orders"] == [looking.see(town, order)["number"]]]
    return str(number)


def listed(town: Town, **filters: Any) -> list[dict[str, Any]]:
    with town.store.read() as connection:
        return list_releases(connection, **filters)


def print_it(town: Town, number: str | None) -> None:
    """Let the papers of a wave be in somebody's hands."""
    with town.store.begin() as tx:
        tx.execute(wave.update().where(wave.c.number == number).values(state="printed", printed_at=tx.now))
    for member in shown(town, number)["members"]:
        printed(town, member["number"])


def test_a_wave_walks_along_the_shelves_goods_of_one_sku_first(town: Town) -> None:
    got = shown(town, make(town))

    assert [(each["slot"], each["orders"]) for each in got["members"]] == [
        (1, [looking.see(town, "o2")["number"]]),
        (2, [looking.see(town, "o1")["number"]]),
        (3, [looking.see(town, "o3")["number"]]),
    ]
    assert [(line["sku"], line["qty"], line["shelf"]) for line in got["members"][2]["lines"]] == [
        ("A", 1, "A-10"),
        ("B", 2, "A-2"),
    ]
    assert (got["state"], got["releases"], got["states"], got["actor"]) == ("open", 3, {"told": 3}, "li")
    assert [kind for kind, _ in looking.events(town, "wave.")] == ["wave.made"]


def test_what_is_due_first_is_picked_first_where_a_wave_is_small(town: Town) -> None:
    first = shown(town, make(town, most=1))
    second = shown(town, make(town))

    assert [each["orders"] for each in first["members"]] == [[looking.see(town, "o1")["number"]]]
    assert len(second["members"]) == 2
    assert make(town) is None
    assert listed(town, unpicked=True) == []


def test_a_release_is_in_one_wave_at_a_time_and_a_dropped_wave_gives_it_back(town: Town) -> None:
    number = number_of(town, "o1")
    first = make(town, number)

    with pytest.raises(Refused, match=f"release {number} is in wave {first} already"):
        make(town, number)
    drop_wave(town.ctx, first or "", actor="li")
    second = make(town, number)
    assert [each["number"] for each in shown(town, second)["members"]] == [number]
    assert (shown(town, first)["state"], shown(town, first)["releases"]) == ("dropped", 0)


def test_a_wave_is_done_by_itself_when_its_last_parcel_has_left(town: Town) -> None:
    number = make(town)
    print_it(town, number)
    for index, member in enumerate(shown(town, number)["members"], 1):
        assert shown(town, number)["state"] == "printed"
        left = leave(town.ctx, member["number"], carrier="SF", tracking=f"SF100{index}", actor="li")
        assert (left.wave, left.wave_left) == (number, 3 - index)

    assert (shown(town, number)["state"], shown(town, number)["states"]) == ("done", {"shipped": 3})


def test_what_has_not_left_a_wave_that_a_person_ends_is_picked_with_another_one(town: Town) -> None:
    number = make(town)
    with pytest.raises(Refused, match="is not printed; drop it instead"):
        finish_wave(town.ctx, number or "", actor="li")
    print_it(town, number)
    leave(town.ctx, number_of(town, "o1"), carrier="SF", tracking="SF1001", actor="li")

    assert finish_wave(town.ctx, number or "", actor="li") == sorted([number_of(town, "o2"), number_of(town, "o3")])
    assert shown(town, number)["states"] == {"shipped": 1}
    assert len(shown(town, make(town))["members"]) == 2
    with pytest.raises(Refused, match="is done already"):
        finish_wave(town.ctx, number or "", actor="li")
    with pytest.raises(Refused, match="only one that is not printed is dropped"):
        drop_wave(town.ctx, number or "", actor="li")


def test_an_order_that_is_cancelled_before_its_wave_is_printed_leaves_the_wave(town: Town) -> None:
    number = make(town)
    town.shop.change("o1", state="cancelled")
    work(town)

    assert [each["slot"] for each in shown(town, number)["members"]] == [1, 3]
    for order in ("o2", "o3"):
        town.shop.change(order, state="cancelled")
    work(town)
    assert (shown(town, number)["state"], shown(town, number)["releases"]) == ("dropped", 0)


def test_an_order_that_is_cancelled_after_its_wave_was_printed_is_on_the_stop_list_and_keeps_its_slot(
    town: Town,
) -> None:
    number = make(town)
    print_it(town, number)
    town.shop.change("o1", state="cancelled")
    work(town)

    with town.store.read() as connection:
        [stops] = stop_list(connection, town.ctx.desks.values())
    assert (stops["orders"], stops["wave"], stops["slot"]) == ([looking.see(town, "o1")["number"]], number, 2)
    assert shown(town, number)["states"] == {"recalled": 1, "told": 2}


def test_only_a_desk_makes_waves_and_only_of_its_own_releases(town: Town) -> None:
    with pytest.raises(Refused, match="warehouse HZ has no desk; there is one in SH"):
        make_wave(town.ctx, warehouse="HZ", actor="li")
    with pytest.raises(Refused, match="this desk has no release R1"):
        make(town, "R1")
    with pytest.raises(Refused, match="a wave holds at least 1 release, not 0"):
        make(town, most=0)
    assert looking.count(town, "wave") == 0


@pytest.mark.parametrize(
    "town", [{"warehouses": [WarehousePolicy(id="SH", desk=True, wave_min=2, wave_size=2)]}], indirect=True
)
def test_a_desk_that_says_how_many_must_wait_gets_its_waves_by_itself(town: Town) -> None:
    assert make_due_waves(town.ctx) == 1
    assert make_due_waves(town.ctx) == 0

    with town.store.read() as connection:
        [made] = list_waves(connection)
    assert (made["releases"], made["actor"], len(listed(town, unpicked=True))) == (2, "erpsync", 1)


@pytest.mark.concurrent("threads")
def test_two_who_make_waves_at_once_never_share_a_release(town: Town) -> None:
    for index in range(4, 12):
        town.shop.place(f"o{index}", ("A" if index % 2 else "B", 1))
    work(town)
    start = threading.Barrier(4)

    def one(_: int) -> str | None:
        start.wait()
        return make(town, most=3)

    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(one, range(4)))
    in_waves = [(each["wave"], each["slot"]) for each in listed(town)]
    assert len(set(in_waves)) == 11
    assert sorted(shown(town, number)["releases"] for number in made) == [2, 3, 3, 3]


def test_numbers_of_waves_count_up_by_day(town: Town) -> None:
    made = [make(town, most=1), make(town, most=1)]

    assert [number and (number[0], number[-4:]) for number in made] == [("W", "0001"), ("W", "0002")]
    assert looking.rows(town, select(release.c.slot).order_by(release.c.id)) == [(1,), (1,), (None,)]


def test_a_release_whose_recipient_waits_for_another_order_is_picked_only_where_it_is_named(town: Town) -> None:
    for name in ("o8", "o9"):
        town.shop.place(name, ("A", 1))
    read_shop(town)
    with town.store.begin() as tx:
        tx.execute(update(orders).where(orders.c.external_id.in_(("o8", "o9"))).values(merge_index=b"wang"))
    hold_order(town.ctx, str(looking.see(town, "o9")["number"]), reason="look", actor="li")
    work(town, shop=False)
    number = number_of(town, "o8")

    picked = [member["number"] for member in shown(town, make(town))["members"]]
    [waiting] = board(town.ctx, "SH", most=10).waiting
    assert number not in picked
    assert (waiting.release["number"], waiting.beside) == (number, [looking.see(town, "o9")["number"]])
    assert make(town) is None

    assert [member["number"] for member in shown(town, make(town, number))["members"]] == [number]
