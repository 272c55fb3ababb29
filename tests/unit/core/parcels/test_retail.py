"""A month of a real shop: what leaves together is what a GROUP BY says, and costs what SQL computes.

Data: "Online Retail", UCI Machine Learning Repository (see NOTICE). A soak takes the whole month where it is at hand.
"""

import sqlite3
from functools import cache

import pytest

from erpsync.core.couriers import Choice, Consignment, Offer, choose
from erpsync.core.parcels import Candidate, ChannelPacking, PackingPolicy, Parcel, Plan, plan, siblings
from erpsync.core.rates import Card, problems
from tests.support.real_data import retail_month
from tests.unit.core.parcels.retail import CARD, COSTS, GROUPS, OPEN, PROVINCES, ZONES, database, orders, zone

ENDLESS = 1_000_000
OFFERS = [
    Offer(account=account, service="express", carrier="SF", card=Card.of(row for row in CARD if row.account == account))
    for account in ("light", "bulky", "freight")
]


@cache
def month() -> tuple[dict[int, Candidate], sqlite3.Connection, Plan]:
    """Return the orders by id, the same in SQL, and the plan where any number of orders may share a parcel."""
    rows = retail_month()
    candidates, held, goods = orders(rows)
    connection = database(rows)
    connection.execute(OPEN)
    packing = PackingPolicy(by_channel={1: ChannelPacking(merge_orders=ENDLESS)})
    return {c.order.id: c for c in candidates}, connection, plan(candidates, held, goods, {}, packing)


@cache
def customers() -> dict[str, str]:
    """Return the customer of each invoice."""
    return {row.invoice: row.customer for row in retail_month()}


def recipient(parcel: Parcel) -> str:
    """Return the customer of a parcel, its invoice where there is none."""
    invoice = month()[0][parcel.order_ids[0]].order.number
    return customers()[invoice] or invoice


def test_what_leaves_together_is_what_a_group_by_says() -> None:
    _, connection, got = month()
    whose = {order_id: recipient(parcel) for parcel in got.parcels for order_id in parcel.order_ids[:1]}

    made = {
        (whose[p.order_ids[0]], p.warehouse_id, len(p.order_ids), p.units, p.weight_g, p.volume_cm3)
        for p in got.parcels
    }
    assert len(made) == len(got.parcels)
    assert made == set(connection.execute(GROUPS))
    assert got.stays == ()


def test_every_unit_that_was_not_given_back_leaves_out_of_its_invoice() -> None:
    _, connection, got = month()

    sent: dict[int, int] = {}
    for parcel in got.parcels:
        for piece in parcel.pieces:
            sent[piece.line_id] = sent.get(piece.line_id, 0) + piece.qty
    assert sent == dict(connection.execute("SELECT id, units FROM leaving WHERE units > 0").fetchall())


def test_orders_without_a_customer_are_never_merged() -> None:
    known, _, got = month()
    alone = [parcel for parcel in got.parcels if parcel.merge_index is None]

    assert len(alone) > 50
    assert all(len(parcel.order_ids) == 1 for parcel in alone)
    assert all(known[parcel.order_ids[0]].merge_index is None for parcel in alone)


@pytest.mark.parametrize("most", [1, 3, 10])
def test_a_limit_of_orders_makes_no_parcel_more_than_it_must(most: int) -> None:
    _, connection, _ = month()
    candidates, held, goods = orders(retail_month())
    got = plan(candidates, held, goods, {}, PackingPolicy(by_channel={1: ChannelPacking(merge_orders=most)}))

    [(least,)] = connection.execute(
        f"SELECT SUM((n + {most - 1}) / {most}) FROM (SELECT COUNT(DISTINCT invoice) AS n FROM leaving WHERE units > 0"
        " GROUP BY recipient, warehouse)"
    )
    assert len(got.parcels) == least
    assert max(len(parcel.order_ids) for parcel in got.parcels) == most


def test_a_parcel_costs_the_least_that_sql_finds_over_all_accounts() -> None:
    _, connection, got = month()

    costs = set()
    for parcel in got.parcels:
        whose = recipient(parcel)
        place = frozenset({zone(whose if parcel.merge_index else "")})
        choice = choose(Consignment(zones=place, weight_g=parcel.weight_g, volume_cm3=parcel.volume_cm3), OFFERS, ())
        assert isinstance(choice, Choice)
        costs.add((whose, parcel.warehouse_id, choice.cost_minor))
    assert costs == set(connection.execute(COSTS))


def test_the_card_has_no_fault() -> None:
    zones = {
        name: tuple((province, "") for province in PROVINCES if ZONES.get(province, "remote") == name)
        for name in ("near", "far", "remote")
    }

    assert problems(CARD, zones) == []


def test_orders_of_one_customer_that_leave_apart_tell_of_each_other() -> None:
    candidates, held, goods = orders(retail_month())
    policy = PackingPolicy(by_channel={1: ChannelPacking(merge_orders=1)})
    got = plan(candidates, held, goods, {}, policy)
    found = siblings(candidates, got, {}, policy)

    open_orders: dict[bytes, set[int]] = {}
    for candidate in candidates:
        if candidate.merge_index is not None and candidate.order.open_qty:
            open_orders.setdefault(candidate.merge_index, set()).add(candidate.order.id)
    for at, parcel in enumerate(got.parcels):
        others = open_orders.get(parcel.merge_index or b"", set()) - set(parcel.order_ids)
        assert {sibling.order_id for sibling in found.get(at, ())} == others
