"""In which order releases are picked, how many at once, and what a scanner has read.

Why by shelf: whoever picks walks the warehouse once. Releases of one SKU come first and together: they are picked as
one heap and packed without sorting.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from unicodedata import normalize

_DIGITS = re.compile(r"([0-9]+)")
_RELEASE = re.compile(r"R[0-9]{14,}")
_WAYBILL = re.compile(r"[A-Z0-9][A-Z0-9\-]{4,38}[A-Z0-9]")

Place = tuple[tuple[int, int, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveRelease:
    """A release that is to be picked.

    Args:
        units: our units by SKU id.
        due_at: when its oldest order was due.
    """

    number: str
    units: Mapping[int, int]
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Units of one SKU to be taken off a shelf, by the number of the release they are for.

    The shelf is empty where nobody knows it.
    """

    shelf: str
    sku_id: int
    units: Mapping[str, int]

    @property
    def qty(self) -> int:
        """All units of it."""
        return sum(self.units.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a scanned code is: the number of a release, or a courier's."""

    kind: Literal["release", "waybill"]
    number: str


def order(releases: Iterable[WaveRelease], shelves: Mapping[int, str]) -> list[WaveRelease]:
    """Return releases in the order of picking: those of one SKU first, then by the shelves that they are taken from.

    Args:
        shelves: by SKU id; goods without one are picked last.
    """
    places = {sku_id: place(shelf) for sku_id, shelf in shelves.items() if shelf.strip()}

    def turn(release: WaveRelease) -> tuple[object, ...]:
        walk = sorted((_known(places.get(sku_id)), sku_id) for sku_id in release.units)
        units = tuple(release.units[sku_id] for _, sku_id in walk)
        return (len(walk) > 1, walk, units, release.due_at, release.number)

    return sorted(releases, key=turn)


def chunk(ordered: Sequence[WaveRelease], most: int) -> list[tuple[WaveRelease, ...]]:
    """Return releases, in the order of picking, as waves of at most so many; the wave with the oldest due first."""
    if most < 1:
        raise ValueError(f"a wave holds at least 1 release, not {most}")
    waves = [tuple(ordered[at : at + most]) for at in range(0, len(ordered), most)]
    return sorted(waves, key=lambda wave: min(release.due_at for release in wave))


def picks(wave: Iterable[WaveRelease], shelves: Mapping[int, str]) -> list[Pick]:
    """Return what is to be taken off the shelves for a wave, in the order of the walk."""
    wanted: dict[int, dict[str, int]] = {}
    for release in wave:
        for sku_id, qty in release.units.items():
            wanted.setdefault(sku_id, {})[release.number] = qty
    found = [
        Pick(shelf=shelves.get(sku_id, "").strip(), sku_id=sku_id, units=units) for sku_id, units in wanted.items()
    ]
    return sorted(found, key=lambda pick: (_known(place(pick.shelf) if pick.shelf else None), pick.sku_id))


def place(shelf: str) -> Place:
    """Return what shelves are sorted by: numbers in them by their value, A-2 before A-10."""
    text = normalize("NFKC", shelf).strip().casefold()
    return tuple(
        (0, len(bare := run.lstrip("0")), bare) if run[0] in "0123456789" else (1, 0, run)
        for run in _DIGITS.split(text)
        if run
    )


def _known(found: Place | None) -> tuple[bool, Place]:
    return (found is None, found or ())


def read_scan(text: str) -> Scan | None:
    """Return what a scanner has read, or somebody has typed; None for what is no number of a release or a courier.

    Case, width and blanks do not count: keyboards differ. Whether there is such a number is for whoever looks it up.
    """
    code = normalize("NFKC", text).strip().upper().replace(" ", "")
    if _RELEASE.fullmatch(code):
        return Scan(kind="release", number=code)
    return Scan(kind="waybill", number=code) if _WAYBILL.fullmatch(code) and any(map(str.isdecimal, code)) else None
