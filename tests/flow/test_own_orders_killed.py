"""Own orders whose maker dies at a commit, or that many make at once: nothing is lost and nothing doubled."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from erpsync.flows.orders.find_by_phone import find_by_phone
from erpsync.flows.own_orders.complete import complete_own
from erpsync.flows.own_orders.create import Created, create_order
from erpsync.flows.own_orders.form import read_recipient
from erpsync.flows.own_orders.recipient import edit_recipient
from erpsync.flows.shipments.record import ship
from tests.support import looking
from tests.support.dying import At, Crash, dying
from tests.support.own_orders import ELSEWHERE, HOME, form, make
from tests.support.shop import Town

AROUND = pytest.mark.parametrize("at", ["before", "behind"])


def found(town: Town, phone: str) -> list[str]:
    """Return the numbers of the orders of a telephone."""
    return [order["number"] for order in find_by_phone(town.ctx, phone, actor="me")]


@AROUND
def test_one_whose_maker_dies_around_the_commit_is_one_when_it_is_sent_again(stocked: Town, at: At) -> None:
    with pytest.raises(Crash):
        create_order(dying(stocked, at), form(key="call-7"), actor="me")
    was_made = looking.count(stocked, "orders") == 1

    again = make(stocked, key="call-7")

    assert (was_made, again.repeated) == (at == "behind", at == "behind")
    assert (looking.count(stocked, "orders"), looking.promised(stocked)) == (1, {"call-7": 2})
    assert [kind for kind, _ in looking.events(stocked, "order.")] == ["order.imported"]
    assert (looking.on_shelf(stocked)["SH", "TEA"], looking.problems(stocked)) == ((10, 2), [])


@AROUND
def test_an_edit_that_dies_around_its_commit_is_carried_out_once_when_it_is_sent_again(stocked: Town, at: At) -> None:
    number, other = make(stocked).number, read_recipient(ELSEWHERE)
    with pytest.raises(Crash):
        edit_recipient(dying(stocked, at), number, other, actor="me")
    assert found(stocked, ELSEWHERE["phone"]) == ([number] if at == "behind" else [])

    edit_recipient(stocked.ctx, number, other, actor="me")

    assert (found(stocked, HOME["phone"]), found(stocked, ELSEWHERE["phone"])) == ([], [number])
    assert [kind for kind, _ in looking.events(stocked, "order.")] == ["order.imported", "order.changed"]
    assert (looking.held(stocked, number), looking.problems(stocked)) == ({"TEA": 2}, [])


@AROUND
def test_a_clock_that_dies_around_its_commit_has_completed_each_once_when_it_strikes_again(
    stocked: Town, at: At
) -> None:
    numbers = [make(stocked, key=f"call-{nth}").number for nth in range(2)]
    for number in numbers:
        ship(stocked.ctx, order=number, carrier="SF", tracking=f"SF{number}", actor="me")
    stocked.advance(timedelta(days=16).total_seconds())
    with pytest.raises(Crash):
        complete_own(dying(stocked, at))
    over = "completed" if at == "behind" else "shipped"
    assert [looking.status(stocked, number)[0] for number in numbers] == [over, over]

    assert complete_own(stocked.ctx) == (0 if at == "behind" else 2)
    assert [looking.status(stocked, number)[0] for number in numbers] == ["completed", "completed"]
    assert [kind for kind, _ in looking.events(stocked, "order.changed")] == ["order.changed"] * 2
    assert (looking.on_shelf(stocked)["SH", "TEA"], looking.problems(stocked)) == ((6, 0), [])


@pytest.mark.concurrent("threads")
def test_nodes_that_are_sent_the_same_key_at_once_make_one_order(stocked: Town, make_town: Callable[..., Town]) -> None:
    nodes = [make_town(town=stocked) for _ in range(4)]
    gate = threading.Barrier(len(nodes))

    def send(node: Town) -> Created:
        gate.wait(60)
        return make(node, key="call-7")

    with ThreadPoolExecutor(len(nodes)) as pool:
        made = list(pool.map(send, nodes))

    assert len({each.number for each in made}) == 1
    assert sum(not each.repeated for each in made) == 1
    assert (looking.count(stocked, "orders"), looking.promised(stocked)) == (1, {"call-7": 2})
    assert looking.problems(stocked) == []


@pytest.mark.concurrent("threads")
def test_other_keys_at_once_are_other_orders_and_never_more_than_there_is(
    stocked: Town, make_town: Callable[..., Town]
) -> None:
    nodes = [make_town(town=stocked) for _ in range(4)]
    gate = threading.Barrier(len(nodes))

    def send(nth: int) -> str:
        gate.wait(60)
        return make(nodes[nth], key=f"call-{nth}", lines=[{"sku": "TEA", "qty": 4, "price_minor": 1}]).number

    with ThreadPoolExecutor(len(nodes)) as pool:
        numbers = set(pool.map(send, range(len(nodes))))

    assert len(numbers) == 4
    assert (looking.on_shelf(stocked)["SH", "TEA"], sum(looking.owed(stocked).values())) == ((10, 10), 6)
    assert looking.problems(stocked) == []


@pytest.mark.concurrent("threads")
def test_clocks_of_many_nodes_that_strike_at_once_complete_each_once(
    stocked: Town, make_town: Callable[..., Town]
) -> None:
    for nth in range(3):
        number = make(stocked, key=f"call-{nth}").number
        ship(stocked.ctx, order=number, carrier="SF", tracking=f"SF{nth}", actor="me")
    stocked.advance(timedelta(days=16).total_seconds())
    stocked.store.trusted_now()
    nodes = [make_town(town=stocked) for _ in range(4)]
    gate = threading.Barrier(len(nodes))

    def strike(node: Town) -> int:
        gate.wait(60)
        return complete_own(node.ctx)

    with ThreadPoolExecutor(len(nodes)) as pool:
        done = list(pool.map(strike, nodes))

    assert sum(done) == len(looking.events(stocked, "order.changed")) == 3
