"""What of orders leaves now, in which parcels, and why the rest of them stays: `core.parcels.plan` over what is stored.

Why all that is held counts, wherever it lies: whether an order is whole is not for one warehouse to say.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, select

from erpsync.core.allocation import HoldOwner
from erpsync.core.fulfilment import LINE, needs
from erpsync.core.orders import KnownOrder
from erpsync.core.parcels import (
    Because,
    Candidate,
    Goods,
    HeldKey,
    OrderMarks,
    Parcel,
    Plan,
    Reason,
    Stay,
    plan,
    read_marks,
)
from erpsync.flows.context import Context
from erpsync.flows.rules.parcels import Contents, SeenParcel, judge_parcels
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.goods import goods_of
from erpsync.store.order_rules import OFF, marks_of
from erpsync.store.orders import lock_order_ids
from erpsync.store.registry import lock_skus
from erpsync.store.releases import ReleaseHead, UnderWay, orders_in, pieces_in, under_way
from erpsync.store.stock_book import Book
from erpsync.store.tables import hold, orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """Our units that are held for orders, by line, SKU and warehouse, and what open releases have of them."""

    held: Mapping[HeldKey, int]
    out: UnderWay

    def of(self, known: Mapping[int, KnownOrder]) -> "Units":
        """Return what of it is of these orders."""
        lines = {line.id for order in known.values() for line in order.lines}
        return Units(held={key: qty for key, qty in self.held.items() if key.line_id in lines}, out=self.out.of(known))


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A plan, and what it was made of: it counts as long as orders and units are these.

    Args:
        judged: what the rules about parcels say of each that could leave, also of those that a rule keeps.
    """

    orders: Mapping[int, KnownOrder]
    units: Units
    candidates: Sequence[Candidate]
    marks: Mapping[int, OrderMarks]
    plan: Plan
    judged: Sequence[tuple[Parcel, SeenParcel]] = ()


def plan_orders(connection: Connection, ctx: Context, known: Mapping[int, KnownOrder]) -> Planned:
    """Return what of these orders, by id, could leave now. Nothing is changed."""
    units = read_units(connection, known)
    free = {key: qty - units.out.units.get(key, 0) for key, qty in units.held.items()}
    wanted = {sku_id for order in known.values() for line in order.lines for sku_id in line.parts}
    indexes = _merge_indexes(connection, known)
    candidates = [
        Candidate(
            order=order,
            merge_index=indexes.get(id),
            kind=order.kind.value,
            under_way=units.out.of({id: order}).by_piece,
        )
        for id, order in known.items()
    ]
    goods, marks = _goods(connection, {key.sku_id for key in units.held} | wanted), _marks(connection, known)
    planned = plan(candidates, {key: qty for key, qty in free.items() if qty > 0}, goods, marks, ctx.packing)
    return Planned(orders=known, units=units, candidates=candidates, marks=marks, plan=planned)


def plan_by_rules(connection: Connection, ctx: Context, known: Mapping[int, KnownOrder], *, now: datetime) -> Planned:
    """Return what of these orders could leave now, less the parcels that a rule holds. Nothing is changed."""
    planned = plan_orders(connection, ctx, known)
    contents = [
        Contents(orders=[known[id] for id in each.order_ids], warehouse_id=each.warehouse_id, pieces=each.pieces)
        for each in planned.plan.parcels
    ]
    seen = judge_parcels(connection, ctx, contents, now=now)
    if not seen:
        return planned
    judged = list(zip(planned.plan.parcels, seen, strict=True))
    return replace(planned, plan=_without_held(planned.plan, known, judged), judged=judged)


