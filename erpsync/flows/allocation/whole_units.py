"""Lines whose units must each be sent whole: sets, and listings of several of our units.

A warehouse that a channel runs is told to send whole units of an order line and knows nothing of halves that lie
elsewhere. So the parts of a unit are promised together: from one such warehouse, or from those that people ship from,
which count as one place because a person can bring parts together.

Why parts are given back where a count fell: what is left of a unit would wait in a warehouse that cannot send it,
while another one might have all of it.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import select

from erpsync.core.allocation import HoldOwner, StockKey, Whole
from erpsync.core.fulfilment import LINE
from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Context
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Book
from erpsync.store.tables import backorder, line_part, order_line

Groups = tuple[tuple[int, ...], ...]


def together(ctx: Context, channel_id: int) -> Groups:
    """Return the warehouses that feed a channel in groups that can each send a whole unit, preferred first."""
    sourcing = ctx.sourcing.get(channel_id, ())
    own = tuple(place for place in sourcing if not ctx.warehouses[place].channel)
    return tuple(dict.fromkeys(own if place in own else (place,) for place in sourcing))


def in_turn(ctx: Context, channel_id: int) -> dict[int, int]:
    """Return the rank of each warehouse of a channel, those of a group beside one another."""
    return {place: rank for rank, place in enumerate(w for group in together(ctx, channel_id) for w in group)}


class WholeUnits:
    """The lines of a plan whose units must be whole; none where no unit could be torn apart."""

    def __init__(self, tx: Tx, ctx: Context) -> None:
        self._tx = tx
        self._groups = {row_id: groups for row_id in ctx.channels if len(groups := together(ctx, row_id)) > 1}
        if not any(policy.channel for policy in ctx.warehouses.values()):
            self._groups = {}
        self.lines: dict[HoldOwner, Whole] = {}

    def add(self, channel_id: int, parts: Mapping[int, Mapping[int, int]]) -> list[HoldOwner]:
        """Note lines of a channel, by id with our units per one of theirs; return those that must be whole."""
        groups = self._groups.get(channel_id)
        if groups is None:
            return []
        found = {
            HoldOwner(LINE, line): needs for line, needs in parts.items() if len(needs) > 1 or sum(needs.values()) > 1
        }
        self.lines |= {owner: Whole(parts=needs, groups=groups) for owner, needs in found.items()}
        return list(found)

    def mend_all(self, book: Book, orders: Iterable[KnownOrder]) -> None:
        """Note the lines of these orders, and give back what of them makes no whole unit where it lies."""
        for order in orders:
            for owner in self.add(order.channel_id, {line.id: line.parts for line in order.lines}):
                self.mend(book, owner)

    def partners(self, sku_ids: Iterable[int]) -> set[int]:
        """Return the other parts of sets that wait for one of these SKUs: they are planned together."""
        found: set[int] = set()
        for some in in_parts(sku_ids) if self._groups else ():
            waiting = select(backorder.c.owner_id).where(backorder.c.sku_id.in_(some), backorder.c.owner_kind == LINE)
            parts = select(line_part.c.sku_id).where(line_part.c.line_id.in_(waiting))
            found |= set(self._tx.execute(parts.distinct()).scalars())
        return found

    def complete(self, book: Book) -> None:
        """Have all parts of the waiting sets in the book, and none of them held where the others are not."""
        waiting = {need[0]: it.channel_id for need, it in book.waiting.items() if it.channel_id in self._groups}
        fresh = [owner for owner in waiting if owner not in self.lines]
        parts = self._parts_of([owner.id for owner in fresh])
        owners = [owner for owner in waiting if owner in self.lines]
        for owner in fresh:
            owners += self.add(waiting[owner], {owner.id: parts.get(owner.id, {})})
        book.widen(sku_id for owner in owners for sku_id in self.lines[owner].parts)
        book.load_owners(owners)
        for owner in owners:
            back = self.mend(book, owner)
            like = next(it for need, it in book.waiting.items() if need[0] == owner)
            for sku_id, qty in back.items():
                book.wait(owner, sku_id, qty, like=like)

    def mend(self, book: Book, owner: HoldOwner) -> dict[int, int]:
        """Give back what a line holds that makes no whole unit where it lies; return our units by SKU.

        What a warehouse was told to send stays as it is.
        """
        whole, back = self.lines[owner], dict[int, int]()
        held = {sku_id: book.held_for((owner, sku_id)) for sku_id in whole.parts}
        if any(mine.released and mine.qty for by_place in held.values() for mine in by_place.values()):
            return back
        places = {place for by_place in held.values() for place in by_place}
        alone = [(place,) for place in sorted(places - {w for group in whole.groups for w in group})]
        for group in (*whole.groups, *alone):
            have = {sku_id: sum(mine[w].qty for w in group if w in mine) for sku_id, mine in held.items()}
            units = min(have[sku_id] // per_unit for sku_id, per_unit in whole.parts.items())
            for sku_id, per_unit in whole.parts.items():
                surplus = have[sku_id] - units * per_unit
                if surplus:
                    _unhold(book, owner, sku_id, group, surplus)
                    back[sku_id] = back.get(sku_id, 0) + surplus
        return back

    def _parts_of(self, line_ids: Sequence[int]) -> dict[int, dict[int, int]]:
        found: dict[int, dict[int, int]] = {}
        for some in in_parts(line_ids):
            plain = select(order_line.c.id, order_line.c.sku_id, order_line.c.factor)
            for row in self._tx.all(plain.where(order_line.c.id.in_(some), order_line.c.has_parts.is_(False))):
                found[row.id] = {row.sku_id: row.factor}
            for row in self._tx.all(select(line_part).where(line_part.c.line_id.in_(some))):
                found.setdefault(row.line_id, {})[row.sku_id] = row.qty
        return found


def _unhold(book: Book, owner: HoldOwner, sku_id: int, group: Sequence[int], qty: int) -> None:
    """Give units back, those of the least preferred warehouse first."""
    for warehouse_id in reversed(group):
        held = book.held_for((owner, sku_id)).get(warehouse_id)
        taken = min(qty, held.qty) if held is not None else 0
        if taken:
            book.unhold(owner, StockKey(sku_id, warehouse_id), taken)
            qty -= taken
