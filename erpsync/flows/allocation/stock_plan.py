"""Turning what owners want, and stock that moved, into holds, backorders, ledger rows and dirty marks.

Why it knows no orders: lines are the first who wait for units and not the last. Whoever wants some says so in the same
words, and each plan serves all who wait for the SKUs it touched, oldest first, before it commits: so no commit leaves
units lying beside somebody who waits for them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from erpsync.core.allocation import Allocation, HoldOwner, Need, StockKey, Wanted
from erpsync.core.allocation import plan as share_out
from erpsync.core.movements import Movement
from erpsync.flows.allocation.departures import Gone, book_out
from erpsync.flows.allocation.free_units import free_units
from erpsync.flows.allocation.owners import UNKNOWN, Given, News, OwnerKind
from erpsync.flows.allocation.stock_holds import adjust_holds, hold_taken, take_back
from erpsync.flows.allocation.whole_units import WholeUnits
from erpsync.flows.context import Context
from erpsync.store.db.store import Stage, Tx
from erpsync.store.outbox.dirty import Cause, mark_dirty
from erpsync.store.policies import Keep, kept_in
from erpsync.store.sold_out import note_sold_out
from erpsync.store.stock_book import Backorder, Book
from erpsync.store.tasks import Task, open_tasks


@dataclass(slots=True, kw_only=True)
class StockPlan:
    """The stock book of what some owners want, with what is to be said of it; each step leaves both to the next.

    Made by `load`; then `move`, `book_out`, `serve` and `write`, in that order.

    Args:
        kinds: what is known of owners that nobody wants anything for now.
        wants: all that each owner wants which this plan is made for.
        also: SKUs that are planned anew and told anew, whatever becomes of their units.
        takes: who was given what.
        groups: with whom those who were served are served together.
    """

    tx: Tx
    ctx: Context
    kinds: Mapping[str, OwnerKind]
    wants: Mapping[HoldOwner, Wanted]
    also: frozenset[int]
    whole: WholeUnits
    book: Book
    keeps: Mapping[StockKey, Keep] = field(default_factory=dict)
    takes: list[Allocation] = field(default_factory=list)
    lost: list[Given] = field(default_factory=list)
    groups: dict[HoldOwner, HoldOwner] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)

    @classmethod
    def load(
        cls,
        tx: Tx,
        ctx: Context,
        kinds: Mapping[str, OwnerKind],
        wants: Sequence[Wanted],
        *,
        touched: Iterable[int] = (),
        also: frozenset[int] = frozenset(),
    ) -> "StockPlan":
        """Return a plan with the book of all SKUs concerned, locked; `touched` are those of which stock moves."""
        whole = WholeUnits(tx, ctx.sourcing, kinds, wants)
        skus = {sku_id for want in wants for sku_id in want.units} | {*touched, *also}
        book = Book(tx, skus | whole.partners(skus), [want.owner for want in wants])
        by_owner = {want.owner: want for want in wants}
        return cls(tx=tx, ctx=ctx, kinds=kinds, wants=by_owner, also=also, whole=whole, book=book)

    def move(self, movements: Iterable[Movement], actor: str) -> None:
        """Take in what came, went or was counted."""
        for movement in movements:
            self.book.move(movement, actor=actor)

    def book_out(self, gone: Gone) -> int:
        """Take off what left, the owner's own units first; return how many the books do not have."""
        return book_out(self.book, gone)

    def serve(self) -> None:
        """Bring holds to what is wanted and there, then promise what is free to all who wait for it, oldest first."""
        wishes = self._adjust()
        self.lost, tasks = take_back(self.book, self.tx, self.ctx, self.kinds)
        self.tasks += tasks
        free = free_units(self.book, self.ctx, kept_in(self.tx, self.book.sku_ids))
        self.book.load_waiting(place.sku_id for place, qty in free.items() if qty > 0)
        for kind in self.kinds.values():
            self.ctx = kind.with_wishes(self.tx, self.ctx, self.book.waiting.values())
        self.whole.complete(self.book, self.ctx.sourcing)
        self.keeps = kept_in(self.tx, self.book.sku_ids)
        needs = [*self._needs(), *wishes]
        self.groups = {need.owner: need.group for need in needs}
        self.takes = share_out(needs, free_units(self.book, self.ctx, self.keeps))
        self.book.load_owners(take.owner for take in self.takes)
        hold_taken(self.book, self.takes, self.wants)

    def _adjust(self) -> list[Need]:
        """Give back what owners no longer want or cannot send, note what they lack; return their wishes."""
        self.whole.mend_all(self.book)
        kept, wishes = self.book.held_skus(), list[Need]()
        for want in self.wants.values():
            for sku_id, qty in adjust_holds(self.book, self.ctx, want, kept.get(want.owner, ())).items():
                wishes.append(
                    Need(
                        owner=want.owner,
                        group=want.group,
                        sku_id=sku_id,
                        qty=qty,
                        due=want.due,
                        warehouses=want.warehouses,
                        whole=self.whole.of.get(want.owner),
                    )
                )
        return wishes

    def _needs(self) -> Iterator[Need]:
        """Yield the backorders to be served now: those that wait, and those that this plan is made for."""
        groups = {want.group for want in self.wants.values()}
        for (owner, sku_id), waiting in self.book.waiting.items():
            if waiting.waits or waiting.group in groups:
                yield Need(
                    owner=owner,
                    group=waiting.group,
                    sku_id=sku_id,
                    qty=waiting.qty,
                    due=waiting.due,
                    warehouses=self._places(owner, waiting),
                    whole=self.whole.of.get(owner),
                )

    def _places(self, owner: HoldOwner, waiting: Backorder) -> tuple[int, ...]:
        want = self.wants.get(owner)
        if want is not None:
            return want.warehouses
        return self.kinds.get(owner.kind, UNKNOWN).warehouses(self.ctx.sourcing, owner, waiting)

    def write(self, cause: Cause | None, *, dirty: Iterable[int] = (), tasks: Iterable[Task] = ()) -> None:
        """Write the book, the marks of numbers to be told, tasks and what became of owners.

        Args:
            dirty: further SKUs to be told anew.
            tasks: further ones, of who made the plan.
        """
        self.book.flush()
        free = free_units(self.book, self.ctx, self.keeps)
        self._mark({*self.also, *dirty}, cause, free)
        note_sold_out(self.tx, self._for_sale(free))
        open_tasks(self.tx, [*tasks, *self.tasks])
        if self.ctx.sourcing.run:
            self.tx.wake(Stage.RELEASE)
        if self.ctx.production is not None:
            self.tx.wake(Stage.MAKE)
        wanted = {want.group for want in self.wants.values()}
        others = [(take, group) for take in self.takes if (group := self.groups[take.owner]) not in wanted]
        news = News(
            served=[Given(units=take, group=group) for take, group in others],
            taken_back=self.lost,
            lacking={group: units for group, units in self.book.lacking().items() if group not in wanted},
        )
        for kind in self.kinds.values():
            kind.tell(self.tx, news)

    def _for_sale(self, free: Mapping[StockKey, int]) -> dict[int, int]:
        """Return the units that some channel may be promised, by SKU, of those that lie where something is sold."""
        selling = self.ctx.sourcing.selling
        left: dict[int, int] = defaultdict(int)
        for place, qty in free.items():
            if place.warehouse_id in selling:
                left[place.sku_id] += qty
        return left

    def _mark(self, also: Iterable[int], cause: Cause | None, free: Mapping[StockKey, int]) -> None:
        dirty = {place.sku_id for place in self.book.changed_places()}.union(also)
        below = max((channel.stock.urgent_below for channel in self.ctx.channels.values()), default=0)
        left: dict[int, int] = defaultdict(int)
        for place, qty in free.items():
            left[place.sku_id] += qty
        mark_dirty(self.tx, dirty, urgent=[sku_id for sku_id in dirty if left[sku_id] < below], cause=cause)
