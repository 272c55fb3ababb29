"""What is wrong with where a parcel is to go, as far as a look at it tells; a note for people, never a refusal.

Why nothing of what is hidden: a platform that gives a mask or a ciphertext in place of a name knows the address, and
what is not known is not wrong.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from unicodedata import normalize

from erpsync.core.phones import spellings
from erpsync.core.regions import Region, Regions

Code = Literal["too_short", "bad_phone", "unknown_region", "region_mismatch"]
CODES: tuple[Code, ...] = ("too_short", "bad_phone", "unknown_region", "region_mismatch")

LEAST_STREET = 4
"""An address with fewer signs behind its district leads to no door."""

_PARTS = ("province", "city", "district")


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is wrong, and with which part of the address.

    Args:
        part: of a region, which of `province`, `city` and `district` it is; `address` where the street contradicts
            it; else empty.
        within: the name of the division in which it should lie, as the table writes it; nothing that a buyer typed.
    """

    code: Code
    part: str = ""
    within: str = ""


def problems(recipient: Mapping[str, str], regions: Regions) -> tuple[Problem, ...]:
    """Return what is wrong with a recipient (`phone`, `province`, `city`, `district`, `address`, `ciphertext`).

    A field that is empty or masked is judged by nobody, and neither is an address abroad.
    """
    if recipient.get("ciphertext") or _is_abroad(recipient):
        return ()
    said = {name: recipient.get(name, "").strip() for name in (*_PARTS, "address", "phone")}
    hidden = any("*" in said[name] for name in (*_PARTS, "address"))
    if hidden:
        return _phone(said["phone"])
    begun = regions.beginning(said["address"]) if said["address"] else None
    return (*_phone(said["phone"]), *_street(said, begun), *_region(said, begun, regions))


def _is_abroad(recipient: Mapping[str, str]) -> bool:
    phone = normalize("NFKC", recipient.get("phone", "")).strip()
    written = "".join(recipient.get(name, "") for name in (*_PARTS, "address"))
    return (phone.startswith("+") and not phone.startswith("+86")) or not re.search("[\u4e00-\u9fff]", written)


def _phone(phone: str) -> tuple[Problem, ...]:
    return () if not phone or "*" in phone or spellings(phone) else (Problem(code="bad_phone"),)


def _street(said: Mapping[str, str], begun: tuple[Region, str] | None) -> tuple[Problem, ...]:
    if not said["address"]:
        return ()
    street = re.sub(r"\s", "", begun[1] if begun else said["address"])
    for part in _PARTS:
        street = street.removeprefix(said[part])
    return () if len(street) >= LEAST_STREET else (Problem(code="too_short"),)


def _region(said: Mapping[str, str], begun: tuple[Region, str] | None, regions: Regions) -> tuple[Problem, ...]:
    names = [said[part] for part in _PARTS]
    if not any(names):
        return ()
    place = regions.find(*names)
    if place is None:
        return (_wrong(said, regions),)
    if begun and _elsewhere(place, begun[0]):
        return (Problem(code="region_mismatch", part="address", within=place.city or place.province),)
    return ()


def _elsewhere(place: Region, other: Region) -> bool:
    pairs = ((place.province, other.province), (place.city, other.city))
    return any(one and two and one != two for one, two in pairs)


def _wrong(said: Mapping[str, str], regions: Regions) -> Problem:
    """Return which part of a region is wrong: the first with which there is no such place."""
    province, city, district = (said[part] for part in _PARTS)
    top = regions.find(province, "", "") if province else None
    if province and top is None:
        return _of_part("province", province, "", regions)
    place = regions.find(province, city, "")
    if place is None:
        return _of_part("city", city, top.province if top else "", regions)
    return _of_part("district", district, place.city or place.province, regions)


def _of_part(part: str, name: str, within: str, regions: Regions) -> Problem:
    code: Code = "region_mismatch" if within and regions.is_known(name) else "unknown_region"
    return Problem(code=code, part=part, within=within)
