"""A release's number: bought in advance or booked, once, whatever is lost on the way, and let go when it is stopped."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.couriers import acts
from erpsync.flows.couriers.ends import use_waybills
from erpsync.flows.couriers.numbers import NumberRow, account_named, import_numbers
from erpsync.flows.couriers.stale import tell_stale
from erpsync.flows.couriers.wanted import want_waybills
from erpsync.flows.errors import Refused
from erpsync.flows.intake import poll
from erpsync.flows.operations import upkeep
from erpsync.flows.operations.tasks import finish_task
from erpsync.flows.shipments.record import ship
from erpsync.sdk.errors import OutcomeUnknownError, RateLimitedError, RejectedError, TransientError
from erpsync.sdk.types import BookedNumber, LabelKind, Repeat, SpareNumber, Waybill
from erpsync.store.releases import lock_orders_in, release_id_numbered
from erpsync.store.tables import task
from erpsync.store.tasks import task_of
from tests.support import looking
from tests.support.courier import Courier, build_courier_desk, push, release_one, rows, states
from tests.support.desk import printed, work
from tests.support.shop import Town

Make = Callable[..., tuple[Town, Courier]]


@pytest.fixture
def make(database_url: str) -> Iterator[Make]:
    """Build desks with an account; each is closed at the end."""
    made: list[Town] = []

    def build(**options: Any) -> tuple[Town, Courier]:
        town, courier = build_courier_desk(database_url, **options)
        made.append(town)
        return town, courier

    yield build
    for town in made:
        town.store.close()


def lost() -> OutcomeUnknownError:
    return OutcomeUnknownError("no answer")


def spare(*numbers: str, carrier: str = "SF") -> list[NumberRow]:
    return [NumberRow(carrier=carrier, number=number, source=f"f:{at}") for at, number in enumerate(numbers, 2)]


def buy(town: Town, *numbers: str) -> None:
    import_numbers(town.ctx, account_named(town.ctx, "sf"), spare(*numbers), actor="me")


def texts(town: Town) -> list[str]:
    return [text for (text,) in looking.rows(town, "SELECT reason FROM task WHERE closed_at IS NULL")]


def open_task(town: Town, kind: str) -> int:
    with town.store.begin() as tx:
        [row] = [row for row in tx.all(task.select()) if row.kind == kind and row.closed_at is None]
        return task_of(row).id


def later(town: Town, seconds: float) -> None:
    """Let time go by and carry out what is due then."""
    town.advance(seconds)
    push(town)


# ---- numbers bought in advance


def test_a_release_takes_the_oldest_number_that_was_bought(make: Make) -> None:
    town, courier = make()
    buy(town, "N1", "N2")

    number = release_one(town)
    push(town)

    assert rows(town, "number", "state", "key") == [("N1", "booked", f"{number}-1-1"), ("N2", "spare", None)]
    assert courier.calls == 0
    assert "waybill.booked" in looking.story(town, "o1")


def test_a_number_of_another_courier_is_left_alone(make: Make) -> None:
    town, _ = make()
    import_numbers(town.ctx, account_named(town.ctx, "sf"), spare("N1", carrier="YTO"), actor="me")

    release_one(town)

    assert rows(town, "number", "state") == [("N1", "spare"), ("", "wanted")]


def test_the_same_number_twice_is_no_news_and_an_unknown_courier_is_named(make: Make) -> None:
    town, _ = make()
    buy(town, "N1")

    said = import_numbers(
        town.ctx, account_named(town.ctx, "sf"), [*spare("N1"), *spare("N3", carrier="XX")], actor="me"
    )

    assert (said.taken, [source for source, _ in said.refused]) == (1, ["f:2"])
    assert rows(town, "number") == ["N1"]


def test_a_shop_is_no_account(make: Make) -> None:
    town, _ = make()

    with pytest.raises(Refused, match="no account with a courier"):
        account_named(town.ctx, "shop")


def test_without_numbers_a_person_is_asked_and_new_ones_go_to_who_waits(make: Make) -> None:
    town, _ = make(books=False)
    number = release_one(town)
    assert states(town) == ["wanted"]
    assert looking.tasks(town) == ["no_waybill"]

    buy(town, "N1")

    assert rows(town, "number", "state", "key") == [("N1", "booked", f"{number}-1-1")]
    assert looking.tasks(town) == []


def test_wanting_twice_is_wanting_once(make: Make) -> None:
    town, courier = make()
    number = release_one(town)

    with town.store.begin() as tx:
        release_id = release_id_numbered(tx, number)
        assert release_id is not None
        lock_orders_in(tx, release_id)
        assert want_waybills(tx, town.ctx, [release_id]) == 0
    push(town)

    assert states(town) == ["booked"]
    assert len(courier.paid) == 1


# ---- bookings


def test_a_parcel_is_booked_with_what_the_courier_has_to_know(make: Make) -> None:
    town, courier = make()
    number = release_one(town)
    push(town)

    [request] = courier.requests
    assert request.key == f"{number}-1-1"
    assert (request.sender.name, request.recipient.name) == ("王掌柜", "王o1")
    assert [(good.name, good.qty) for good in request.parcels[0].goods] == [("A", 2)]
    assert rows(town, "number", "state", "cost_minor") == [("SF0000000000001", "booked", 1200)]


def test_a_lost_answer_is_looked_for_and_found(make: Make) -> None:
    town, courier = make()
    courier.trouble["book after"] = [lost()]
    release_one(town)
    push(town)
    assert states(town) == ["unsure"]

    later(town, 31)

    assert states(town) == ["booked"]
    assert len(courier.paid) == 1


def test_what_is_not_found_is_sent_again_where_a_key_is_taken_once(make: Make) -> None:
    town, courier = make(idempotent=True)
    courier.trouble["book before"] = [lost()]
    release_one(town)
    push(town)

    later(town, 31)

    assert (states(town), courier.calls, len(courier.paid)) == (["booked"], 2, 1)


def test_elsewhere_it_is_looked_for_twice_and_then_a_person_decides(make: Make) -> None:
    """Row 26: where a platform takes a key twice, nobody sends it twice."""
    town, courier = make()
    courier.trouble["book before"] = [lost()]
    release_one(town)
    push(town)

    later(town, 31)
    assert looking.tasks(town) == []
    later(town, 31)

    assert looking.tasks(town) == ["unknown"]
    assert (states(town), courier.calls) == (["unsure"], 1)


def test_a_person_says_that_it_is_not_there_and_it_is_sent_again(make: Make) -> None:
    town, courier = make(repeat=Repeat.NEVER)
    courier.trouble["book before"] = [lost()]
    release_one(town)
    push(town)
    assert (looking.tasks(town), states(town)) == (["unknown"], ["unsure"])

    finish_task(town.ctx, open_task(town, "unknown"), actor="me")
    push(town)

    assert (states(town), len(courier.paid)) == (["booked"], 1)


def test_a_person_says_the_number_that_it_has_there(make: Make) -> None:
    town, courier = make(repeat=Repeat.NEVER)
    courier.trouble["book after"] = [lost()]
    number = release_one(town)
    push(town)

    acts.set_number(town.ctx, number, courier.paid[0], actor="me")
    push(town)

    assert rows(town, "number", "state") == [(courier.paid[0], "booked")]
    assert (looking.tasks(town), courier.calls) == ([], 1)


def test_a_key_that_may_be_repeated_is_repeated_until_the_platform_forgets_it(make: Make) -> None:
    town, courier = make(repeat=Repeat.SAFE, remembers_s=3600, idempotent=True)
    courier.trouble["book after"] = [lost(), lost()]
    release_one(town)
    push(town)
    later(town, 10)
    assert (states(town), courier.calls) == (["unsure"], 2)

    later(town, 3600)

    assert (looking.tasks(town), courier.calls, len(courier.paid)) == (["unknown"], 2, 1)


def test_that_a_second_try_is_turned_away_says_nothing_of_the_first(make: Make) -> None:
    town, courier = make(repeat=Repeat.SAFE, remembers_s=3600, idempotent=True)
    courier.trouble["book after"] = [lost()]
    release_one(town)
    push(town)
    courier.trouble["book before"] = [RateLimitedError("slowly", retry_after_s=5)]
    later(town, 10)
    assert states(town) == ["unsure"]

    later(town, 3600)

    assert (looking.tasks(town), len(courier.paid)) == (["unknown"], 1)


def test_a_refusal_is_a_task_and_is_tried_again_with_its_key(make: Make) -> None:
    town, courier = make()
    courier.trouble["book before"] = [RejectedError("out of area", code="filterResult=3")]
    number = release_one(town)
    push(town)
    assert (states(town), looking.tasks(town)) == (["refused"], ["no_waybill"])

    assert acts.book(town.ctx, number, actor="me") == f"{number}-1-1"
    push(town)

    assert (states(town), looking.tasks(town)) == (["booked"], [])


def test_a_refusal_that_a_look_finds_ends_the_doubt(make: Make) -> None:
    town, courier = make()
    courier.trouble |= {"book before": [lost()], "find": [RejectedError("not served")]}
    release_one(town)
    push(town)
    later(town, 31)

    assert (states(town), looking.tasks(town)) == (["refused"], ["no_waybill"])


def test_without_a_sender_nobody_is_called_and_the_missing_key_is_named(make: Make) -> None:
    town, courier = make(desk=WarehousePolicy(id="SH", desk=True))
    release_one(town)
    push(town)

    assert (states(town), courier.calls) == (["refused"], 0)
    assert "`sender` of that warehouse" in texts(town)[0]


def test_a_number_of_another_parcel_is_never_a_label(make: Make) -> None:
    town, _ = make()
    buy(town, "SF0000000000001")
    release_one(town, qty=1)
    release_one(town, "o2", qty=1)
    push(town)

    assert rows(town, "number", "state") == [("SF0000000000001", "booked"), ("", "refused")]


def test_a_passing_trouble_is_tried_again(make: Make) -> None:
    town, courier = make()
    courier.trouble["book before"] = [TransientError("busy")]
    release_one(town)
    push(town)
    assert states(town) == ["wanted"]

    later(town, 5)

    assert states(town) == ["booked"]


def test_a_worker_that_dies_between_call_and_answer_leaves_one_label(make: Make) -> None:
    """Row 26."""
    town, courier = make()
    release_one(town)
    courier.trouble["book after"] = [KeyboardInterrupt()]  # type: ignore[list-item]
    with pytest.raises(KeyboardInterrupt):
        push(town)
    upkeep.reclaim_leases(town.ctx, owner_gone=True)

    later(town, 31)

    assert (states(town), len(courier.paid)) == (["booked"], 1)


def test_a_number_that_follows_is_taken_when_it_comes(make: Make) -> None:
    town, courier = make()
    courier.answers = False
    number = release_one(town)
    push(town)
    assert states(town) == ["handed"]

    got = Waybill(key=f"{number}-1-1", carrier="SF", number="X1", label_kind=LabelKind.NONE)
    strange = Waybill(key="R1-1-1", carrier="SF", number="X2", label_kind=LabelKind.NONE)
    courier.reports += [
        BookedNumber(key="w#2", waybill=got),
        BookedNumber(key="w#3", waybill=strange),
        SpareNumber(key="w#4", carrier="SF", number="X9"),
    ]
    for _ in range(2):
        assert not poll.poll_stream(town.ctx, town.channel("sf"), "waybills").failed

    assert rows(town, "number", "state") == [("X1", "booked"), ("X9", "spare")]
    assert [kind for kind, _ in looking.letters(town)] == ["waybill_report"]


# ---- the end of a release


def test_a_stopped_release_gives_a_bought_number_back(make: Make) -> None:
    town, _ = make()
    buy(town, "N1")
    release_one(town)
    town.shop.change("o1", state="cancelled")
    work(town)

    assert rows(town, "number", "state", "release_id") == [("N1", "spare", None)]


def test_a_bought_number_that_was_printed_is_of_no_other_parcel(make: Make) -> None:
    town, _ = make()
    buy(town, "N1")
    number = release_one(town)
    printed(town, number)
    town.shop.change("o1", state="cancelled")
    work(town)
    assert states(town) == ["booked"]  # not before somebody has taken the paper out

    acts.void(town.ctx, number, actor="me")

    assert rows(town, "number", "state") == [("N1", "cancelled")]


def test_a_booked_number_is_void_once_its_release_has_stopped(make: Make) -> None:
    town, courier = make()
    release_one(town)
    push(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    assert states(town) == ["cancelling"]

    push(town)

    assert (states(town), courier.void) == (["cancelled"], courier.paid)


@pytest.mark.parametrize(("says", "state"), [(False, "used"), (None, "cancelling")])
def test_what_is_not_said_to_be_void_is_a_task(make: Make, says: bool | None, state: str) -> None:
    town, courier = make()
    courier.says_void = says
    release_one(town)
    push(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    push(town)

    assert (states(town), looking.tasks(town)) == ([state], ["waybill_cancel"])
    finish_task(town.ctx, open_task(town, "waybill_cancel"), actor="me")
    assert states(town) == ["used" if says is False else "cancelled"]


def test_a_release_that_stops_before_the_call_is_never_booked(make: Make) -> None:
    town, courier = make()
    release_one(town)
    town.shop.change("o1", state="cancelled")
    work(town)
    push(town)

    assert (states(town), courier.calls) == (["cancelled"], 0)


def test_a_release_that_stops_while_it_is_booked_is_voided_at_once(make: Make) -> None:
    town, courier = make()
    release_one(town)

    def cancel() -> None:
        town.shop.change("o1", state="cancelled")
        work(town)

    courier.before = cancel
    push(town)

    assert (states(town), courier.void) == (["cancelled"], courier.paid)


def test_the_number_of_a_parcel_that_left_is_used_and_never_void(make: Make) -> None:
    town, courier = make()
    number = release_one(town)
    push(town)
    ship(town.ctx, order="o1", carrier="SF", tracking=courier.paid[0], actor="me")
    with town.store.begin() as tx:
        release_id = release_id_numbered(tx, number)
        assert release_id is not None
        lock_orders_in(tx, release_id)
        use_waybills(tx, release_id)

    assert states(town) == ["used"]
    with pytest.raises(Refused, match="is used and cannot be voided"):
        acts.void(town.ctx, number, actor="me")


def test_another_number_is_booked_only_once_the_first_is_void(make: Make) -> None:
    town, courier = make()
    number = release_one(town)
    push(town)
    with pytest.raises(Refused, match="has a waybill already"):
        acts.book(town.ctx, number, actor="me")

    acts.void(town.ctx, number, actor="me")
    with pytest.raises(Refused, match="it is cancelling"):
        acts.book(town.ctx, number, actor="me")
    push(town)

    assert acts.book(town.ctx, number, actor="me") == f"{number}-1-2"
    push(town)
    assert rows(town, "key", "state") == [(f"{number}-1-1", "cancelled"), (f"{number}-1-2", "booked")]
    assert len(courier.paid) == 2


# ---- what nobody used, and two nodes


def test_what_was_booked_long_ago_and_not_used_is_one_task_that_ends_with_it(make: Make) -> None:
    town, courier = make()
    number = release_one(town)
    push(town)
    assert tell_stale(town.ctx) == 0

    town.advance(49 * 3600)
    assert (tell_stale(town.ctx), tell_stale(town.ctx)) == (1, 1)

    assert looking.tasks(town) == ["waybill_stale"]
    assert courier.paid[0] in texts(town)[0]
    acts.void(town.ctx, number, actor="me")
    push(town)
    assert (tell_stale(town.ctx), looking.tasks(town)) == (0, [])


@pytest.mark.concurrent("threads")
def test_two_nodes_book_a_parcel_once(make: Make, database_url: str) -> None:
    """Row 26."""
    town, courier = make()
    other, _ = build_courier_desk(database_url, town=town, courier=courier)
    for name in ("o1", "o2", "o3"):
        release_one(town, name, qty=1)

    at_once(lambda: push(town), lambda: push(other))
    other.store.close()

    assert states(town) == ["booked"] * 3
    assert sorted(courier.booked) == sorted(rows(town, "key"))
    assert len(courier.paid) == 3


@pytest.mark.concurrent("threads")
def test_two_nodes_give_a_bought_number_to_one_parcel(make: Make, database_url: str) -> None:
    town, courier = make(books=False)
    release_one(town, "o1", qty=1)
    release_one(town, "o2", qty=1)
    other, _ = build_courier_desk(database_url, town=town, courier=courier, books=False)

    at_once(lambda: buy(town, "N1"), lambda: buy(other, "N1", "N2"))
    other.store.close()

    assert sorted(rows(town, "number", "state")) == [("N1", "booked"), ("N2", "booked")]


def at_once(*works: Callable[[], None]) -> None:
    """Do these at the same time; whatever one of them raises is raised."""
    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(work) for work in works]:
            done.result(timeout=60)
