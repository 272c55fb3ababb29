"""Records as templates are given them: plain JSON in which every key is always there and every text can be printed.

Why texts are made ready here: a template that has to think of control characters, of a title of 300 signs or of a code
without a place to break is no longer one that a seller writes in five minutes.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import singledispatch

from erpsync.papers.records import LabelData, PackData, PaperLine, Party, PickData, PickLine, SlipData, Waybill
from erpsync.papers.style import PaperStyle
from erpsync.sdk.money import major
from erpsync.sdk.text import storable

Json = dict[str, object]

TITLE_WIDTH = 96
"""The most of a title that is printed, in half-width signs: three lines on a label."""
NOTE_WIDTH = 400

_LONG = 10
"""So many lines, and a paper may take more than one sheet, which are then numbered."""
# Orders of reading that a text may turn round on paper, and what asks for an emoji in colours.
_UNPRINTABLE = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufe0f]")
_BLANK = re.compile("[\\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_WORD = re.compile("[\x21-\x7e]{20,}")
_PIECE = re.compile("[\x21-\x7e]{10}(?=[\x21-\x7e])")
_BREAK = "\u200b"


def plain(text: str) -> str:
    """Return a text fit for paper: one line, without marks that turn it round, with places to break in long codes."""
    shown = _BLANK.sub(" ", _UNPRINTABLE.sub("", storable(text))).strip()
    return _WORD.sub(lambda word: _PIECE.sub(lambda piece: piece[0] + _BREAK, word[0]), shown)


def cut(text: str, most: int) -> str:
    """Return a text of `most` half-width signs at most; a longer one ends in `…`."""
    text = text[: most + 1] if len(text) > most else text
    width = 0
    for place, sign in enumerate(text):
        width += _width(sign)
        if width > most:
            return _fitting(text[:place], most - _width("…")) + "…"
    return text


def _fitting(text: str, most: int) -> str:
    width = sum(map(_width, text))
    while text and (width > most or unicodedata.combining(text[-1])):
        width -= _width(text[-1])
        text = text[:-1]
    return text.rstrip()


def _width(sign: str) -> int:
    return 2 if unicodedata.east_asian_width(sign) in "WFA" else 1


def amount(minor: int | None, currency: str) -> str:
    """Return an amount of minor units for people, `¥12.50` or `12.50 USD`; nothing where there is none."""
    if minor is None:
        return ""
    shown = f"{major(abs(minor), currency):,f}"
    sign = "-" if minor < 0 else ""
    return f"{sign}¥{shown}" if currency == "CNY" else f"{sign}{shown} {currency}"


@singledispatch
def content(data: object, style: PaperStyle) -> Json:
    """Return what a template is given of a record."""
    raise TypeError(f"{type(data).__name__} is no paper")


@content.register
def _(data: SlipData, style: PaperStyle) -> Json:
    return _common(data, style, data.lines) | {
        "shop": plain(data.shop),
        "warehouse": plain(data.warehouse),
        "orders": _plain_all(data.orders),
        "sender": _party(data.sender),
        "recipient": _party(data.recipient),
        "waybill": _waybill(data.waybill),
        "wave": plain(data.wave),
        "slot": data.slot,
        "cod": amount(data.cod_minor, data.currency),
        "replaces": plain(data.replaces),
        "siblings": _plain_all(data.siblings),
        "lines": [_line(line, style, data.currency) for line in data.lines],
        "qty": sum(line.qty for line in data.lines),
    }


@content.register
def _(data: PickData, style: PaperStyle) -> Json:
    return _common(data, style, data.lines) | {
        "warehouse": plain(data.warehouse),
        "releases": [_one_line(number) for number in data.releases],
        "lines": [_pick_line(line) for line in data.lines],
        "qty": sum(sum(line.qtys) for line in data.lines),
    }


@content.register
def _(data: LabelData, style: PaperStyle) -> Json:
    return _common(data, style, ()) | {
        "sender": _party(data.sender),
        "recipient": _party(data.recipient),
        "waybill": _waybill(data.waybill),
        "weight_kg": "" if data.weight_g is None else f"{data.weight_g / 1000:.3f}",
        "goods": cut(plain(data.goods), TITLE_WIDTH),
        "cod": amount(data.cod_minor, data.currency),
    }


@content.register
def _(data: PackData, style: PaperStyle) -> Json:
    def shown(minor: int | None) -> str:
        return amount(minor, data.currency) if style.prices else ""

    return _common(data, style, data.lines) | {
        "shop": plain(data.shop),
        "orders": _plain_all(data.orders),
        "recipient": _party(data.recipient),
        "waybill": _waybill(data.waybill),
        "lines": [_line(line, style, data.currency) for line in data.lines],
        "qty": sum(line.qty for line in data.lines),
        "freight": shown(data.freight_minor),
        "discount": shown(None if data.discount_minor is None else -data.discount_minor),
        "total": shown(data.total_minor),
    }


def _common(
    data: SlipData | PickData | LabelData | PackData, style: PaperStyle, lines: Sequence[PaperLine | PickLine]
) -> Json:
    return {
        "number": _one_line(data.number),
        "made_on": data.made_on.isoformat(),
        "notes": [cut(plain(note), NOTE_WIDTH) for note in data.notes if note.strip()],
        "copy": data.copy,
        "lang": style.lang,
        "head": plain(style.head),
        "foot": plain(style.foot),
        "spec": style.spec,
        "prices": style.prices,
        "long": len(lines) > _LONG,
    }


def _line(line: PaperLine, style: PaperStyle, currency: str) -> Json:
    price = line.price_minor if style.prices else None
    return _goods(line) | {
        "qty": line.qty,
        "spec": cut(plain(line.spec), NOTE_WIDTH) if style.spec else "",
        "price": amount(price, currency),
        "amount": amount(None if price is None else price * line.qty, currency),
    }


def _pick_line(line: PickLine) -> Json:
    return _goods(line) | {"qtys": line.qtys, "qty": sum(line.qtys)}


def _goods(line: PaperLine | PickLine) -> Json:
    return {
        "sku": plain(line.sku),
        "title": cut(plain(line.title), TITLE_WIDTH),
        "variant": cut(plain(line.variant), TITLE_WIDTH),
        "shelf": plain(line.shelf),
    }


def _party(party: Party) -> Json:
    return {
        "name": plain(party.name),
        "phone": plain(party.phone),
        "region": plain(party.region),
        "address": plain(party.address),
    }


def _waybill(waybill: Waybill) -> Json:
    return {
        "number": _one_line(waybill.number),
        "carrier": plain(waybill.carrier),
        "service": plain(waybill.service),
        "sort_code": plain(waybill.sort_code),
        "parcel": waybill.parcel,
        "parcels": waybill.parcels,
    }


def _plain_all(texts: Iterable[str]) -> list[str]:
    return [plain(text) for text in texts]


def _one_line(number: str) -> str:
    """Return a number as it is, for a bar code says exactly that."""
    return _BLANK.sub(" ", storable(number)).strip()
