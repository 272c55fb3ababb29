"""However the facts of a shop come, its orders end as a judge says that is told all of them at once.

A history is all that happens to the orders of one buyer. Twenty of them share a shop, so that batches mix. What
channels tell comes in any order; reloads, the clock, approvals, tags and parcels stand at fixed places. `ERPSYNC_SOAK`
asks for ten thousand.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlalchemy import select

from erpsync.core.policy import OrderPolicy
from erpsync.core.rules import Effects, Every, GiftEffect, Operator, Rule, compile_book
from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.audit.marks import tag_order
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.flows.shipments.record import ShipLine, ship
from erpsync.sdk.types import Line, Order, OrderState, Recipient, Refund, RefundLine, RefundState
from erpsync.store.tables import gift_count, order_hold, order_line, order_look, order_mark, orders
from tests.support.facts import OrderRecord, RefundRecord, raw, take_in
from tests.support.looking import problems
from tests.support.real_data import SOAK
from tests.support.shop import NOON, SHANGHAI, Town
from tests.support.shop_judge import Goods, ShopJudge, Standing
from tests.unit.core.rules.builders import ZONES, asks, some_rules

LIVES = 500 if SOAK else 10
BUYERS = 20
MICROSECOND = timedelta(microseconds=1)
TICKS = 10 * MICROSECOND
"""More than a store's clock moves on by itself, each time it is asked, while ours stands still."""

OPENS = NOON + timedelta(seconds=0.3)
"""The clock never stands where an answer flips, unless a test wants it to."""

GOODS = {
    "MUG": Goods(weight_g=1, volume_cm3=2, floor_minor=300, tags=frozenset({"fragile"})),
    "DRESS-1": Goods(weight_g=2, volume_cm3=1, floor_minor=500),
    "DRESS-2": Goods(volume_cm3=5, tags=frozenset({"frozen", "fragile"})),
}
BUNDLES = {"KIT": {"MUG": 1, "DRESS-1": 2}}
SOLD = ("MUG", "MUG", "DRESS-1", "DRESS-2", "KIT", "NEW")
ADDRESSES = {"文三路 100 号": frozenset[str](), "1 号": frozenset({"too_short"}), "***": frozenset[str]()}
PLACES = (
    ("浙江省", "杭州市"),
    ("海南省", "三沙市"),
    ("新疆维吾尔自治区", "乌鲁木齐市"),
    ("北京市", "北京市"),
    ("**", "**"),
)
BEFORE = (0, 1, 14 * 60, 15 * 60 + 10, 24 * 60, 48 * 60, 90 * 24 * 60)
"""Minutes before the shop opens in which orders are placed: a day, two days, 90 days apart."""

Fact = OrderRecord | RefundRecord
Gifts = Mapping[str, tuple[str, int]]


