"""What rules about parcels do: which courier takes a parcel, and which stay; said before and after it is made."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.flows.audit.marks import tag_order
from erpsync.flows.couriers.rates import import_rates
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.warehouses.parcel_rules import try_with_parcels
from erpsync.store.db.store import Tx
from erpsync.store.tables import order_mark, orders, release
from tests.support.courier import build_courier_desk, rate
from tests.support.depot import read_shop
from tests.support.desk import states, work
from tests.support.explaining import flat
from tests.support.ruled import put_in_force, with_rules
from tests.support.shop import Town

HEAVY = "{id: heavy, on: parcel, when: {weight_g: {gt: 20000}}, then: {carrier: [DBL_FREIGHT, DBL]}}"
DEAR = """
zones: {far: [新疆]}
rules:
  - {id: light, on: parcel, when: {zone: far, cost: {sf: {le: 20}}}, then: {carrier: [POST]}}
  - {id: dear, on: parcel, when: {zone: far, cost: {sf: {gt: 20}}, not: {tag: 可以}}, then: {hold: 运费超过20元}}
"""


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A desk with one account, which books with SF, DBL and POST."""
    built, courier = build_courier_desk(database_url)
    courier.carriers = frozenset({"SF", "DBL", "POST"})
    yield built
    built.store.close()


def weigh(town: Town, grams: int) -> None:
    import_goods(town.ctx, [GoodsRow(sku="A", cells={"weight_g": str(grams)}, source="g:2")], actor="me")


def price(town: Town, first: int) -> None:
    taken = import_rates(town.ctx, [(rate("", first), "r.csv:2")], bad=[], actor="me")
    assert not taken.refused


def chosen(town: Town) -> list[str]:
    with town.store.read() as connection:
        return list(connection.execute(select(release.c.carrier).order_by(release.c.id)).scalars())


def texts(town: Town) -> list[str]:
    return [step["text"] for step in flat(explain_order(town.ctx, "o1")["steps"])]


def place(town: Town, **more: Any) -> None:
    town.shop.place("o1", ("A", 2), **more)


def wish(town: Town, carrier: str) -> None:
    """Let a person wish for a courier."""

    def act(tx: Tx) -> None:
        id = tx.execute(select(orders.c.id)).scalar_one()
        mark = {"order_id": id, "name": "carrier", "value": carrier, "rule": "", "actor": "me", "at": tx.now}
        tx.execute(order_mark.insert().values(**mark))

    town.store.retrying(act)


@pytest.mark.parametrize(("grams", "carrier"), [(10_001, "DBL"), (10_000, "SF"), (None, "SF")])
def test_a_heavy_parcel_goes_by_freight_before_what_a_rule_about_its_order_wishes(
    town: Town, grams: int | None, carrier: str
) -> None:
    put_in_force(town, f"rules:\n  - {{id: sf, when: {{units: {{ge: 1}}}}, then: {{carrier: [SF]}}}}\n  - {HEAVY}")
    if grams is not None:
        weigh(town, grams)
    place(town)
    work(town)

    assert chosen(town) == [carrier]


def test_what_a_person_wishes_for_goes_before_the_rules(town: Town) -> None:
    put_in_force(town, f"rules:\n  - {HEAVY}")
    weigh(town, 30_000)
    place(town)
    read_shop(town)
    wish(town, "POST")

    work(town, shop=False)

    assert chosen(town) == ["POST"]


def test_the_order_says_which_rule_chose_its_courier_and_by_what(town: Town) -> None:
    put_in_force(town, f"rules:\n  - {HEAVY}")
    weigh(town, 30_000)
    place(town)
    work(town)

    said = texts(town)
    assert "DBL takes it, by account sf: rule heavy wishes for it" in said
    assert "rule heavy matched: weight_g 60000 > 20000" in said
    assert "DBL_FREIGHT was wished for, and no account offers it" in said


def test_a_rule_that_cannot_be_answered_is_said_with_the_choice(town: Town) -> None:
    put_in_force(town, f"rules:\n  - {HEAVY}")
    place(town)
    work(town)

    assert "rule heavy could not be answered, and so did not match: weight_g unknown > 20000" in texts(town)


def test_trying_rules_says_what_they_would_do_with_a_parcel_that_is_made_and_with_one_that_is_not(town: Town) -> None:
    weigh(town, 30_000)
    place(town)
    read_shop(town)
    other = with_rules(town, f"rules:\n  - {HEAVY}")

    [before] = try_with_parcels(town.ctx, "o1", other)["parcels"]
    work(town, shop=False)
    [after] = try_with_parcels(town.ctx, "o1", other)["parcels"]

    assert (before["release"], before["warehouse"], before["carrier"]) == (None, "SH", ["DBL_FREIGHT", "DBL"])
    [number] = states(town)
    assert after == before | {"release": number}
    [rule] = after["rules"]
    assert rule == {
        "id": "heavy",
        "outcome": "matched",
        "because": [{"fact": "weight_g", "value": "60000", "operator": ">", "word": "20000"}],
    }
    assert try_with_parcels(town.ctx, "o1")["parcels"] == []


def test_a_parcel_that_is_too_dear_stays_until_the_card_says_otherwise(town: Town) -> None:
    put_in_force(town, DEAR)
    weigh(town, 500)
    price(town, 2100)
    place(town, province="新疆维吾尔自治区", city="乌鲁木齐市")
    work(town)

    assert states(town) == {}
    said = texts(town)
    assert "rule dear holds its parcel in SH: 运费超过20元" in said
    assert "of the parcel of SH it matches: zone far has far; cost sf 21.00 > 20; tag - has 可以" in said, said

    price(town, 1900)
    work(town)

    assert chosen(town) == ["POST"]


def test_a_person_lets_a_parcel_go_by_the_tag_that_its_rule_excepts(town: Town) -> None:
    put_in_force(town, DEAR)
    weigh(town, 500)
    price(town, 2100)
    place(town, province="新疆维吾尔自治区", city="乌鲁木齐市")
    work(town)
    assert states(town) == {}

    tag_order(town.ctx, "o1", ["可以"], actor="me")
    work(town)

    assert chosen(town) == ["DBL"]


def test_of_several_parcels_one_is_held_and_the_others_leave(town: Town) -> None:
    put_in_force(town, "rules:\n  - {id: many, on: parcel, when: {units: {ge: 3}}, then: {hold: 太多}}")
    town.shop.place("o1", ("A", 2), name="王一")
    town.shop.place("o2", ("A", 3), name="王二")

    work(town)

    assert list(states(town).values()) == ["told"]


def test_a_service_that_is_cheapest_says_what_an_account_takes(town: Town) -> None:
    put_in_force(town, DEAR)
    weigh(town, 500)
    rows = [rate("", 2500, service="air"), rate("", 1500, service="road")]
    import_rates(town.ctx, [(each, f"r.csv:{line}") for line, each in enumerate(rows, 2)], bad=[], actor="me")
    place(town, province="新疆维吾尔自治区", city="乌鲁木齐市")

    work(town)

    assert chosen(town) == ["POST"]
