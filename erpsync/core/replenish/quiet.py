"""What of a new plan is written over the one of last night.

Why so little: whoever approves a list looks at it twice, and numbers that move without a reason are not believed. The
same plan writes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from erpsync.core.allocation import StockKey
from erpsync.core.replenish.model import Items, Means, Suggestion

WEEKS = 8


class Slot(NamedTuple):
    """What keeps a suggestion's number: a SKU in a warehouse, how it comes, and the Monday of the week it starts in."""

    key: StockKey
    means: Means
    week: date


@dataclass(frozen=True, slots=True)
class Row:
    """A suggestion as it is stored.

    Args:
        touched: whether a person changed or dismissed it.
        seen_qty: what planning wanted when that person did so; its `qty` where nobody did.
    """

    id: int
    slot: Slot
    start: date
    due: date
    qty: int
    touched: bool = False
    seen_qty: int = 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What is to be written.

    Args:
        new: by slot, the suggestions that share it, oldest first; one row is made of them.
        changed: the same for rows that are there, by id.
        gone: ids of rows that are wanted no more.
        later_qty: units that start after the weeks that become rows, by SKU and warehouse.
    """

    new: Mapping[Slot, Sequence[Suggestion]]
    changed: Mapping[int, Sequence[Suggestion]]
    gone: tuple[int, ...]
    later_qty: Mapping[StockKey, int]


def changes(rows: Iterable[Row], suggestions: Iterable[Suggestion], items: Items, today: date) -> Changes:
    """Return what a plan changes of the stored suggestions.

    Only what starts within 8 weeks becomes a row. A row that a person touched is left alone until what is wanted
    differs from what they saw by more than the item's order_multiple.
    """
    border = today + timedelta(weeks=WEEKS)
    wanted: dict[Slot, list[Suggestion]] = defaultdict(list)
    later: dict[StockKey, int] = defaultdict(int)
    for each in suggestions:
        if each.start < border:
            wanted[slot(each)].append(each)
        else:
            later[each.key] += each.qty
    changed: dict[int, Sequence[Suggestion]] = {}
    gone: list[int] = []
    for row in rows:
        own = wanted.pop(row.slot, [])
        if _stays(row, own, items):
            continue
        if own:
            changed[row.id] = own
        else:
            gone.append(row.id)
    return Changes(dict(wanted), changed, tuple(gone), dict(later))


def slot(suggestion: Suggestion) -> Slot:
    """Return the slot of a suggestion."""
    start = suggestion.start
    return Slot(suggestion.key, suggestion.means, start - timedelta(days=start.weekday()))


def _stays(row: Row, own: Sequence[Suggestion], items: Items) -> bool:
    qty = sum(each.qty for each in own)
    if row.touched:
        item = items.get(row.slot.key)
        return abs(qty - row.seen_qty) <= (item.order_multiple if item else 1)
    return bool(own) and (row.qty, row.start, row.due) == (qty, own[0].start, own[0].due)
