"""How a paper looks: its size, its language, the seller's own words, and what is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

PaperName = Literal["slip", "pick", "label", "pack"]
Mask = Literal["full", "masked", "none"]
SizeName = Literal["100x180", "76x130", "A5", "A4"]


class Size(NamedTuple):
    """A sheet: millimetres, and how large its text is set, in points."""

    width_mm: int
    height_mm: int
    margin_mm: int
    text_pt: float


SIZES: dict[SizeName, Size] = {
    "100x180": Size(100, 180, 4, 8),
    "76x130": Size(76, 130, 3, 7),
    "A5": Size(148, 210, 9, 9),
    "A4": Size(210, 297, 12, 9),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperStyle:
    """How a paper looks.

    Args:
        lang: of the words that are on the paper already; what data says stays as it is.
        head, foot: the seller's own words above and below.
        spec: whether what was written for a line is printed.
        prices: whether amounts are printed; what a courier has to collect always is.
    """

    size: SizeName
    lang: Literal["en", "zh"] = "zh"
    head: str = ""
    foot: str = ""
    spec: bool = False
    prices: bool = False


STYLES: dict[PaperName, PaperStyle] = {
    "slip": PaperStyle(size="100x180"),
    "pick": PaperStyle(size="A4"),
    "label": PaperStyle(size="100x180"),
    "pack": PaperStyle(size="A5"),
}
"""How papers look where nobody says."""

MASKS: Mapping[PaperName, Mask] = {"slip": "masked", "label": "full", "pack": "masked"}
"""How much of a recipient is printed where nobody says, by paper; those that name nobody are not in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSettings:
    """How papers are made.

    Args:
        fonts: in the order in which a character is looked for; empty takes an installed one.
        masks: how much of a recipient is printed, by paper; those that name nobody are not in it.
    """

    fonts: tuple[Path, ...] = ()
    styles: Mapping[PaperName, PaperStyle] = field(default_factory=lambda: STYLES)
    masks: Mapping[PaperName, Mask] = field(default_factory=lambda: MASKS)
