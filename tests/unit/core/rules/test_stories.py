"""The twelve rules that a seller begins with, one story each, as config/rules.example.yaml has them."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from erpsync.core.facts import UNKNOWN, ParcelFacts
from erpsync.core.rules import Because, Book, Clause, Gift, GiftEffect, Hold, Mark, Verdict, compile_book, judge
from erpsync.settings.rules import load_rules
from tests.support.sources import ROOT
from tests.unit.core.rules.builders import NOW, SHANGHAI, order

CARNIVAL = datetime(2027, 3, 2, 4, tzinfo=UTC)


@cache
def book() -> Book:
    config = load_rules(ROOT / "config" / "rules.example.yaml", timezone=SHANGHAI).require()
    return compile_book(config.rules, config.zones, SHANGHAI)


def judged(now: datetime = NOW, **said: Any) -> Verdict:
    return judge(book(), order(**({"placed_at": now, "paid_at": now - timedelta(hours=1)} | said)), now)


def held_by(found: Verdict) -> list[str]:
    return [hold.rule for hold in found.holds]


def marks(found: Verdict) -> dict[str, str]:
    return {mark.name: mark.value for mark in found.marks}


def because(found: Verdict, rule: str) -> Because:
    return next(each for each in found.because if each.rule == rule)


def test_an_ordinary_order_is_left_alone_and_never_looked_at_again() -> None:
    found = judged()

    assert (found.holds, found.marks, found.gifts, found.look_at) == ((), (), (), None)
    assert [each.outcome for each in found.because] == ["not"] * 11 + ["later"]


def test_an_order_settles_for_fifteen_minutes_after_payment_and_goes_on_by_itself() -> None:
    fresh = judged(paid_at=NOW)
    end = NOW + timedelta(minutes=15)

    assert fresh.holds == (Hold(rule="settle-time", text="付款后等15分钟", until_at=end),)
    assert fresh.look_at == end
    assert because(fresh, "settle-time").clauses == (Clause(fact="paid_min", operator="<", word="15"),)
    assert judged(end, paid_at=NOW).holds == ()


def test_an_order_that_nobody_has_paid_does_not_settle() -> None:
    assert judged(paid_at=None).holds == ()


def test_a_large_order_at_night_waits_for_a_person_and_a_small_one_does_not() -> None:
    night = datetime(2027, 3, 2, 15, tzinfo=UTC)  # 23:00 in Shanghai

    large = judged(night, total=Decimal(3000))
    assert [(hold.rule, hold.asks, hold.until_at) for hold in large.holds] == [
        ("night-big", True, datetime(2027, 3, 3, 0, tzinfo=UTC))
    ]
    assert held_by(judged(night, total=Decimal("2999.99"))) == []
    assert held_by(judged(total=Decimal(3000))) == []


def test_a_large_order_by_day_is_looked_at_again_at_ten_in_the_evening() -> None:
    assert judged(total=Decimal(3000)).look_at == datetime(2027, 3, 2, 14, tzinfo=UTC)


def test_an_order_below_the_floor_price_waits_for_a_person() -> None:
    assert held_by(judged(below_floor=True)) == ["floor"]


def test_an_order_whose_floor_prices_nobody_knows_is_not_held_and_says_what_is_missing() -> None:
    found = judged(below_floor=UNKNOWN)

    assert (held_by(found), marks(found)) == ([], {"unknown:below_floor": ""})
    assert because(found, "floor") == Because(
        rule="floor",
        outcome="unknown",
        clauses=(Clause(fact="below_floor", operator="one of", word="true"),),
    )


def test_an_address_with_a_problem_waits_for_a_person_and_gets_a_tag() -> None:
    found = judged(address=frozenset({"bad_phone"}))

    assert (held_by(found), marks(found)) == (["address"], {"tag:地址异常": ""})


@pytest.mark.parametrize(
    ("province", "city", "remote"),
    [
        ("新疆维吾尔自治区", "喀什地区", True),
        ("新疆", "乌鲁木齐市", True),
        ("海南省", "三沙市", True),
        ("海南省", "海口市", False),
    ],
)
def test_a_remote_place_goes_by_post(province: str, city: str, remote: bool) -> None:
    wanted = {"tag:偏远": "", "carrier": "EMS POST"} if remote else {}

    assert marks(judged(province=province, city=city)) == wanted


def test_whether_an_island_is_remote_cannot_be_said_without_its_city() -> None:
    assert marks(judged(province="海南省", city=UNKNOWN)) == {"unknown:zone": ""}


def test_a_memo_chooses_the_courier_and_counts_as_read() -> None:
    found = judged(seller_note="客户要求发顺丰")

    assert (marks(found), held_by(found)) == ({"carrier": "SF"}, [])


@pytest.mark.parametrize(("total", "carrier"), [("300", {"carrier": "SF"}), ("299.99", {})])
def test_a_buyers_wish_counts_from_three_hundred_yuan_on(total: str, carrier: dict[str, str]) -> None:
    assert marks(judged(buyer_note="发顺丰", total=Decimal(total))) == carrier


def test_a_memo_to_a_remote_place_does_not_change_the_courier_and_that_is_said() -> None:
    found = judged(province="西藏", seller_note="发顺丰")

    assert marks(found)["carrier"] == "EMS POST"
    assert [(each.rule, each.effect, each.won_by) for each in found.passed_over] == [("memo-sf", "carrier", "remote")]


def test_a_memo_that_no_rule_understands_waits_for_a_person() -> None:
    assert held_by(judged(seller_note="尽快")) == ["memo-left"]


def test_a_memo_is_not_read_because_the_buyers_note_was() -> None:
    found = judged(seller_note="尽快", buyer_note="发顺丰", total=Decimal(300))

    assert (held_by(found), marks(found)) == (["memo-left"], {"carrier": "SF"})


def test_a_memo_that_a_specification_was_read_from_is_understood() -> None:
    assert held_by(judged(seller_note="尺寸 30x40", notes_read=frozenset({"seller_note"}))) == []


@pytest.mark.parametrize("said", [{"seller_flag": 5}, {"buyer_orders_24h": 6}])
def test_an_order_that_seems_to_be_brushing_is_void_until_a_person_decides(said: dict[str, int]) -> None:
    found = judged(**said)

    assert [(hold.rule, hold.text, hold.asks, hold.void) for hold in found.holds] == [("brush", "疑似刷单", True, True)]
    assert marks(found) == {"void": "疑似刷单"}


def test_cash_on_delivery_leaves_alone_and_whole() -> None:
    assert judged(kind="cod").marks == (Mark(name="seal", value="merge split", rule="cod-alone"),)


SCARF = GiftEffect(sku="SCARF", qty=1, once="buyer", most=500, short="drop")


@pytest.mark.parametrize(
    ("said", "gifts"),
    [
        ({}, (Gift(rule="spring-gift", gift=SCARF),)),
        ({"goods_total": Decimal("298.99")}, ()),
        ({"sku": frozenset({"MUG"})}, ()),
        ({"channel": "jd-main"}, ()),
    ],
)
def test_a_dress_for_299_yuan_of_one_shop_brings_a_scarf(said: dict[str, Any], gifts: tuple[Gift, ...]) -> None:
    usual = {"channel": "tmall-flagship", "goods_total": Decimal(299), "sku": frozenset({"DRESS-08", "MUG"})}

    assert judged(CARNIVAL, **(usual | said)).gifts == gifts


@pytest.mark.parametrize(
    ("at", "given", "look_at"),
    [
        (datetime(2027, 3, 1, 1, 59, 59, tzinfo=UTC), 0, datetime(2027, 3, 1, 2, tzinfo=UTC)),
        (datetime(2027, 3, 1, 2, tzinfo=UTC), 1, datetime(2027, 3, 8, 16, tzinfo=UTC)),
        (datetime(2027, 3, 8, 16, tzinfo=UTC), 0, None),
    ],
)
def test_the_scarf_is_given_from_ten_in_the_morning_until_the_night_of_the_eighth(
    at: datetime, given: int, look_at: datetime | None
) -> None:
    found = judged(at, channel="tmall-flagship", goods_total=Decimal(299), sku=frozenset({"DRESS-08"}))

    assert (len(found.gifts), found.look_at) == (given, look_at)


def test_frozen_goods_leave_in_a_parcel_of_their_own() -> None:
    assert marks(judged(sku_tag=frozenset({"frozen", "fragile"}))) == {"part:frozen": '{"sku_tag": ["frozen"]}'}


@pytest.mark.parametrize(
    ("weight_g", "wanted"),
    [(20_001, {"carrier": "DBL_FREIGHT DBL"}), (20_000, {}), (UNKNOWN, {"unknown:weight_g": ""})],
)
def test_a_heavy_parcel_goes_by_freight(weight_g: Any, wanted: dict[str, str]) -> None:
    parcel = ParcelFacts(channel=frozenset({"tmall"}), kind=frozenset({"channel"}), warehouse="SH", weight_g=weight_g)

    assert marks(judge(book(), parcel, NOW)) == wanted


def test_a_rule_about_parcels_is_judged_later_than_the_order() -> None:
    assert because(judged(), "heavy") == Because(rule="heavy", outcome="later")
