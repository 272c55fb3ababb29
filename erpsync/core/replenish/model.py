"""What planning is given, and what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, NamedTuple

from erpsync.core.allocation import StockKey

Means = Literal["make", "buy", "move", "none"]
PegKind = Literal["order", "work", "forecast", "suggestion", "stock"]
AdviceKind = Literal["bring_forward", "push_back", "not_needed"]
Missing = Literal["no_item", "no_means", "no_bom"]


Peg = tuple[PegKind, int, int]
"""What units are for: (kind, id, units). The id is that of the order or work, or the place of the suggestion in the
plan; 0 for a forecast, and for stock, which is what a lot or the safety leaves. Why a plain tuple: a plan has hundreds
of thousands, and the collector walks objects of a class again and again (4.8 s for 50,000 BOM lines, 2.4 so)."""


class DatedNeed(NamedTuple):
    """Units of an order line or of an open work that nothing covers yet; in the past counts as today."""

    key: StockKey
    day: date
    qty: int
    kind: Literal["order", "work"]
    id: int


class Expected(NamedTuple):
    """Units that are forecast to be sold on a day; before tomorrow they are not counted, for orders are."""

    key: StockKey
    day: date
    qty: int


class OpenSupply(NamedTuple):
    """What is open of a supply: good units that will come. One in the past counts as today."""

    id: int
    key: StockKey
    day: date
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanItem:
    """Planning data of a SKU in a warehouse.

    Args:
        from_warehouse_id: where components lie (make), or what is moved; for buy it says nothing.
        lead_days: working days.
        order_min: good units that a supply has at least.
        order_multiple: good units are rounded up to a multiple of it; 1 or more.
        cover_days: days after a shortage that its supply covers too.
        safety: units that should never be touched.
        scrap_ppm: of what is made, parts of a million that are lost.
    """

    means: Means
    from_warehouse_id: int = 0
    lead_days: int = 0
    order_min: int = 0
    order_multiple: int = 1
    cover_days: int = 0
    safety: int = 0
    scrap_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A supply that should be.

    Args:
        qty: good units that come of it.
        begin_qty: units to be begun, with scrap; the same for what is bought or moved.
        short_on: the day on which it is missing.
        short_qty: units missing on that day.
        late_days: calendar days after `short_on` on which it comes.
        pegs: what its good units are for; they add up to `qty`.
    """

    key: StockKey
    means: Means
    start: date
    due: date
    qty: int
    begin_qty: int
    short_on: date
    short_qty: int
    late_days: int
    pegs: tuple[Peg, ...]


class Advice(NamedTuple):
    """What should become of an open supply, which planning never moves; the day it is needed, where it is."""

    supply_id: int
    kind: AdviceKind
    day: date | None


class Shortage(NamedTuple):
    """Units that will be missing, and why planning cannot suggest how to have them."""

    key: StockKey
    day: date
    qty: int
    reason: Missing


@dataclass(frozen=True, slots=True)
class Suggested:
    """A plan: suggestions in the order in which they were made, users before what they use."""

    suggestions: tuple[Suggestion, ...]
    advice: tuple[Advice, ...]
    shortages: tuple[Shortage, ...]


Items = Mapping[StockKey, PlanItem]
OnHand = Mapping[StockKey, int]
"""Units on hand that are reserved for nobody."""
Needs = Sequence[DatedNeed]
