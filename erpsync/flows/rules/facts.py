"""What is so of orders, loaded for a whole batch: no more than the rules in force ask for, in few statements.

Those are four at most, whatever the batch, and a fifth where addresses have to be opened that are not at hand.

Why ordered units and not those that have still to leave: a parcel that leaves must not undo a gift, nor ask anew for
what a person has approved.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, select

from erpsync.core.address import problems
from erpsync.core.facts import UNKNOWN, OrderFacts, Unknown
from erpsync.core.orders import KnownLine, KnownOrder, phase
from erpsync.core.release import OPEN_PHASES
from erpsync.flows.context import Context
from erpsync.sdk.money import major
from erpsync.sdk.types import Recipient
from erpsync.store.buyers import orders_of_buyers, refunds_of_orders, weeks_around
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.privacy import Vault
from erpsync.store.encrypted import notes_row, recipient_index, recipient_row
from erpsync.store.goods import goods_of
from erpsync.store.regions import regions
from erpsync.store.tables import orders

DAY = timedelta(hours=24)
REFUNDS_FOR = timedelta(days=90)
TO_LEAVE = (*OPEN_PHASES, "held", "unpaid")

GOODS = frozenset({"weight_g", "volume_cm3", "sku", "sku_tag", "below_floor"})
WHERE = frozenset({"province", "city", "zone"})
BUYER = frozenset({"buyer_new", "buyer_orders_24h", "buyer_orders_open", "buyer_refunds_90d"})
_NO_TAGS: frozenset[str] = frozenset()
NOTES = frozenset({"buyer_note", "seller_note"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was read of a batch of orders beside themselves.

    Args:
        goods: by SKU id.
        people: by order id, who gets it, where that is asked for and can be known.
        beside: by keyed hash of a buyer, the buyer's orders of this batch as they are to be, those that have ended too.
        others: by keyed hash of a buyer, the other orders of the buyer as they are stored.
        refunds: by keyed hash of a buyer, when refunds were told.
    """

    goods: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)
    people: Mapping[int, Recipient] = field(default_factory=dict)
    beside: Mapping[bytes, Sequence[KnownOrder]] = field(default_factory=dict)
    others: Mapping[bytes, Sequence[Any]] = field(default_factory=dict)
    refunds: Mapping[bytes, Sequence[datetime]] = field(default_factory=dict)


def load_facts(
    connection: Connection,
    vault: Vault | None,
    batch: Sequence[KnownOrder],
    asked: Collection[str],
    *,
    people: Mapping[int, Recipient],
    ended: Sequence[KnownOrder] = (),
    former: Collection[bytes] = (),
) -> Loaded:
    """Return what is known beside the orders of what is asked.

    Args:
        ended: orders that change with them and are not judged any more; their buyers' others may have to be.
        former: keyed hashes of those who were taken for the buyers of some of them before.
        asked: names of facts.
        people: by order id, who gets it, as far as that is at hand; nobody is looked for whose name stands here.
    """
    skus = {sku_id for order in batch for line in order.sold for sku_id in line.parts} if GOODS & set(asked) else ()
    changing = [order for order in (*batch, *ended) if order.buyer_index is not None] if BUYER & set(asked) else []
    others, refunds = _of_buyers(connection, changing, asked, former) if changing or former else ({}, {})
    beside: dict[bytes, list[KnownOrder]] = defaultdict(list)
    for order in changing:
        beside[order.buyer_index or b""].append(order)
    return Loaded(
        goods=goods_of(connection, skus) if skus else {},
        people=_people(connection, vault, batch, asked, people),
        beside=beside,
        others=others,
        refunds=refunds,
    )


