"""Lines of several orders go out in one release: told once, reported once, and each order is dealt with by itself."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from erpsync.flows.inventory import counts
from erpsync.flows.operations import counters
from erpsync.flows.operations.tasks import finish_task
from erpsync.flows.orders import actions
from erpsync.flows.shipments.record import ship
from erpsync.flows.warehouses import push
from erpsync.flows.warehouses import release as releasing
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.types import Repeat
from erpsync.store.tables import release, task
from erpsync.store.views.attention import list_tasks
from erpsync.store.views.find import search_orders
from erpsync.store.views.story import tell_order
from tests.support import looking, walk
from tests.support.depot import Depot, build_depot, one_parcel, read_shop, release_together, work
from tests.support.shop import Town

Pair = tuple[Town, Depot]


@pytest.fixture
def pair(database_url: str, request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two A for o1 and one B for o2, both of one buyer, and a pending release of both orders in SH."""
    town, depot = build_depot(database_url, **getattr(request, "param", {}))
    for sku in ("A", "B"):
        counts.set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=10, actor="me")
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("B", 1))
    read_shop(town)
    release_together(town, "o1", "o2")
    yield town, depot
    town.store.close()


def states(town: Town) -> list[str]:
    """Return the states of all releases, in the order in which they were made."""
    return [state for (state,) in looking.rows(town, select(release.c.state).order_by(release.c.id))]


def both(town: Town) -> tuple[str, str]:
    """Return the statuses of both orders."""
    return looking.status(town, "o1")[0], looking.status(town, "o2")[0]


def number(town: Town, order: str) -> str:
    return str(looking.see(town, order)["number"])


def next_steps(town: Town, order: str) -> list[str]:
    with town.store.read() as connection:
        steps: list[str] = tell_order(connection, order)["next"]
    return steps


def test_a_warehouse_is_told_once_of_all_lines_and_of_the_order_of_each(pair: Pair) -> None:
    town, depot = pair
    work(town)

    [got] = depot.got
    first, second = number(town, "o1"), number(town, "o2")
    assert got.order == f"{first}, {second}"
    assert [(each.order, each.line, each.sku, each.qty) for each in got.lines] == [
        (first, "o1-1", "A", 2),
        (second, "o2-1", "B", 1),
    ]
    assert (states(town), both(town)) == (["told"], ("released", "released"))
    assert [looking.story(town, order).count("release.told") for order in ("o1", "o2")] == [1, 1]


def test_a_parcel_of_all_of_it_ships_every_order_and_is_told_to_the_shop_for_each(pair: Pair) -> None:
    town, depot = pair
    work(town)
    for _ in range(2):  # a report may come again
        depot.send(depot.numbers[0], "SF1")
    work(town)

    assert (states(town), both(town)) == (["shipped"], ("shipped", "shipped"))
    assert sorted((each.order_external_id, each.tracking, each.whole) for each in town.shop.parcels) == [
        ("o1", "SF1", True),
        ("o2", "SF1", True),
    ]
    assert looking.on_shelf(town) == {("SH", "A"): (8, 0), ("SH", "B"): (9, 0)}
    assert (looking.letters(town), counters.verify_counters(town.ctx)) == ([], [])


def test_the_story_of_each_order_names_its_own_parcel_only(pair: Pair) -> None:
    town, depot = pair
    work(town)
    depot.send(depot.numbers[0], "SF1")
    work(town)

    for order in ("o1", "o2"):
        shown = looking.see(town, order)
        [left] = [event["detail"]["shipments"] for event in shown["events"] if event["kind"] == "order.shipped"]
        assert left == [parcel["number"] for parcel in shown["shipments"]]


def test_a_parcel_of_one_orders_lines_leaves_the_other_with_the_warehouse(pair: Pair) -> None:
    town, depot = pair
    work(town)
    depot.send(depot.numbers[0], "SF1", ("o2-1", "B", 1))
    work(town)
    assert (states(town), both(town)) == (["told"], ("released", "shipped"))

    depot.send(depot.numbers[0], "SF2")
    depot.send(depot.numbers[0], "SF1", ("o2-1", "B", 1))
    work(town)
    assert (states(town), both(town), looking.letters(town)) == (["shipped"], ("shipped", "shipped"), [])
    assert [(each.order_external_id, each.tracking) for each in town.shop.parcels] == [("o2", "SF1"), ("o1", "SF2")]