@dataclass(kw_only=True)
class Life:
    """One shop's life: what is known to the product, and what the judge was told."""

    town: Town
    chance: Random
    judge: ShopJudge
    to_come: list[Fact] = field(default_factory=list)
    kept: dict[str, Gifts] = field(default_factory=dict)
    parcels: int = 0

    @property
    def now(self) -> datetime:
        """The instant that it is."""
        return self.town.clock.now()

    def reload(self, rules: list[Rule]) -> None:
        """Put rules in force."""
        self.judge.rules = rules
        self.town.ctx = replace(self.town.ctx, book=compile_book(rules, ZONES, SHANGHAI))
        judge_due(self.town.ctx)

    def come(self, count: int) -> None:
        """Let some of the facts come, in batches, in any order."""
        coming = [
            self.to_come.pop(self.chance.randrange(len(self.to_come))) for _ in range(min(count, len(self.to_come)))
        ]
        while coming:
            batch, coming = coming[: (size := self.chance.randint(1, 12))], coming[size:]
            views = [each for each in batch if isinstance(each, OrderRecord)]
            back = [each for each in batch if isinstance(each, RefundRecord)]
            take_in(self.town, *views, refunds=back)
            self.judge.views += [each.order for each in views]
            self.judge.refunds += [each.refund for each in back]
            if self.chance.random() < 0.3:
                judge_due(self.town.ctx)

    def act(self) -> None:
        """Let people approve, tag and send."""
        standing = self.check()
        live = [id for id, it in standing.items() if it.live]
        for id in self.chance.sample(live, min(8, len(live))):
            self._approve(id, standing[id])
        for id in self.chance.sample(live, min(2, len(live))):
            tag_order(self.town.ctx, id, ["c"], actor="li")
            if "tag:c" not in standing[id].marks:
                self.judge.tags.setdefault(id, set()).add("c")
        self._send(self.check())

    def _approve(self, id: str, it: Standing) -> None:
        if not it.asking:
            with pytest.raises(Refused, match="no rule asks anything"):
                approve(self.town.ctx, id, actor="li")
            return
        chosen = self.chance.sample(sorted(it.asking), self.chance.randint(1, len(it.asking)))
        assert set(approve(self.town.ctx, id, chosen, actor="li")) == set(chosen)
        for rule in chosen:
            self.judge.approve(id, rule, it.asking[rule])

    def _send(self, standing: Mapping[str, Standing]) -> None:
        """Send a part of an order of which no more views come: its gifts stay as they are from then on."""
        changing = {fact.order.external_id for fact in self.to_come if isinstance(fact, OrderRecord)}
        asked = {refund.order_external_id for refund in self.judge.refunds} | {
            fact.refund.order_external_id for fact in self.to_come if isinstance(fact, RefundRecord)
        }
        for id, order in self.judge.orders().items():
            line = order.lines[0]
            ready = standing[id].live and not standing[id].holds and order.state is OrderState.PAID
            if (
                not ready
                or id in changing | asked
                or line.qty < 2
                or any(each.channel_sku == "NEW" for each in order.lines)
            ):
                continue
            if (id, line.external_id) in self.judge.left:
                continue
            self.kept[id] = stored(self.town)[id].gifts
            self.parcels += 1
            one = [ShipLine(line=line.external_id, qty=1)]
            ship(self.town.ctx, order=id, carrier="SF", tracking=f"SF{self.parcels}", lines=one, actor="li")
            self.judge.left[id, line.external_id] = 1
            return

    def check(self) -> Mapping[str, Standing]:
        """Hold all orders against the judge, once every look that is due was carried out."""
        while judge_due(self.town.ctx):
            pass
        standing, found = self.judge.stand(self.now), stored(self.town)
        assert found.keys() == standing.keys()
        for id, it in standing.items():
            assert (id, found[id].holds) == (id, it.holds)
            if it.live:
                assert (id, found[id].marks) == (id, it.marks)
        self._check_gifts(standing, {id: it.gifts for id, it in found.items()})
        return standing

    def _check_gifts(self, standing: Mapping[str, Standing], found: Mapping[str, Gifts]) -> None:
        buyers = {id: order.buyer for id, order in self.judge.orders().items()}
        for id, it in standing.items():
            unlimited = {rule: gift for rule, gift in it.wants.items() if not gift.once and gift.most is None}
            want = {rule: (gift.sku, gift.qty) for rule, gift in unlimited.items() if gift.sku != "NOBODY"}
            if not it.live:
                assert (id, found[id]) == (id, {})
            elif id in self.kept:
                assert (id, found[id]) == (id, self.kept[id])
            else:
                assert (id, {rule: gift for rule, gift in found[id].items() if rule not in LIMITED}) == (id, want)
        for rule, gift in LIMITED.items():
            having = [id for id in found if rule in found[id]]
            wanting = [id for id, it in standing.items() if it.live and id not in self.kept and rule in it.wants]
            assert gift.most is None or len(having) <= gift.most
            assert {id for id in having if id not in self.kept} <= set(wanting)
            owners = [buyers[id] for id in having]
            assert not gift.once or len(owners) == len(set(owners))
            for id in set(wanting) - set(having):  # nobody goes without one that is left
                assert (gift.once and buyers[id] in owners) or len(having) == gift.most, (rule, id)
            if gift.most is not None:
                assert self._counted(rule) == len(having)

    def _counted(self, rule: str) -> int:
        with self.town.store.read() as connection:
            found = connection.execute(select(gift_count.c.given).where(gift_count.c.rule == rule)).scalar()
        return int(found or 0)


