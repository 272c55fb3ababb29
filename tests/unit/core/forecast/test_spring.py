"""Spring Festivals, against tables of others and against the moon.

Sources of the vectors: lunardate 0.3.0, zhdate 0.1 and LunarCalendar 0.0.9, which agree on all of them; new moons by
Meeus, "Astronomical Algorithms" (1998), chapter 49, its largest terms.
"""

from datetime import date, timedelta
from math import radians, sin

import pytest

from erpsync.core.forecast import spring_festival

VECTORS = (
    "20150219 20160208 20170128 20180216 20190205 20200125 20210212 20220201 20230122 20240210 20250129 20260217"
    " 20270206 20280126 20290213 20300203 20310123 20320211 20330131 20340219 20350208 20360128 20370215 20380204"
    " 20390124 20400212 20410201 20420122 20430210 20440130 20450217 20460206 20470126 20480214 20490202 20500123"
)


@pytest.mark.parametrize("day", VECTORS.split())
def test_the_festival_is_on_the_day_that_others_say(day: str) -> None:
    expected = date.fromisoformat(day)

    assert spring_festival(expected.year) == expected


def new_moon(k: int) -> float:
    """Return the k-th new moon since 2000 as a Julian date of universal time, to about half an hour."""
    t = k / 1236.85
    sun = radians(2.5534 + 29.10535670 * k)
    moon = radians(201.5643 + 385.81693528 * k + 0.0107582 * t * t)
    node = radians(160.7108 + 390.67050284 * k)
    mean = 2451550.09766 + 29.530588861 * k + 0.00015437 * t * t
    terms = -0.40720 * sin(moon) + 0.17241 * sin(sun) + 0.01608 * sin(2 * moon) + 0.01039 * sin(2 * node)
    terms += 0.00739 * sin(moon - sun) - 0.00514 * sin(moon + sun) + 0.00208 * sin(2 * sun)
    return mean + terms - 70 / 86400


@pytest.mark.parametrize("year", range(2015, 2051))
def test_the_festival_is_on_a_day_of_new_moon_in_beijing(year: int) -> None:
    festival = spring_festival(year)
    k = round((festival - date(2000, 1, 6)).days / 29.530588861)
    moment = new_moon(k) - 2440587.5 + 8 / 24
    hour = 1 / 24

    days = {date(1970, 1, 1) + timedelta(days=int(moment + off)) for off in (-hour, 0, hour)}

    assert festival in days
    assert date(year, 1, 21) <= festival <= date(year, 2, 20)


@pytest.mark.parametrize("year", [2014, 2051])
def test_a_year_beyond_the_table_is_refused_and_never_guessed(year: int) -> None:
    with pytest.raises(ValueError, match=f"from 2015 to 2050, not for {year}"):
        spring_festival(year)
