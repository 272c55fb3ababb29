"""What people see of an order where a rule compares it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from erpsync.core.facts import ORDER_FACTS, OrderFacts
from erpsync.core.rules import Clause, shown_value
from erpsync.core.rules.places import ZoneMap

NOW = datetime(2027, 3, 2, 9, 31, tzinfo=UTC)
FACTS = OrderFacts(
    channel="tmall",
    connector="taobao",
    kind="cod",
    placed_at=NOW - timedelta(minutes=20),
    paid_at=NOW - timedelta(minutes=14, seconds=59),
    ship_by_at=NOW - timedelta(minutes=1),
    province="新疆维吾尔自治区",
    city="乌鲁木齐市",
    total=Decimal("328.00"),
    below_floor=False,
    units=3,
    sku=frozenset({"DRESS-08", "CUP"}),
    buyer_note="KANARIE",
    seller_note="KANARIE",
    address=frozenset({"too_short"}),
    recipient="KANARIE",
)
ZONES = ZoneMap({"remote": (("新疆", ""),)})


def shown(fact: str, **more: Any) -> str | None:
    clause = Clause(fact=fact, operator="<", word="1")
    return shown_value(clause, replace(FACTS, **more), tags=frozenset({"偏远", "VIP"}), zones=ZONES, now=NOW)


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("total", "328.00"),
        ("units", "3"),
        ("kind", "cod"),
        ("sku", "CUP, DRESS-08"),
        ("below_floor", "false"),
        ("city", "乌鲁木齐市"),
        ("zone", "remote"),
        ("tag", "VIP, 偏远"),
        ("paid_min", "14"),  # not 15: the rule still holds
        ("placed_min", "20"),
        ("ship_by_h", "-1"),
        ("clock", "09:31"),
        ("weekday", "tue"),
        ("weight_g", "unknown"),
        ("now", "2027-03-02T09:31+00:00"),
    ],
)
def test_what_decides_is_shown_with_the_value_of_the_order(fact: str, said: str) -> None:
    assert shown(fact) == said


def test_what_is_known_to_be_nothing_is_a_dash_and_not_unknown() -> None:
    assert (shown("paid_min", paid_at=None), shown("sku", sku=frozenset())) == ("-", "-")


def test_no_private_fact_is_ever_shown_whatever_it_is_compared_by() -> None:
    private = [name for name, fact in ORDER_FACTS.items() if fact.private]

    assert {"buyer_note", "seller_note", "address"} <= set(private)
    assert [shown(name) for name in private] == [None] * len(private)


def test_every_fact_can_be_shown() -> None:
    assert [name for name, fact in ORDER_FACTS.items() if not fact.private and not shown(name)] == []
