"""The rules of a configuration as the rest of the product sees them.

Why apart from their reading: every command has a configuration, few have rules, and what reads and judges them costs
each start a twentieth of a second.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from erpsync.settings.problems import ConfigError, Problem
from erpsync.settings.tree import Node

if TYPE_CHECKING:
    from erpsync.core.rules.book import Book
    from erpsync.core.rules.model import Rule, Zones


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesConfig:
    """What rules.yaml says.

    Args:
        file: where it is, or would be; not compared.
        lines: on which line each rule begins, by its id; not compared, and empty where lines are not known.
    """

    rules: "tuple[Rule, ...]" = ()
    zones: "Zones" = field(default_factory=dict)
    file: str = field(default="", compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    def book(self, timezone: ZoneInfo) -> "Book":
        """Return the rules ready to judge, by this clock."""
        from erpsync.core.rules import NO_RULES, compile_book

        return compile_book(self.rules, self.zones, timezone) if self.rules else NO_RULES

    @property
    def places(self) -> dict[str, str]:
        """Return where each rule is written, by its id: `rules.yaml:7`."""
        return {id: f"{Path(self.file).name}:{line}" for id, line in self.lines.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedRules:
    """What loading gave. `config` is None exactly when there are `problems`; `notes` refuse nothing.

    Args:
        node: the tree of the file, as far as it could be read.
    """

    config: RulesConfig | None
    node: Node | None = field(default=None, repr=False)
    problems: tuple[Problem, ...] = ()
    notes: tuple[Problem, ...] = ()

    def require(self) -> RulesConfig:
        """Return the rules; raises `ConfigError` with all problems when there are none."""
        if self.config is None:
            raise ConfigError(self.problems)
        return self.config
