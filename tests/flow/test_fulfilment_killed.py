"""Killed at every commit between a paid order and a shop that is told, or a waybill that is void: nothing is doubled.

Row 26: whatever dies between a booking and its answer, a label is paid once. Row 15: what a dead process had in hand is
taken up by the next one.
"""

from collections.abc import Callable, Iterator

import pytest

from erpsync.flows.audit.looks import judge_due
from erpsync.flows.couriers.labels import label_of
from erpsync.flows.desk.scans import leave
from erpsync.flows.desk.stops import stop
from erpsync.flows.desk.waves import make_wave
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import end_hold, hold_order
from erpsync.papers.papers import Papers
from tests.support import looking
from tests.support.courier import Courier, build_courier_desk, push
from tests.support.desk import work
from tests.support.dying import At, killed_at_each_commit
from tests.support.printing import open_papers, print_out
from tests.support.real_data import SOAK
from tests.support.ruled import put_in_force
from tests.support.shop import Town

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
AROUND = pytest.mark.parametrize("at", ["before", "behind"])
EVERY = {True: 1, False: 1 if SOAK else 5}
"""Each commit on SQLite; on PostgreSQL, which takes far longer for a story, each fifth one but in a soak."""
RULES = "rules:\n- {id: settle, when: {paid_min: {lt: 15}}, then: {hold: 付款后等15分钟}}\n"
RELEASES = """
    SELECT release.id, release.number, release.state, wave.number AS wave FROM release
    JOIN release_order ON release_order.release_id = release.id JOIN orders ON orders.id = release_order.order_id
    LEFT JOIN wave ON wave.id = release.wave_id WHERE orders.external_id = :order ORDER BY release.id
"""
WAYBILLS = """
    SELECT waybill.state, waybill.number FROM waybill JOIN release_order USING (release_id)
    JOIN orders ON orders.id = release_order.order_id WHERE orders.external_id = :order ORDER BY waybill.id
"""
LEFT = """
    SELECT tracking FROM shipment JOIN orders ON orders.id = shipment.order_id WHERE orders.external_id = :order
"""


@pytest.fixture(scope="module")
def papers() -> Iterator[Papers]:
    with open_papers() as made:
        yield made


@pytest.fixture
def desk(database_url: str) -> Iterator[tuple[Town, Courier]]:
    """A desk with plenty of A, whose orders wait a quarter of an hour, and a courier that takes a key once."""
    town, courier = build_courier_desk(database_url, idempotent=True)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10_000, actor="me")
    put_in_force(town, RULES)
    yield town, courier
    town.store.close()


def tried(act: Callable[[], object]) -> None:
    """Do what may be done already."""
    try:
        act()
    except Refused:
        return


def pack(town: Town, papers: Papers, order: str) -> None:
    """Do what people and the daemon do with an order until its parcel has its label; all of it may be done before."""
    work(town)
    town.advance(901)
    judge_due(town.ctx)
    work(town)
    make_wave(town.ctx, warehouse="SH", actor="me")
    for _, number, state, wave in looking.rows(town, RELEASES, order=order):
        if state == "told":
            tried(lambda wave=wave: print_out(town, papers, "pick", wave))
            tried(lambda number=number: print_out(town, papers, "slip", number, copy=False))
    for _ in range(3):
        push(town)
        town.advance(31)


def send(town: Town, order: str) -> None:
    """Scan what is booked, and tell the shop."""
    for id, _, state, _ in looking.rows(town, RELEASES, order=order):
        if state == "told":
            label_of(town.ctx, id)
            leave(town.ctx, looking.rows(town, WAYBILLS, order=order)[-1][1], actor="me")
    work(town)


@AROUND
def test_from_a_paid_order_to_a_told_shop(desk: tuple[Town, Courier], papers: Papers, at: At) -> None:
    town, courier = desk
    orders: list[str] = []

    def tell(story: int) -> Callable[[], object]:
        order = f"o{story}"
        orders.append(order)
        town.shop.place(order, ("A", 2), name=f"王{order}")
        return lambda: (pack(town, papers, order), send(town, order))

    commits = killed_at_each_commit(town, at, tell, every=EVERY[town.store.is_sqlite])

    assert commits > 10
    for order in orders:
        [(_, _, state, wave)] = looking.rows(town, RELEASES, order=order)
        [(used, number)] = looking.rows(town, WAYBILLS, order=order)
        assert (state, bool(wave), used, looking.rows(town, LEFT, order=order)) == (
            "shipped",
            True,
            "used",
            [(number,)],
        )
    told = looking.told_parcels(town)
    assert (len(courier.paid), len(told), len(set(told))) == (len(orders), len(orders), len(orders))
    assert (looking.count(town, "wave"), courier.void, looking.problems(town)) == (len(orders), [], [])
    assert (looking.letters(town), looking.tasks(town)) == ([], [])


@AROUND
def test_from_a_printed_parcel_that_is_held_to_its_void_waybill_and_another_parcel(
    desk: tuple[Town, Courier], papers: Papers, at: At
) -> None:
    town, courier = desk
    orders: list[str] = []

    def tell(story: int) -> Callable[[], object]:
        order = f"o{story}"
        orders.append(order)
        town.shop.place(order, ("A", 2), name=f"王{order}")
        pack(town, papers, order)
        first = looking.rows(town, RELEASES, order=order)[0][1]
        return lambda: _change_ones_mind(town, papers, order, first)

    killed_at_each_commit(town, at, tell, every=EVERY[town.store.is_sqlite])

    for order in orders:
        made = looking.rows(town, RELEASES, order=order)
        waybills = looking.rows(town, WAYBILLS, order=order)
        assert [state for _, _, state, _ in made] == ["stopped", "shipped"]
        assert [state for state, _ in waybills] == ["cancelled", "used"]
        assert looking.rows(town, LEFT, order=order) == [(waybills[1][1],)]
    told = looking.told_parcels(town)
    assert (len(courier.paid), len(set(courier.void)), len(told), len(set(told))) == (
        2 * len(orders),
        len(orders),
        len(orders),
        len(orders),
    )
    assert (looking.problems(town), looking.letters(town)) == ([], [])


def _change_ones_mind(town: Town, papers: Papers, order: str, first: str) -> None:
    """Hold an order, take its parcel out of the pile, let it go again and send the next one."""
    if looking.rows(town, RELEASES, order=order)[0][2] == "told":
        tried(lambda: hold_order(town.ctx, order, reason="ask him", actor="me"))
    work(town)
    tried(lambda: stop(town.ctx, first, actor="me"))
    push(town)
    tried(lambda: end_hold(town.ctx, order, actor="me"))
    pack(town, papers, order)
    send(town, order)
