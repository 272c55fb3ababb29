"""Why what is on hand changed and what for: a row of the ledger before it is written.

Why a person's words stand in the reason's place there: whoever reads the ledger wants to know that it broke, not that
somebody changed it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from erpsync.core.allocation import StockKey


class Reason(StrEnum):
    """Why units came or went."""

    ADJUST = "adjust"
    COUNT = "count"
    SHIPPED = "shipped"
    SHIPPED_ELSEWHERE = "shipped_elsewhere"
    ISSUED = "issued"
    USED = "used"
    SCRAPPED = "scrapped"
    RETURNED = "returned"
    MADE = "made"

    @property
    def explains_zero(self) -> bool:
        """Whether a level that falls to 0 by it is no surprise to the brake: the units were sold, or went into work."""
        return self in (Reason.SHIPPED, Reason.SHIPPED_ELSEWHERE, Reason.ISSUED, Reason.USED)


class Ref(NamedTuple):
    """What units moved for, by kind and row id."""

    kind: str
    id: int | None


NO_REF = Ref("", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """A change of what is on hand.

    Args:
        words: a person's own; the ledger keeps them in place of the reason.
        at: when it happened, if that was before now.
        counted_at: makes the stock row known (also at zero) and dated.
    """

    place: StockKey
    qty: int
    reason: Reason
    words: str = ""
    ref: Ref = NO_REF
    at: datetime | None = None
    counted_at: datetime | None = None
