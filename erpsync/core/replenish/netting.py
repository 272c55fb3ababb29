"""Netting of one SKU in one warehouse: when it is short, what covers that, and what each unit is for.

Why two passes: how much is ordered and when counts the safety first, while the units themselves go to whoever is next.
Days are numbers here, today is 0.
"""

from collections.abc import Sequence
from typing import NamedTuple

from erpsync.core.bom import to_start
from erpsync.core.replenish.model import Peg, PegKind, PlanItem
from erpsync.core.replenish.workdays import WorkDays

Need = tuple[int, int, PegKind, int]
"""Day, units, what for, and its id."""
Supply = tuple[int, int, int]
"""Day, good units, id."""


class Made(NamedTuple):
    """A supply that netting would add."""

    start: int
    due: int
    qty: int
    begin_qty: int
    short_on: int
    short_qty: int


class Netted(NamedTuple):
    """What netting found.

    Args:
        came: by the day it comes: (units, place among the made ones, or -1 for an open supply).
        used: by the id of an open supply that is needed, the day on which it is.
        missing: (day, units) for which nothing can be made.
    """

    made: list[Made]
    came: list[tuple[int, int, int]]
    used: dict[int, int]
    missing: list[tuple[int, int]]


def net(on_hand: int, needs: Sequence[Need], supplies: Sequence[Supply], item: PlanItem, days: WorkDays) -> Netted:
    """Return the supplies that are missing, so that stock stays at the safety or above.

    An open supply is counted when it is first needed. One that comes later than that is still waited for, unless a new
    one would be there before it.

    Args:
        needs: by day.
        supplies: by day.
    """
    found = Netted([], [], {}, [])
    soonest = days.ahead(0, item.lead_days)
    free = on_hand - item.safety
    following, last = 0, len(supplies)
    for at in range(-1, len(needs)):
        day = 0
        if at >= 0:
            day, qty = needs[at][:2]
            free -= qty
        if free >= 0:
            continue
        while free < 0 and following < last and supplies[following][0] <= max(day, soonest):
            due, qty, supply_id = supplies[following]
            found.used[supply_id] = day
            found.came.append((due, qty, -1))
            free += qty
            following += 1
        if free >= 0:
            continue
        if item.means == "none":
            found.missing.append((day, -free))
            free = 0
            continue
        start = days.back(day, item.lead_days)
        start, due = (start, days.ahead(start, item.lead_days)) if start is not None else (0, soonest)
        wanted = -free + _also(needs, at + 1, supplies, following, max(day + item.cover_days, due))
        qty = -(-max(wanted, item.order_min) // item.order_multiple) * item.order_multiple
        found.came.append((due, qty, len(found.made)))
        begin = to_start(qty, item.scrap_ppm) if item.scrap_ppm else qty
        found.made.append(Made(start, due, qty, begin, day, -free))
        free += qty
    found.came.extend((due, qty, -1) for due, qty, _ in supplies[following:])
    return found


def _also(needs: Sequence[Need], at: int, supplies: Sequence[Supply], following: int, until: int) -> int:
    """Return what more is wanted up to a day, less what is on the way by then."""
    most = total = 0
    count, coming = len(needs), len(supplies)
    while at < count and needs[at][0] <= until:
        day = needs[at][0]
        while following < coming and supplies[following][0] <= day:
            total -= supplies[following][1]
            following += 1
        total += needs[at][1]
        most = max(most, total)
        at += 1
    return most


def pegs(on_hand: int, needs: Sequence[Need], netted: Netted) -> list[tuple[Peg, ...]]:
    """Return what the units of each made supply are for: the oldest needs have the first units."""
    found: list[list[Peg]] = [[] for _ in netted.made]
    layers = [(max(0, on_hand), -1), *((qty, place) for _, qty, place in netted.came)]
    at = 0
    left, place = layers[0]
    owed = max(0, -on_hand)
    before: list[Need] = [(0, owed, "stock", 0)] if owed else []
    for _, wanted, kind, need_id in (*before, *needs):
        qty = wanted
        while qty > 0:
            while not left:
                at += 1
                if at == len(layers):
                    return _rest(found, netted)
                left, place = layers[at]
            taken = min(left, qty)
            if place >= 0:
                found[place].append((kind, need_id, taken))
            left -= taken
            qty -= taken
    return _rest(found, netted)


def _rest(found: Sequence[list[Peg]], netted: Netted) -> list[tuple[Peg, ...]]:
    """Return pegs of which what is for nobody is for stock."""
    for made, own in zip(netted.made, found, strict=True):
        rest = made.qty - sum([qty for _, _, qty in own])
        if rest:
            own.append(("stock", 0, rest))
    return [tuple(own) for own in found]
