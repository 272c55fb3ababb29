"""What the seller's rules say of parcels: of those that are to be made, and of those whose courier is to be chosen.

Why judged and not kept: a parcel that is not made has no name to keep anything under. While a rule holds it, its units
stay; what a rule wishes of a courier is asked when he is chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from erpsync.core.facts import UNKNOWN, On, ParcelFacts, Unknown
from erpsync.core.orders import KnownOrder
from erpsync.core.rates import CURRENCY, Rate, least
from erpsync.core.release import Piece
from erpsync.core.rules import Because, Verdict, grounds_of, judge
from erpsync.flows.context import Context
from erpsync.sdk.money import major
from erpsync.store.goods import goods_of
from erpsync.store.order_rules import OFF, Marks, marks_of
from erpsync.store.rates import cards_of

_TAG = "tag:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Units of orders that leave a warehouse in one parcel; the first order says where it goes."""

    orders: Sequence[KnownOrder]
    warehouse_id: int
    pieces: Sequence[Piece]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenParcel:
    """What a parcel was judged by, when, and what came of it."""

    facts: ParcelFacts
    verdict: Verdict
    at: datetime

    @property
    def carrier(self) -> tuple[tuple[str, ...], str]:
        """The couriers that a rule wishes for, first choice first, and the rule; nothing where none does."""
        mark = next((mark for mark in self.verdict.marks if mark.name == "carrier"), None)
        return ((), "") if mark is None else (tuple(mark.value.split()), mark.rule)

    def decided(self, ctx: Context, because: Because) -> str:
        """Return what decided a rule: each fact with its value, how it was compared, and the rule's word."""
        grounds = grounds_of(ctx.book, self.facts, self.verdict, because, self.at.astimezone(ctx.timezone))
        parts = ((it.clause.fact, it.value or "", it.clause.operator, it.clause.word) for it in grounds)
        return "; ".join(" ".join(filter(None, part)) for part in parts)


def judge_parcels(
    connection: Connection, ctx: Context, parcels: Sequence[Contents], *, now: datetime
) -> list[SeenParcel]:
    """Return what the rules about parcels say of each of these; nothing at all where there are no such rules."""
    if not (ctx.book.ledgers[On.PARCEL].rules and parcels):
        return []
    asked = ctx.book.needs[On.PARCEL]
    skus = {piece.sku_id for parcel in parcels for piece in parcel.pieces}
    goods = goods_of(connection, skus)
    tags = marks_of(connection, {order.id for each in parcels for order in each.orders}) if "tag" in asked else {}
    cards = cards_of(connection, _accounts(ctx)) if "cost" in asked else {}
    facts = [_facts(ctx, parcel, goods, tags, cards) for parcel in parcels]
    return [SeenParcel(facts=each, verdict=judge(ctx.book, each, now), at=now) for each in facts]


def _accounts(ctx: Context) -> list[int]:
    return [channel.id for channel in ctx.channels.values() if channel.enabled]


def _facts(
    ctx: Context,
    parcel: Contents,
    goods: Mapping[int, Mapping[str, Any]],
    marks: Marks,
    cards: Mapping[int, Sequence[Rate]],
) -> ParcelFacts:
    qtys: dict[int, int] = {}
    for piece in parcel.pieces:
        qtys[piece.sku_id] = qtys.get(piece.sku_id, 0) + piece.qty
    units = {piece.line_id: piece.units for piece in parcel.pieces}
    lines = {line.id: line for order in parcel.orders for line in order.lines}
    weight_g, volume_cm3 = _measured("weight_g", qtys, goods), _measured("volume_cm3", qtys, goods)
    province, city, _ = parcel.orders[0].region or ("", "", "")
    currencies = {order.currency for order in parcel.orders}
    [currency] = currencies if len(currencies) == 1 else [""]
    cost_minor = sum(lines[line_id].price_minor * qty for line_id, qty in units.items())
    sellers = [seller for order in parcel.orders if (seller := ctx.seller(order.channel_id)) is not None]
    here = {
        "province": province if province and "*" not in province else UNKNOWN,
        "city": city if city and "*" not in city else UNKNOWN,
    }
    return ParcelFacts(
        channel=frozenset(seller.name for seller in sellers),
        kind=frozenset(order.kind.value for order in parcel.orders),
        warehouse=ctx.warehouses[parcel.warehouse_id].id,
        tag=_tags(parcel.orders, marks),
        **here,
        goods_total=major(cost_minor, currency) if currency else UNKNOWN,
        currency=currency or UNKNOWN,
        orders=len(parcel.orders),
        lines=len(units),
        units=sum(units.values()),
        weight_g=weight_g,
        volume_cm3=volume_cm3,
        sku=frozenset(goods[sku_id]["code"] for sku_id in qtys),
        sku_tag=frozenset(tag for sku_id in qtys for tag in goods[sku_id]["tags"]),
        cost=_costs(ctx, ctx.warehouses[parcel.warehouse_id].id, here, weight_g, volume_cm3, cards),
    )


def _measured(name: str, qtys: Mapping[int, int], goods: Mapping[int, Mapping[str, Any]]) -> int | Unknown:
    each = [(goods[sku_id][name], qty) for sku_id, qty in qtys.items()]
    return UNKNOWN if any(one is None for one, _ in each) else sum(one * qty for one, qty in each)


def _tags(orders: Sequence[KnownOrder], marks: Marks) -> frozenset[str]:
    return frozenset(
        name.removeprefix(_TAG)
        for order in orders
        for name, mark in marks.get(order.id, {}).items()
        if name.startswith(_TAG) and mark.value != OFF
    )


def _costs(
    ctx: Context,
    warehouse: str,
    here: Mapping[str, str | Unknown],
    weight_g: int | Unknown,
    volume_cm3: int | Unknown,
    cards: Mapping[int, Sequence[Rate]],
) -> dict[str, Decimal]:
    """Return what each account takes by the cheapest of the services that may be booked with it."""
    if not cards:
        return {}
    zones = ctx.book.zone_map.of(here["province"], here["city"])
    measures = [None if isinstance(each, Unknown) else each for each in (weight_g, volume_cm3)]
    found: dict[str, Decimal] = {}
    for account_id, card in sorted(cards.items()):
        account = ctx.channels[account_id]
        if not account.courier.fetches(warehouse):
            continue
        card_rows = account.courier.booked(card)
        cost_minor = least(card_rows, None if isinstance(zones, Unknown) else zones, *measures)
        if cost_minor is not None:
            found[account.name] = major(cost_minor, CURRENCY)
    return found
