"""What a unit is made of: levels of the tree, what a quantity needs, what uses a part, and how long all of it takes.

Why whole numbers throughout: quantities are integers in a component's base unit, and a rounding that depends on how a
job was cut would let the same goods use more or less material.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

MILLION = 1_000_000

Node = TypeVar("Node", bound=Hashable)
"""A SKU, or a SKU in a warehouse."""


class CycleError(ValueError):
    """SKUs that are made of themselves, in the order of the ring, the first one again at its end."""

    def __init__(self, ring: Sequence[object]) -> None:
        super().__init__(" → ".join(map(str, ring)))
        self.ring = tuple(ring)


@dataclass(frozen=True, slots=True)
class BomLine:
    """A component.

    Args:
        qty: in the component's base unit, for `yields` units of the product.
        scrap_ppm: parts of a million of it that are lost on the way, under a million.
    """

    sku_id: int
    qty: int
    scrap_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Bom:
    """What a product is made of.

    Args:
        yields: units of the product that the quantities of the lines make.
    """

    lines: tuple[BomLine, ...]
    yields: int = 1


Boms = Mapping[int, Bom]


def levels(boms: Boms) -> dict[int, int]:
    """Return the low-level code of each SKU: 0 for what nothing is made of, else one more than its lowest user's.

    Raises:
        CycleError: something is made of itself, however far down.
    """
    return low_levels({sku_id: [line.sku_id for line in bom.lines] for sku_id, bom in boms.items()})


def low_levels(parts: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """Return the low-level codes of whatever is made of, or fetched from, something else.

    Raises:
        CycleError: something needs itself.
    """
    users: dict[Node, int] = defaultdict(int)
    for below in parts.values():
        for part in below:
            users[part] += 1
    found = dict.fromkeys([*parts, *users], 0)
    ready = [node for node in found if not users.get(node)]
    done = 0
    while ready:
        node = ready.pop()
        done += 1
        for part in parts.get(node, ()):
            found[part] = max(found[part], found[node] + 1)
            users[part] -= 1
            if not users[part]:
                ready.append(part)
    if done < len(found):
        ring = _ring(parts, [node for node in found if users.get(node)])
        raise CycleError(ring)
    return found


def _ring(parts: Mapping[Node, Sequence[Node]], left: Sequence[Node]) -> list[Node]:
    """Return one ring among nodes of which each has a user that is left: followed upwards, users come round again."""
    known = set(left)
    used_by = {part: node for node in left for part in parts.get(node, ()) if part in known}
    path: dict[Node, None] = {}
    node = left[0]
    while node not in path:
        path[node] = None
        node = used_by[node]
    upwards = [*path][[*path].index(node) :]
    at = min(range(len(upwards)), key=lambda place: left.index(upwards[place]))
    turned = [*upwards[at:], *upwards[:at]]
    return [turned[0], *reversed(turned)]


def gross(good_qty: int, line: BomLine, yields: int = 1) -> int:
    """Return what good units need of a component: ⌈good × qty ÷ yields ÷ (1 - scrap)⌉, in its base unit."""
    return -(-good_qty * line.qty * MILLION // (yields * (MILLION - line.scrap_ppm)))


def more(so_far_qty: int, qty: int, line: BomLine, yields: int = 1) -> int:
    """Return what so many more units use of a component, scrapped units counted among them as among those so far.

    Parts of a job add up exactly to the whole, however it is cut.
    """
    return gross(so_far_qty + qty, line, yields) - gross(so_far_qty, line, yields)


def to_start(good_qty: int, scrap_ppm: int) -> int:
    """Return how many units are to be begun so that so many come out good."""
    return -(-good_qty * MILLION // (MILLION - scrap_ppm))


def where_used(boms: Boms) -> dict[int, tuple[int, ...]]:
    """Return by component the products that it goes into directly, ids ascending."""
    found: dict[int, set[int]] = defaultdict(set)
    for sku_id, bom in boms.items():
        for line in bom.lines:
            found[line.sku_id].add(sku_id)
    return {sku_id: tuple(sorted(users)) for sku_id, users in found.items()}


def affected(boms: Boms, sku_ids: Iterable[int]) -> set[int]:
    """Return all that these SKUs go into, however far up, and themselves."""
    users = where_used(boms)
    found: set[int] = set()
    waiting = list(sku_ids)
    while waiting:
        sku_id = waiting.pop()
        if sku_id not in found:
            found.add(sku_id)
            waiting.extend(users.get(sku_id, ()))
    return found


def cumulative_lead(boms: Boms, lead_days: Mapping[int, int]) -> dict[int, int]:
    """Return by SKU the days until it is there if nothing of it is: its own lead and the longest one below it.

    Args:
        lead_days: by SKU, 0 where it is missing.

    Raises:
        CycleError: something is made of itself.
    """
    codes = levels(boms)
    found: dict[int, int] = {}
    for sku_id in sorted(codes, key=codes.__getitem__, reverse=True):
        below = [found[line.sku_id] for line in boms[sku_id].lines] if sku_id in boms else []
        found[sku_id] = lead_days.get(sku_id, 0) + max(below, default=0)
    return found