def test_lines_of_the_same_name_are_told_apart_by_their_order_or_not_booked(pair: Pair) -> None:
    """Shops that number the lines of each order from one."""
    town, depot = pair
    for order in ("o3", "o4"):
        placed = town.shop.place(order, ("A", 1))
        town.shop.change(order, lines=[placed["lines"][0] | {"id": "1"}])
    read_shop(town)
    release_together(town, "o3", "o4")
    work(town)
    shared = depot.numbers[1]

    depot.send(shared, "SF7", ("1", "A", 1))
    work(town)
    assert [looking.status(town, order)[0] for order in ("o3", "o4")] == ["released", "released"]
    assert len(looking.letters(town)) == 1

    depot.send(shared, "SF7", ("1", "A", 1), order=number(town, "o4"))
    depot.send(shared, "SF8", ("1", "A", 1), order="S-nobody")
    work(town)
    assert [looking.status(town, order)[0] for order in ("o3", "o4")] == ["released", "shipped"]
    assert len(looking.letters(town)) == 2


def test_a_cancel_of_one_order_stops_the_release_and_sends_the_other_anew(pair: Pair) -> None:
    town, depot = pair
    work(town)
    town.shop.change("o1", state="cancelled")
    read_shop(town)
    assert (states(town), both(town)) == (["recalled"], ("cancelled", "released"))

    work(town)
    assert (states(town), both(town)) == (["stopped", "told"], ("cancelled", "released"))
    assert (depot.asked, [(each.line, each.qty) for each in depot.got[1].lines]) == ([depot.numbers[0]], [("o2-1", 1)])
    assert depot.got[1].order == number(town, "o2")
    assert looking.on_shelf(town) == {("SH", "A"): (10, 0), ("SH", "B"): (10, 1)}
    for order in ("o1", "o2"):
        story = looking.story(town, order)
        assert (story.count("release.recalled"), story.count("release.stopped")) == (1, 1)
    assert (looking.tasks(town), counters.verify_counters(town.ctx)) == ([], [])


def test_a_release_given_back_unasked_leaves_every_order_to_a_person(pair: Pair) -> None:
    town, depot = pair
    work(town)
    depot.say(depot.numbers[0], stopped=True, reason="broken")
    work(town)
    held = ("held", "warehouse_refused")
    assert [looking.status(town, order) for order in ("o1", "o2")] == [held, held]

    for order in ("o1", "o2"):
        actions.end_hold(town.ctx, order, actor="me")
    work(town)
    assert (states(town), both(town)) == (["stopped", "told", "told"], ("released", "released"))


def test_what_a_warehouse_will_not_stop_is_one_task_that_each_order_shows(pair: Pair) -> None:
    town, depot = pair
    depot.answer = False
    work(town)
    town.shop.change("o2", state="cancelled")
    work(town)

    assert (states(town), looking.tasks(town)) == (["kept"], ["recall"])
    with town.store.read() as connection:
        [listed] = list_tasks(connection)
    for order in ("o1", "o2"):
        assert [step for step in next_steps(town, order) if step.startswith(f"task {listed['id']}: ")]
        assert looking.story(town, order).count("release.kept") == 1

    depot.send(depot.numbers[0], "SF1")
    work(town)
    assert (states(town), looking.tasks(town)) == (["shipped"], ["gate"])
    assert [each.order_external_id for each in town.shop.parcels] == ["o1"]


def test_what_holds_one_order_drops_the_release_and_the_other_goes_alone(pair: Pair) -> None:
    town, depot = pair
    actions.hold_order(town.ctx, "o1", reason="look", actor="me")
    work(town)

    assert (states(town), both(town)) == (["dropped", "told"], ("held", "released"))
    assert [each.order for each in depot.got] == [number(town, "o2")]


def test_orders_that_go_to_two_people_by_now_are_never_sent_together(pair: Pair) -> None:
    """Row 33: merged for one recipient, and then one of them changes."""
    town, depot = pair
    town.shop.change("o2", name="李雷", address="人民路 2 号")
    work(town)

    assert states(town) == ["dropped", "told", "told"]
    assert {each.order: each.recipient.name for each in depot.got} == {
        number(town, "o1"): "王小明",
        number(town, "o2"): "李雷",
    }


def test_a_refund_of_one_order_that_became_known_too_late_names_the_release(pair: Pair) -> None:
    town, depot = pair
    town.shop.refund("r1", "o2", n1=1)
    push.push_releases(town.ctx, town.channel("wms"))
    assert states(town) == ["told"]
    walk.read(town, "refunds")

    [(key, reason)] = looking.rows(town, select(task.c.key, task.c.reason).where(task.c.kind == "refund_late"))
    assert (key, reason.startswith(f"release {depot.numbers[0]} went out")) == (number(town, "o2"), True)


def test_a_shop_that_cannot_be_read_holds_the_release_until_every_order_could_be(pair: Pair) -> None:
    town, depot = pair
    town.advance(60)
    town.shop.trouble["complete"] = [TransientError("timed out")]
    push.push_releases(town.ctx, town.channel("wms"))
    assert (depot.got, states(town)) == ([], ["pending"])

    town.advance(10)
    work(town, shop=False)
    assert (len(depot.got), states(town)) == (1, ["told"])


