"""A judge of a whole shop: from the list of what was told it says how each order has to stand by the rules in force.

It reads what was told anew each time, newest version first; it knows neither rows nor commits nor in which order things
came. Conditions are read by the judge of one order (`unit.core.rules.brute`). Which of several gets a limited gift does
depend on the order of judging: of those it says only who wants one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from erpsync.core.facts import UNKNOWN, OrderFacts
from erpsync.core.rules import GiftEffect, Rule, Zones
from erpsync.sdk.types import Line, Order, OrderState, Refund, RefundState
from tests.unit.core.rules.brute import Brute, Said

DAY, NINETY_DAYS = timedelta(days=1), timedelta(days=90)
Seen = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What a SKU is; None where nobody has said so."""

    weight_g: int | None = None
    volume_cm3: int | None = None
    floor_minor: int | None = None
    tags: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How an order has to stand.

    Args:
        live: something that was sold has still to leave; marks of others stay as they were.
        asking: by the rules that ask for a person, what an approval would be for.
        wants: the gifts that rules want of it, by rule.
    """

    live: bool
    holds: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    asking: Mapping[str, Seen] = field(default_factory=dict)
    wants: Mapping[str, GiftEffect] = field(default_factory=dict)


class _Witness(Brute):
    """Judges one order and keeps which values the rules matched on."""

    seen: dict[str, Seen]

    def judge(self, rules: Sequence[Rule]) -> Said:
        self.seen = {}
        return super().judge(rules)

    def effects(self, rule: Rule, said: Said, winners: dict[str, str]) -> None:
        self.seen[rule.id] = {test.fact: self._witnessed(test.fact) for test in self.approvable(rule.when)}
        super().effects(rule, said, winners)

    def _witnessed(self, fact: str) -> object:
        if fact in ("clock", "weekday"):
            return None
        value = self.value(fact)
        if fact == "address":
            return value, self.facts.recipient
        return frozenset(value) if isinstance(value, set) else value


@dataclass(kw_only=True)
class ShopJudge:
    """All that was told of a shop, and the rules in force.

    Args:
        goods: by SKU; `bundles` says which SKUs a bundle is of. A seller code that is in neither is tied to nothing.
        address_problems: by address as it was written, what is wrong with it.
    """

    goods: Mapping[str, Goods]
    bundles: Mapping[str, Mapping[str, int]]
    address_problems: Mapping[str, frozenset[str]]
    zones: Zones
    zone: ZoneInfo
    rules: Sequence[Rule] = ()
    views: list[Order] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    left: dict[tuple[str, str], int] = field(default_factory=dict)
    tags: dict[str, set[str]] = field(default_factory=dict)
    approved: dict[tuple[str, str], Seen] = field(default_factory=dict)

    def orders(self) -> dict[str, Order]:
        """Return the newest view of each order."""
        newest: dict[str, Order] = {}
        for view in sorted(self.views, key=lambda view: view.version_at):
            newest[view.external_id] = view
        return newest

    def stand(self, now: datetime) -> dict[str, Standing]:
        """Return how each order has to stand at an instant."""
        orders, refunds = self.orders(), self._refunds()
        return {id: self._standing(order, orders, refunds, now) for id, order in orders.items()}

    def approve(self, order: str, rule: str, seen: Seen) -> None:
        """Note what a person said yes to."""
        self.approved[order, rule] = seen

    def flips(self, now: datetime) -> list[datetime]:
        """Return the instants behind `now` at which time may change an answer about any order."""
        orders, refunds = self.orders(), self._refunds()
        found: set[datetime] = set()
        for order in orders.values():
            brute = Brute(self.zones, self.zone, self._facts(order, orders, refunds), now)
            found.update(brute.flips(self.rules))
        return sorted(found)

    def _refunds(self) -> list[Refund]:
        newest: dict[str, Refund] = {}
        for refund in sorted(self.refunds, key=lambda refund: refund.version_at):
            newest[refund.external_id] = refund
        return list(newest.values())

    def _standing(
        self, order: Order, orders: Mapping[str, Order], refunds: Sequence[Refund], now: datetime
    ) -> Standing:
        id = order.external_id
        if not self._is_live(order, refunds):
            return Standing(live=False)
        witness = _Witness(self.zones, self.zone, self._facts(order, orders, refunds), now)
        said = witness.judge(self.rules)
        approved = {
            rule
            for rule, _, asks, _ in said.holds
            if asks and self.approved.get((id, rule), None) == witness.seen[rule]
        }
        standing = [hold for hold in said.holds if hold[0] not in approved]
        marks = {name: mark for name, mark in said.marks.items() if name != "void" or mark[1] not in approved}
        gifts = {rule.id: rule.then.gift for rule in self.rules if rule.then.gift}
        return Standing(
            live=True,
            holds={f"{'void' if void else 'rule'}:{rule}": text for rule, text, _, void in standing},
            marks=marks | {f"tag:{tag}": ("", "") for tag in self.tags.get(id, ())},
            asking={rule: witness.seen[rule] for rule, _, asks, _ in standing if asks},
            wants={rule: gifts[rule] for rule, _ in said.gifts},
        )

    # ---- facts -------------------------------------------------------------------------------------------------------

    def _cancelled(self, order: Order, line: Line, refunds: Sequence[Refund]) -> int:
        given = sum(
            each.qty
            for refund in refunds
            if refund.order_external_id == order.external_id and refund.state is RefundState.GRANTED
            for each in refund.lines
            if each.line_external_id == line.external_id
        )
        closed = line.qty if order.state is OrderState.CANCELLED else line.cancelled_qty
        return min(line.qty - self._left(order, line), max(given, closed))

    def _left(self, order: Order, line: Line) -> int:
        return self.left.get((order.external_id, line.external_id), 0)

    def _is_live(self, order: Order, refunds: Sequence[Refund]) -> bool:
        return any(
            line.qty - self._cancelled(order, line, refunds) - self._left(order, line) > 0 for line in order.lines
        )

    def _facts(self, order: Order, orders: Mapping[str, Order], refunds: Sequence[Refund]) -> OrderFacts:
        wanted = {line: line.qty - self._cancelled(order, line, refunds) for line in order.lines}
        wanted = {line: qty for line, qty in wanted.items() if qty}
        to = order.recipient
        assert to is not None
        return OrderFacts(
            channel="shop",
            connector="shop",
            kind="channel",
            placed_at=order.placed_at,
            paid_at=order.paid_at,
            ship_by_at=order.ship_by_at,
            province=to.province if to.province and "*" not in to.province else UNKNOWN,
            city=to.city if to.city and "*" not in to.city else UNKNOWN,
            address=self.address_problems[to.address],
            recipient=repr(to),
            **{
                name: UNKNOWN if minor is None else Decimal(minor) / 100
                for name, minor in (
                    ("total", order.total_minor),
                    ("goods_total", order.goods_minor),
                    ("freight", order.freight_minor),
                    ("discount", order.discount_minor),
                    ("paid", order.paid_minor),
                )
            },
            currency=order.currency,
            lines=len(wanted),
            units=sum(wanted.values()),
            **self._of_goods(order, wanted),
            buyer_note=order.buyer_note or "",
            seller_note=order.seller_note or "",
            seller_flag=order.seller_flag or 0,
            tag=frozenset(self.tags.get(order.external_id, ())),
            **(self._of_buyer(order, orders, refunds) if order.buyer else {}),
        )

    def _of_goods(self, order: Order, wanted: Mapping[Line, int]) -> dict[str, Any]:
        if any(line.channel_sku not in self.goods and line.channel_sku not in self.bundles for line in wanted):
            return {}
        units = [
            (self.goods[sku], per_unit * qty, sku)
            for line, qty in wanted.items()
            for sku, per_unit in self._parts(line).items()
        ]

        def total(name: str) -> Any:
            known = [getattr(goods, name) for goods, _, _ in units]
            return UNKNOWN if None in known else sum(getattr(goods, name) * qty for goods, qty, _ in units)

        return {
            "weight_g": total("weight_g"),
            "volume_cm3": total("volume_cm3"),
            "sku": frozenset(sku for _, _, sku in units),
            "sku_tag": frozenset(tag for goods, _, _ in units for tag in goods.tags),
            "below_floor": self._below_floor(order, wanted),
        }

    def _parts(self, line: Line) -> Mapping[str, int]:
        return self.bundles.get(line.channel_sku, {line.channel_sku: 1})

    def _below_floor(self, order: Order, wanted: Mapping[Line, int]) -> Any:
        below, unsure = False, False
        for line in wanted:
            floor = 0
            for sku, qty in self._parts(line).items():
                one = self.goods[sku].floor_minor if order.currency == "CNY" else None
                unsure = unsure or one is None
                floor += (one or 0) * qty
            below = below or line.price_minor < floor
        return True if below else UNKNOWN if unsure else False

    def _of_buyer(self, order: Order, orders: Mapping[str, Order], refunds: Sequence[Refund]) -> dict[str, Any]:
        theirs = [other for other in orders.values() if other.buyer == order.buyer]
        others = [other for other in theirs if other.external_id != order.external_id]
        ids = {other.external_id for other in theirs}
        return {
            "buyer_new": all(other.placed_at > order.placed_at for other in others),
            "buyer_orders_24h": sum(1 for other in theirs if abs(other.placed_at - order.placed_at) <= DAY),
            "buyer_orders_open": sum(1 for other in others if self._is_live(other, refunds)),
            "buyer_refunds_90d": sum(
                1
                for refund in refunds
                if refund.order_external_id in ids
                and refund.state is not RefundState.CLOSED
                and order.placed_at - NINETY_DAYS <= refund.version_at <= order.placed_at
            ),
        }
