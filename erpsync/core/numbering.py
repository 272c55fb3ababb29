"""Our own order numbers, made from a pattern such as `S{yyyymmdd}{seq:06}`."""

import re
from datetime import datetime
from itertools import product

_FIELD = re.compile(r"\{(yyyymmdd|yyyy|mm|dd|channel|seq)(?::0(\d+))?\}")
_DIGITS = "1234567890"  # the first that may stand in a place stands in examples: 0101 is a day, 0000 none
_DATE = {"yyyy": ("2", *[_DIGITS] * 3), "mm": ("01", _DIGITS), "dd": ("0123", _DIGITS)}
LONGEST_SEQ = 9
"""Digits: nobody numbers a billion orders under one prefix."""

Text = tuple[str, ...]
"""Numbers of one length: for each place the characters that may stand there."""


def prefix(pattern: str, *, channel: str, at: datetime) -> str:
    """Return the pattern with all but `{seq}` filled in: numbers count up per such prefix.

    Args:
        at: the instant of numbering, in the operator's time zone.
    """
    values = {"yyyymmdd": f"{at:%Y%m%d}", "yyyy": f"{at:%Y}", "mm": f"{at:%m}", "dd": f"{at:%d}", "channel": channel}
    return _FIELD.sub(lambda match: values.get(match[1], match[0]), pattern)


def number(filled: str, seq: int) -> str:
    """Return the order number for `seq` in a pattern filled by `prefix`."""
    return _FIELD.sub(lambda match: f"{seq:0{match[2] or 1}d}", filled)


def meeting(one: tuple[str, str], other: tuple[str, str]) -> str | None:
    """Return a number that two channels can both make, None when they cannot.

    Channels whose patterns come to the same text count up together, and never meet.

    Args:
        one, other: (channel, pattern).
    """
    first, second = _filled(*one), _filled(*other)
    if first == second:
        return None
    for text, rival in product(_texts(first), _texts(second)):
        both = [_common(*pair) for pair in zip(text, rival, strict=False)]
        if len(text) == len(rival) and all(both):
            return "".join(place[0] for place in both)
    return None


def _filled(channel: str, pattern: str) -> str:
    return pattern.replace("{channel}", channel).replace("{yyyymmdd}", "{yyyy}{mm}{dd}")


def _texts(pattern: str) -> list[Text]:
    return [_text(pattern, digits) for digits in range(1, LONGEST_SEQ + 1)]


def _text(pattern: str, digits: int) -> Text:
    """Return the numbers whose count has so many digits, less the zeros before it."""
    places: list[str] = []
    end = 0
    for match in _FIELD.finditer(pattern):
        places += pattern[end : match.start()]
        places += _DATE.get(match[1]) or ["0"] * (int(match[2] or 1) - digits) + [
            _DIGITS[:9],
            *[_DIGITS] * (digits - 1),
        ]
        end = match.end()
    return (*places, *pattern[end:])


def _common(one: str, other: str) -> str:
    return "".join(char for char in one if char in other)
