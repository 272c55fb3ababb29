"""Turns pydantic's errors into words for the operator, at the deepest place of the file that exists.

Why a table of own texts: pydantic writes for the developer of the model; the operator reads a YAML file.
"""

import re
from collections.abc import Callable, Set
from typing import Any

from pydantic import BaseModel, ValidationError

from erpsync.settings.annotations import Kinds, at, is_secret, keys
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.problems import Path
from erpsync.settings.tree import Node, Place, locate

Explained = tuple[Path, Place, str]

_MAPPING, _LIST, _WHOLE = "must be a mapping (key: value)", "must be a list", "must be a whole number"
_TEXTS: dict[str, str] = {
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "too_short": "must have a length of at least {min_length}, has {actual_length}",
    "string_too_long": "must be at most {max_length} characters long",
    "string_too_short": "must be at least {min_length} characters long",
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "string_pattern_mismatch": "must match {pattern}",
    "value_error": "{error}",
}


def explain(error: ValidationError, node: Node, model: type[BaseModel], *, hidden: Set[Path]) -> list[Explained]:
    """Return path, place and text of each error, one per path, without the values at `hidden` or secret paths."""
    texts: dict[Path, list[str]] = {}
    places: dict[Path, Place] = {}
    for detail in error.errors(include_url=False):
        path, place = locate(node, detail["loc"])  # leaves out what is not in the file, such as names of union members
        if detail["type"] == "missing":
            path = (*path, detail["loc"][-1])
        alternatives = at((model,), path)
        show = path not in hidden and not is_secret(alternatives)
        text = _text(dict(detail), (model,), path, show=show)
        places[path] = place
        texts.setdefault(path, [])
        if text not in texts[path]:
            texts[path].append(text)
    return [(path, places[path], ", or ".join(said)) for path, said in texts.items() if not _covered(path, texts)]


def _covered(path: Path, others: dict[Path, list[str]]) -> bool:
    """Return whether an error deeper down says more: a union complains once per alternative."""
    return any(len(other) > len(path) and other[: len(path)] == path for other in others) and bool(path)


def _text(detail: dict[str, Any], root: Kinds, path: Path, *, show: bool) -> str:
    kind = detail["type"]
    given = detail.get("ctx", {}).items()
    context = {name: f"{value:.12g}" if isinstance(value, float) else value for name, value in given}
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return _unknown(str(path[-1]), keys(at(root, path[:-1])))
    if kind == "literal_error" and detail["loc"][-1] == "[key]":
        return _unknown(str(path[-1]), dict.fromkeys(re.findall("'([^']+)'", context["expected"]), ()))
    text = _TEXTS[kind].format_map(context) if kind in _TEXTS else _plain_words(detail["msg"])
    if kind in ("value_error", "too_short") or not show:
        return text
    quotes = ": put it in quotes" if kind == "string_type" and isinstance(detail["input"], int | float) else ""
    return f"{text}, is {_shown(detail['input'])}{quotes}"


def _unknown(key: str, keys_known: dict[str, Kinds]) -> str:
    below = [name for name, alternatives in keys_known.items() if key in keys(alternatives)]
    if below:
        return f"unknown key; it belongs under '{below[0]}'"
    hint = did_you_mean(key, keys_known)
    return f"unknown key{hint}" if hint else f"unknown key; known are {one_of(keys_known)}"


def _plain_words(message: str) -> str:
    return message[:1].lower() + message[1:]


_SHOWN: dict[type, Callable[[Any], str]] = {
    type(None): lambda _: "empty",
    bool: lambda value: "true" if value else "false",
    str: lambda value: f"'{value}'" if len(value) <= 60 else f"'{value[:57]}…'",
    dict: lambda _: "a mapping",
    list: lambda _: "a list",
}


def _shown(value: Any) -> str:
    return _SHOWN.get(type(value), str)(value)
