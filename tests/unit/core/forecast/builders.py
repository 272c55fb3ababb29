"""Series that default everything a test does not speak of."""

from collections.abc import Sequence
from datetime import date

from erpsync.core.forecast import Says, Series

UNTIL = date(2026, 11, 30)


def series(*units: float, says: Sequence[Says] | None = None) -> Series:
    return Series(UNTIL, tuple(units), tuple(says or [Says.ALL] * len(units)))
