"""Rules on several nodes at once: whatever meets, orders end as one node would have them end."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import cancel_order
from erpsync.sdk.types import OrderState, Recipient
from tests.support.facts import fact, later, order, take_in
from tests.support.looking import events, problems, rows, status
from tests.support.ruled import lines_of, put_in_force, ruled_by
from tests.support.shop import Town

pytestmark = pytest.mark.concurrent("threads")

MANY = "rules: [{id: many, when: {buyer_orders_24h: {gt: 5}}, then: {hold: 一天太多}}]"
NODES = 4


@pytest.fixture
def nodes(make_town: Callable[..., Town]) -> list[Town]:
    """Four nodes on one database, with TEA and SCARF in SH."""
    first = make_town()
    for sku in ("TEA", "SCARF"):
        set_stock(first.ctx, warehouse="SH", sku=sku, on_hand=1000, actor="keeper")
    return [first, *(make_town(town=first) for _ in range(NODES - 1))]


def in_force(nodes: list[Town], rules: str) -> None:
    put_in_force(nodes[0], rules)
    for node in nodes[1:]:
        node.ctx = replace(node.ctx, book=nodes[0].ctx.book)


def buy(node: Town, nth: int, *, buyer: str = "", at: float = 0, state: OrderState = OrderState.PAID) -> None:
    who = Recipient(name="王小明", phone=f"1380000{nth:04}", address="解放路 1 号")
    item = order(f"o{nth}", version_at=later(at), buyer=buyer or f"b{nth}", recipient=who, state=state)
    take_in(node, fact(item, digest=str(at), read=(at, at + 1)))


def at_once(*works: Callable[[], object]) -> None:
    """Begin all works together; what one of them raises is raised here."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> None:
        gate.wait(60)
        work()

    with ThreadPoolExecutor(len(works)) as pool:
        for done in [pool.submit(begin, work) for work in works]:
            done.result(120)


def settle(node: Town) -> None:
    while judge_due(node.ctx):
        pass


def test_six_orders_of_a_buyer_on_four_nodes_are_all_held(nodes: list[Town]) -> None:
    in_force(nodes, MANY)

    at_once(*(lambda nth=nth: buy(nodes[nth % NODES], nth, buyer="b1") for nth in range(6)))  # type: ignore[misc]
    settle(nodes[0])

    assert [status(nodes[0], f"o{nth}") for nth in range(6)] == [("held", "rule")] * 6


def test_a_buyer_gets_one_gift_on_four_nodes(nodes: list[Town]) -> None:
    in_force(nodes, "rules: [{id: once, when: {total: {ge: 1}}, then: {gift: {sku: SCARF, once: buyer}}}]")

    at_once(*(lambda nth=nth: buy(nodes[nth], nth, buyer="b1") for nth in range(NODES)))  # type: ignore[misc]
    settle(nodes[0])

    assert sum("gift:once" in lines_of(nodes[0], f"o{nth}") for nth in range(NODES)) == 1


def test_no_more_gifts_than_there_may_be_on_four_nodes(nodes: list[Town]) -> None:
    in_force(nodes, "rules: [{id: few, when: {total: {ge: 1}}, then: {gift: {sku: SCARF, most: 3}}}]")

    def sell(first: int) -> None:
        for nth in range(first, first + 3):
            buy(nodes[first % NODES], nth)

    at_once(*(lambda first=first: sell(first) for first in range(0, 12, 3)))  # type: ignore[misc]

    assert sum("gift:few" in lines_of(nodes[0], f"o{nth}") for nth in range(12)) == 3
    assert rows(nodes[0], "SELECT given FROM gift_count") == [(3,)]


def test_nodes_that_look_at_once_judge_each_order_once(nodes: list[Town]) -> None:
    for nth in range(30):
        buy(nodes[0], nth)
    in_force(nodes, "rules: []")
    book = nodes[0].ctx.book
    in_force(nodes, MANY.replace("{gt: 5}", "{ge: 1}"))
    settle(nodes[0])
    assert len(events(nodes[0], "order.changed")) == 30

    for node in nodes:
        node.ctx = replace(node.ctx, book=book)
    at_once(*(lambda node=node: judge_due(node.ctx) for node in nodes))  # type: ignore[misc]
    settle(nodes[0])

    assert [status(nodes[0], f"o{nth}")[0] for nth in range(30)] == ["allocated"] * 30
    assert len(events(nodes[0], "order.changed")) == 60


def test_under_load_no_look_is_lost_nothing_is_given_twice_and_nobody_waits_for_ever(
    nodes: list[Town], crowd: Callable[[int], int]
) -> None:
    """Orders of three buyers come and go on two nodes while two others look and approve."""
    in_force(
        nodes,
        "rules:\n- {id: beside, when: {buyer_orders_open: {ge: 1}}, then: {hold: 同一买家, ask: true}}\n"
        "- {id: few, when: {total: {ge: 1}}, then: {gift: {sku: SCARF, most: 4, once: buyer}}}\n",
    )
    count = max(6, crowd(24))

    def sell(node: Town, mine: list[int]) -> None:
        for nth in mine:
            buy(node, nth, buyer=f"b{nth % 3}")
            if nth % 2:
                buy(node, nth, buyer=f"b{nth % 3}", at=9, state=OrderState.CANCELLED)
            elif nth % 4 == 0 and nth > 3:
                cancel_order(node.ctx, f"o{nth}", reason="changed his mind", actor="li")

    def look(node: Town) -> None:
        for nth in range(count):
            judge_due(node.ctx)
            try:
                approve(node.ctx, f"o{nth}", actor="li")
            except (Refused, LookupError):
                continue  # it has not come yet, or asks nothing

    at_once(
        lambda: sell(nodes[0], list(range(count // 2))),
        lambda: sell(nodes[1], list(range(count // 2, count))),
        lambda: look(nodes[2]),
        lambda: look(nodes[3]),
    )
    settle(nodes[0])

    left = [nth for nth in range(count) if nth % 2 == 0 and not (nth % 4 == 0 and nth > 3)]
    for nth in left:
        alone = sum(1 for other in left if other % 3 == nth % 3) == 1
        approved = rows(
            nodes[0],
            "SELECT count(*) FROM order_approval a JOIN orders o ON o.id = a.order_id WHERE o.external_id = :order",
            order=f"o{nth}",
        ) != [(0,)]
        assert approved or (ruled_by(nodes[0], f"o{nth}") == {}) == alone
    gifts = [nth for nth in left if lines_of(nodes[0], f"o{nth}").get("gift:few") == (1, 0)]
    assert len({nth % 3 for nth in gifts}) == len(gifts) == len({nth % 3 for nth in left})
    assert problems(nodes[0]) == []
