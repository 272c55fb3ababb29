"""The table: a line per measure, a column per size, and what is beyond the goals."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import set_cell_size

from tests.growth.timing import MS, Measure

RATE_GOAL, MS_GOAL = 0.8, 100.0
NOTE = f"""
speed: at the largest size beside the smallest, more is better.
slow: a rate below {RATE_GOAL:g} of the smallest size's, or more than {MS_GOAL:g} ms.
PostgreSQL runs without fsync. Look at ratios: other load moves all figures alike."""
WIDE = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A measured value, or why there is none."""

    unit: str
    value: float = 0.0
    error: str = ""

    @classmethod
    def of(cls, measure: Measure) -> "Figure":
        """Measure; what cannot be measured becomes a line of the table, and the others follow."""
        try:
            return cls(unit=measure.unit, value=measure.run())
        except Exception as error:  # noqa: BLE001 see above
            said = f"{type(error).__name__}: {error}"
            return cls(unit=measure.unit, error=" ".join(said.split())[:WIDE])

    @property
    def shown(self) -> str:
        """The value as text."""
        if self.error:
            return "-"
        return f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:,.2f}"


def head(engine: str, sizes: Sequence[int]) -> str:
    """Return the first line of an engine's table."""
    return f"\n{engine:<{WIDE}} {''.join(f'{size:>11,}' for size in sizes)}  {'':<9} {'speed':>6}"


def line(name: str, figures: Sequence[Figure]) -> str:
    """Return a line of the table: a measure's figures, the smallest size first."""
    first, last = figures[0], figures[-1]
    values = "".join(f"{each.shown:>11}" for each in figures)
    start = f"{set_cell_size(name, WIDE)} {values}  {last.unit:<9}"
    if error := next((each.error for each in figures if each.error), ""):
        return f"{start} not measured: {error}"
    speed = first.value / last.value if last.unit == MS else last.value / first.value
    slow = last.value > MS_GOAL if last.unit == MS else speed < RATE_GOAL
    return f"{start} {speed:>6.2f}{'  slow' if slow else ''}"
