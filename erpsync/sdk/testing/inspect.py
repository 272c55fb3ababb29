"""Looks through the values that cross the border: money, instants, quantities.

Why by walking the dataclasses and not by a list of fields: a field added to the SDK is checked from its first day.
"""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any

from erpsync.sdk.testing.findings import Finding, fail

CURRENCY = re.compile(r"[A-Z]{3}")
OPAQUE = frozenset({"row", "payload", "error"})
"""Fields that hold the channel's own values."""


def inspect(value: object) -> None:
    """Fail when something in a head or a record has the wrong kind: float money, naive instants, bad quantities."""
    for path, item in _walk(value, type(value).__name__):
        name = path.rpartition(".")[2].partition("[")[0]
        if isinstance(item, datetime):
            _check_instant(path, item)
        elif isinstance(item, float) or (name.endswith("_minor") and not _whole(item)):
            fail(Finding.FLOAT_MONEY, f"{path} is {item!r}")
        elif name == "currency" and not (isinstance(item, str) and CURRENCY.fullmatch(item)):
            fail(Finding.FLOAT_MONEY, f"{path} is {item!r}, not an ISO 4217 code")
        elif (name == "qty" or name.endswith("_qty")) and not (_whole(item) and (item is None or item >= 0)):
            fail(Finding.BAD_QUANTITY, f"{path} is {item!r}")


def _check_instant(path: str, item: datetime) -> None:
    if item.utcoffset() is None:
        fail(Finding.NAIVE_TIME, f"{path} is {item!r}")


def _whole(item: object) -> bool:
    return item is None or (isinstance(item, int) and not isinstance(item, bool))


def _walk(value: object, path: str) -> Iterator[tuple[str, Any]]:
    if is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            if field.name not in OPAQUE:
                yield from _walk(getattr(value, field.name), f"{path}.{field.name}")
    elif isinstance(value, tuple | list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]")
    else:
        yield path, value