def test_a_release_that_cannot_be_judged_is_a_persons_when_the_first_of_its_orders_is_due(pair: Pair) -> None:
    town, depot = pair
    town.shop.change("o2", ship_by_at=town.clock.now() + timedelta(hours=8))
    read_shop(town)
    town.shop.trouble["complete"] = [TransientError("no route")] * 100
    town.advance(3 * 3600)
    push.push_releases(town.ctx, town.channel("wms"))

    [(asked, reason)] = looking.rows(town, select(task.c.id, task.c.reason).where(task.c.kind == "gate"))
    assert reason.startswith(f"release R20260302000001 of order {number(town, 'o1')} (o1) and order ")
    for order in ("o1", "o2"):
        assert [step for step in next_steps(town, order) if step.startswith(f"task {asked}: ")]

    finish_task(town.ctx, asked, actor="me")
    push.push_releases(town.ctx, town.channel("wms"))
    assert (len(depot.got), looking.tasks(town)) == (1, [])


def test_units_that_somebody_sent_by_hand_are_no_news_of_a_release_but_the_rest_of_it_is(pair: Pair) -> None:
    """The warehouse was asked to stop, and sends all of it nevertheless: the other order's units have left."""
    town, depot = pair
    depot.answer = None
    work(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF9", actor="me")
    depot.send(depot.numbers[0], "SF1")
    work(town)

    assert [(each.order_external_id, each.tracking) for each in town.shop.parcels] == [("o1", "SF9"), ("o2", "SF1")]
    assert (both(town), len(looking.letters(town))) == (("shipped", "shipped"), 1)
    assert counters.verify_counters(town.ctx) == []


def test_a_refusal_is_one_letter_that_each_order_shows(pair: Pair) -> None:
    town, depot = pair
    depot.trouble["release before"] = [RejectedError("no such article", code="404")]
    work(town)

    assert (states(town), len(looking.letters(town))) == (["refused"], 1)
    for order in ("o1", "o2"):
        assert [step for step in next_steps(town, order) if step.startswith("dead letter ")]
        assert looking.story(town, order).count("release.refused") == 1


@pytest.mark.parametrize("pair", [{"repeat": Repeat.NEVER}], indirect=True)
def test_an_unknown_outcome_is_asked_once_and_its_answer_stands_in_every_story(pair: Pair) -> None:
    town, depot = pair
    depot.trouble["release after"] = [OutcomeUnknownError("no answer")]
    work(town)
    assert (states(town), looking.tasks(town)) == (["unsure"], ["unknown"])

    [(asked,)] = looking.rows(town, select(task.c.id))
    finish_task(town.ctx, asked, actor="me", arrived=True)
    assert (states(town), len(depot.got)) == (["told"], 1)
    for order in ("o1", "o2"):
        story = looking.story(town, order)
        assert (story.count("release.unknown"), story.count("release.told")) == (1, 1)


def test_orders_are_found_by_the_number_of_a_release_that_holds_lines_of_them_each_once(pair: Pair) -> None:
    town, depot = pair
    work(town)
    with town.store.read() as connection:
        found = search_orders(connection, depot.numbers[0])

    assert [each["external_id"] for each in found.orders] == ["o2", "o1"]
    assert set(found.matched.values()) == {"release"}


def test_an_order_is_open_in_one_release_of_a_warehouse_only(pair: Pair) -> None:
    town, _ = pair
    town.shop.place("o3", ("A", 1))
    read_shop(town)
    parcel = one_parcel(town, "o3")

    def make() -> None:
        with town.store.begin() as tx:
            releasing.make_releases(tx, town.ctx, [parcel])

    make()
    with pytest.raises(IntegrityError):
        make()


@pytest.mark.concurrent("threads")
def test_two_nodes_that_make_releases_at_once_make_each_once(pair: Pair) -> None:
    town, _ = pair
    for nth in range(3, 9):
        town.shop.place(f"o{nth}", ("A", 1))
    read_shop(town)
    gate = threading.Barrier(2)

    def make() -> int:
        gate.wait()
        return releasing.release_ready(town.ctx)

    with ThreadPoolExecutor(2) as pool:
        made = [each.result() for each in [pool.submit(make), pool.submit(make)]]

    assert (sum(made), states(town)) == (6, ["pending"] * 7)


@pytest.mark.concurrent("threads")
def test_two_orders_that_are_cancelled_at_once_recall_their_release_once(pair: Pair) -> None:
    town, depot = pair
    work(town)
    gate = threading.Barrier(2)

    def cancel(order: str) -> None:
        gate.wait()
        actions.cancel_order(town.ctx, order, reason="changed mind", actor="me")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(cancel, ("o1", "o2")))
    work(town)

    assert (states(town), depot.asked, both(town)) == (["stopped"], [depot.numbers[0]], ("cancelled", "cancelled"))
    assert [looking.story(town, order).count("release.recalled") for order in ("o1", "o2")] == [1, 1]
    assert counters.verify_counters(town.ctx) == []
