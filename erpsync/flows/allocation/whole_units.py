"""Owners whose units must each be sent whole: sets, and listings of several of our units.

A warehouse that a channel runs is told to send whole units of an order line and knows nothing of halves that lie
elsewhere. So the parts of a unit are promised together: from one such warehouse, or from those that people ship from,
which count as one place because a person can bring parts together.

Why parts are given back where a count fell: what is left of a unit would wait in a warehouse that cannot send it,
while another one might have all of it.
"""

from collections.abc import Iterable, Mapping, Sequence

from erpsync.core.allocation import Groups, HoldOwner, StockKey, Wanted, Whole, whole_of
from erpsync.core.sourcing import Sourcing
from erpsync.flows.allocation.owners import UNKNOWN, OwnerKind
from erpsync.flows.allocation.stock_holds import ids_by_kind
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Backorder, Book


class WholeUnits:
    """The owners of a plan whose units must be whole; none where no unit could be torn apart.

    Args:
        of: how their units are sent, by owner.
    """

    def __init__(self, tx: Tx, sourcing: Sourcing, kinds: Mapping[str, OwnerKind], wants: Iterable[Wanted]) -> None:
        self._tx, self._kinds = tx, kinds
        self._torn = sourcing.tears
        self.of: dict[HoldOwner, Whole] = {}
        for want in wants if self._torn else ():
            self._note(want.owner, want.parts, sourcing.together(want.warehouses))

    def _note(self, owner: HoldOwner, parts: Mapping[int, int], groups: Groups) -> None:
        whole = whole_of(parts, groups)
        if whole is not None:
            self.of[owner] = whole

    def partners(self, sku_ids: set[int]) -> set[int]:
        """Return the other parts of what waits for one of these SKUs: they are planned together."""
        if not self._torn:
            return set()
        return {other for kind in self._kinds.values() for other in kind.partners(self._tx, sku_ids)}

    def mend_all(self, book: Book) -> None:
        """Give back what makes no whole unit where it lies."""
        for owner in self.of:
            self._mend(book, owner)

    def complete(self, book: Book, sourcing: Sourcing) -> None:
        """Have all parts of what waits in the book, and none of them held where the others are not."""
        waiting = {owner: it for (owner, _), it in book.waiting.items()} if self._torn else {}
        self._learn({owner: it for owner, it in waiting.items() if owner not in self.of}, sourcing)
        owners = [owner for owner in waiting if owner in self.of]
        book.widen(sku_id for owner in owners for sku_id in self.of[owner].parts)
        book.load_owners(owners)
        for owner in owners:
            for sku_id, qty in self._mend(book, owner).items():
                book.wait(owner, sku_id, qty, like=waiting[owner])

    def _learn(self, fresh: Mapping[HoldOwner, Backorder], sourcing: Sourcing) -> None:
        """Note which of these owners are to be sent whole."""
        groups: dict[HoldOwner, Groups] = {}
        for owner, it in fresh.items():
            places = self._kinds.get(owner.kind, UNKNOWN).warehouses(sourcing, owner, it)
            groups[owner] = sourcing.together(places)
        torn = [owner for owner in fresh if len(groups[owner]) > 1]
        for kind, ids in ids_by_kind(torn).items():
            for row_id, parts in self._kinds.get(kind, UNKNOWN).parts(self._tx, ids).items():
                owner = HoldOwner(kind, row_id)
                self._note(owner, parts, groups[owner])

    def _mend(self, book: Book, owner: HoldOwner) -> dict[int, int]:
        """Give back what an owner holds that makes no whole unit where it lies; return our units by SKU.

        What a warehouse was told to send stays as it is.
        """
        whole, back = self.of[owner], dict[int, int]()
        held = {sku_id: book.held_for((owner, sku_id)) for sku_id in whole.parts}
        if any(hold.released and hold.qty for by_place in held.values() for hold in by_place.values()):
            return back
        places = {place for by_place in held.values() for place in by_place}
        alone = [(place,) for place in sorted(places - {w for group in whole.groups for w in group})]
        for group in (*whole.groups, *alone):
            have = {sku_id: sum(by_place[w].qty for w in group if w in by_place) for sku_id, by_place in held.items()}
            units = min(have[sku_id] // per_unit for sku_id, per_unit in whole.parts.items())
            for sku_id, per_unit in whole.parts.items():
                surplus = have[sku_id] - units * per_unit
                if surplus:
                    _unhold(book, owner, sku_id, group, surplus)
                    back[sku_id] = back.get(sku_id, 0) + surplus
        return back


def _unhold(book: Book, owner: HoldOwner, sku_id: int, group: Sequence[int], qty: int) -> None:
    """Give units back, those of the least preferred warehouse first."""
    for warehouse_id in reversed(group):
        held = book.held_for((owner, sku_id)).get(warehouse_id)
        taken = min(qty, held.qty) if held is not None else 0
        if taken:
            book.unhold(owner, StockKey(sku_id, warehouse_id), taken)
            qty -= taken
