"""The first day of the Spring Festival (春节), from 2015 to 2050.

Why a table: the dates come from new moons as Beijing's clock sees them and from leap months, they are fixed for as long
as anybody plans, and of the libraries one ends with 2026 and one has a licence that would bind us.
Source: vectors and a computation of new moons in tests/unit/core/forecast/test_spring.py.
"""

from collections.abc import Sequence
from datetime import date

FIRST_YEAR = 2015
_DAYS: Sequence[tuple[int, int]] = (
    *((2, 19), (2, 8), (1, 28), (2, 16), (2, 5)),
    *((1, 25), (2, 12), (2, 1), (1, 22), (2, 10)),
    *((1, 29), (2, 17), (2, 6), (1, 26), (2, 13)),
    *((2, 3), (1, 23), (2, 11), (1, 31), (2, 19)),
    *((2, 8), (1, 28), (2, 15), (2, 4), (1, 24)),
    *((2, 12), (2, 1), (1, 22), (2, 10), (1, 30)),
    *((2, 17), (2, 6), (1, 26), (2, 14), (2, 2)),
    (1, 23),
)
LAST_YEAR = FIRST_YEAR + len(_DAYS) - 1


def spring_festival(year: int) -> date:
    """Return the first day of the lunar year that begins in a year.

    Raises:
        ValueError: a year before 2015 or after 2050.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the Spring Festival is known from {FIRST_YEAR} to {LAST_YEAR}, not for {year}")
    return date(year, *_DAYS[year - FIRST_YEAR])
