"""Work orders as owners of stock: their components wait as the oldest need they serve, in the components' places."""

from collections.abc import Collection, Mapping

from erpsync.core.allocation import HoldOwner
from erpsync.core.sourcing import Sourcing
from erpsync.flows.allocation.owners import OwnerKind, Turn
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Backorder
from erpsync.store.works import OPEN, WORK, works_of


class WorkParts(OwnerKind):
    """Components of work orders. What was issued to one that has begun is its own and is never taken back."""

    def turns(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Turn]:
        """Return the turn of each work order that has not begun."""
        turns: dict[int, Turn] = {}
        for work in works_of(tx, ids).values():
            if work.state == OPEN:
                due, owner = (work.due_at, work.number), HoldOwner(WORK, work.id)
                waits_as = Backorder(qty=0, group=owner, channel_id=None, due=due, waits=True)
                turns[work.id] = Turn(due=due, waits_as=waits_as)
        return turns

    def warehouses(self, sourcing: Sourcing, owner: HoldOwner, waiting: Backorder) -> tuple[int, ...]:
        """Return the warehouses where components lie, preferred first."""
        return sourcing.components
