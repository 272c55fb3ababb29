"""What is wrong with a configuration, and where.

Why values and not exceptions: one run shows every problem at once, so they are collected, and only a caller that
cannot go on raises them together as `ConfigError`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning", "note"]
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One finding. Prints as `file:line:column: path: text`.

    Args:
        line, column: counted from 1, in characters.
        path: the keys that lead to the value, joined by dots, list positions from 0; `.` is the whole file.
        severity: `error` refuses the configuration, `warning` and `note` do not.
    """

    file: str
    line: int
    column: int
    path: str
    text: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.path}: {self.text}"


class ConfigError(Exception):
    """The configuration cannot be used; an operator has to change it (exit code 78). One line per problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def dotted(path: Path) -> str:
    """Return `path` as people read it: `stock.warehouses.0`; `.` for the whole file."""
    return ".".join(str(part) for part in path) or "."


def one_line(text: str) -> str:
    """Return the text with line ends and control characters escaped: a problem is one line, whatever a file holds."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


@dataclass(slots=True)
class Findings:
    """Collects the problems of one file."""

    file: str
    found: list[Problem] = field(default_factory=list)

    def add(self, place: tuple[int, int], path: Path, text: str, severity: Severity = "error") -> None:
        """Note one problem at `place`, a line and a column counted from 1."""
        line, column = place
        keys, words = one_line(dotted(path)), one_line(text)
        self.found.append(Problem(file=self.file, line=line, column=column, path=keys, text=words, severity=severity))

    @property
    def failed(self) -> bool:
        """Whether any problem refuses the file."""
        return any(problem.severity == "error" for problem in self.found)
