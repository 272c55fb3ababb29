"""Work orders and the stock they touch, as one plan: components held or issued, finished units brought in.

Why through the stock plan: whatever a work order frees or makes is given to whoever waits for it in the same commit,
and what it lacks it waits for like an order line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from erpsync.core.allocation import HoldOwner, StockKey, Wanted
from erpsync.core.bom import BomLine
from erpsync.core.making import Part, needed
from erpsync.core.movements import Movement, Reason, Ref
from erpsync.flows.allocation.kinds import KINDS
from erpsync.flows.allocation.stock_plan import StockPlan
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.boms import BomHead, BomPart
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Book
from erpsync.store.works import OPEN, WORK, Work, WorkPart, set_parts

NO_PRODUCTION = "nothing is made here: erpsync.yaml has no production"


def owner_of(work: Work) -> HoldOwner:
    """Return a work order as an owner of stock."""
    return HoldOwner(WORK, work.id)


def parts_of_bom(lines: Iterable[BomPart]) -> list[Part]:
    """Return the components of a bill as decisions take them."""
    return [Part(line=BomLine(line.sku_id, line.qty, line.scrap_ppm), step_no=line.step_no) for line in lines]


def wip_of(ctx: Context) -> int:
    """Return the warehouse where components are while they are worked on; `Refused` where nothing is made."""
    if ctx.production is None:
        raise Refused(NO_PRODUCTION)
    return ctx.warehouse_id(ctx.production.wip)


def wants(ctx: Context, work: Work, parts: Sequence[WorkPart], *, ended: bool = False) -> Wanted:
    """Return what a work order that has not begun wants of stock; nothing once it has ended."""
    owner = owner_of(work)
    return Wanted(
        owner=owner,
        group=owner,
        units={part.sku_id: 0 if ended else part.need_qty for part in parts},
        due=(work.due_at, work.number),
        warehouses=ctx.sourcing.components,
    )


def set_needs(
    tx: Tx, work: Work, head: BomHead, lines: Sequence[BomPart], before: Sequence[WorkPart] = ()
) -> list[WorkPart]:
    """Write what a work order that has not begun needs for its quantity; return it."""
    units = needed(parts_of_bom(lines), head.yields, work.qty)
    after = [WorkPart(supply_id=work.id, sku_id=sku_id, need_qty=qty) for sku_id, qty in sorted(units.items())]
    set_parts(tx, work.id, before, after)
    return after


def load(
    tx: Tx, ctx: Context, wanted: Sequence[Wanted], *, touched: Iterable[int] = (), owners: Iterable[HoldOwner] = ()
) -> StockPlan:
    """Return the stock plan of what work orders want, with the holds of these owners in its book."""
    plan = StockPlan.load(tx, ctx, KINDS, wanted, touched=touched)
    plan.book.load_owners(owners)
    return plan


def issue(book: Book, work: Work, parts: Sequence[WorkPart], wip_id: int, actor: str) -> list[WorkPart]:
    """Take what a work order holds to where it is worked on; return what it needs, with what was issued."""
    issued: dict[int, int] = {}
    for part in parts:
        for warehouse_id, held in sorted(book.held_for((owner_of(work), part.sku_id)).items()):
            if held.qty and warehouse_id != wip_id:
                issued[part.sku_id] = issued.get(part.sku_id, 0) + held.qty
                shift(book, work, StockKey(part.sku_id, warehouse_id), wip_id, held.qty, Reason.ISSUED, actor)
    return [replace(part, issued_qty=part.issued_qty + issued.get(part.sku_id, 0)) for part in parts]


def issue_free(book: Book, ctx: Context, work: Work, sku_id: int, qty: int, actor: str) -> int:
    """Take units that nobody holds to where a work order is worked on; return how many there were, `qty` at most."""
    got, wip_id = 0, wip_of(ctx)
    for warehouse_id in ctx.sourcing.components:
        place = StockKey(sku_id, warehouse_id)
        taken = min(qty - got, book.available(place, 0))
        if taken > 0:
            book.hold(owner_of(work), place, taken)
            shift(book, work, place, wip_id, taken, Reason.ISSUED, actor)
            got += taken
    return got


def shift(book: Book, work: Work, place: StockKey, to_id: int, qty: int, reason: Reason, actor: str) -> None:
    """Move units that a work order holds to another warehouse, where it holds them still."""
    to = StockKey(place.sku_id, to_id)
    book.unhold(owner_of(work), place, qty)
    _move(book, work, place, -qty, reason, actor)
    _move(book, work, to, qty, reason, actor)
    book.hold(owner_of(work), to, qty)


def spend(book: Book, work: Work, place: StockKey, qty: int, reason: Reason, actor: str) -> None:
    """Take units off that a work order holds, or bring back, below 0, what had been taken off by mistake."""
    if qty > 0:
        book.unhold(owner_of(work), place, qty)
    _move(book, work, place, -qty, reason, actor)
    if qty < 0:
        book.hold(owner_of(work), place, -qty)


def bring_back(book: Book, work: Work, place: StockKey, to_id: int, qty: int, actor: str) -> None:
    """Move units that a work order holds back to where components lie, free for whoever waits."""
    book.unhold(owner_of(work), place, qty)
    _move(book, work, place, -qty, Reason.RETURNED, actor)
    _move(book, work, StockKey(place.sku_id, to_id), qty, Reason.RETURNED, actor)


def bring_in(book: Book, work: Work, qty: int, actor: str) -> None:
    """Add finished units to where they go, or take some back, below 0."""
    _move(book, work, StockKey(work.sku_id, work.warehouse_id), qty, Reason.MADE, actor)


def _move(book: Book, work: Work, place: StockKey, qty: int, reason: Reason, actor: str) -> None:
    book.move(Movement(place=place, qty=qty, reason=reason, ref=Ref(WORK, work.id)), actor=actor)


def give_back_rest(
    book: Book, ctx: Context, work: Work, parts: Sequence[WorkPart], *, scrap: bool, actor: str
) -> list[WorkPart]:
    """Return what is still in work to where components lie, or scrap it; return the parts as they are then."""
    wip_id, after = wip_of(ctx), list[WorkPart]()
    for part in parts:
        qty, place = part.in_work_qty, StockKey(part.sku_id, wip_id)
        if not qty:
            after.append(part)
        elif scrap:
            spend(book, work, place, qty, Reason.SCRAPPED, actor)
            after.append(replace(part, scrapped_qty=part.scrapped_qty + qty))
        else:
            bring_back(book, work, place, ctx.sourcing.components[0], qty, actor)
            after.append(replace(part, returned_qty=part.returned_qty + qty))
    return after


def new_row(work: Work, *, actor: str, now: datetime, split_of_id: int | None = None) -> Mapping[str, object]:
    """Return the row of a work order that begins to be."""
    return {
        "id": work.id,
        "number": work.number,
        "kind": "make",
        "sku_id": work.sku_id,
        "warehouse_id": work.warehouse_id,
        "bom_id": work.bom_id,
        "split_of_id": split_of_id,
        "qty": work.qty,
        "state": OPEN,
        "source": work.source,
        "due_at": work.due_at,
        "actor": actor,
        "made_at": now,
    }
