"""What the product promises by name, read from the product itself: options, commands, events, errors.

`make docs` writes all of it to docs/reference.md; `python -m tests.support.reference options` prints one table.
"""

import argparse
import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import entry_points
from types import UnionType
from typing import Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from tests.support.event_notes import EVENTS
from tests.support.sources import ROOT, modules

LEVELS = {"log", "debug", "info", "warning", "error", "exception", "critical"}
REFERENCE = ROOT / "docs" / "reference.md"
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
    """Return the options per place where they may stand: the files, then each connector's `settings`."""
    models = importlib.import_module("erpsync.settings.models")
    rules = importlib.import_module("erpsync.settings.rule_models")
    found = {
        "erpsync.yaml": list(_options(models.MainFile, "")),
        "channels/*.yaml": list(_options(models.ChannelFile, "")),
        "rules.yaml": [*_options(rules.RulesFile, ""), *_options(rules.RuleKeys, "rules[].")],
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
    if isinstance(called, ast.Name) and called.id == "level":  # level = log.warning if … else log.error
        return True
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


def metrics() -> list[tuple[str, str, str]]:
    """Return every metric with its labels and what it says."""
    tables = importlib.import_module("erpsync.web.metrics").METRICS
    process = importlib.import_module("erpsync.runtime.meters").METERS.values()
    return sorted({(each.name, _code_in_order(each.labels), each.help) for each in (*tables, *process)})


def option_tables() -> str:
    """Return the options as Markdown, one table per place."""
    return "\n\n".join(f"### {_place(place)}\n\n{_option_table(rows)}" for place, rows in options().items())


def _place(place: str) -> str:
    return place if "`" in place else f"`{place}`"


def command_table() -> str:
    """Return the commands as Markdown; the options that all of them take stand above the table."""
    found = commands()
    common = set.intersection(*map(long_options, found.values()))
    rows = (
        (f"`{name}{_positionals(parser)}`", parser.description or "", _code(long_options(parser) - common))
        for name, parser in found.items()
    )
    return f"All take {_code(common)}.\n\n{_table(('command', 'does', 'options'), rows)}"


def _positionals(parser: argparse.ArgumentParser) -> str:
    found = [action for action in parser._actions if not action.option_strings]
    return "".join(f" {action.metavar}{'…' if action.nargs == '+' else ''}" for action in found).replace("|", "\\|")


def event_table() -> str:
    """Return the log events as Markdown."""
    rows = ((f"`{name}`", EVENTS.get(name, ""), _code(set(keys))) for name, keys in events().items())
    return _table(("event", "meaning", "keys"), rows)


def metric_table() -> str:
    """Return the metrics as Markdown."""
    return _table(("metric", "labels", "meaning"), ((f"`{name}`", labels, text) for name, labels, text in metrics()))


def error_table() -> str:
    """Return the SDK's errors as Markdown."""
    return _table(("error", "meaning"), ((f"`{name}`", text) for name, text in errors().items()))


def document() -> str:
    """Return the whole of docs/reference.md."""
    parts = "\n".join(f"## {head}\n\n{text}\n\n{make()}\n" for head, text, make in CHAPTERS)
    return f"# Reference\n\nWritten by `make docs` from the product itself; do not edit.\n\n{parts}"


def _option_table(rows: list[Option]) -> str:
    cells = ((f"`{row.path}`", row.kind, row.default, row.description) for row in rows)
    return _table(("key", "type", "default", "meaning"), cells)


def _code(words: set[str]) -> str:
    return _code_in_order(sorted(words))


def _code_in_order(words: Iterable[str]) -> str:
    return " ".join(f"`{word}`" for word in words)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


CHAPTERS = (
    (
        "Commands",
        "`erpsync [--config PATH] COMMAND`. PATH is a folder with `erpsync.yaml`, or that file; without it"
        " `$ERPSYNC_CONFIG`, else `./config`, else `/etc/erpsync`. Exit codes: 0 fine, 1 a check failed or the request"
        " cannot be done, 2 wrong usage, 78 bad configuration.",
        command_table,
    ),
    (
        "Configuration",
        "Unknown keys are errors. Units stand in the key. Secrets are `${ENV}`, `!file PATH` or `!cred NAME`. Relative"
        " paths start at the folder of `erpsync.yaml`. `erpsync schema` prints the same as JSON Schema.",
        option_tables,
    ),
    (
        "Log events",
        "One record per finished unit of work, as JSON lines under systemd. Names and keys are an interface. `info` is"
        " for a shopkeeper, `warning`: the daemon copes, `error`: a person must act. Never names, phones, addresses or"
        " tokens.",
        event_table,
    ),
    ("Metrics", "`GET /metrics` in Prometheus' text format. Labels are channels, kinds and states.", metric_table),
    ("Errors of connectors", "They say who acts next; dead letters and `channel.down` carry them.", error_table),
)

if __name__ == "__main__":
    topics = {
        "options": option_tables,
        "commands": command_table,
        "events": event_table,
        "metrics": metric_table,
        "errors": error_table,
    }
    if sys.argv[1:] == ["--write"]:
        REFERENCE.parent.mkdir(exist_ok=True)
        REFERENCE.write_text(document(), encoding="utf-8")
    else:
        for topic in sys.argv[1:] or topics:
            sys.stdout.write(f"{topics[topic]()}\n\n")
