"""Order lines as owners of stock: whose turn it is, where they may be served from, and what is told of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import select

from erpsync.core.allocation import Allocation, HoldOwner
from erpsync.core.fulfilment import LINE, ORDER
from erpsync.core.sourcing import Sourcing
from erpsync.flows.allocation.owners import Given, News, OwnerKind, Turn
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
        found: dict[int, Turn] = {}
        for some in in_parts(ids):
            for row in tx.all(joined.where(order_line.c.id.in_(some))):
                group, due = HoldOwner(ORDER, row.order_id), (row.paid_at or row.placed_at, row.number)
                waits = not row.hold_reason
                as_ready = Backorder(qty=0, group=group, channel_id=row.channel_id, due=due, waits=waits)
                found[row.id] = Turn(due=due, waits_as=as_ready if row.ready_at is not None else None)
        return found

    def warehouses(self, sourcing: Sourcing, owner: HoldOwner, waiting: Backorder) -> tuple[int, ...]:
        """Return the warehouses of the channel."""
        return sourcing.of(waiting.channel_id)

    def parts(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Mapping[int, int]]:
        """Return what one unit of each line consists of."""
        found: dict[int, dict[int, int]] = {}
        for some in in_parts(ids):
            plain = select(order_line.c.id, order_line.c.sku_id, order_line.c.factor)
            for row in tx.all(plain.where(order_line.c.id.in_(some), order_line.c.has_parts.is_(False))):
                found[row.id] = {row.sku_id: row.factor}
            for row in tx.all(select(line_part).where(line_part.c.line_id.in_(some))):
                found.setdefault(row.line_id, {})[row.sku_id] = row.qty
        return found

    def partners(self, tx: Tx, sku_ids: Collection[int]) -> set[int]:
        """Return the other parts of sets that wait for one of these SKUs."""
        found: set[int] = set()
        for some in in_parts(sku_ids):
            waiting = select(backorder.c.owner_id).where(backorder.c.sku_id.in_(some), backorder.c.owner_kind == LINE)
            parts = select(line_part.c.sku_id).where(line_part.c.line_id.in_(waiting))
            found |= set(tx.execute(parts.distinct()).scalars())
        return found

    def tell(self, tx: Tx, news: News) -> None:
        """Write that orders lost units or, having waited, were given some."""
        write_events(tx, [*_taken_back(news.taken_back), *_filled(news.served)])


def _taken_back(lost: Iterable[Given]) -> Iterable[Event]:
    for each in lost:
        if each.group.kind == ORDER:
            units = each.units
            detail = {"qty": units.qty, "warehouse_id": units.warehouse_id, "why": "less stock than promised"}
            yield Event(kind="order.taken_back", order_id=each.group.id, sku_id=units.sku_id, detail=detail)


def _filled(served: Iterable[Given]) -> Iterable[Event]:
    takes: dict[int, list[dict[str, int]]] = defaultdict(list)
    for each in served:
        if each.group.kind == ORDER:
            takes[each.group.id].append(take_detail(each.units))
    for order_id, mine in takes.items():
        yield Event(kind="order.filled", order_id=order_id, detail={"takes": mine})


def take_detail(take: Allocation) -> dict[str, int]:
    """Return a take as an event holds it."""
    return {"line_id": take.owner.id, "sku_id": take.sku_id, "warehouse_id": take.warehouse_id, "qty": take.qty}
