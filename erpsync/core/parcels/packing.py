"""Which units of one order go into which box, where a box has limits.

Why first fit in the order of the lines, and not the fewest boxes that can be: whoever packs finds the units of a line
together, and the same order is always packed the same way. What is promised: no limit is broken by units that could
have gone apart, and no two boxes of known weight could have been one, gifts aside.

Why units of unknown weight travel by themselves where weight is limited, but together: the other boxes keep the limit
for sure, and one box has to be put on the scale, not each unit sent by itself. A gift is too small a reason for that:
one of unknown weight goes along, and its box says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from erpsync.core.orders import KnownLine, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """Units of one line, in the channel's units; each leaves whole.

    Args:
        pieces: units of ours in one of them.
        weight_g, volume_cm3: of one of them; None where it is not known.
    """

    line: KnownLine
    units: int
    pieces: int
    weight_g: int | None
    volume_cm3: int | None

    @property
    def is_gift(self) -> bool:
        """Whether a rule added it."""
        return self.line.origin is Origin.GIFT


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that goes into one box; None is no limit."""

    max_weight_g: int | None = None
    max_units: int | None = None


@dataclass(slots=True, kw_only=True)
class Box:
    """What goes into one parcel. `unknown` boxes hold sold units of unknown weight, and no others that were sold."""

    limits: Limits
    unknown: bool = False
    items: list[Item] = field(default_factory=list)
    pieces: int = 0
    weight_g: int = 0

    def room(self, item: Item) -> int:
        """Return how many units of an item still fit in; what has no known weight counts as none.

        A box that is too heavy already takes nothing more.
        """
        room = item.units
        if self.limits.max_units is not None:
            room = min(room, (self.limits.max_units - self.pieces) // item.pieces)
        if self.limits.max_weight_g is not None:
            left_g = self.limits.max_weight_g - self.weight_g
            if left_g < 0:
                return 0
            room = min(room, left_g // item.weight_g) if item.weight_g else room
        return max(0, room)

    def put(self, item: Item, units: int) -> None:
        """Add units of an item; those of one line stand together."""
        if self.items and self.items[-1].line is item.line:
            self.items[-1] = replace(item, units=self.items[-1].units + units)
        else:
            self.items.append(item if item.units == units else replace(item, units=units))
        self.pieces += units * item.pieces
        self.weight_g += units * (item.weight_g or 0)

    def take(self, item: Item) -> Item:
        """Return one unit of an item, taken out."""
        at = self.items.index(item)
        self.items[at : at + 1] = [replace(item, units=item.units - 1)] if item.units > 1 else []
        self.pieces -= item.pieces
        self.weight_g -= item.weight_g or 0
        return replace(item, units=1)


def pack(items: Sequence[Item], limits: Limits, *, for_gifts: bool = True) -> tuple[list[Box], list[Item]]:
    """Return boxes with all items, and the gifts that no box with something sold has room for.

    A unit that is beyond a limit by itself has a box of its own.

    Args:
        for_gifts: whether gifts may be the reason for a further box.
    """
    if limits.max_weight_g is None and limits.max_units is None:
        box = Box(limits=limits)
        for item in items:
            box.put(item, item.units)
        return [box], []
    sold = [item for item in items if not item.is_gift]
    boxes: list[Box] = []
    for item in sold or items:
        _fill(boxes, item, limits)
    gifts = [item for item in items if item.is_gift] if sold else []
    return boxes, [left for gift in gifts if (left := _add_gift(boxes, gift, limits, further=for_gifts)) is not None]


def _fill(boxes: list[Box], item: Item, limits: Limits) -> None:
    unknown = item.weight_g is None and limits.max_weight_g is not None
    left = _put(item, [box for box in boxes if box.unknown is unknown])
    while left is not None:
        box = Box(limits=limits, unknown=unknown)
        boxes.append(box)
        units = max(1, box.room(left))
        box.put(left, units)
        left = _less(left, units)


def _add_gift(boxes: list[Box], gift: Item, limits: Limits, *, further: bool) -> Item | None:
    """Put a gift with what was sold, in a further box with one unit of that if need be; return what finds no room."""
    as_known = gift.weight_g is not None
    left = _put(gift, sorted(boxes, key=lambda box: box.unknown is as_known))
    while left is not None:
        box = _another(boxes, left, limits) if further else None
        if box is None:
            return left
        boxes.append(box)
        left = _put(left, boxes)
    return None


def _another(boxes: Sequence[Box], gift: Item, limits: Limits) -> Box | None:
    """Return a box with a unit out of one that keeps others that were sold, and room for the gift; None if none can be.

    Why not the gift by itself: a gift alone is never a parcel.
    """
    for box in reversed(boxes):
        sold = [item for item in box.items if not item.is_gift]
        if sum(item.units for item in sold) < 2:
            continue
        for item in reversed(sold):
            made = Box(limits=limits, unknown=box.unknown)
            made.put(replace(item, units=1), 1)
            if made.room(replace(gift, units=1)):
                box.take(item)
                return made
    return None


def _put(item: Item, boxes: Iterable[Box]) -> Item | None:
    """Put units into the first boxes that have room; return those that are left."""
    left: Item | None = item
    for box in boxes:
        if left is None:
            break
        if room := box.room(left):
            box.put(left, room)
            left = _less(left, room)
    return left


def _less(item: Item, units: int) -> Item | None:
    return replace(item, units=item.units - units) if item.units > units else None
