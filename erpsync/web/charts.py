"""The geometry of the one chart: orders by the hour in which they came, stacked by channel.

Why drawn by the server as SVG: it needs no script, prints, follows the colour scheme, and the same numbers stand in a
sentence and a table beside it for those who do not see it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

WIDTH, HEIGHT = 960, 200
LEFT, RIGHT, TOP, BOTTOM = 34, 4, 10, 24
GAP = 0.28
SERIES = 5  # more channels than that share the colour of "others"
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A piece of a column; all numbers in the chart's own units."""

    x: float
    y: float
    width: float
    height: float
    series: int
    top: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """An hour: where it can be pointed at, and what is said about it."""

    x: float
    width: float
    label: str
    total: int
    said: str
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars, columns and grid lines, with what they mean in words and numbers; `line` is of what went out meanwhile."""

    bars: tuple[Bar, ...]
    columns: tuple[Column, ...]
    grid: tuple[tuple[float, int], ...]
    series: tuple[tuple[str, tuple[int, ...]], ...]
    sentence: str
    total: int
    line: tuple[tuple[float, float], ...] = ()
    out: tuple[int, ...] = ()
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def hourly(
    counts: Mapping[str, Sequence[int]], hours: Sequence[datetime], timezone: ZoneInfo, out: Sequence[int] = ()
) -> Chart:
    """Return the chart of orders by the hour in which they came; the channels with most orders come first.

    Args:
        out: parcels that left, by the same hours, drawn as a line.
    """
    series = _series(counts, len(hours))
    totals = [sum(numbers[at] for _, numbers in series) for at in range(len(hours))]
    labels = [f"{hour.astimezone(timezone):%H:%M}" for hour in hours]
    highest = max([*totals, *out], default=0)
    step = nice_step(highest)
    ceiling = max(step, -(-highest // step) * step)
    pitch = (WIDTH - LEFT - RIGHT) / len(hours)
    per_unit = (HEIGHT - TOP - BOTTOM) / ceiling
    return Chart(
        bars=tuple(_bars(series, pitch, per_unit)),
        columns=tuple(_columns(series, totals, labels, pitch)),
        grid=tuple((HEIGHT - BOTTOM - value * per_unit, value) for value in range(0, ceiling + 1, step)),
        series=tuple(series),
        sentence=_sentence(totals, labels),
        total=sum(totals),
        line=tuple(
            (round(LEFT + (at + 0.5) * pitch, 2), round(HEIGHT - BOTTOM - count * per_unit, 2))
            for at, count in enumerate(out)
        ),
        out=tuple(out),
    )


def nice_step(highest: int) -> int:
    """Return the distance of grid lines: 1, 2 or 5 times a power of ten, at most four lines above the base."""
    power = 1
    while True:
        for factor in _STEPS:
            if highest <= 4 * factor * power:
                return factor * power
        power *= 10


def spark(counts: Sequence[int], *, width: int = 120, height: int = 28) -> list[tuple[float, float, float, float]]:
    """Return small bars (x, y, width, height) of one channel's hours."""
    highest = max([*counts, 1])
    pitch = width / max(1, len(counts))
    bars = []
    for at, count in enumerate(counts):
        tall = max(1.0, count / highest * height) if count else 0.6
        bars.append((round(at * pitch, 2), round(height - tall, 2), round(pitch * 0.7, 2), round(tall, 2)))
    return bars


def _series(counts: Mapping[str, Sequence[int]], hours: int) -> list[tuple[str, tuple[int, ...]]]:
    ranked = sorted(counts.items(), key=lambda item: (-sum(item[1]), item[0]))
    if len(ranked) <= SERIES:
        return [(name, tuple(numbers)) for name, numbers in ranked]
    rest = [numbers for _, numbers in ranked[SERIES - 1 :]]
    others = tuple(sum(numbers[at] for numbers in rest) for at in range(hours))
    return [(name, tuple(numbers)) for name, numbers in ranked[: SERIES - 1]] + [(f"{len(rest)} others", others)]


def _bars(series: Sequence[tuple[str, Sequence[int]]], pitch: float, per_unit: float) -> list[Bar]:
    bars = []
    for at in range(len(series[0][1]) if series else 0):
        base = float(HEIGHT - BOTTOM)
        filled = [(index, numbers[at]) for index, (_, numbers) in enumerate(series) if numbers[at]]
        for index, count in filled:
            height = count * per_unit
            base -= height
            bars.append(
                Bar(
                    x=round(LEFT + at * pitch + pitch * GAP / 2, 2),
                    y=round(base, 2),
                    width=round(pitch * (1 - GAP), 2),
                    height=round(max(0.5, height - (1.5 if (index, count) != filled[0] else 0)), 2),
                    series=index,
                    top=(index, count) == filled[-1],
                )
            )
    return bars


def _columns(
    series: Sequence[tuple[str, Sequence[int]]], totals: Sequence[int], labels: Sequence[str], pitch: float
) -> list[Column]:
    columns = []
    for at, (total, label) in enumerate(zip(totals, labels, strict=True)):
        parts = ", ".join(f"{name} {numbers[at]}" for name, numbers in series if numbers[at])
        said = f"{label}: {total} order{'' if total == 1 else 's'}" + (f" ({parts})" if parts else "")
        shown = (len(labels) - 1 - at) % 4 == 0
        x, width = round(LEFT + at * pitch, 2), round(pitch, 2)
        columns.append(Column(x=x, width=width, label=label, total=total, said=said, shown=shown))
    return columns


def _sentence(totals: Sequence[int], labels: Sequence[str]) -> str:
    if not sum(totals):
        return "No order came in the last 24 hours."
    busiest = max(range(len(totals)), key=lambda at: (totals[at], at))
    if sum(totals) == 1:
        return f"1 order came in the last 24 hours, in the hour that began at {labels[busiest]}."
    return (
        f"{sum(totals):,} orders came in the last 24 hours; the busiest hour began at {labels[busiest]}"
        f" with {totals[busiest]:,}, this hour has {totals[-1]:,} so far."
    )
