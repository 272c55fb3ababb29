"""How near forecasts come on real series, beside what others say of the same ones.

Measured on 2026-11-30 with statsforecast 2.1.1, five origins four weeks apart, error of the four-week sum (WAPE):

| series | statsforecast, its best | plain units smoothed | erpsync | squared error, plain = 1 | 95 % covers |
|---|---|---|---|---|---|
| UCI Online Retail, 3,919 SKUs, 15,872 forecasts | 0.5034 IMAPA | 0.5060 | 0.4834 | 0.985 | 0.952 |
| the same, nine origins | 0.5334 IMAPA | 0.5351 | 0.5043 | 0.981 | 0.952 |
| the same, SKUs that sold under 150 units | 1.0975 IMAPA | - | 0.9185 | - | 0.947 |
| the 400 SKUs of tests/data/online_retail_weeks.csv | 0.5359 IMAPA | - | 0.5016 | - | 0.955 |
| 1,500 synthetic series, most of them slow | 0.3936 TSB | 0.4109 | 0.3900 | 0.97 | 0.959 |
| 1,200 synthetic months of spare parts, sums of three | 0.8035 ADIDA | - | 0.7411 | - | 0.975 |
| 800 synthetic erratic series | 0.4345 TSB | - | 0.4240 | - | 0.954 |
| 600 synthetic fast series with a year of their own | 0.1859 IMAPA | - | 0.1820 | - | 0.924 |

The last row is the known limit of pooling: where all SKUs turn at once, eight weeks of origins saw one side of it.
Origins two or three weeks apart change neither that nor any other row by more than 0.004.
"""

import csv
import random
from collections.abc import Iterator
from datetime import UTC, date, timedelta

import pytest

from erpsync.core.forecast import (
    Event,
    Forecast,
    Level,
    Lived,
    Says,
    YearDays,
    factors,
    pool,
    run,
    uplifted,
    weeks,
)
from tests.support.sources import ROOT
from tests.unit.core.forecast.builders import series

HORIZON = 4
BEST_OF_OTHERS = 0.5359
"""IMAPA of statsforecast 2.1.1 on the same origins; ADIDA 0.5411, SES 0.5660, Croston 0.5792, TSB 0.5870."""


def retail() -> list[list[float]]:
    with (ROOT / "tests" / "data" / "online_retail_weeks.csv").open(encoding="utf-8", newline="") as file:
        return [[float(each) for each in row["weeks"].split()] for row in csv.DictReader(file)]


def eligible(weeks: list[float], end: int) -> bool:
    known = weeks[:end]
    first = next((at for at, units in enumerate(known) if units), end)
    return sum(units > 0 for units in known) >= 3 and end - first >= 12


def judged() -> Iterator[tuple[Level, Forecast, float]]:
    """Return level, forecast and what came, of every SKU at each of five origins."""
    rows = retail()
    for end in (49, 45, 41, 37, 33):
        chosen = [own for own in rows if eligible(own, end)]
        levels = []
        for own in chosen:
            first = next(at for at, units in enumerate(own) if units)
            levels.append(run(series(*own[first:end]), HORIZON))
        known = pool(test for level in levels for test in level.tests)
        for own, level in zip(chosen, levels, strict=True):
            yield level, known.forecast(level), sum(own[end : end + HORIZON])


@pytest.fixture(scope="module")
def results() -> list[tuple[Level, Forecast, float]]:
    return list(judged())


def test_the_error_of_the_lead_time_sum_is_smaller_than_that_of_the_best_of_others(
    results: list[tuple[Level, Forecast, float]],
) -> None:
    error = sum(abs(forecast.mean - actual) for _, forecast, actual in results)
    naive = sum(abs(level.naive * HORIZON - actual) for level, _, actual in results)
    units = sum(actual for _, _, actual in results)

    assert error / units <= 0.97 * BEST_OF_OTHERS
    assert error < 0.95 * naive


