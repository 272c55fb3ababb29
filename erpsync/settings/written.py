"""Where a setting is written: file and line of the key that counts, for those who are told why a number is what it is.

Why kept beside the configuration and not asked of the files later: what is explained is what is in force, and the file
may have been edited since.
"""

from collections.abc import Mapping as Environ
from dataclasses import dataclass, field
from pathlib import Path

from erpsync.settings.tree import Mapping, Node, Scalar, Sequence, locate

Written = tuple[str, int | None]
"""A file and the line in it; None where the lines are not known (a configuration that is remembered, not read)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Positions:
    """The trees of a configuration's files.

    Args:
        channels: file and tree of each channel, by its id.
        lines: whether the trees know on which line of their file they stand.
    """

    file: str = ""
    main: Node | None = None
    channels: Environ[str, tuple[str, Node]] = field(default_factory=dict)
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

    def of_warehouse(self, name: str, key: str = "id") -> Written | None:
        """Return where a setting of a warehouse is written; None where its default counts."""
        warehouses = self.main.items.get("warehouses") if isinstance(self.main, Mapping) else None
        for nth, place in enumerate(warehouses.items if isinstance(warehouses, Sequence) else ()):
            id = place.items.get("id") if isinstance(place, Mapping) else None
            if isinstance(id, Scalar) and str(id.value) == name:
                return self._in(self.file, self.main, ("warehouses", nth, key))
        return None

    def _in(self, file: str, node: Node | None, path: tuple[str | int, ...]) -> Written | None:
        if node is None:
            return None
        found, (line, _) = locate(node, path)
        return (file, line if self.lines else None) if found == path else None


def positions(
    file: str, main: Node | None, channels: Environ[str, tuple[Path, Node | None]], *, lines: bool
) -> Positions:
    """Return the positions of a configuration that was read; `channels` are file and tree of each, by id."""
    known = {id: (str(path), node) for id, (path, node) in channels.items() if node is not None}
    return Positions(file=file, main=main, channels=known, lines=lines)
