"""Looks into the type annotations of pydantic models: which type stands at a path, and is it a secret or a file path.

Why annotations and not values: a literal secret is plain text in YAML; only the model knows that it is one.
"""

import types
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, SecretBytes, SecretStr

Kinds = tuple[Any, ...]

_MAPPINGS: tuple[Any, ...] = (dict, Mapping, MutableMapping)
_SEQUENCES: tuple[Any, ...] = (list, tuple, set, frozenset, Sequence, MutableSequence)


def kinds(annotation: Any) -> Kinds:
    """Return the alternatives of an annotation: unions and `Annotated` are taken apart."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return kinds(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        return tuple(kind for arg in get_args(annotation) for kind in kinds(arg))
    return (annotation,)


def models(alternatives: Kinds) -> list[type[BaseModel]]:
    """Return those alternatives that are pydantic models."""
    return [kind for kind in alternatives if isinstance(kind, type) and issubclass(kind, BaseModel)]


def keys(alternatives: Kinds) -> dict[str, Kinds]:
    """Return the keys that the models among the alternatives know, with the alternatives of each."""
    below: dict[str, Kinds] = {}
    for model in models(alternatives):
        for name, field in model.model_fields.items():
            key = field.alias or name
            below[key] = below.get(key, ()) + kinds(field.annotation)
    return below


def member(alternatives: Kinds, key: str) -> Kinds:
    """Return the alternatives of what stands under `key`; none if nothing is known about it."""
    return keys(alternatives).get(key, ()) + values(alternatives)


def values(alternatives: Kinds) -> Kinds:
    """Return the alternatives of what stands under names of the operator's own."""
    args = [get_args(kind) for kind in alternatives if get_origin(kind) in _MAPPINGS]
    return tuple(kind for arg in args for kind in kinds(arg[1]))


def item(alternatives: Kinds) -> Kinds:
    """Return the alternatives of a list's items."""
    args = [
        arg for kind in alternatives if get_origin(kind) in _SEQUENCES for arg in get_args(kind) if arg is not Ellipsis
    ]
    return tuple(kind for arg in args for kind in kinds(arg))


def at(alternatives: Kinds, path: Sequence[str | int]) -> Kinds:
    """Return the alternatives at `path` below."""
    for part in path:
        alternatives = item(alternatives) if isinstance(part, int) else member(alternatives, part)
    return alternatives


def is_secret(alternatives: Kinds) -> bool:
    """Return whether a value here is a secret."""
    return SecretStr in alternatives or SecretBytes in alternatives


def is_path(alternatives: Kinds) -> bool:
    """Return whether a value here is a file or folder."""
    return any(isinstance(kind, type) and issubclass(kind, Path) for kind in alternatives)


def is_number(alternatives: Kinds) -> bool:
    """Return whether a value here is a number or true/false and cannot be text."""
    return str not in alternatives and any(kind in (int, float, bool) for kind in alternatives)
