"""Order lines as owners of stock: whose turn it is, where they may be served from, and what is told of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select

from erpsync.core.allocation import Allocation, HoldOwner
from erpsync.core.fulfilment import LINE, ORDER
from erpsync.core.sourcing import Sourcing
from erpsync.flows.allocation.owners import Given, News, OwnerKind, Turn
from erpsync.flows.allocation.wishes import with_wishes
from erpsync.flows.context import Context
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.stock_book import Backorder
from erpsync.store.tables import backorder, line_part, order_line, orders


class OrderLines(OwnerKind):
    """Lines wait as their order does: by when it was paid, in the warehouses of its channel."""

    def turns(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Turn]:
        """Return the turn of each line's order; that of one that is not ready waits for nothing."""
        query = select(order_line.c.id, order_line.c.order_id, orders.c.channel_id, orders.c.number).add_columns(
            orders.c.hold_reason, orders.c.paid_at, orders.c.placed_at, orders.c.ready_at
        )
        joined = query.join(orders, orders.c.id == order_line.c.order_id)
        turns: dict[int, Turn] = {}
        for part in in_parts(ids):
            for row in tx.all(joined.where(order_line.c.id.in_(part))):
                group, due = HoldOwner(ORDER, row.order_id), (row.paid_at or row.placed_at, row.number)
                waits = not row.hold_reason
                as_ready = Backorder(qty=0, group=group, channel_id=row.channel_id, due=due, waits=waits)
                turns[row.id] = Turn(due=due, waits_as=as_ready if row.ready_at is not None else None)
        return turns

    def warehouses(self, sourcing: Sourcing, owner: HoldOwner, waiting: Backorder) -> tuple[int, ...]:
        """Return the warehouses of the channel, those that the order wishes for before the others."""
        return sourcing.preferred(waiting.group.id, waiting.channel_id)

    def with_wishes(self, tx: Tx, ctx: Context, waiting: Collection[Backorder]) -> Context:
        """Return the context with what rules wish of their orders."""
        return with_wishes(tx, ctx, {it.group.id for it in waiting if it.group.kind == ORDER})

    def parts(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Mapping[int, int]]:
        """Return what one unit of each line consists of."""
        parts: dict[int, dict[int, int]] = {}
        for part in in_parts(ids):
            plain = select(order_line.c.id, order_line.c.sku_id, order_line.c.factor)
            for row in tx.all(plain.where(order_line.c.id.in_(part), order_line.c.has_parts.is_(False))):
                parts[row.id] = {row.sku_id: row.factor}
            for row in tx.all(select(line_part).where(line_part.c.line_id.in_(part))):
                parts.setdefault(row.line_id, {})[row.sku_id] = row.qty
        return parts

    def partners(self, tx: Tx, sku_ids: Collection[int]) -> set[int]:
        """Return the other parts of sets that wait for one of these SKUs."""
        partners: set[int] = set()
        for part in in_parts(sku_ids):
            waiting = select(backorder.c.owner_id).where(backorder.c.sku_id.in_(part), backorder.c.owner_kind == LINE)
            parts = select(line_part.c.sku_id).where(line_part.c.line_id.in_(waiting))
            partners |= set(tx.execute(parts.distinct()).scalars())
        return partners

    def tell(self, tx: Tx, news: News) -> None:
        """Write that orders lost units or, having waited, were given some."""
        write_events(tx, [*_taken_back(news.taken_back), *_filled(news.served), *_lacking(news.lacking)])


def _taken_back(lost: Iterable[Given]) -> Iterable[Event]:
    for given in lost:
        if given.group.kind == ORDER:
            units = given.units
            detail = {"qty": units.qty, "warehouse_id": units.warehouse_id, "why": "less stock than promised"}
            yield Event(kind="order.taken_back", order_id=given.group.id, sku_id=units.sku_id, detail=detail)


def _filled(served: Iterable[Given]) -> Iterable[Event]:
    takes: dict[int, list[dict[str, int]]] = defaultdict(list)
    for given in served:
        if given.group.kind == ORDER:
            takes[given.group.id].append(take_detail(given.units))
    for order_id, taken in takes.items():
        yield Event(kind="order.filled", order_id=order_id, detail={"takes": taken})


def _lacking(lacking: Mapping[HoldOwner, Mapping[int, int]]) -> Iterable[Event]:
    for group, units in lacking.items():
        if group.kind == ORDER:
            yield backordered(group.id, None, units)


def backordered(order_id: int, channel_id: int | None, units: Mapping[int, int]) -> Event:
    """Return the event of an order that nothing covers any more; `units` by SKU."""
    short = [{"sku_id": sku_id, "qty": qty} for sku_id, qty in sorted(units.items())]
    return Event(kind="order.backordered", order_id=order_id, channel_id=channel_id, detail={"short": short})


def take_detail(take: Allocation) -> dict[str, int]:
    """Return a take as an event holds it."""
    return {"line_id": take.owner.id, "sku_id": take.sku_id, "warehouse_id": take.warehouse_id, "qty": take.qty}
