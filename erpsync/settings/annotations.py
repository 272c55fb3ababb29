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


def models(found: Kinds) -> list[type[BaseModel]]:
    """Return those alternatives that are pydantic models."""
    return [kind for kind in found if isinstance(kind, type) and issubclass(kind, BaseModel)]


def keys(found: Kinds) -> dict[str, Kinds]:
    """Return the keys that the models among the alternatives know, with the alternatives of each."""
    known: dict[str, Kinds] = {}
    for model in models(found):
        for name, field in model.model_fields.items():
            key = field.alias or name
            known[key] = known.get(key, ()) + kinds(field.annotation)
    return known


def member(found: Kinds, key: str) -> Kinds:
    """Return the alternatives of what stands under `key`; none if nothing is known about it."""
    values = [get_args(kind) for kind in found if get_origin(kind) in _MAPPINGS]
    return keys(found).get(key, ()) + tuple(kind for args in values for kind in kinds(args[1]))


def item(found: Kinds) -> Kinds:
    """Return the alternatives of a list's items."""
    args = [arg for kind in found if get_origin(kind) in _SEQUENCES for arg in get_args(kind) if arg is not Ellipsis]
    return tuple(kind for arg in args for kind in kinds(arg))


def at(found: Kinds, path: Sequence[str | int]) -> Kinds:
    """Return the alternatives at `path` below."""
    for part in path:
        found = item(found) if isinstance(part, int) else member(found, part)
    return found


def is_secret(found: Kinds) -> bool:
    """Return whether a value here is a secret."""
    return SecretStr in found or SecretBytes in found


def is_path(found: Kinds) -> bool:
    """Return whether a value here is a file or folder."""
    return any(isinstance(kind, type) and issubclass(kind, Path) for kind in found)


def is_number(found: Kinds) -> bool:
    """Return whether a value here is a number or true/false and cannot be text."""
    return str not in found and any(kind in (int, float, bool) for kind in found)
