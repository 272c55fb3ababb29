"""How long it takes to judge an order by 12, 200 and 2,000 rules, beside as many comparisons in plain Python."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import perf_counter
from zoneinfo import ZoneInfo

from erpsync.core.facts import OrderFacts
from erpsync.core.rules import Comparison, Effects, Every, Operator, Rule, compile_book, judge

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2027, 3, 2, 4, tzinfo=UTC)
SHOPS = 20
"""Of many rules nearly all name a shop; those of the smallest file name none."""


def an_order(n: int) -> OrderFacts:
    """Return an order as a seller's usually is: no rule but now and then one is met."""
    return OrderFacts(
        channel=f"shop-{n % SHOPS}",
        connector="taobao",
        kind="channel",
        placed_at=NOW - timedelta(hours=2),
        paid_at=NOW - timedelta(minutes=n % 90),
        province="浙江省",
        city="杭州市",
        address=frozenset(),
        total=Decimal(20 + n % 400),
        goods_total=Decimal(20 + n % 400),
        weight_g=300 + n,
        sku=frozenset({f"SKU-{n % 50}"}),
        sku_tag=frozenset(),
        seller_flag=0,
        seller_note="",
        buyer_note="",
    )


CONDITIONS = (
    Comparison(fact="paid_min", operator=Operator.LT, words=(Decimal(15),)),
    Comparison(fact="total", operator=Operator.GE, words=(Decimal(3000),)),
    Comparison(fact="address", operator=Operator.HAS, words=("too_short", "bad_phone")),
    Comparison(fact="zone", operator=Operator.HAS, words=("remote",)),
    Comparison(fact="seller_note", operator=Operator.CONTAINS, words=("发顺丰",)),
    Comparison(fact="seller_flag", operator=Operator.ONE_OF, words=(Decimal(5),)),
    Comparison(fact="sku", operator=Operator.HAS, words=("DRESS-*",)),
    Comparison(fact="weight_g", operator=Operator.GT, words=(Decimal(20_000),)),
)


def some_rules(count: int) -> list[Rule]:
    """Return rules of each kind in turn; of more than a dozen all but a dozen name a shop."""
    found = []
    for n in range(count):
        shop = Comparison(fact="channel", operator=Operator.ONE_OF, words=(f"shop-{n % SHOPS}",))
        condition = CONDITIONS[n % len(CONDITIONS)]
        when = Every((condition,) if n < 12 else (shop, condition))
        found.append(Rule(id=f"rule-{n}", when=when, then=Effects(tag=(f"tag-{n}",))))
    return found


def judged_by(count: int, orders: int) -> Callable[[], float]:
    """Return what judges orders by that many rules, and says how long it took."""
    book = compile_book(some_rules(count), {"remote": (("新疆", ""), ("西藏", ""))}, ZONE)
    facts = [an_order(n) for n in range(orders)]

    def work() -> float:
        begun = perf_counter()
        for each in facts:
            judge(book, each, NOW)
        return perf_counter() - begun

    return work


def comparisons(count: int, orders: int) -> Callable[[], float]:
    """Return what makes as many comparisons by hand, and says how long it took."""
    facts = [an_order(n) for n in range(orders)]
    limits = [Decimal(3000 + n) for n in range(count)]

    def work() -> float:
        begun = perf_counter()
        for each in facts:
            [limit for limit in limits if each.total >= limit]  # type: ignore[operator]
        return perf_counter() - begun

    return work
