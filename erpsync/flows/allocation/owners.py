"""What the stock plan asks about owners that nobody wants anything for now, and what it tells of them.

Why by kind: whoever frees units, all who wait for them are served in the same commit; so a plan made for orders meets
the holds and backorders of everything else, and only their kind knows where those stand.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from erpsync.core.allocation import Allocation, Due, HoldOwner
from erpsync.core.sourcing import Sourcing
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Backorder


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """When it is an owner's turn, and how it waits once units are taken back from it; None when it does not."""

    due: Due
    waits_as: Backorder | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """Units that an owner was given, or that were taken back from it where less is there than was promised."""

    units: Allocation
    group: HoldOwner


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a plan did with units of owners.

    Args:
        served: units given to owners that the plan was not made for.
        taken_back: units that owners lost, whoever they are.
        lacking: by group that the plan was not made for, units by SKU that nothing covers now and something did before.
    """

    served: Sequence[Given] = ()
    taken_back: Sequence[Given] = ()
    lacking: Mapping[HoldOwner, Mapping[int, int]] = field(default_factory=dict)


class OwnerKind:
    """A kind of owner as the stock plan sees it. As it stands here, a kind that nobody knows: it keeps what it has.

    Such an owner is given nothing and loses nothing, for nobody can tell when it would be its turn.
    """

    def turns(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Turn]:
        """Return whose turn it is when, by owner id; from one that is left out nothing is taken back."""
        return {}

    def with_wishes(self, tx: Tx, ctx: Context, waiting: Collection[Backorder]) -> Context:
        """Return the context with what owners of this kind that wait wish of warehouses."""
        return ctx

    def warehouses(self, sourcing: Sourcing, owner: HoldOwner, waiting: Backorder) -> tuple[int, ...]:
        """Return the warehouses that may serve an owner that waits, preferred first."""
        return ()

    def parts(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Mapping[int, int]]:
        """Return our units per one of the owner's by SKU, by owner id, where each of them is sent whole."""
        return {}

    def partners(self, tx: Tx, sku_ids: Collection[int]) -> set[int]:
        """Return the other parts of what waits for one of these SKUs: they are planned together."""
        return set()

    def tell(self, tx: Tx, news: News) -> None:
        """Write the events of what became of owners of this kind; `news` may speak of others as well."""


UNKNOWN = OwnerKind()
