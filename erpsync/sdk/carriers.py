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
from typing import Annotated, TypeVar

from pydantic import BeforeValidator, Field

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


_NAMES_MORE = {
    "SF": ("顺丰", "顺丰快递", "SF-Express", "SFEXPRESS", "ShunFeng"),
    "YTO": ("圆通", "圆通快递", "圆通速运", "YTO"),
    "ZTO": ("中通", "中通速递"),
    "STO": ("申通", "申通速递"),
    "YUNDA": ("韵达", "韵达速递", "韵达快运", "Yunda"),
    "JT": ("极兔", "极兔快递", "J&T", "JTSD", "Jitu Express", "百世极兔"),
    "EMS": ("邮政EMS", "EMS快递", "中国邮政EMS", "EMS速递", "邮政速递", "China Post EMS"),
    "POST": ("邮政包裹", "中国邮政", "邮政快递", "邮政", "邮政小包", "China Post", "YZPY"),
    "JD": ("京东物流", "京东", "京东配送", "JD Express", "JDL", "京东快运"),
    "DBL": ("德邦", "德邦速递", "Deppon", "DBKD"),
    "BEST": ("百世", "百世汇通", "汇通快递", "HTKY"),
    "UC": ("优速", "优速物流"),
    "ZJS": ("宅急送快递",),
    "GTO": ("国通",),
    "TTK": ("天天", "天天速递"),
}
"""What else couriers are called in files, practice. Only whole names count: a part of one is a guess."""


def _name_key(name: str) -> str:
    return "".join(name.split()).casefold()


_BY_NAME: Mapping[str, str] = {
    **{_name_key(name): code for code, names in _NAMES_MORE.items() for name in names},
    **{
        _name_key(name): courier.code
        for courier in CARRIERS.values()
        for name in (courier.code, courier.name, courier.name_zh)
    },
}
CARRIER_MAP = "our code for each name of a courier that stands in the files and is not known here"


def _known_code(value: object) -> object:
    return carrier(value).code if isinstance(value, str) else value


CarrierCode = Annotated[str, BeforeValidator(_known_code)]
"""The type of a setting that names a courier by our code; small letters are forgiven."""

CarrierMap = Annotated[dict[str, CarrierCode], Field()]
"""The type of a setting that says which courier a name in a file is."""


def as_in_file(name: str, mapped: Mapping[str, str]) -> str:
    """Return our code of a courier by what stands in a file, else that as it is.

    Args:
        mapped: our code by name, as an operator says; counts more than our own table of names.
    """
    key = _name_key(name)
    own = next((code for mapped_name, code in mapped.items() if _name_key(mapped_name) == key), None)
    return own or _BY_NAME.get(key, name)


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
    courier = CARRIERS.get(code.strip().upper())
    if courier is None:
        raise UnknownCarrierError(code, _suggestions(code.strip()))
    return courier


def map_carrier(table: Mapping[str, Mapped], code: str) -> Mapped:
    """Return what a platform calls the courier `code`; `table` maps our codes to the platform's.

    Raises:
        RejectedError: the platform has no name for it, so an operator must choose another courier or extend the table.
    """
    courier = CARRIERS.get(code.strip().upper())
    if courier is None or courier.code not in table:
        near = ", ".join(_suggestions(code.strip())) or "none like it"
        raise RejectedError(f"the channel has no courier code for {code!r}; nearest known: {near}", code="carrier")
    return table[courier.code]


def _suggestions(text: str) -> tuple[str, ...]:
    """Return up to three of our codes that `text` may mean: by Chinese name, English name or likeness."""
    wanted = text.upper()
    if not wanted:
        return ()
    named = [c.code for c in CARRIERS.values() if wanted in c.name.upper() or wanted in c.name_zh]
    begun = [c.code for c in CARRIERS.values() if any(ord(char) > 127 for char in text) and c.name_zh[:2] in text]
    near = difflib.get_close_matches(wanted, list(CARRIERS), n=3, cutoff=0.5)
    return tuple(dict.fromkeys([*named, *begun, *near]))[:3]
