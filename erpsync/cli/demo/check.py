"""One thing that the demonstration proves."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing proved, or not: `problem` is empty when it holds."""

    name: str
    figures: str
    problem: str = ""
