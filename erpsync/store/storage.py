"""What the house stands on: whether the database takes writes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """What this process has seen of it.

    Args:
        problem: what keeps the database from being written to, or nothing.
    """

    problem: str = ""

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield (check, what is wrong)."""
        if self.problem:
            yield "database", self.problem

    def shown(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"writable": not self.problem, "problem": self.problem}
