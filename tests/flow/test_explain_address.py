"""What looks wrong with an address is a note to whoever may see the order, and says nothing that the buyer wrote."""

from typing import Any

import pytest

from erpsync.flows.explain.explain import explain_order
from erpsync.flows.inventory import counts
from erpsync.flows.shipments import record
from tests.support import looking, walk
from tests.support.shop import Town


def notes(town: Town) -> list[tuple[str, str]]:
    return [
        (step["what"], step["text"])
        for step in explain_order(town.ctx, "o1")["steps"]
        if step["what"].startswith("address_")
    ]


def sold(town: Town, **fields: Any) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), **fields)
    walk.read(town)


def test_an_address_that_looks_right_has_no_note(town: Town) -> None:
    sold(town)

    assert notes(town) == []


@pytest.mark.parametrize(
    ("fields", "note"),
    [
        ({"phone": "1380000"}, ("address_bad_phone", "the phone of who gets it is no telephone number")),
        (
            {"address": "路口"},
            ("address_too_short", "the address may not lead to a door: too little stands behind its district"),
        ),
        (
            {"province": "浙江省", "city": "广州市"},
            ("address_region_mismatch", "the city of the address does not lie in 浙江省"),
        ),
        (
            {"province": "浙江省", "city": "杭州市", "district": "张三家"},
            ("address_unknown_region", "no district of 杭州市 has the name that the address says"),
        ),
        ({"province": "张三家"}, ("address_unknown_region", "no province has the name that the address says")),
        (
            {"province": "浙江省", "city": "张三家"},
            ("address_unknown_region", "no city of 浙江省 has the name that the address says"),
        ),
        (
            {"province": "浙江省", "city": "杭州市", "district": "浦东新区"},
            ("address_region_mismatch", "the district of the address does not lie in 杭州市"),
        ),
        (
            {"province": "浙江省", "city": "杭州市", "address": "江苏省南京市玄武区中山路1号"},
            ("address_region_mismatch", "the address says 杭州市, and its street line begins with another place"),
        ),
    ],
)
def test_a_problem_is_noted_by_its_code_and_regions_alone(
    town: Town, fields: dict[str, str], note: tuple[str, str]
) -> None:
    sold(town, **fields)

    assert notes(town) == [note]
    told = explain_order(town.ctx, "o1")
    assert note[1] in told["why"]
    assert told["summary"] == f"all of {looking.see(town, 'o1')['number']} is held in SH and can be sent"
    for written in ("张三家", "路口", "1380000"):
        assert written not in str(told["steps"])


def test_what_the_platform_hides_has_no_note(town: Town) -> None:
    sold(town, phone="138****1111", address="**路口")

    assert notes(town) == []


def test_nothing_is_noted_of_what_has_left(town: Town) -> None:
    sold(town, phone="1380000")
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")

    assert notes(town) == []


def test_a_process_without_keys_notes_nothing(town: Town) -> None:
    sold(town, phone="1380000")
    town.store.vault = None

    assert notes(town) == []
