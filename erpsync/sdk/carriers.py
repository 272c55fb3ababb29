"""Couriers: our codes, their names, and the shape of their waybill numbers.

Why our own codes: every platform has codes of its own and changes them, so a shipment says `YTO` everywhere here and
each connector maps that to what its platform wants today.

Source: protocol note couriers.md section 4 (company codes). Shapes are practice, not documents: they may warn, never
refuse.
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from erpsync.sdk.errors import RejectedError

Mapped = TypeVar("Mapped")


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A courier. `shape` matches its usual waybill numbers; empty where none is known."""

    code: str
    name: str
    name_zh: str
    shape: str = ""

    def fits(self, tracking: str) -> bool:
        """Return whether a number looks like one of this courier's; True where no shape is known. Only to warn."""
        return not self.shape or re.fullmatch(self.shape, tracking) is not None


CARRIERS: Mapping[str, Carrier] = {
    code: Carrier(code=code, name=name, name_zh=name_zh, shape=shape)
    for code, name, name_zh, shape in (
        ("SF", "SF Express", "顺丰速运", r"SF\d{13}"),
        ("YTO", "YTO Express", "圆通速递", r"YT\d{13}"),
        ("ZTO", "ZTO Express", "中通快递", r"7\d{13}"),
        ("STO", "STO Express", "申通快递", r"77\d{13}"),
        ("YUNDA", "Yunda Express", "韵达快递", r"4\d{14}"),
        ("JT", "J&T Express", "极兔速递", r"JT\d{13}"),
        ("EMS", "EMS", "邮政特快专递", ""),
        ("POST", "China Post parcel", "邮政快递包裹", ""),
        ("JD", "JD Logistics", "京东快递", r"JD[0-9A-Z]+"),
        ("DBL", "Deppon Express", "德邦快递", ""),
        ("DBL_FREIGHT", "Deppon Freight", "德邦物流", ""),
        ("BEST", "Best Express", "百世快递", ""),
        ("UC", "UC Express", "优速快递", ""),
        ("ZJS", "ZJS Express", "宅急送", ""),
        ("GTO", "GTO Express", "国通快递", ""),
        ("TTK", "TTK Express", "天天快递", ""),
    )
}


class UnknownCarrierError(ValueError):
    """A courier code that is none of ours; `suggestions` holds the nearest ones."""

    def __init__(self, code: str, suggestions: tuple[str, ...]) -> None:
        hint = f"did you mean {' or '.join(suggestions)}?" if suggestions else f"known: {', '.join(CARRIERS)}"
        super().__init__(f"unknown carrier {code!r}; {hint}")
        self.unquoted = f"unknown carrier; {hint}"
        self.code = code
        self.suggestions = suggestions


def carrier(code: str) -> Carrier:
    """Return the courier of one of our codes; small letters and spaces around are forgiven.

    Raises:
        UnknownCarrierError: no such code; names are not codes, but lead to a suggestion.
    """
    found = CARRIERS.get(code.strip().upper())
    if found is None:
        raise UnknownCarrierError(code, _suggestions(code.strip()))
    return found


def map_carrier(table: Mapping[str, Mapped], code: str) -> Mapped:
    """Return what a platform calls the courier `code`; `table` maps our codes to the platform's.

    Raises:
        RejectedError: the platform has no name for it, so an operator must choose another courier or extend the table.
    """
    known = CARRIERS.get(code.strip().upper())
    if known is None or known.code not in table:
        near = ", ".join(_suggestions(code.strip())) or "none like it"
        raise RejectedError(f"the channel has no courier code for {code!r}; nearest known: {near}", code="carrier")
    return table[known.code]


def _suggestions(text: str) -> tuple[str, ...]:
    """Return up to three of our codes that `text` may mean: by Chinese name, English name or likeness."""
    wanted = text.upper()
    if not wanted:
        return ()
    named = [c.code for c in CARRIERS.values() if wanted in c.name.upper() or wanted in c.name_zh]
    begun = [c.code for c in CARRIERS.values() if any(ord(char) > 127 for char in text) and c.name_zh[:2] in text]
    near = difflib.get_close_matches(wanted, list(CARRIERS), n=3, cutoff=0.5)
    return tuple(dict.fromkeys([*named, *begun, *near]))[:3]
