"""Which warehouse serves which order.

Why one planner for all: new orders, arriving stock, cancels and ended holds all ask the same question about some
SKUs, so no path can leave units lying beside a waiting order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

MAX_SEARCHED = 8  # warehouses up to which every combination is tried; beyond it, the greediest first


class StockKey(NamedTuple):
    """Where units of a SKU lie."""

    sku_id: int
    warehouse_id: int


class HoldOwner(NamedTuple):
    """What holds units: an order line is the first kind."""

    kind: str
    id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Units of one SKU that an owner still needs. `warehouses` are those that may serve it, preferred first."""

    owner: HoldOwner
    sku_id: int
    qty: int
    order_id: int
    due: tuple[datetime, str]
    warehouses: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Units of one SKU given to an owner from one warehouse."""

    owner: HoldOwner
    sku_id: int
    warehouse_id: int
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """A line whose units are each sent whole.

    Args:
        parts: our units per one of the line's, by SKU.
        groups: warehouses that can send a whole unit together, preferred first; most are groups of one.
    """

    parts: Mapping[int, int]
    groups: tuple[tuple[int, ...], ...]


def plan(
    needs: Iterable[Need], free: Mapping[StockKey, int], wholes: Mapping[HoldOwner, Whole] | None = None
) -> list[Allocation]:
    """Allocate free units to orders, oldest first, each from as few warehouses as can be.

    Args:
        needs: what owners want still; those of one order are served together, orders by `due`.
        free: units that may be promised, per SKU and warehouse.
        wholes: the lines whose units are promised whole or not at all.

    Returns:
        Takes of one unit or more. A need that none covers is the backorder.
    """
    left = dict(free)
    takes: list[Allocation] = []
    for order in _by_order(needs):
        chosen = _choose(order, left)
        if wholes:
            takes += _serve_whole(order, wholes, chosen, left)
        takes += _serve([need for need in order if not wholes or need.owner not in wholes], chosen, left)
    return takes


def _by_order(needs: Iterable[Need]) -> list[list[Need]]:
    groups: dict[int, list[Need]] = {}
    for need in needs:
        if need.qty > 0:
            groups.setdefault(need.order_id, []).append(need)
    return sorted(groups.values(), key=lambda group: group[0].due)


def _choose(order: Sequence[Need], left: Mapping[StockKey, int]) -> tuple[int, ...]:
    """Return the fewest warehouses that cover all that can be covered, preferred first among equals."""
    needs: dict[int, int] = {}
    for need in order:
        needs[need.sku_id] = needs.get(need.sku_id, 0) + need.qty
    useful = [w for w in order[0].warehouses if any(left.get(StockKey(s, w), 0) > 0 for s in needs)]
    for warehouse in useful:
        if all(left.get(StockKey(s, warehouse), 0) >= qty for s, qty in needs.items()):
            return (warehouse,)
    reach = {s: min(qty, sum(max(0, left.get(StockKey(s, w), 0)) for w in useful)) for s, qty in needs.items()}
    if len(useful) > MAX_SEARCHED:
        return _greedy(useful, reach, left)
    for size in range(1, len(useful)):
        for some in combinations(useful, size):
            if all(sum(max(0, left.get(StockKey(s, w), 0)) for w in some) >= qty for s, qty in reach.items()):
                return some
    return tuple(useful)


def _greedy(useful: Sequence[int], reach: Mapping[int, int], left: Mapping[StockKey, int]) -> tuple[int, ...]:
    missing = dict(reach)
    chosen: list[int] = []
    while any(missing.values()):
        best = max(
            (w for w in useful if w not in chosen),
            key=lambda w: sum(min(qty, max(0, left.get(StockKey(s, w), 0))) for s, qty in missing.items()),
        )
        chosen.append(best)
        for sku_id, qty in missing.items():
            missing[sku_id] = qty - min(qty, max(0, left.get(StockKey(sku_id, best), 0)))
    return tuple(w for w in useful if w in chosen)


def _serve(order: Sequence[Need], chosen: Sequence[int], left: dict[StockKey, int]) -> Iterable[Allocation]:
    """Yield what each line gets, taken off `left`; lines of one order may want the same SKU."""
    for need in order:
        open_qty = need.qty
        for warehouse in _whole_first(need, chosen, left):
            place = StockKey(need.sku_id, warehouse)
            qty = min(open_qty, left.get(place, 0))
            if qty > 0:
                left[place] -= qty
                open_qty -= qty
                yield Allocation(owner=need.owner, sku_id=need.sku_id, warehouse_id=warehouse, qty=qty)


def _serve_whole(
    order: Sequence[Need], wholes: Mapping[HoldOwner, Whole], chosen: Sequence[int], left: dict[StockKey, int]
) -> Iterable[Allocation]:
    """Yield what each line gets in whole units, one group of warehouses that covers it before those that share it."""
    by_owner: dict[HoldOwner, dict[int, int]] = {}
    for need in (each for each in order if each.owner in wholes):
        by_owner.setdefault(need.owner, {})[need.sku_id] = need.qty
    for owner, wanted in by_owner.items():
        whole = wholes[owner]
        units = min(wanted.get(sku_id, 0) // per_unit for sku_id, per_unit in whole.parts.items())
        for group in _in_turn(whole, units, chosen, left):
            taken = min(units, whole_units(whole.parts, group, left))
            units -= taken
            for sku_id, per_unit in whole.parts.items():
                yield from _take(owner, sku_id, taken * per_unit, group, left)


def whole_units(parts: Mapping[int, int], group: Sequence[int], left: Mapping[StockKey, int]) -> int:
    """Return how many whole units a group of warehouses has the parts for."""
    return min(sum(max(0, left.get(StockKey(s, w), 0)) for w in group) // qty for s, qty in parts.items())


def _in_turn(whole: Whole, units: int, chosen: Sequence[int], left: Mapping[StockKey, int]) -> list[tuple[int, ...]]:
    def turn(group: tuple[int, ...]) -> tuple[bool, bool]:
        return whole_units(whole.parts, group, left) < units, not set(group) & set(chosen)

    return sorted(whole.groups, key=turn)


def _take(
    owner: HoldOwner, sku_id: int, qty: int, group: Sequence[int], left: dict[StockKey, int]
) -> Iterable[Allocation]:
    covers = [w for w in group if left.get(StockKey(sku_id, w), 0) >= qty]
    for warehouse_id in (*covers[:1], *group):
        place = StockKey(sku_id, warehouse_id)
        taken = min(qty, left.get(place, 0))
        if taken > 0:
            left[place] -= taken
            qty -= taken
            yield Allocation(owner=owner, sku_id=sku_id, warehouse_id=warehouse_id, qty=taken)


def _whole_first(need: Need, chosen: Sequence[int], left: Mapping[StockKey, int]) -> list[int]:
    """Return the chosen warehouses, one that covers the whole line before those that would share it."""

    def shares(warehouse: int) -> bool:
        return left.get(StockKey(need.sku_id, warehouse), 0) < need.qty

    return sorted(chosen, key=shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold as the shrinking of a warehouse sees it: `due` of its order, whether the warehouse has the order."""

    owner: HoldOwner
    qty: int
    due: tuple[datetime, str]
    released: bool


def shrink(holds: Iterable[Held], missing_qty: int) -> list[tuple[Held, int]]:
    """Return how many units to take back from which holds, latest due first; released ones keep theirs.

    Args:
        holds: the holds on one SKU in one warehouse.
        missing_qty: units reserved beyond what is on hand.
    """
    taken: list[tuple[Held, int]] = []
    for held in sorted(holds, key=lambda h: h.due, reverse=True):
        if missing_qty <= 0:
            break
        if held.released:
            continue
        qty = min(held.qty, missing_qty)
        taken.append((held, qty))
        missing_qty -= qty
    return taken
