"""What decided orders want of stock, and what becomes of them by it.

Why one function for everything that touches stock: each path plans all open needs of the SKUs it touched, oldest
first, before it commits; so no commit leaves units lying beside an order that waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from erpsync.core.allocation import Allocation, HoldOwner, Wanted
from erpsync.core.availability import UNPAID_COUNTS_FOR
from erpsync.core.fulfilment import LINE, ORDER, needs
from erpsync.core.movements import Movement, Reason, Ref
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.changes import Change, Outcome
from erpsync.flows.allocation.departures import Gone
from erpsync.flows.allocation.doubt import doubt
from erpsync.flows.allocation.kinds import KINDS
from erpsync.flows.allocation.order_lines import backordered
from erpsync.flows.allocation.recall import recall_changed
from erpsync.flows.allocation.stock_plan import StockPlan
from erpsync.flows.allocation.wishes import with_wishes
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.events import write_events
from erpsync.store.outbox.dirty import Cause
from erpsync.store.tasks import Task


def allocate(
    tx: Tx,
    ctx: Context,
    changes: Sequence[Change],
    *,
    movements: Sequence[Movement] = (),
    also: Iterable[int] = (),
    cause: Cause | None = None,
    actor: str = "",
) -> Outcome:
    """Write what the changes mean for stock. The orders are locked and already written by the caller.

    Args:
        movements: stock that came, went or was counted.
        also: further SKUs to plan anew (a safety stock changed, a listing was told for the first time).
    """
    ctx = with_wishes(tx, ctx, [change.after.id for change in changes])
    wants = [want for change in changes for want in _wants(tx, ctx, change)]
    moved = {movement.place.sku_id for movement in movements}
    plan = StockPlan.load(tx, ctx, KINDS, wants, touched=moved, also=frozenset(also))
    plan.move(movements, actor)
    tasks = [task for change in changes for task in _book_out(plan, ctx, change)]
    plan.serve()
    recall_changed(tx, ctx, plan.book, changes)
    dirty = doubt(tx, [(change.before, change.after) for change in changes]) | _unpaid(tx, changes)
    plan.write(cause, dirty=dirty, tasks=tasks)
    return _outcome(plan, [*tasks, *plan.tasks])


def gather(tx: Tx, ctx: Context, order: KnownOrder) -> None:
    """Let the units of an order be whole wherever they lie, or wait until they can be; the order is locked."""
    lacks = allocate(tx, ctx, [Change(before=order, after=order)]).lacks.get(order.id)
    if lacks:
        write_events(tx, [backordered(order.id, order.channel_id, lacks)])


def _wants(tx: Tx, ctx: Context, change: Change) -> Iterator[Wanted]:
    """Yield what each line of an order wants now, 0 of what it was made of before."""
    order, group = change.after, HoldOwner(ORDER, change.after.id)
    ends_at = _reserve_until(ctx, order, tx.now) if order.ready_at is None else None
    wanted = needs(order, reserve_until=ends_at, now=tx.trusted_now)
    before = {line.id: line.parts for line in change.before.lines} if change.before else {}
    after = {line.id: line.parts for line in order.lines}
    warehouses = ctx.sourcing.warehouses_for(order)
    for line_id in sorted(before.keys() | after.keys()):
        owner, parts = HoldOwner(LINE, line_id), after.get(line_id, {})
        skus = parts.keys() | before[line_id].keys() if line_id in before else parts
        yield Wanted(
            owner=owner,
            group=group,
            units={sku_id: wanted.get((owner, sku_id), 0) for sku_id in skus},
            due=order.due,
            warehouses=warehouses,
            channel_id=order.channel_id,
            waits=not order.holds,
            expires_at=ends_at,
            parts=parts,
        )


def _reserve_until(ctx: Context, order: KnownOrder, now: datetime) -> datetime | None:
    """Return when the reservation of an order that is not ready ends; None when its channel reserves nothing.

    One placed in our future, by a platform whose clock is ahead of ours, counts from when it came in.
    """
    channel = ctx.seller(order.channel_id)
    if channel is None or channel.orders.reserve != "placement":
        return None
    return min(order.placed_at, order.imported_at or now) + timedelta(minutes=channel.orders.reserve_minutes)


def _book_out(plan: StockPlan, ctx: Context, change: Change) -> Iterator[Task]:
    """Take off what left of an order; yield tasks about units that the books do not have."""
    order, lines = change.after, {line.id: line for line in change.after.lines}
    for reason, left in ((Reason.SHIPPED_ELSEWHERE, change.left), (Reason.SHIPPED, change.leaving)):
        for line_id, qty in left.items():
            line = lines[line_id]
            gone = Gone(
                owner=HoldOwner(LINE, line_id),
                units={sku_id: qty * per_unit for sku_id, per_unit in line.parts.items()},
                reason=reason,
                ref=Ref(ORDER, order.id),
                warehouses=ctx.sourcing.warehouses_for(order),
                departure=change.departure,
            )
            short = plan.book_out(gone) if line.parts else qty
            if short:
                yield Task(
                    kind="stock_short",
                    key=f"{order.number}:{line.external_id}",
                    reason=f"1 unit left ({reason}) that the books do not have; count the stock"
                    if short == 1
                    else f"{short} units left ({reason}) that the books do not have; count the stock",
                    channel_id=order.channel_id,
                    order_id=order.id,
                )


def _unpaid(tx: Tx, changes: Iterable[Change]) -> set[int]:
    """Return the SKUs of orders that count as unpaid, or did."""
    recent = tx.trusted_now - UNPAID_COUNTS_FOR
    return {
        sku_id
        for change in changes
        if change.after.placed_at > recent and (_is_unpaid(change.after) or _is_unpaid(change.before))
        for order in (change.before, change.after)
        if order is not None
        for line in order.lines
        for sku_id in line.parts
    }


def _is_unpaid(order: KnownOrder | None) -> bool:
    return order is not None and order.ready_at is None and order.open_qty > 0


def _outcome(plan: StockPlan, tasks: Sequence[Task]) -> Outcome:
    """Return what became of orders."""
    takes: dict[int, list[Allocation]] = defaultdict(list)
    for take in plan.takes:
        group = plan.groups[take.owner]
        if group.kind == ORDER:
            takes[group.id].append(take)
    short: dict[int, int] = defaultdict(int)
    for waiting in plan.book.waiting.values():
        if waiting.group.kind == ORDER:
            short[waiting.group.id] += waiting.qty
    lacks = {group.id: units for group, units in plan.book.lacking().items() if group.kind == ORDER}
    return Outcome(takes=takes, short=short, tasks=tuple(tasks), lacks=lacks)
