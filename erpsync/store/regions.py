"""The table of provinces, cities and districts, read from the package when it is first asked for."""

from functools import cache
from importlib.resources import files

from erpsync.core.regions import Regions, Row


@cache
def regions() -> Regions:
    """Return the table; it is read once in a process, in some ten milliseconds."""
    text = files("erpsync.core").joinpath("regions.csv").read_text(encoding="utf-8")
    return Regions.of(Row(*line.split(",")) for line in text.splitlines()[1:])