def _without_held(planned: Plan, known: Mapping[int, KnownOrder], judged: Sequence[tuple[Parcel, SeenParcel]]) -> Plan:
    """Return the plan less the parcels that a rule holds: their units stay."""
    held = [(parcel, seen.verdict.holds[0]) for parcel, seen in judged if seen.verdict.holds]
    order_of = {line.id: order.id for order in known.values() for line in order.lines}
    stays = tuple(
        Stay(
            order_id=order_of[piece.line_id],
            line_id=piece.line_id,
            sku_id=piece.sku_id,
            warehouse_id=parcel.warehouse_id,
            qty=piece.qty,
            because=Because(code=Reason.RULE, values={"rule": hold.rule, "text": hold.text}),
        )
        for parcel, hold in held
        for piece in parcel.pieces
    )
    parcels = tuple(parcel for parcel, seen in judged if not seen.verdict.holds)
    return Plan(parcels=parcels, stays=(*planned.stays, *stays))


def read_units(connection: Connection, known: Mapping[int, KnownOrder]) -> Units:
    """Return what is held for these orders, and what of it is under way."""
    line_ids = [line.id for order in known.values() for line in order.lines]
    return Units(held=_held(connection, line_ids), out=under_way(connection, known))


def lacks_units(tx: Tx, head: ReleaseHead) -> str:
    """Return why a release cannot be sent with what is held for its orders now; nothing if it can. Locks its SKUs."""
    pieces = pieces_in(tx, head.id)
    lock_skus(tx, {piece.sku_id for piece in pieces})
    if not pieces:
        return "nothing is in it"
    units = read_units(tx.connection, lock_order_ids(tx, orders_in(tx, [head.id])[head.id]))
    for piece in pieces:
        key = HeldKey(piece.line_id, piece.sku_id, head.warehouse_id)
        if units.held.get(key, 0) < units.out.units.get(key, 0):
            return "not all of it is held there any more"
    return ""


def are_covered(tx: Tx, orders: Sequence[KnownOrder]) -> bool:
    """Whether the orders' needs are fully held. Locks their SKUs."""
    lines = [line for order in orders for line in order.lines]
    book = Book(tx, {sku_id for line in lines for sku_id in line.parts}, [HoldOwner(LINE, line.id) for line in lines])
    wanted = [needs(order, reserve_until=None, now=tx.now) for order in orders]
    return all(book.held_qty(need) >= qty for needed in wanted for need, qty in needed.items())


def go_together(tx: Tx, known: Sequence[KnownOrder]) -> bool:
    """Whether all orders go to one recipient: written alike, or the same by what they are merged by."""
    if len({order.recipient_index for order in known}) <= 1:
        return True
    indexes = _merge_indexes(tx.connection, [order.id for order in known])
    return len(indexes) == len(known) and len(set(indexes.values())) == 1


def _held(connection: Connection, line_ids: Iterable[int]) -> dict[HeldKey, int]:
    query = select(hold.c.owner_id, hold.c.sku_id, hold.c.warehouse_id, hold.c.qty).where(hold.c.owner_kind == LINE)
    return {
        HeldKey(row.owner_id, row.sku_id, row.warehouse_id): row.qty
        for part in in_parts(line_ids)
        for row in connection.execute(query.where(hold.c.owner_id.in_(part)))
    }


def _goods(connection: Connection, sku_ids: Iterable[int]) -> dict[int, Goods]:
    return {
        id: Goods(sku=row["code"], weight_g=row["weight_g"], volume_cm3=row["volume_cm3"], tags=row["tags"])
        for id, row in goods_of(connection, sku_ids).items()
    }


def _merge_indexes(connection: Connection, order_ids: Iterable[int]) -> dict[int, bytes]:
    query = select(orders.c.id, orders.c.merge_index).where(orders.c.merge_index.is_not(None))
    return {
        row.id: row.merge_index
        for part in in_parts(order_ids)
        for row in connection.execute(query.where(orders.c.id.in_(part)))
    }


def _marks(connection: Connection, order_ids: Iterable[int]) -> dict[int, OrderMarks]:
    return {
        order_id: read_marks({name: mark.value for name, mark in marks.items() if mark.value != OFF})
        for order_id, marks in marks_of(connection, order_ids).items()
    }
