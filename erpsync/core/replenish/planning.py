"""The plan: each SKU in each warehouse is netted once, after everything that uses it.

Why without buckets: a shortage has a day, and whoever buys asks for one. Why a number and no text stands in a peg: the
same plan is told in two languages.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from erpsync.core.allocation import StockKey
from erpsync.core.bom import Bom, Boms, gross, low_levels
from erpsync.core.replenish.model import (
    Advice,
    DatedNeed,
    Expected,
    Items,
    Missing,
    OnHand,
    OpenSupply,
    Peg,
    PlanItem,
    Shortage,
    Suggested,
    Suggestion,
)
from erpsync.core.replenish.netting import Made, Need, Netted, Supply, net, pegs
from erpsync.core.replenish.workdays import WorkCalendar, WorkDays

_UNKNOWN = PlanItem(means="none")


def plan(
    needs: Iterable[DatedNeed],
    forecast: Iterable[Expected],
    on_hand: OnHand,
    supplies: Iterable[OpenSupply],
    boms: Boms,
    items: Items,
    calendar: WorkCalendar,
    today: date,
) -> Suggested:
    """Return what should be made, bought and moved, by low-level code, then by SKU and warehouse, then by day.

    The same input gives the same plan. Two supplies of one SKU and warehouse are as near as their item's cover lets
    them.

    Raises:
        CycleError: something is made of itself or fetched from where it goes.
    """
    night = _Night(on_hand, boms, items, WorkDays(calendar, today), today)
    for need in needs:
        night.wanted[need.key].append(((max(need.day, today) - today).days, need.qty, need.kind, need.id))
    for expected in forecast:
        if expected.day > today:
            night.wanted[expected.key].append(((expected.day - today).days, expected.qty, "forecast", 0))
    for supply in supplies:
        night.coming[supply.key].append(((max(supply.day, today) - today).days, supply.qty, supply.id))
    for key in night.turns():
        night.settle(key)
    return Suggested(tuple(night.suggestions), tuple(sorted(night.advice)), tuple(night.shortages))


class _Night:
    """A plan while it is made."""

    def __init__(self, on_hand: OnHand, boms: Boms, items: Items, days: WorkDays, today: date) -> None:
        self.on_hand = on_hand
        self.boms = boms
        self.items = items
        self.days = days
        self.today = today
        self._dates: list[date] = []
        self.wanted: dict[StockKey, list[Need]] = defaultdict(list)
        self.coming: dict[StockKey, list[Supply]] = defaultdict(list)
        self.suggestions: list[Suggestion] = []
        self.advice: list[Advice] = []
        self.shortages: list[Shortage] = []

    def turns(self) -> list[StockKey]:
        """Return all that is to be netted, users before what they use."""
        below = {key: self._below(key, item) for key, item in self.items.items()}
        codes = low_levels(below)
        alone = [key for key in {*self.wanted, *self.coming} if key not in codes]
        return sorted([*codes, *alone], key=lambda key: (codes.get(key, 0), key))

    def _below(self, key: StockKey, item: PlanItem) -> list[StockKey]:
        if item.means == "move":
            return [StockKey(key.sku_id, item.from_warehouse_id)]
        bom = self._bom(key, item)
        return [StockKey(line.sku_id, item.from_warehouse_id) for line in bom.lines] if bom else []

    def _bom(self, key: StockKey, item: PlanItem) -> Bom | None:
        return self.boms.get(key.sku_id) if item.means == "make" else None

    def settle(self, key: StockKey) -> None:
        """Net one SKU in one warehouse, and hand on what its supplies need."""
        item, bom, missing = self._means(key)
        wanted = sorted(self.wanted.pop(key, ()))
        coming = sorted(self.coming.pop(key, ()))
        on_hand = self.on_hand.get(key, 0)
        netted = net(on_hand, wanted, coming, item, self.days)
        self.shortages += [Shortage(key, self._date(day), qty, missing) for day, qty in netted.missing]
        self._advise(coming, netted, item)
        if netted.made:
            self._suggest(key, item, bom, netted.made, pegs(on_hand, wanted, netted))

    def _means(self, key: StockKey) -> tuple[PlanItem, Bom | None, Missing]:
        item = self.items.get(key)
        if item is None:
            return _UNKNOWN, None, "no_item"
        bom = self._bom(key, item)
        if item.means == "make" and bom is None:
            return PlanItem(means="none", safety=item.safety), None, "no_bom"
        return item, bom, "no_means"

    def _suggest(
        self, key: StockKey, item: PlanItem, bom: Bom | None, made: Sequence[Made], owed: Sequence[tuple[Peg, ...]]
    ) -> None:
        below = [(StockKey(line.sku_id, item.from_warehouse_id), line) for line in bom.lines] if bom else []
        source = StockKey(key.sku_id, item.from_warehouse_id) if item.means == "move" else None
        for each, own in zip(made, owed, strict=True):
            number = len(self.suggestions)
            self.suggestions.append(self._suggestion(key, item, each, own))
            if source:
                self.wanted[source].append((each.start, each.begin_qty, "suggestion", number))
            for part, line in below:
                qty = gross(each.begin_qty, line, bom.yields if bom else 1)
                self.wanted[part].append((each.start, qty, "suggestion", number))

    def _suggestion(self, key: StockKey, item: PlanItem, made: Made, own: tuple[Peg, ...]) -> Suggestion:
        return Suggestion(
            key,
            item.means,
            self._date(made.start),
            self._date(made.due),
            made.qty,
            made.begin_qty,
            self._date(made.short_on),
            made.short_qty,
            max(0, made.due - made.short_on),
            own,
        )

    def _advise(self, coming: Iterable[Supply], netted: Netted, item: PlanItem) -> None:
        for day, qty, supply_id in coming:
            needed = netted.used.get(supply_id)
            if needed is None:
                if qty:
                    self.advice.append(Advice(supply_id, "not_needed", None))
            elif needed < day:
                self.advice.append(Advice(supply_id, "bring_forward", self._date(needed)))
            elif (later := self.days.at_work(needed)) is not None and later - day > item.cover_days:
                self.advice.append(Advice(supply_id, "push_back", self._date(later)))

    def _date(self, day: int) -> date:
        while day >= len(self._dates):
            self._dates.append(self.today + timedelta(days=len(self._dates)))
        return self._dates[day]