LIMITED = {
    "once": GiftEffect(sku="FAN", once="buyer"),
    "most": GiftEffect(sku="FAN", qty=2, most=5),
    "both": GiftEffect(sku="FAN", once="buyer", most=4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How an order stands in the books."""

    holds: dict[str, str] = field(default_factory=dict)
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    gifts: dict[str, tuple[str, int]] = field(default_factory=dict)


def stored(town: Town) -> dict[str, Stored]:
    with town.store.read() as connection:
        ids = {row.id: row.external_id for row in connection.execute(select(orders.c.id, orders.c.external_id))}
        found = {id: Stored() for id in ids.values()}
        for row in connection.execute(select(order_hold)):
            if row.reason.startswith(("rule:", "void:")):
                found[ids[row.order_id]].holds[row.reason] = row.detail
        for row in connection.execute(select(order_mark)):
            found[ids[row.order_id]].marks[row.name] = (row.value, row.rule)
        for row in connection.execute(select(order_line).where(order_line.c.origin == "gift")):
            if row.qty > row.cancelled_qty:
                found[ids[row.order_id]].gifts[row.rule] = (row.channel_sku, row.qty)
    return found


# ---- what is told --------------------------------------------------------------------------------------------------


def facts_of(buyer: str, number: int, chance: Random) -> Iterator[Fact]:
    """Yield all that the channel tells of one buyer."""
    for nth, minutes in enumerate(chance.sample(BEFORE, chance.randint(1, 3))):
        id, placed_at = (
            f"{buyer}-{nth}",
            OPENS - timedelta(minutes=minutes, microseconds=chance.choice([0, 0, 300_000])),
        )
        version_at = placed_at
        for order in views(id, buyer, number, placed_at, chance):
            version_at = order.version_at
            yield OrderRecord(raw=raw(id, version_at, digest=str(version_at), read=(0, 1)), order=order)
        if chance.random() < 0.4:
            yield from refunds(id, placed_at, chance)


def views(id: str, buyer: str, number: int, placed_at: datetime, chance: Random) -> Iterator[Order]:
    paid_at = OPENS - timedelta(minutes=chance.choice([0, 14, 15, 16, 59, 300]), seconds=2)
    states = [OrderState.PAID] * chance.randint(1, 3)
    if chance.random() < 0.5:
        states.insert(0, OrderState.UNPAID)
    if chance.random() < 0.2:
        states.append(OrderState.CANCELLED)
    for nth, state in enumerate(states[: chance.randint(1, 4)]):
        province, city = chance.choice(PLACES)
        paid = None if state is OrderState.UNPAID else paid_at
        yield Order(
            external_id=id,
            version_at=placed_at + timedelta(minutes=nth, seconds=1),
            state=state,
            placed_at=placed_at,
            paid_at=paid,
            ready_at=paid,
            ship_by_at=OPENS + timedelta(hours=chance.choice([-1, 1, 3, 15, 60]), minutes=12),
            currency=chance.choice(["CNY", "CNY", "USD"]),
            total_minor=chance.choice([0, 200, 29_999, 30_000]),
            goods_minor=chance.choice([500, 30_000]),
            freight_minor=chance.choice([0, 100]),
            discount_minor=chance.choice([0, 100]),
            paid_minor=chance.choice([0, 30_000]),
            lines=tuple(
                Line(
                    external_id=f"L{n}",
                    channel_sku=chance.choice(SOLD),
                    qty=chance.randint(1, 3),
                    price_minor=chance.choice([200, 300, 500, 1300, 5000]),
                )
                for n in range(chance.randint(1, 3))
            ),
            recipient=Recipient(
                name="王小明",
                phone=f"138{number:08}",
                province=province,
                city=city,
                address=chance.choice(sorted(ADDRESSES)),
            ),
            buyer=buyer,
            buyer_note=chance.choice(["", "请发顺丰快递 SF", "尽快"]),
            seller_note=chance.choice(["", " ", "ｓｆ 速运", "尽快"]),
            seller_flag=chance.choice([0, 0, 1, 5]),
        )


def refunds(order: str, placed_at: datetime, chance: Random) -> Iterator[Fact]:
    """Yield a refund that names units and its end; one that an order of 90 days later may still be asked about."""
    at = placed_at + chance.choice([timedelta(0), timedelta(minutes=1), timedelta(days=90), timedelta(hours=9)])
    end = chance.choice([RefundState.GRANTED, RefundState.CLOSED])
    lines = (RefundLine(line_external_id="L0", qty=chance.randint(1, 3)),)
    for nth, state in enumerate([RefundState.OPEN, end, end][: chance.randint(1, 3)]):
        item = Refund(
            external_id=f"r-{order}",
            order_external_id=order,
            version_at=min(at, OPENS) + timedelta(minutes=nth * chance.choice([1, 800])),
            state=state,
            amount_minor=0,
            currency="CNY",
            lines=lines,
        )
        yield RefundRecord(raw=raw(item.external_id, item.version_at, digest=str(nth), read=(0, 1)), refund=item)


def rules_of(chance: Random) -> list[Rule]:
    """Return the rules of a file: some of any kind, about the buyer, and gifts, among them limited ones."""
    found = some_rules(chance, OPENS)
    found += [
        Rule(id="many", when=asks("buyer_orders_24h", Operator.GT, Decimal(1)), then=Effects(hold="many", ask=True)),
        Rule(id="open", when=asks("buyer_orders_open", Operator.GE, Decimal(1)), then=Effects(tag=("a",))),
        Rule(id="back", when=asks("buyer_refunds_90d", Operator.GE, Decimal(1)), then=Effects(void="back", ask=True)),
        Rule(id="nobody", when=asks("units", Operator.GE, Decimal(1)), then=Effects(gift=GiftEffect(sku="NOBODY"))),
    ]
    for name, gift in LIMITED.items():
        limit = Decimal(chance.choice([0, 2, 300]))
        found.append(Rule(id=name, when=Every((asks("total", Operator.GE, limit),)), then=Effects(gift=gift)))
    return chance.sample(found, chance.randint(3, len(found)))


@pytest.fixture
def begin(make_town: Callable[..., Town]) -> Callable[[int], Life]:
    """Begin a shop's life of a seed."""

    def begun(seed: int) -> Life:
        town = make_town(orders=OrderPolicy(reserve="payment"))
        town.clock.advance(seconds=0.3)
        for sku, goods in GOODS.items():
            cells = {
                "weight_g": "" if goods.weight_g is None else str(goods.weight_g),
                "volume_cm3": "" if goods.volume_cm3 is None else str(goods.volume_cm3),
                "floor": "" if goods.floor_minor is None else str(Decimal(goods.floor_minor) / 100),
                "currency": "" if goods.floor_minor is None else "CNY",
                "tags": ",".join(sorted(goods.tags)),
            }
            assert not import_goods(town.ctx, [GoodsRow(sku=sku, cells=cells)], actor="li").refused
        parts = [BundlePart(bundle=name, sku=sku, qty=qty) for name, of in BUNDLES.items() for sku, qty in of.items()]
        import_bundles(town.ctx, parts, actor="li")
        for sku in (*GOODS, "SCARF", "FAN"):
            set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=100_000, actor="li")
        chance = Random(seed)
        judge = ShopJudge(goods=GOODS, bundles=BUNDLES, address_problems=ADDRESSES, zones=ZONES, zone=SHANGHAI)
        facts = [fact for n in range(BUYERS) for fact in facts_of(f"b{n}", n, chance)]
        return Life(town=town, chance=chance, judge=judge, to_come=facts)

    return begun


@pytest.mark.parametrize("seed", range(LIVES))
@pytest.mark.parametrize("dialect", [pytest.param("sqlite", marks=pytest.mark.sqlite)], indirect=True)
def test_however_facts_come_orders_end_as_a_judge_of_all_of_them_says(begin: Callable[[int], Life], seed: int) -> None:
    life = begin(seed)
    life.reload(rules_of(life.chance))
    for _ in range(3):
        life.come(len(life.to_come) // 3 + 1)
        life.town.advance(life.chance.choice([1, 60, 900, 3600]))
        life.act()
        if life.chance.random() < 0.7:
            life.reload(rules_of(life.chance))
    life.come(len(life.to_come))
    life.check()
    assert problems(life.town) == []


@pytest.mark.parametrize("seed", range(LIVES // 2))
@pytest.mark.parametrize("dialect", [pytest.param("sqlite", marks=pytest.mark.sqlite)], indirect=True)
def test_nothing_changes_before_a_stored_look_and_none_is_missed(begin: Callable[[int], Life], seed: int) -> None:
    life = begin(seed)
    life.reload(rules_of(life.chance))
    life.come(len(life.to_come))
    life.check()
    for _ in range(5):
        at = first_look(life.town)
        if at is None:
            break
        now = life.judge.stand(life.now)
        for flip in [flip for flip in life.judge.flips(life.now) if flip < at][:5]:
            assert life.judge.stand(flip) == now
        life.town.clock.advance(seconds=(at - TICKS - life.now).total_seconds())
        assert judge_due(life.town.ctx) == 0
        assert life.judge.stand(at - MICROSECOND) == now
        life.town.clock.advance(seconds=TICKS.total_seconds())
        assert judge_due(life.town.ctx) > 0
        life.town.clock.advance(seconds=0.001)  # looks of an instant of their own right behind it are carried out too
        life.check()
    else:
        return
    now = life.judge.stand(life.now)
    for flip in life.judge.flips(life.now)[:10]:
        assert life.judge.stand(flip) == now


def first_look(town: Town) -> datetime | None:
    with town.store.read() as connection:
        return connection.execute(select(order_look.c.at).order_by(order_look.c.at).limit(1)).scalar()
