"""Facts and rules that default everything a test does not speak of, and random ones.

Why random ones come of a seed and not of strategies: an order has thirty facts, and drawing each takes a hundred times
as long as judging it.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from erpsync.core.facts import FACTS, UNKNOWN, Fact, FactType, On, OrderFacts
from erpsync.core.rules import (
    Comparison,
    Condition,
    Effects,
    Every,
    GiftEffect,
    Operator,
    Opposite,
    PartEffect,
    Rule,
    Some,
    Verdict,
    Zones,
    compile_book,
    judge,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2027, 3, 2, 1, 31, 2, tzinfo=UTC)
ZONES: Zones = {"remote": (("新疆", ""), ("西藏", ""), ("海南", "三沙市")), "near": (("上海", ""), ("浙江", ""))}


def order(**said: Any) -> OrderFacts:
    """Return an ordinary paid order of which everything is known."""
    usual: dict[str, Any] = {
        "channel": "tmall",
        "connector": "taobao",
        "kind": "channel",
        "placed_at": NOW - timedelta(hours=2),
        "paid_at": NOW - timedelta(hours=1),
        "ship_by_at": NOW + timedelta(hours=47),
        "province": "浙江省",
        "city": "杭州市",
        "address": frozenset(),
        "total": Decimal("99.00"),
        "goods_total": Decimal("99.00"),
        "freight": Decimal(0),
        "discount": Decimal(0),
        "paid": Decimal("99.00"),
        "currency": "CNY",
        "lines": 1,
        "units": 1,
        "weight_g": 400,
        "volume_cm3": 900,
        "sku": frozenset({"MUG"}),
        "sku_tag": frozenset(),
        "below_floor": False,
        "buyer_note": "",
        "seller_note": "",
        "seller_flag": 0,
        "buyer_new": False,
        "buyer_orders_24h": 1,
        "buyer_orders_open": 0,
        "buyer_refunds_90d": 0,
    }
    return OrderFacts(**(usual | said))


def asks(fact: str, operator: Operator, *words: Any, of: str = "") -> Comparison:
    return Comparison(fact=fact, operator=operator, words=words, of=of)


def rule(when: Condition, then: Effects | None = None, id: str = "r", **more: Any) -> Rule:
    return Rule(id=id, when=when, then=then or Effects(hold="wait"), **more)


def verdict(rules: list[Rule], facts: Any = None, now: datetime = NOW, zone: ZoneInfo = SHANGHAI) -> Verdict:
    return judge(compile_book(rules, ZONES, zone), facts or order(), now)


def matches(when: Condition, facts: Any = None, now: datetime = NOW) -> str:
    """Return how one rule with this condition ends."""
    return verdict([rule(when)], facts, now).because[0].outcome


# ---- random ones ---------------------------------------------------------------------------------------------------

PLACES = ("浙江", "浙江省", "新疆维吾尔自治区", "海南", "北京市")
CITIES = ("杭州市", "三沙市", "三沙", "乌鲁木齐")
TAGS = ("a", "b", "c")
NOTES = ("", " ", "发顺丰", "请发顺丰快递 SF", "ｓｆ 速运", "尽快")
WORDS_OF: dict[str, tuple[Any, ...]] = {
    "channel": ("tmall", "jd", "own"),
    "connector": ("taobao", "jd"),
    "kind": ("channel", "cod", "phone"),
    "province": PLACES,
    "city": CITIES,
    "currency": ("CNY", "USD"),
    "zone": ("remote", "near"),
    "address": ("too_short", "bad_phone", "unknown_region"),
    "sku": ("MUG", "DRESS-1", "DRESS-2", "SCARF"),
    "sku_tag": ("frozen", "fragile"),
    "tag": TAGS,
    "weekday": ("mon", "tue", "sat", "sun"),
}
NUMBERS = (0, 1, 2, 5, 300)
SETS = (Operator.HAS, Operator.ALL, Operator.ONLY)
BOUNDS = (Operator.LT, Operator.LE, Operator.GT, Operator.GE)


def some(chance: Random, words: Any, most: int = 2) -> tuple[Any, ...]:
    return tuple(chance.sample(words, min(len(words), chance.randint(1, most))))


def a_set(chance: Random, words: Any) -> frozenset[str]:
    return frozenset(chance.sample(words, chance.randint(0, min(3, len(words)))))


def facts(chance: Random, now: datetime) -> OrderFacts:
    """Return an order, some facts of which nobody knows, with instants around the limits that rules name."""

    def moment() -> timedelta:
        return timedelta(minutes=chance.choice([0, 1, 14, 15, 16, 300]), microseconds=chance.randint(-1, 1))

    values: dict[str, Any] = {
        "placed_at": now - moment(),
        "paid_at": chance.choice([None, UNKNOWN, now - moment(), now - moment()]),
        "ship_by_at": chance.choice([None, UNKNOWN, now + 12 * moment(), now + 12 * moment()]),
        "notes_read": chance.choice([frozenset(), frozenset({"seller_note"})]),
        "tag": a_set(chance, TAGS),
    }
    for fact in FACTS[On.ORDER].values():
        if fact.field != fact.name or fact.type in (FactType.CLOCK, FactType.WEEKDAY) or fact.name == "tag":
            continue
        always_known = fact.name in ("channel", "connector", "kind")
        values[fact.name] = a_value(chance, fact) if always_known or chance.random() < 0.75 else UNKNOWN
    return OrderFacts(**values)


def a_value(chance: Random, fact: Fact) -> Any:
    match fact.type:
        case FactType.SINGLE | FactType.PLACE:
            return chance.choice(WORDS_OF[fact.name])
        case FactType.WORDS:
            return a_set(chance, WORDS_OF[fact.name])
        case FactType.NOTE:
            return chance.choice(NOTES)
        case FactType.NUMBER:
            return chance.choice(NUMBERS)
        case FactType.AMOUNT:
            return chance.choice([Decimal("299.99"), Decimal("300.00"), Decimal(0)])
    assert fact.type is FactType.FLAG
    return chance.random() < 0.5


def a_test(chance: Random) -> Comparison:
    """Return one comparison that fits its fact."""
    fact = FACTS[On.ORDER][chance.choice(sorted(FACTS[On.ORDER]))]
    if fact.type not in (FactType.CLOCK, FactType.WEEKDAY) and chance.random() < 0.1:
        return asks(fact.name, Operator.UNKNOWN)
    match fact.type:
        case FactType.SINGLE | FactType.PLACE | FactType.WEEKDAY:
            return asks(fact.name, Operator.ONE_OF, *some(chance, WORDS_OF[fact.name]))
        case FactType.WORDS if fact.name == "zone":
            return asks("zone", Operator.HAS, *some(chance, WORDS_OF["zone"]))
        case FactType.WORDS:
            words = (*WORDS_OF[fact.name], f"{WORDS_OF[fact.name][-1][:1]}*")
            return asks(fact.name, chance.choice(SETS), *some(chance, words, 3))
        case FactType.NOTE if chance.random() < 0.5:
            return asks(fact.name, Operator.UNREAD, chance.random() < 0.5)
        case FactType.NOTE:
            return asks(fact.name, Operator.CONTAINS, *some(chance, ("发顺丰", "sf", "尽快")))
        case FactType.FLAG:
            return asks(fact.name, Operator.ONE_OF, chance.random() < 0.5)
        case FactType.NUMBER | FactType.AMOUNT if chance.random() < 0.25:
            return asks(fact.name, Operator.ONE_OF, *map(Decimal, some(chance, NUMBERS)))
        case FactType.NUMBER | FactType.AMOUNT:
            return asks(fact.name, chance.choice(BOUNDS), Decimal(chance.choice(NUMBERS)))
        case FactType.SINCE | FactType.UNTIL:
            limits = [Decimal(15), Decimal(1), Decimal("0.000000001"), Decimal("3.2"), Decimal(60)]
            return asks(fact.name, chance.choice(BOUNDS), chance.choice(limits))
    return asks("clock", Operator.WITHIN, *chance.sample([0, 60, 90, 150, 480, 1320], 2))


def a_condition(chance: Random) -> Condition:
    """Return conditions as deep as a file may nest them."""
    return Every(tuple(_part(chance, 0) for _ in range(chance.randint(1, 3))))


def _part(chance: Random, depth: int) -> Condition:
    found: Condition
    if depth == 2 or chance.random() < 0.65:
        found = a_test(chance)
    else:
        kind = chance.choice([Some, Every])
        found = kind(tuple(_part(chance, depth + 1) for _ in range(chance.randint(1, 3))))
    return Opposite(found) if chance.random() < 0.2 else found


EFFECTS = (
    Effects(hold="wait"),
    Effects(hold="ask", ask=True),
    Effects(void="not real", ask=True),
    *(Effects(tag=(tag,)) for tag in TAGS),
    Effects(tag=("a", "b"), carrier=("SF",)),
    Effects(carrier=("EMS", "POST"), seal=("merge",)),
    Effects(seal=("split",), tell="scan"),
    Effects(gift=GiftEffect(sku="SCARF"), warehouse=("SH",)),
    Effects(warehouse_by="zone", part=(PartEffect(name="cold", by="sku_tag", words=("frozen",)),)),
)


def some_rules(chance: Random, now: datetime, most: int = 6) -> list[Rule]:
    """Return the rules of a file, some of which count for a time only."""
    found = []
    for n in range(chance.randint(1, most)):
        start, end = (chance.choice([None, None, -90, -1, 0, 1, 90]) for _ in "12")
        if start is not None and end is not None and start >= end:
            end = None
        from_at, until_at = (None if at is None else now + timedelta(minutes=at) for at in (start, end))
        when, then = a_condition(chance), chance.choice(EFFECTS)
        found.append(rule(when, then, id=f"r{n}", from_at=from_at, until_at=until_at))
    return found
