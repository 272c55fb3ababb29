"""What the product promises by name, read from the product itself: options, commands, events, errors.

`python -m tests.support.reference [options|commands|events|errors]` prints the tables that the README carries.
"""

import argparse
import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import UnionType
from typing import Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tests.support.sources import modules

LEVELS = {"log", "debug", "info", "warning", "error", "exception", "critical"}
REPEATED = "defaults"  # holds the same keys as a channel, described there
EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One key of the configuration; `path` as it is written, `default` as it stands in the README."""

    path: str
    kind: str
    default: str
    description: str


def options() -> dict[str, list[Option]]:
    """Return the options per place where they may stand: both files, then each connector's `settings`."""
    models = importlib.import_module("erpsync.settings.models")
    found = {
        "erpsync.yaml": list(_options(models.MainFile, "")),
        "channels/*.yaml": list(_options(models.ChannelFile, "")),
    }
    for entry in sorted(entry_points(group="erpsync.connectors"), key=lambda entry: entry.name):
        found[f"settings of `connector: {entry.name}`"] = list(_options(entry.load().Settings, ""))
    return found


def _options(model: type[BaseModel], prefix: str) -> Iterator[Option]:
    for name, field in model.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        nested = None if path == REPEATED else _nested(field.annotation)
        if nested:
            yield from _options(nested[0], f"{path}[]." if nested[1] else f"{path}.")
        else:
            yield _option(path, field)


def _nested(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """Return the model that an annotation holds, and whether it is a list of them."""
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return annotation, False
    for part in get_args(annotation):
        if found := _nested(part):
            return found[0], found[1] or get_origin(annotation) in (list, tuple)
    return None


def _option(path: str, field: FieldInfo) -> Option:
    default = field.get_default(call_default_factory=True) if not field.is_required() else None
    written = "" if default is None or default in ((), {}, []) or isinstance(default, BaseModel) else _written(default)
    return Option(
        path=path,
        kind=_kind(field.annotation),
        default="required" if field.is_required() else f"`{written}`" if written else "",
        description=field.description or "",
    )


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_written, value))}]"
    return str(value)


def _kind(annotation: Any) -> str:
    """Return a type as an operator would say it."""
    if get_origin(annotation) is Literal:
        return " \\| ".join(str(value) for value in get_args(annotation))
    if get_origin(annotation) in (Union, UnionType):
        return _kind(next(part for part in get_args(annotation) if part is not type(None)))
    if get_origin(annotation) in (list, tuple):
        return f"list of {_kind(get_args(annotation)[0])}"
    if get_origin(annotation) is dict or _nested(annotation):
        return "map"
    if hasattr(annotation, "__metadata__"):
        return _kind(get_args(annotation)[0])
    names: dict[Any, str] = {bool: "true \\| false", int: "integer", float: "number", SecretStr: "secret"}
    return names.get(annotation, "text")


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return every command with its parser, groups such as `stock` left out."""
    return dict(_commands(importlib.import_module("erpsync.cli.main").build_parser(), ""))


def _commands(parser: argparse.ArgumentParser, name: str) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, parser
    for group in groups:
        for word, child in group.choices.items():
            yield from _commands(child, f"{name} {word}".strip())


def long_options(parser: argparse.ArgumentParser) -> set[str]:
    """Return the options of a command, without `--help`."""
    names = {name for action in parser._actions for name in action.option_strings}
    return {name for name in names if name.startswith("--")} - {"--help"}


def events() -> dict[str, list[str]]:
    """Return every log event of the product with the keys that it carries."""
    found: dict[str, set[str]] = {}
    for call, name in log_calls():
        if EVENT.fullmatch(name):
            found.setdefault(name, set()).update(word.arg for word in call.keywords if word.arg)
    return {name: sorted(found[name]) for name in sorted(found)}


def log_calls() -> Iterator[tuple[ast.Call, str]]:
    """Yield every call that writes a log record with each name that it may give, as written in the call."""
    for _, tree in modules("erpsync", "connectors"):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _writes_log(node.func):
                parts = (part for argument in node.args[:2] for part in ast.walk(argument))
                yield from ((node, part.value) for part in parts if _is_text(part))


def _is_text(part: ast.AST) -> TypeGuard[ast.Constant]:
    return isinstance(part, ast.Constant) and isinstance(part.value, str)


def _writes_log(called: ast.expr) -> bool:
    if not (isinstance(called, ast.Attribute) and called.attr in LEVELS):
        return False
    owner = called.value
    name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
    return name.strip("_").lower() in {"log", "logger"}


def errors() -> dict[str, str]:
    """Return the error classes of the SDK with the first line of their docstrings."""
    module = importlib.import_module("erpsync.sdk.errors")
    classes = inspect.getmembers(module, inspect.isclass)
    return {
        name: inspect.getdoc(error).splitlines()[0] for name, error in classes if error.__module__ == module.__name__
    }


def option_tables() -> str:
    """Return the options as Markdown, one table per place."""
    return "\n\n".join(f"{place}\n\n{_option_table(rows)}" for place, rows in options().items())


def command_table() -> str:
    """Return the commands as Markdown; the options that all of them take stand above the table."""
    found = commands()
    common = set.intersection(*map(long_options, found.values()))
    rows = (
        (f"`{name}`", parser.description or "", _code(long_options(parser) - common)) for name, parser in found.items()
    )
    return f"All take {_code(common)}.\n\n{_table(('command', 'does', 'options'), rows)}"


def event_table() -> str:
    """Return the log events as Markdown."""
    return _table(("event", "keys"), ((f"`{name}`", _code(set(keys))) for name, keys in events().items()))


def error_table() -> str:
    """Return the SDK's errors as Markdown."""
    return _table(("error", "meaning"), ((f"`{name}`", text) for name, text in errors().items()))


def _option_table(rows: list[Option]) -> str:
    cells = ((f"`{row.path}`", row.kind, row.default, row.description) for row in rows)
    return _table(("key", "type", "default", "meaning"), cells)


def _code(words: set[str]) -> str:
    return " ".join(f"`{word}`" for word in sorted(words))


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    topics = {"options": option_tables, "commands": command_table, "events": event_table, "errors": error_table}
    for topic in sys.argv[1:] or topics:
        sys.stdout.write(f"{topics[topic]()}\n\n")
