"""When what waits can be there: units on the way, given to those who wait in the order in which they are due.

Why derived when read: a date that is stored is wrong as soon as a supplier writes. Why no date rather than a guess:
a buyer is told it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from erpsync.core.allocation import HoldOwner

NoDate = Literal["nothing_coming", "taken_by_others"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Units of a SKU that somebody waits for; who is due earlier gets them first, then by owner."""

    owner: HoldOwner
    sku_id: int
    qty: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """What is open of a supply.

    Args:
        late_by: how late such supplies are on average; counts only once this one is overdue.
    """

    sku_id: int
    qty: int
    due_at: datetime
    late_by: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Promise:
    """When all units that an owner waits for can be there; no date, with the reason, where they cannot."""

    at: datetime | None
    reason: NoDate | None = None


def promise(
    needs: Iterable[Waiting], supplies: Iterable[Coming], now: datetime
) -> dict[tuple[HoldOwner, int], Promise]:
    """Return the promise for each owner and SKU that waits.

    An overdue supply counts at now plus what such ones are late on average.
    """
    waiting: dict[int, list[Waiting]] = defaultdict(list)
    for need in needs:
        waiting[need.sku_id].append(need)
    coming: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    for supply in supplies:
        if supply.qty > 0:
            at = supply.due_at if supply.due_at >= now else now + max(timedelta(), supply.late_by)
            coming[supply.sku_id].append((at, supply.qty))
    found: dict[tuple[HoldOwner, int], Promise] = {}
    for sku_id, queue in waiting.items():
        found |= _of_sku(sorted(queue, key=lambda need: (need.due_at, need.owner)), sorted(coming[sku_id]))
    return found


def _of_sku(
    queue: Sequence[Waiting], coming: Sequence[tuple[datetime, int]]
) -> Mapping[tuple[HoldOwner, int], Promise]:
    none = Promise(None, "taken_by_others" if coming else "nothing_coming")
    found: dict[tuple[HoldOwner, int], Promise] = {}
    left = iter(coming)
    at, free = None, 0
    for need in queue:
        free -= need.qty
        while free < 0 and (following := next(left, None)) is not None:
            at, free = following[0], free + following[1]
        found[need.owner, need.sku_id] = none if free < 0 or at is None else Promise(at)
    return found
