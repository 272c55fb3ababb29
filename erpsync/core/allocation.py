"""Which warehouse serves whom.

Why one planner for all: new orders, arriving stock, cancels and ended holds all ask the same question about some
SKUs, so no path can leave units lying beside who waits for them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import combinations
from typing import NamedTuple

Groups = tuple[tuple[int, ...], ...]

MAX_SEARCHED = 8  # warehouses up to which every combination is tried; beyond it, the greediest first


class StockKey(NamedTuple):
    """Where units of a SKU lie."""

    sku_id: int
    warehouse_id: int


class HoldOwner(NamedTuple):
    """What holds units: an order line is the first kind. Ids are those of a kind: line 7 and work 7 are two."""

    kind: str
    id: int


Due = tuple[datetime, str]
"""Whose turn it is: the earlier instant first, then by number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    """How units of an owner are each sent whole.

    Args:
        parts: our units per one of the owner's, by SKU.
        groups: warehouses that can send a whole unit together, preferred first; most are groups of one.
    """

    parts: Mapping[int, int]
    groups: Groups


def whole_of(parts: Mapping[int, int], groups: Groups) -> Whole | None:
    """Return how units of these parts are sent whole; None where none could be torn apart."""
    return Whole(parts=parts, groups=groups) if len(groups) > 1 and sum(parts.values()) > 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """All that an owner wants of stock now, whatever it holds already; what it holds beyond that is free for others.

    Args:
        group: who is served together, out of as few warehouses as can be; most are a group of their own.
        units: by SKU, with 0 for those that it wanted before and wants no more.
        warehouses: those that may serve it, preferred first.
        channel_id: whose warehouses they are, for the time when only the backorder is known.
        waits: whether what is short is served as soon as it comes; else when the owner is planned again.
        expires_at: when its holds end; one whose holds end waits for nothing.
        parts: our units per one of the owner's, if each of those is to be sent whole.
    """

    owner: HoldOwner
    group: HoldOwner
    units: Mapping[int, int]
    due: Due
    warehouses: tuple[int, ...]
    channel_id: int | None = None
    waits: bool = True
    expires_at: datetime | None = None
    parts: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Units of one SKU that an owner still needs.

    Args:
        group: who is served together.
        warehouses: those that may serve it, preferred first.
        whole: how its units are sent whole, if they must be.
    """

    owner: HoldOwner
    group: HoldOwner
    sku_id: int
    qty: int
    due: Due
    warehouses: tuple[int, ...]
    whole: Whole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocation:
    """Units of one SKU given to an owner from one warehouse."""

    owner: HoldOwner
    sku_id: int
    warehouse_id: int
    qty: int


def plan(needs: Iterable[Need], free: Mapping[StockKey, int]) -> list[Allocation]:
    """Allocate free units to groups of owners, oldest first, each from as few warehouses as can be.

    Args:
        needs: what owners want still; those of one group (an order) are served together, groups by `due`.
        free: units that may be promised, per SKU and warehouse.

    Returns:
        Takes of one unit or more. A need that none covers is the backorder.
    """
    left = dict(free)
    takes: list[Allocation] = []
    for group in _by_group(needs):
        chosen = _choose(group, left)
        whole = [need for need in group if need.whole]
        takes += _serve_whole(whole, chosen, left) if whole else ()
        takes += _serve([need for need in group if not need.whole] if whole else group, chosen, left)
    return takes


def _by_group(needs: Iterable[Need]) -> list[list[Need]]:
    groups: dict[HoldOwner, list[Need]] = {}
    for need in needs:
        if need.qty > 0:
            groups.setdefault(need.group, []).append(need)
    return sorted(groups.values(), key=lambda group: group[0].due)


def _choose(group: Sequence[Need], left: Mapping[StockKey, int]) -> tuple[int, ...]:
    """Return the fewest warehouses that cover all that can be covered, preferred first among equals."""
    needs: dict[int, int] = {}
    for need in group:
        needs[need.sku_id] = needs.get(need.sku_id, 0) + need.qty
    useful = [w for w in group[0].warehouses if any(left.get(StockKey(s, w), 0) > 0 for s in needs)]
    reach = {s: min(qty, sum(max(0, left.get(StockKey(s, w), 0)) for w in useful)) for s, qty in needs.items()}
    if len(useful) > MAX_SEARCHED:
        return _greedy(useful, reach, left)
    for size in range(1, len(useful)):
        for warehouses in combinations(useful, size):
            if all(sum(max(0, left.get(StockKey(s, w), 0)) for w in warehouses) >= qty for s, qty in reach.items()):
                return warehouses
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


def _serve(needs: Iterable[Need], chosen: Sequence[int], left: dict[StockKey, int]) -> Iterable[Allocation]:
    """Yield what each owner gets, taken off `left`; those of one group may want the same SKU."""
    for need in needs:
        open_qty = need.qty
        for warehouse in _whole_first(need, chosen, left):
            place = StockKey(need.sku_id, warehouse)
            qty = min(open_qty, left.get(place, 0))
            if qty > 0:
                left[place] -= qty
                open_qty -= qty
                yield Allocation(owner=need.owner, sku_id=need.sku_id, warehouse_id=warehouse, qty=qty)


def _serve_whole(needs: Iterable[Need], chosen: Sequence[int], left: dict[StockKey, int]) -> Iterable[Allocation]:
    """Yield what each owner gets in whole units, one group of warehouses that covers it before those that share it."""
    by_owner: dict[HoldOwner, dict[int, int]] = {}
    wholes: dict[HoldOwner, Whole] = {}
    for need in needs:
        if need.whole is not None:
            by_owner.setdefault(need.owner, {})[need.sku_id] = need.qty
            wholes[need.owner] = need.whole
    for owner, whole in wholes.items():
        wanted = by_owner[owner]
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
    """Return the chosen warehouses, one that covers the whole need before those that would share it."""

    def shares(warehouse: int) -> bool:
        return left.get(StockKey(need.sku_id, warehouse), 0) < need.qty

    return sorted(chosen, key=shares)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A hold as the shrinking of a warehouse sees it: its owner's turn, whether the warehouse was told to send it."""

    owner: HoldOwner
    qty: int
    due: Due
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