def test_quantiles_cover_what_they_say(results: list[tuple[Level, Forecast, float]]) -> None:
    covered = [0, 0, 0, 0]
    for _, forecast, actual in results:
        assert forecast.quantiles is not None
        for at, quantile in enumerate(forecast.quantiles):
            covered[at] += actual <= quantile
    shares = [each / len(results) for each in covered]

    assert 0.77 <= shares[1] <= 0.83
    assert 0.93 <= shares[2] <= 0.97
    assert shares[3] >= 0.98


def error_of(units: list[list[float]], says: list[list[Says]], came: list[float]) -> float:
    levels = [run(series(*own, says=said), HORIZON) for own, said in zip(units, says, strict=True)]
    known = pool(test for level in levels for test in level.tests)
    pairs = zip(levels, came, strict=True)
    return sum(abs(known.forecast(level).mean - actual) for level, actual in pairs) / sum(came)


def test_weeks_left_out_undo_most_of_what_sold_out_weeks_cost() -> None:
    """Every SKU is sold out for three of its last eight weeks; whoever reads them as no demand forecasts too little."""
    chosen = [own for own in retail() if sum(each > 0 for each in own[:49]) >= 10]
    came = [sum(own[49:]) for own in chosen]
    whole = [own[next(at for at, each in enumerate(own) if each) : 49] for own in chosen]
    gone = [
        [0.0 if 0 <= at - (len(own) - 8 + number % 6) < 3 else each for at, each in enumerate(own)]
        for number, own in enumerate(whole)
    ]
    out = [
        [Says.AT_LEAST if 0 <= at - (len(own) - 8 + number % 6) < 3 else Says.ALL for at in range(len(own))]
        for number, own in enumerate(whole)
    ]
    all_said = [[Says.ALL] * len(own) for own in whole]

    true = error_of(whole, all_said, came)
    taken_for_zero = error_of(gone, all_said, came)
    left_out = error_of(gone, out, came)

    assert taken_for_zero > 1.3 * true  # 0.585 : 0.414
    assert left_out < 1.06 * true  # 0.434


def test_a_factor_pooled_over_skus_halves_the_error_of_a_promotion() -> None:
    """Synthetic, for no public data has SKUs and promotions both: three days of four times as much, a year apart."""
    sale = Event(name="618", days=YearDays((6, 18), (6, 20)))
    rng = random.Random(618)
    today = date(2026, 6, 15)
    days = [date(2025, 4, 1) + timedelta(days=at) for at in range(460)]
    promoted = {(6, 18), (6, 19), (6, 20)}
    skus = [
        [(day, rng.randint(0, rate * (8 if (day.month, day.day) in promoted else 2))) for day in days]
        for rate in [1, 2, 5, 9] * 40
    ]
    spans = sale.days.between(days[0], today + timedelta(days=14))
    past = spans[0]

    lived, plain, left = [], [], []
    for number, rows in enumerate(skus):
        before = run(weeks(rows, (), (), past.first, UTC), 1).mean / 7
        sold = sum(qty for day, qty in rows if past.first <= day <= past.last)
        lived.append(Lived(number, sold, before * past.days))
        plain.append(run(weeks(rows, (), (), today, UTC), 2).mean / 7)
        left.append(run(weeks(rows, (), spans, today, UTC), 2).mean / 7)
    group, own = factors(sale, lived)
    came = [sum(qty for day, qty in rows if 0 <= (day - today).days < 14) for rows in skus]
    error = sum(abs(14 * level - actual) for level, actual in zip(plain, came, strict=True))
    with_calendar = sum(
        abs(uplifted(today, 14, [(spans[1], own[number])]) * level - actual)
        for number, (level, actual) in enumerate(zip(left, came, strict=True))
    )

    assert group.value == pytest.approx(4, abs=0.5)
    assert with_calendar < 0.5 * error
