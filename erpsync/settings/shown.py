"""A configuration as people are shown it: every setting as it is written, where, or that its default counts.

Made of the text that is kept of it (`kept`), in which references stay references: no secret can be shown, only where it
comes from.
"""

import json
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Tree
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from erpsync.settings.config import Config
from erpsync.settings.files import RULES
from erpsync.settings.kept import LEFT_OUT
from erpsync.settings.models import ChannelFile, MainFile
from erpsync.settings.schema import FieldDoc, connector_fields
from erpsync.settings.tree import TAGS
from erpsync.settings.written import ORDER, Written

MAIN = ""
"""Stands for erpsync.yaml where channels go by their ids; rules.yaml goes by its name, which no id can be."""

_TEXT = "!text "
_INHERITED = ("poll", "orders", "stock", "limits")
_NOTHING = ("", "required", "[]", "{}", "()")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A setting.

    Args:
        path: its keys, joined by dots.
        value: as it is written, or its default; a reference stays one.
        written: file and line; None where nobody has written it and its default counts.
        source: where a reference leads: `environment`, `file`, `credential`; `here` for a secret in the file itself.
    """

    path: str
    value: str
    written: Written | None = None
    source: str = ""

    @property
    def is_default(self) -> bool:
        """Whether nobody has written it."""
        return self.written is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A file of a configuration with its settings; `channel` is empty for erpsync.yaml, `rules.yaml` for the rules."""

    channel: str
    file: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A setting that is written otherwise in two configurations; None where it is not written at all."""

    channel: str
    path: str
    before: str | None
    after: str | None


def shown(config: Config) -> list[Shown]:
    """Return erpsync.yaml, rules and each channel's file with their settings: written ones first, in their order."""
    trees = _trees(config.kept)
    main = trees.get(MAIN, {})
    files = [Shown(channel=MAIN, file=config.written.file, settings=tuple(_of_main(config, main)))]
    if RULES in trees:
        settings = tuple(_of_rules(config, trees[RULES]))
        files.append(Shown(channel=RULES, file=config.rules.file, settings=settings))
    for channel in config.channels:
        settings = tuple(_of_channel(config, channel.id, type(channel.settings), trees.get(channel.id, {}), main))
        files.append(Shown(channel=channel.id, file=channel.file, settings=settings))
    return files


def changes(before: str, after: str) -> list[Change]:
    """Return what is written otherwise in two kept configurations, file by file."""
    old, new = _trees(before), _trees(after)
    found = []
    for channel in sorted({*old, *new}):
        one = {_dotted(path): _said(value) for path, value in _leaves(old.get(channel, {}))}
        other = {_dotted(path): _said(value) for path, value in _leaves(new.get(channel, {}))}
        found += [
            Change(channel=channel, path=path, before=one.get(path), after=other.get(path))
            for path in dict.fromkeys([*one, *other])
            if one.get(path) != other.get(path)
        ]
    return found


def _trees(kept: str) -> dict[str, Any]:
    """Return the trees of the files, by channel."""
    if not kept:
        return {}
    told = json.loads(kept)
    by_id = {str(tree.get("id", name)): tree for name, tree in told["channels"].items()}
    rules = {RULES: _by_rule(told["rules"])} if "rules" in told else {}
    return {MAIN: told["main"], **rules, **by_id}


def _by_rule(tree: Tree[str, Any]) -> dict[str, Any]:
    """Return the tree of rules.yaml with its rules by their ids: one that is put in between changes no other."""
    rules = {str(row["id"]): {key: child for key, child in row.items() if key != "id"} for row in tree.get("rules", [])}
    return {"zones": tree.get("zones", {}), ORDER: list(rules), "rules": rules}


def _of_main(config: Config, tree: Tree[str, Any]) -> Iterator[Setting]:
    place = config.written.in_main(("database",))
    where = str(config.sqlite_file) if config.sqlite_file else config.database.partition("@")[2] or "postgresql"
    yield Setting(path="database", value=where, written=place)
    written = list(_leaves(tree))
    for path, value in written:
        yield _setting(path, value, config.written.in_main(path))
    yield from _defaults(MainFile, {_dotted(path) for path, _ in written} | {"database"})


def _of_channel(
    config: Config, id: str, settings: type[BaseModel], tree: Tree[str, Any], main: Tree[str, Any]
) -> Iterator[Setting]:
    written = {_dotted(path): path for path, _ in _leaves(tree)}
    for path, value in _leaves(tree):
        yield _setting(path, value, config.written.in_channel(id, path))
    inherited = [
        (path, value)
        for path, value in _leaves(main.get("defaults") or {})
        if path[0] in _INHERITED and _dotted(path) not in written
    ]
    for path, value in inherited:
        yield _setting(path, value, config.written.in_main(("defaults", *path)))
    told = {*written, *(_dotted(path) for path, _ in inherited)}
    yield from _defaults(ChannelFile, told)
    yield from _defaults(settings, told, "settings.")


def _of_rules(config: Config, tree: Tree[str, Any]) -> Iterator[Setting]:
    for path, value in _leaves(tree):
        yield _setting(path, value, config.written.in_rules(path))


def _defaults(model: type[BaseModel], told: set[str], prefix: str = "") -> Iterator[Setting]:
    """Yield the settings of a model that nobody has written, with the defaults that count."""
    for doc in _fields(model, prefix):
        hidden = doc.path in told or "[]" in doc.path or "*" in doc.path or doc.default in _NOTHING
        if not hidden and not any(path.startswith(f"{doc.path}.") for path in told):
            yield Setting(path=doc.path, value=doc.default)


@cache
def _fields(model: type[BaseModel], prefix: str) -> tuple[FieldDoc, ...]:
    return tuple(connector_fields(model, prefix))


def _leaves(node: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the values of a tree with their paths; a list of single values is one."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from _leaves(child, (*path, key))
    elif isinstance(node, list) and any(isinstance(child, dict | list) for child in node):
        for nth, child in enumerate(node):
            yield from _leaves(child, (*path, nth))
    elif path:
        yield path, node


def _setting(path: Path, value: Any, written: Written | None) -> Setting:
    return Setting(path=_dotted(path), value=_said(value), written=written, source=_source(value))


def _source(value: Any) -> str:
    texts: Sequence[Any] = value if isinstance(value, list) else [value]
    for text in texts:
        if not isinstance(text, str):
            continue
        if text == LEFT_OUT:
            return "here"
        if text.startswith("!file "):
            return "file"
        if text.startswith("!cred "):
            return "credential"
        if "${" in text.replace("$${", ""):
            return "environment"
    return ""


def _said(value: Any) -> str:
    """Return a kept value as it is written."""
    if isinstance(value, list):
        return ", ".join(map(_said, value))
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    text = str(value)
    return text.removeprefix(_TEXT) if not text.startswith(TAGS) else text


def _dotted(path: Path) -> str:
    return ".".join(map(str, path))
