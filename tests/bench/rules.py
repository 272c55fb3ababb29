"""What rules cost: an order judged, orders taken in, open orders judged again.

Judging alone is measured by 12, 200 and 2,000 rules beside as many comparisons in plain Python; the rest beside the
same orders without rules.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import perf_counter
from zoneinfo import ZoneInfo

from erpsync.core.facts import OrderFacts
from erpsync.core.rules import Book, Comparison, Effects, Every, Operator, Rule, compile_book, judge
from erpsync.flows.audit.looks import judge_due
from erpsync.settings.rules import load_rules
from tests.bench.goods import Sale
from tests.bench.trader import Bench
from tests.support.sources import ROOT

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


def twelve(*, buyers: bool) -> Book:
    """Return the twelve rules of the example file; without `buyers` none asks about a buyer's other orders."""
    config = load_rules(ROOT / "config" / "rules.example.yaml", timezone=ZONE).require()
    flagged = Every((Comparison(fact="seller_flag", operator=Operator.ONE_OF, words=(Decimal(5),)),))
    rules = [replace(rule, when=flagged) if rule.id == "brush" and not buyers else rule for rule in config.rules]
    return compile_book(rules, config.zones, ZONE)


def many(count: int) -> Book:
    """Return so many rules, ready to judge."""
    return compile_book(some_rules(count), {"remote": (("新疆", ""), ("西藏", ""))}, ZONE)


def taken_in(made: Bench, book: Book, found: Sequence[Sale], size: int) -> float:
    """Return the seconds that sales need to be taken in by rules."""
    made.ctx = made.ctx.with_book(book)
    return made.ingest(list(found), size)


def told_again(made: Bench, found: Sequence[Sale], size: int) -> float:
    """Return the seconds that sales need which are known and as they were."""
    made.ingest(list(found), size)
    return made.ingest(list(found), size)


def judged_again(made: Bench, book: Book, found: Sequence[Sale], size: int) -> float:
    """Return the seconds in which open orders are judged after rules have come into force."""
    made.ingest(list(found), size)
    made.ctx = made.ctx.with_book(book)
    begun = perf_counter()
    while judge_due(made.ctx):
        pass
    return perf_counter() - begun
