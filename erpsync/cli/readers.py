"""Readers of arguments: text of the command line becomes a value, or one line that says what is wrong with it.

Why bounded: a number that no database column or date can hold must end as wrong usage, not deep inside a flow.
"""

import argparse
import re
from collections.abc import Callable

CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What no code of a SKU or warehouse holds: control characters, ends of lines, bytes that were no text."""

MOST_UNITS = 2**31 - 1  # as the REST API
MOST_DAYS = 3650
MOST_AT_ONCE = 500
_MOST = 2**63 - 1  # what a column holds


def _within(text: str, least: int, most: int) -> int:
    number = whole(text)
    if number < least:
        raise argparse.ArgumentTypeError(f"must be {least} or more, is {number}")
    if number > most:
        raise argparse.ArgumentTypeError(f"must be at most {most}, is {number}")
    return number


def whole(text: str) -> int:
    """Return a whole number; a sign is allowed."""
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a whole number, is {text!r}") from None


def count(text: str) -> int:
    """Return a whole number from 0."""
    return _within(text, 0, MOST_UNITS)


def change(text: str) -> int:
    """Return units that come or, below zero, go."""
    number = _within(text, -MOST_UNITS, MOST_UNITS)
    if number == 0:
        raise argparse.ArgumentTypeError("must not be 0: nothing would change")
    return number


def days(text: str) -> int:
    """Return a number of days."""
    return _within(text, 0, MOST_DAYS)


def identity(text: str) -> int:
    """Return the id of a row."""
    return _within(text, 1, _MOST)


def few(text: str) -> int:
    """Return a number from 1 to 500, as pages of the REST API hold."""
    return _within(text, 1, MOST_AT_ONCE)


def positive(kind: Callable[[str], float]) -> Callable[[str], float]:
    """Return a reader of numbers above 0."""

    def read(text: str) -> float:
        try:
            number = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"must be a number, is {text!r}") from None
        if not 0 < number < float("inf"):
            raise argparse.ArgumentTypeError(f"must be above 0, is {text}")
        return number

    return read


def rate(text: str) -> float:
    """Return how often something happens in a second: above 0, up to 1000."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number <= 1000:
        raise argparse.ArgumentTypeError(f"must be above 0 and up to 1000, is {text!r}")
    return number


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, is {text!r}")
    return number


def code(text: str) -> str:
    """Return a name as imports read it: without blanks around it, in one line."""
    name = text.strip()
    if not name or CONTROL.search(name):
        raise argparse.ArgumentTypeError(f"must be a name, is {text!r}")
    return name


def reason(text: str) -> str:
    """Return a text that says something."""
    if not (said := remark(text)):
        raise argparse.ArgumentTypeError("must say why, is empty")
    return said


def remark(text: str) -> str:
    """Return a text that may be left out."""
    return text.strip()
