"""A configuration as text that may lie in the database: what the files say, less every secret they hold.

Why the trees of the files and not the values made of them: references stay references, so that no secret is ever
stored, and reading the text again is the same binding that reads the files.
"""

import json
import re
from collections.abc import Mapping as Environ
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from erpsync.settings.annotations import Kinds, is_secret, item, member
from erpsync.settings.checks import ReadChannel, ReadFile, ReadMain
from erpsync.settings.files import CHANNELS, RULES
from erpsync.settings.models import ChannelFile, MainFile
from erpsync.settings.problems import Findings
from erpsync.settings.tree import TAGS, Mapping, Node, Scalar, Sequence

LEFT_OUT = "(left out)"
"""Stands where the file itself holds a secret."""

_ONLY_ENV = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_PASSWORD = re.compile(r"(://[^/@\s]*:)[^/@\s]+@")
_TEXT = "!text"
_NOWHERE = (1, 1)
_EMPTY = Scalar(_NOWHERE, None)


def keep(file: Path, main: ReadMain, channels: Environ[Path, ReadChannel], rules: Node | None) -> str:
    """Return what the files of a right configuration say as text without secrets.

    The database is left out: whoever reads the text has found it already, and its URL may hold a password.
    """
    kept = {
        "file": str(file.absolute()),
        "main": _less(main, "database", MainFile),
        "channels": {
            path.name: _less(channel, "settings", ChannelFile)
            | {"settings": _plain(channel.at("settings") or _EMPTY, (type(channel.settings),))}
            for path, channel in channels.items()
        },
        **({} if rules is None else {"rules": _plain(rules, ())}),
    }
    return json.dumps(kept, ensure_ascii=False, separators=(",", ":"))


def say_the_same(one: str, other: str) -> bool:
    """Whether two kept configurations differ in nothing but where their files lie."""
    first, second = (json.loads(text) | {"file": ""} for text in (one, other))
    return bool(first == second)


def _less(read: ReadFile, key: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return a file without one of its keys."""
    return _mapping(read.node.without(key), (model,)) if isinstance(read.node, Mapping) else {}


def _mapping(node: Mapping, alternatives: Kinds) -> dict[str, Any]:
    return {key: _plain(child, member(alternatives, key)) for key, child in node.items.items()}


def _plain(node: Node, alternatives: Kinds) -> Any:
    if isinstance(node, Mapping):
        return _mapping(node, alternatives)
    if isinstance(node, Sequence):
        return [_plain(child, item(alternatives)) for child in node.items]
    return _scalar(node, secret=is_secret(alternatives))


def _scalar(scalar: Scalar, *, secret: bool) -> Any:
    value = scalar.value
    if scalar.tag:
        return f"{scalar.tag} {value}"
    if secret and value is not None and not _ONLY_ENV.fullmatch(str(value)):
        return LEFT_OUT
    if not isinstance(value, str):
        return value
    text = _PASSWORD.sub(rf"\1{LEFT_OUT}@", value)
    return f"{_TEXT} {text}" if text.startswith("!") else text


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """The files of a kept configuration, read as if they still lay on the disk."""

    main: Path
    _trees: Environ[Path, Any]

    @property
    def knows_lines(self) -> bool:
        """No: all of it stands in line 1."""
        return False

    @classmethod
    def of(cls, text: str) -> "KeptFiles":
        """Return the files that `keep` made text of."""
        kept = json.loads(text)
        main = Path(kept["file"])
        channels = {main.parent / CHANNELS / name: tree for name, tree in kept["channels"].items()}
        rules = {main.parent / RULES: kept["rules"]} if "rules" in kept else {}
        return cls(main, {main: kept["main"], **channels, **rules})

    def read(self, file: Path, findings: Findings) -> Node | None:
        """Return the tree of a file; all of it stands in line 1."""
        del findings
        return _node(self._trees[file])

    def channel_files(self, folder: Path, findings: Findings) -> tuple[list[Path], list[Path]]:
        """Return the channel files, and none that is not read."""
        del findings
        return [file for file in self._trees if file.parent == folder / CHANNELS], []

    def rules_file(self, folder: Path) -> tuple[Path | None, list[Path]]:
        """Return the file of rules, if there is one, and none that is not read."""
        file = folder / RULES
        return file if file in self._trees else None, []


def _node(kept: Any) -> Node:
    if isinstance(kept, dict):
        return Mapping(_NOWHERE, {key: _node(child) for key, child in kept.items()}, dict.fromkeys(kept, _NOWHERE))
    if isinstance(kept, list):
        return Sequence(_NOWHERE, tuple(_node(child) for child in kept))
    tag, blank, rest = kept.partition(" ") if isinstance(kept, str) else ("", "", "")
    if blank and tag in TAGS:
        return Scalar(_NOWHERE, rest, tag)
    return Scalar(_NOWHERE, rest if blank and tag == _TEXT else kept)
