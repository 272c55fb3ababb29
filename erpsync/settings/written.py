"""Where a setting is written: file and line of the key that counts, for those who are told why a number is what it is.

Why kept beside the configuration and not asked of the files later: what is explained is what is in force, and the file
may have been edited since.
"""

from collections.abc import Mapping as Environ
from dataclasses import dataclass, field
from pathlib import Path

from erpsync.settings.rule_config import LoadedRules
from erpsync.settings.tree import Mapping, Node, Scalar, Sequence, locate

ORDER = "order"
"""Stands for which rules there are, from top to bottom."""

Written = tuple[str, int | None]
"""A file and the line in it; None where the lines are not known (a configuration that is remembered, not read)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """The trees of a configuration's files.

    Args:
        channels: file and tree of each channel, by its id.
        rules: file and tree of the rules.
        lines: whether the trees know on which line of their file they stand.
    """

    file: str = ""
    main: Node | None = None
    channels: Environ[str, tuple[str, Node]] = field(default_factory=dict)
    rules: tuple[str, Node | None] = ("", None)
    lines: bool = True

    def of_channel(self, name: str, key: str) -> Written | None:
        """Return where a setting of a channel (`stock.ratio`) is written: in its file, else under `defaults`.

        None is a setting that nobody has written: it is erpsync's own default.
        """
        file, node = self.channels.get(name, ("", None))
        path = tuple(key.split("."))
        return self._in(file, node, path) or self._in(self.file, self.main, ("defaults", *path))

    def in_main(self, path: tuple[str | int, ...]) -> Written | None:
        """Return where something is written in erpsync.yaml."""
        return self._in(self.file, self.main, path)

    def in_channel(self, name: str, path: tuple[str | int, ...]) -> Written | None:
        """Return where something is written in a channel's own file."""
        file, node = self.channels.get(name, ("", None))
        return self._in(file, node, path)

    def in_rules(self, path: tuple[str | int, ...]) -> Written | None:
        """Return where something is written in the file of rules; a rule goes by its id (`rules`, ID, `then`)."""
        file, node = self.rules
        if path == (ORDER,):
            return self._in(file, node, ("rules",))
        if path[0] != "rules":
            return self._in(file, node, path)
        nth = _nth_with_id(node, "rules", str(path[1]))
        return None if nth is None else self._in(file, node, ("rules", nth, *path[2:]))

    def of_warehouse(self, name: str, key: str = "id") -> Written | None:
        """Return where a setting of a warehouse is written; None where its default counts."""
        nth = _nth_with_id(self.main, "warehouses", name)
        return None if nth is None else self._in(self.file, self.main, ("warehouses", nth, key))

    def _in(self, file: str, node: Node | None, path: tuple[str | int, ...]) -> Written | None:
        if node is None:
            return None
        found, (line, _) = locate(node, path)
        return (file, line if self.lines else None) if found == path else None


def _nth_with_id(node: Node | None, key: str, id: str) -> int | None:
    """Return the place of what has an id in the list under a key."""
    rows = node.items.get(key) if isinstance(node, Mapping) else None
    for nth, row in enumerate(rows.items if isinstance(rows, Sequence) else ()):
        said = row.items.get("id") if isinstance(row, Mapping) else None
        if isinstance(said, Scalar) and str(said.value) == id:
            return nth
    return None


def positions(
    file: str, main: Node | None, channels: Environ[str, tuple[Path, Node | None]], rules: LoadedRules, *, lines: bool
) -> Positions:
    """Return the positions of a configuration that was read; `channels` are file and tree of each, by id."""
    known = {id: (str(path), node) for id, (path, node) in channels.items() if node is not None}
    of_rules = (rules.config.file if rules.config else "", rules.node)
    return Positions(file=file, main=main, channels=known, rules=of_rules, lines=lines)
