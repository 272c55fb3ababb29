"""Turning decided orders and stock movements into holds, backorders, ledger rows and dirty marks.

Why one function for everything that touches stock: each path plans all open needs of the SKUs it touched, oldest
first, before it commits; so no commit leaves units lying beside an order that waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from erpsync.core.allocation import Allocation, HoldOwner, Need, StockKey
from erpsync.core.allocation import plan as share_out
from erpsync.core.availability import UNPAID_COUNTS_FOR
from erpsync.core.fulfilment import LINE
from erpsync.core.movements import Movement
from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.changes import Change, Outcome
from erpsync.flows.allocation.departures import book_out
from erpsync.flows.allocation.doubt import doubt
from erpsync.flows.allocation.free_units import free_units
from erpsync.flows.allocation.recall import recall_changed
from erpsync.flows.allocation.stock_holds import adjust_holds, hold_taken, take_back
from erpsync.flows.allocation.whole_units import WholeUnits
from erpsync.flows.context import Context
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.outbox.dirty import Cause, mark_dirty
from erpsync.store.policies import Keep, kept_in
from erpsync.store.sold_out import note_sold_out
from erpsync.store.stock_book import Book
from erpsync.store.tasks import Task, open_tasks


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
    plan = Plan.load(tx, ctx, changes, movements=movements, also=frozenset(also))
    plan.move(movements, actor)
    plan.book_out()
    plan.adjust()
    plan.take_back()
    plan.serve()
    plan.recall()
    return plan.write(cause)


@dataclass(slots=True, kw_only=True)
class Plan:
    """The stock book of a batch of changes, with what is to be said of it; each step leaves both to the next.

    Args:
        also: SKUs that are planned anew and told anew, whatever becomes of their units.
        wishes: what orders that are not ready would like to have.
        orders: whose units the owners in the plan are, by order id.
    """

    tx: Tx
    ctx: Context
    changes: Sequence[Change]
    also: frozenset[int]
    whole: WholeUnits
    book: Book
    keeps: Mapping[StockKey, Keep] = field(default_factory=dict)
    wishes: list[Need] = field(default_factory=list)
    takes: list[Allocation] = field(default_factory=list)
    orders: dict[HoldOwner, int] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    @classmethod
    def load(
        cls, tx: Tx, ctx: Context, changes: Sequence[Change], *, movements: Sequence[Movement], also: frozenset[int]
    ) -> "Plan":
        """Return a plan with the book of all SKUs concerned, locked."""
        whole = WholeUnits(tx, ctx)
        skus = {sku_id for change in changes for sku_id in _skus_of(change)} | also
        skus |= {movement.place.sku_id for movement in movements}
        owners = [HoldOwner(LINE, line.id) for change in changes if change.before for line in change.before.lines]
        book = Book(tx, skus | whole.partners(skus), owners)
        return cls(tx=tx, ctx=ctx, changes=changes, also=also, whole=whole, book=book)

    @property
    def decided(self) -> list[KnownOrder]:
        """The orders as they were decided to be."""
        return [change.after for change in self.changes]

    def move(self, movements: Iterable[Movement], actor: str) -> None:
        """Take in what came, went or was counted."""
        for movement in movements:
            self.book.move(movement, actor=actor)

    def book_out(self) -> None:
        """Take off what left, the order's own units first."""
        for change in self.changes:
            self.tasks += book_out(self.book, self.ctx, change)

    def adjust(self) -> None:
        """Give back what orders no longer need or cannot send, and note what they lack."""
        self.whole.mend_all(self.book, self.decided)
        kept = self.book.held_skus()
        for change in self.changes:
            self.wishes += adjust_holds(self.book, self.ctx, change, self.tx, kept)

    def take_back(self) -> None:
        """Take promises back where more is promised than there is."""
        events, tasks = take_back(self.book, self.ctx)
        self.events += events
        self.tasks += tasks

    def serve(self) -> None:
        """Promise what is free to all who wait for it, oldest first."""
        book, sourcing = self.book, self.ctx.sourcing
        some = free_units(book, self.ctx, kept_in(self.tx, book.sku_ids))
        book.load_waiting(place.sku_id for place, qty in some.items() if qty > 0)
        self.whole.complete(book)
        self.keeps = kept_in(self.tx, book.sku_ids)
        needs = [*book.needs(sourcing, [order.id for order in self.decided]), *self.wishes]
        self.orders = {need.owner: need.order_id for need in needs}
        self.takes = share_out(needs, free_units(book, self.ctx, self.keeps), self.whole.lines)
        book.load_owners(take.owner for take in self.takes)
        hold_taken(book, self.takes, self.changes, self.ctx, self.tx.now)

    def recall(self) -> None:
        """Ask warehouses to stop what is wanted otherwise now."""
        left_from = {change.after.id: change.departure.warehouse_id for change in self.changes if change.departure}
        recall_changed(self.tx, self.ctx, self.book, self.decided, left_from=left_from)

    def write(self, cause: Cause | None) -> Outcome:
        """Write the book, the marks of numbers to be told, tasks and events; return what planning did."""
        self.book.flush()
        in_doubt = doubt(self.tx, [(change.before, change.after) for change in self.changes])
        free = free_units(self.book, self.ctx, self.keeps)
        self._mark(in_doubt, cause, free)
        note_sold_out(self.tx, self._for_sale(free))
        open_tasks(self.tx, self.tasks)
        if any(policy.channel for policy in self.ctx.warehouses.values()):
            self.tx.wake(Stage.RELEASE)
        outcome = self._outcome()
        write_events(self.tx, [*self.events, *self._filled(outcome.takes)])
        return outcome

    def _for_sale(self, free: Mapping[StockKey, int]) -> dict[int, int]:
        """Return the units that some channel may be promised, by SKU, of those that lie where something is sold."""
        selling = {place for sourcing in self.ctx.sourcing.values() for place in sourcing}
        left: dict[int, int] = defaultdict(int)
        for place, qty in free.items():
            if place.warehouse_id in selling:
                left[place.sku_id] += qty
        return left

    def _mark(self, in_doubt: Iterable[int], cause: Cause | None, free: Mapping[StockKey, int]) -> None:
        dirty = {place.sku_id for place in self.book.changed_places()} | self.also | set(in_doubt)
        recent = self.tx.trusted_now - UNPAID_COUNTS_FOR
        for change in self.changes:
            if change.after.placed_at > recent and (_is_unpaid(change.after) or _is_unpaid(change.before)):
                dirty |= _skus_of(change)
        below = max((channel.stock.urgent_below for channel in self.ctx.channels.values()), default=0)
        left: dict[int, int] = defaultdict(int)
        for place, qty in free.items():
            left[place.sku_id] += qty
        mark_dirty(self.tx, dirty, urgent=[sku_id for sku_id in dirty if left[sku_id] < below], cause=cause)

    def _outcome(self) -> Outcome:
        takes: dict[int, list[Allocation]] = defaultdict(list)
        for take in self.takes:
            takes[self.orders[take.owner]].append(take)
        short: dict[int, int] = defaultdict(int)
        for waiting in self.book.waiting.values():
            short[waiting.order_id] += waiting.qty
        return Outcome(takes=takes, short=short, tasks=tuple(self.tasks))

    def _filled(self, takes: Mapping[int, Sequence[Allocation]]) -> list[Event]:
        """Return the events of orders that waited and that no change speaks of."""
        told = {order.id for order in self.decided}
        return [
            Event(kind="order.filled", order_id=order_id, detail={"takes": [take_detail(take) for take in mine]})
            for order_id, mine in takes.items()
            if order_id not in told
        ]


def _skus_of(change: Change) -> set[int]:
    lines = [*change.after.lines, *(change.before.lines if change.before else ())]
    return {sku_id for line in lines for sku_id in line.parts}


def _is_unpaid(order: KnownOrder | None) -> bool:
    return order is not None and order.ready_at is None and order.open_qty > 0


def take_detail(take: Allocation) -> dict[str, int]:
    """Return a take as an event holds it."""
    return {"line_id": take.owner.id, "sku_id": take.sku_id, "warehouse_id": take.warehouse_id, "qty": take.qty}
