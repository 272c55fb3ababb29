"""The geometry of the chart of one SKU: how many were on hand at the end of each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from erpsync.web.charts import nice_step

WIDTH, HEIGHT = 640, 150
LEFT, RIGHT, TOP, BOTTOM = 44, 4, 10, 22
GAP = 0.25
EVERY = 5  # so many days between two that are named


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day: where its bar stands, and what is said about it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    qty: int
    said: str
    shown: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DayChart:
    """Bars and grid lines, with what they mean in words and numbers."""

    days: tuple[Day, ...]
    grid: tuple[tuple[float, int], ...]
    sentence: str
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    base: int = HEIGHT - BOTTOM


def ends_of_days(now: int, moved: Sequence[int]) -> list[int]:
    """Return what was on hand at the end of each day, from what is there now and what moved on each day.

    Never below nothing: what came or went without a movement is not known.
    """
    ends: list[int] = []
    for qty in reversed(moved):
        ends.append(max(0, now))
        now -= qty
    return ends[::-1]


def daily(days: Sequence[date], levels: Sequence[int]) -> DayChart:
    """Return the chart of what was on hand at the end of each day, the last of them today."""
    step = nice_step(max(levels, default=0))
    ceiling = max(step, -(-max(levels, default=0) // step) * step)
    pitch = (WIDTH - LEFT - RIGHT) / max(1, len(days))
    per_unit = (HEIGHT - TOP - BOTTOM) / ceiling
    labels = [f"{day:%m-%d}" for day in days]
    return DayChart(
        days=tuple(
            Day(
                x=round(LEFT + at * pitch, 2),
                y=round(HEIGHT - BOTTOM - qty * per_unit, 2),
                width=round(pitch * (1 - GAP), 2),
                height=round(qty * per_unit, 2),
                label=label,
                qty=qty,
                said=f"{label}: {qty:,} on hand",
                shown=(len(days) - 1 - at) % EVERY == 0,
            )
            for at, (label, qty) in enumerate(zip(labels, levels, strict=True))
        ),
        grid=tuple((HEIGHT - BOTTOM - value * per_unit, value) for value in range(0, ceiling + 1, step)),
        sentence=_sentence(labels, levels),
    )


def _sentence(labels: Sequence[str], levels: Sequence[int]) -> str:
    if not any(levels):
        return f"None were on hand in the last {len(levels)} days."
    fewest = min(range(len(levels)), key=lambda at: (levels[at], -at))
    return f"{levels[-1]:,} are on hand; the fewest in {len(levels)} days were {levels[fewest]:,}, on {labels[fewest]}."
