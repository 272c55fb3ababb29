"""The text whose keyed hash says that two orders go to the same person at the same door.

Why so little is forgiven: two parcels where one would do cost postage; one parcel for two people costs the trust of
both. So what is missing, hidden or no number at all has no key, and a street that is written otherwise is another one.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from unicodedata import normalize

from erpsync.core.phones import spellings
from erpsync.core.regions import Regions, short
from erpsync.sdk.types import Recipient

_UNSEEN = re.compile("[\x00-\x1f\x7f-\xa0\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]+")
_BETWEEN_NUMBERS = re.compile(r"(?<=[\d零〇○一二三四五六七八九十百])\s+(?=[\d零〇○一二三四五六七八九十百])")
_DASH = re.compile("[\u2010-\u2015\u2212]")
_MASK = re.compile("[*\u204e\u2217\u2731\u2732\u25cf\u25a0\u2588\u2022]|某")
_CIPHER = re.compile(r"[~#$].+[~#$]|[A-Za-z0-9+/_\-]{8,}={1,2}|(?=.*\d)(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9+/_\-]{20,}")
_FOREIGN = re.compile(r"\+?\d{7,15}", re.ASCII)
_Places = tuple[str, str, str]
_NO_CITY = ("市辖区", "县")
"""What platforms write for the city where the province is one, or for its counties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SameRecipient:
    """A platform's own answer to which of its ciphertexts stand for one recipient.

    Args:
        scope: within which it counts; ciphertexts of two shops, or of two platforms, are never compared.
        token: the same for all orders of one recipient and for no other: an id that the platform gives the address, or
            one of the orders that it says go together.
    """

    scope: str
    token: str


def merge_key(recipient: Recipient | None, *, regions: Regions, same: SameRecipient | None = None) -> str | None:
    """Return the text that is equal for orders of one recipient; None for an order that is never merged.

    Spaces, case and width do not count, nor what a province, city or district is called after its name, nor where a
    street begins with them. Name, phone, region and street make it together. A recipient that was erased, or of which
    one of them is missing, masked or a ciphertext in a clear field, has none. One that the platform hides has none
    without its answer. The text is personal: for a keyed hash only.

    Source of the ciphertexts' shapes: protocol notes taobao.md section 10, pdd.md sections 6 and 10, douyin.md sections
    6 and 11, jd.md section 10.
    """
    if recipient is None:
        return None
    if recipient.ciphertext:
        return json.dumps([same.scope, same.token]) if same and same.scope and same.token else None
    written = (recipient.name, recipient.phone, recipient.address)
    places = (recipient.province, recipient.city, recipient.district)
    if any(map(_hidden, written)) or _MASK.search("".join(places)):
        return None
    name, phone = plain(recipient.name), _phone(recipient.phone)
    region, street = _region(places, plain(recipient.address), regions)
    if not (_says(name) and phone and any(region) and _says(street)):
        return None
    return json.dumps([name, phone, *region, street])


def plain(text: str) -> str:
    """Return a text without spaces, case and width, and with one kind of dash.

    Between two numbers a space stays, as a dash: room 12 of house 3 is not house 312.
    """
    shown = _UNSEEN.sub(" ", normalize("NFKC", normalize("NFKC", text).casefold()))
    return normalize("NFKC", "".join(_DASH.sub("-", _BETWEEN_NUMBERS.sub("-", shown.strip())).split()))


def _hidden(text: str) -> bool:
    shown = normalize("NFKC", text).strip()
    return bool(_MASK.search(shown) or _CIPHER.fullmatch(shown))


def _says(text: str) -> bool:
    return any(map(str.isalnum, text))


def _phone(text: str) -> str:
    """Return a whole number in one spelling; nothing where it is none, or one digit over and over."""
    spelled = spellings(text)
    number = plain(spelled[0]) if spelled else re.sub(r"[().\-]", "", plain(text))
    if not spelled and not _FOREIGN.fullmatch(number):
        return ""
    return number if len(set(number.removeprefix("+"))) > 1 else ""


def _region(places: _Places, street: str, regions: Regions) -> tuple[tuple[str, str, str], str]:
    """Return province, city and district in one spelling, and the street without them."""
    if any(map(_says, places)):
        beginning, region = _spelled(places)
        return region, street.removeprefix(beginning)
    begun = regions.beginning(street)
    if begun is None:
        return ("", "", ""), street
    place, street = begun
    return _spelled((place.province, place.city, place.district))[1], street


@lru_cache(maxsize=10_000)
def _spelled(places: _Places) -> tuple[str, _Places]:
    """Return what a street begins with that repeats a place, and the place in one spelling."""
    plain_places = tuple(map(plain, places))
    province, city, district = (short(place) for place in plain_places)
    city = "" if city == province or plain_places[1] in _NO_CITY else city
    return "".join(plain_places), (province, city, district)
