"""The table: a line per measure, a column per size, and what is beyond the goals."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from tests.growth.timing import MS, Measure

RATE_GOAL, MS_GOAL = 0.8, 100.0
NOTE = f"""
speed: at the largest size beside the smallest, more is better.
slow: a rate below {RATE_GOAL:g} of the smallest size's, or more than {MS_GOAL:g} ms.
PostgreSQL runs without fsync. Look at ratios: other load moves all figures alike."""
_LONG = 72


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
            return cls(unit=measure.unit, error=" ".join(said.split())[:_LONG])

    @property
    def shown(self) -> str:
        """The value as text."""
        if self.error:
            return "-"
        return f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:,.2f}"


def show(engine: str, by_size: Mapping[int, Mapping[str, Figure]]) -> Iterator[str]:
    """Yield the lines of an engine's table."""
    names = list(dict.fromkeys(name for found in by_size.values() for name in found))
    wide = min(_LONG, max(map(cell_len, names), default=0))
    sizes = sorted(by_size)
    yield ""
    yield f"{engine:<{wide}} {''.join(f'{size:>12,}' for size in sizes)}  {'':<10} {'speed':>6}"
    for name in names:
        figures = [by_size[size].get(name) for size in sizes]
        yield _line(set_cell_size(name, wide), [each for each in figures if each is not None])


def _line(name: str, figures: list[Figure]) -> str:
    first, last = figures[0], figures[-1]
    values = "".join(f"{each.shown:>12}" for each in figures)
    line = f"{name} {values}  {last.unit:<10}"
    if error := next((each.error for each in figures if each.error), ""):
        return f"{line} not measured: {error}"
    speed = first.value / last.value if last.unit == MS else last.value / first.value
    slow = last.value > MS_GOAL if last.unit == MS else speed < RATE_GOAL
    return f"{line} {speed:>6.2f}{'  slow' if slow else ''}"