def _people(
    connection: Connection,
    vault: Vault | None,
    batch: Iterable[KnownOrder],
    asked: Collection[str],
    people: Mapping[int, Recipient],
) -> Mapping[int, Recipient]:
    """Return who gets the orders: opened only for rules about the address, or where no region was kept."""
    wanted = {
        order.id: recipient_row(order.channel_id, order.external_id)
        for order in batch
        if order.id not in people
        and order.recipient_index is not None
        and ("address" in asked or (order.region is None and not WHERE.isdisjoint(asked)))
    }
    if not wanted:
        return people
    opener, found = _needed(vault), dict(people)
    for part in in_parts(wanted):
        sealed = select(orders.c.id, orders.c.recipient).where(orders.c.id.in_(part), orders.c.recipient.is_not(None))
        for row in connection.execute(sealed):
            found[row.id] = Recipient(**opener.decrypt(row.recipient, row=wanted[row.id]))
    return found


def _of_buyers(
    connection: Connection, batch: Sequence[KnownOrder], asked: Collection[str], former: Collection[bytes]
) -> tuple[dict[bytes, list[Any]], dict[bytes, list[datetime]]]:
    """Return the other orders of the buyers of these, and when refunds of any of them were told."""
    known = {order.id for order in batch}
    buyers = {order.buyer_index or b"" for order in batch}.union(former)
    near = {week for order in batch for week in weeks_around(order.placed_at, DAY)}
    only_near = BUYER.intersection(asked) == {"buyer_orders_24h"}
    others: dict[bytes, list[Any]] = defaultdict(list)
    theirs: dict[int, dict[str, bytes]] = defaultdict(dict)
    for row in orders_of_buyers(connection, buyers, weeks=sorted(near) if only_near else None):
        theirs[row.channel_id][row.external_id] = row.buyer_index
        if row.id not in known:
            others[row.buyer_index].append(row)
    refunds: dict[bytes, list[datetime]] = defaultdict(list)
    if "buyer_refunds_90d" in asked:
        for order in batch:
            theirs[order.channel_id][order.external_id] = order.buyer_index or b""
        for channel_id, by_key in theirs.items():
            for row in refunds_of_orders(connection, channel_id, by_key):
                refunds[by_key[row.order_external_id]].append(row.version_at)
    return others, refunds


def _needed(vault: Vault | None) -> Vault:
    """Return the keys; without them nothing that people wrote is taken for unknown, which would let orders pass."""
    if vault is None:
        raise LookupError("rules ask about notes or addresses, and this command runs without the keys to open them")
    return vault


def order_facts(
    ctx: Context,
    batch: Sequence[KnownOrder],
    loaded: Loaded,
    asked: frozenset[str],
    tags: Mapping[int, frozenset[str]],
) -> dict[int, OrderFacts]:
    """Return the facts of orders by id; those that nobody asks for are left unknown.

    Args:
        tags: set by hand, by order id.
    """
    return {
        order.id: OrderFacts(
            **_of_itself(ctx, order, tags.get(order.id, _NO_TAGS)),
            **(_of_goods(order, loaded.goods) if GOODS & asked else {}),
            **(_of_place(order, loaded.people.get(order.id)) if WHERE & asked else {}),
            **(_of_address(ctx, loaded.people.get(order.id)) if "address" in asked else {}),
            **(_of_notes(ctx, order) if NOTES & asked else {}),
            **(_of_buyer(order, loaded) if BUYER & asked and order.buyer_index else {}),
        )
        for order in batch
    }


def _of_itself(ctx: Context, order: KnownOrder, tags: frozenset[str]) -> dict[str, Any]:
    channel = ctx.seller(order.channel_id)
    qtys = [qty for line in order.sold if (qty := _wanted_qty(line))]
    return {
        "channel": channel.name if channel else "",
        "connector": channel.kind if channel else "",
        "kind": order.kind.value,
        "placed_at": order.placed_at,
        "paid_at": order.paid_at or order.ready_at,
        "ship_by_at": order.ship_by_at,
        "total": major(order.total_minor, order.currency),
        "goods_total": _amount(order.goods_minor, order.currency),
        "freight": _amount(order.freight_minor, order.currency),
        "discount": _amount(order.discount_minor, order.currency),
        "paid": _amount(order.paid_minor, order.currency),
        "currency": order.currency,
        "lines": len(qtys),
        "units": sum(qtys),
        "seller_flag": order.seller_flag or 0,
        "tag": tags,
    }


def _wanted_qty(line: KnownLine) -> int:
    return 0 if line.no_stock else line.qty - line.cancelled_qty


def _amount(minor: int | None, currency: str) -> Decimal | Unknown:
    return UNKNOWN if minor is None else major(minor, currency)


def _of_goods(order: KnownOrder, goods: Mapping[int, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what the goods are; of a line that is tied to no SKU nothing is known."""
    wanted = [line for line in order.sold if _wanted_qty(line)]
    if not all(line.parts for line in wanted):
        return {}
    units: dict[int, int] = defaultdict(int)
    for line in wanted:
        for sku_id, per_unit in line.parts.items():
            units[sku_id] += _wanted_qty(line) * per_unit
    return {
        "weight_g": _sum_of("weight_g", units, goods),
        "volume_cm3": _sum_of("volume_cm3", units, goods),
        "sku": frozenset(goods[sku_id]["code"] for sku_id in units),
        "sku_tag": frozenset(tag for sku_id in units for tag in goods[sku_id]["tags"]),
        "below_floor": _below_floor(wanted, order.currency, goods),
    }


def _sum_of(name: str, units: Mapping[int, int], goods: Mapping[int, Mapping[str, Any]]) -> int | Unknown:
    each = [(goods[sku_id][name], qty) for sku_id, qty in units.items()]
    return UNKNOWN if any(one is None for one, _ in each) else sum(one * qty for one, qty in each)


def _below_floor(lines: Iterable[KnownLine], currency: str, goods: Mapping[int, Mapping[str, Any]]) -> bool | Unknown:
    """Return whether a line is sold for less than all its parts may cost at least."""
    unsure = False
    for line in lines:
        floors = [(goods[sku_id], per_unit) for sku_id, per_unit in line.parts.items()]
        known = [part["floor_minor"] * qty for part, qty in floors if part["floor_currency"] == currency]
        if line.price_minor < sum(known):
            return True
        unsure = unsure or len(known) < len(floors)
    return UNKNOWN if unsure else False


def _of_place(order: KnownOrder, recipient: Recipient | None) -> dict[str, Any]:
    region = order.region if recipient is None else (recipient.province, recipient.city, recipient.district)
    province, city, _ = region or ("", "", "")
    return {name: place for name, place in (("province", province), ("city", city)) if place and "*" not in place}


def _of_address(ctx: Context, recipient: Recipient | None) -> dict[str, Any]:
    """Return what is wrong with the address, and by a keyed hash which address it is."""
    if recipient is None:
        return {}
    said = {name: getattr(recipient, name) for name in Recipient.__dataclass_fields__}
    seen = recipient_index(_needed(ctx.store.vault), recipient).hex()
    return {"address": frozenset(problem.code for problem in problems(said, regions())), "recipient": seen}


def _of_notes(ctx: Context, order: KnownOrder) -> dict[str, Any]:
    """Return what was written; where nobody wrote anything it is known to be empty."""
    if order.notes is None:
        return {"buyer_note": "", "seller_note": ""}
    notes = _needed(ctx.store.vault).decrypt(order.notes, row=notes_row(order.channel_id, order.external_id))
    return {name: notes.get(name) or "" for name in ("buyer_note", "seller_note")}


def _of_buyer(order: KnownOrder, loaded: Loaded) -> dict[str, Any]:
    """Return what is known of the buyer's other orders."""
    buyer = order.buyer_index or b""
    placed = [(row.placed_at, row.id, row.phase) for row in loaded.others.get(buyer, ())]
    placed += [(each.placed_at, each.id, phase(each)) for each in loaded.beside.get(buyer, ()) if each.id != order.id]
    since = order.placed_at - REFUNDS_FOR
    return {
        "buyer_new": not any((at, id) < (order.placed_at, order.id) for at, id, _ in placed),
        "buyer_orders_24h": 1 + sum(1 for at, _, _ in placed if abs(at - order.placed_at) <= DAY),
        "buyer_orders_open": sum(1 for _, _, now in placed if now in TO_LEAVE),
        "buyer_refunds_90d": sum(1 for at in loaded.refunds.get(buyer, ()) if since <= at <= order.placed_at),
    }
