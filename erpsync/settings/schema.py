"""The configuration's JSON Schema for editors, and its fields for the documentation.

Why one schema for all files: an editor is told one address; a file with `connector` or `id` is a channel, one with a
list of `rules` or with `zones` holds rules.
"""

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from erpsync.settings.annotations import Kinds, item, kinds, models, values
from erpsync.settings.models import ChannelFile, Defaults, MainFile
from erpsync.settings.registry import Registry

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SCHEMA_ID = "urn:erpsync:schema:config"


class FieldDoc(NamedTuple):
    """One key for people: path (`[]` for list items, `*` for names), type, default or `required`, description."""

    path: str
    type: str
    default: str
    description: str


def schema(registry: Registry) -> dict[str, Any]:
    """Return the JSON Schema of erpsync.yaml, of rules.yaml and of channel files, with every connector's settings.

    Source: JSON Schema 2020-12; `!file` and `!cred` are YAML tags, which an editor has to be told of besides.
    """
    from erpsync.settings.rule_schema import RULES_ALONE, rules_schema

    defs: dict[str, Any] = {}
    main = _schema_of(MainFile, "erpsync", defs)
    defs["erpsync.Route"]["properties"]["when"]["$ref"] = "#/$defs/rules.on_event"
    channel = _schema_of(ChannelFile, "channel", defs)
    channel["properties"]["connector"]["enum"] = list(registry.names())
    channel["allOf"] = [_settings_rule(name, registry, defs) for name in registry.names()]
    return {
        "$schema": DIALECT,
        "$id": SCHEMA_ID,
        "title": "erpsync.yaml, rules.yaml and channels/*.yaml",
        "if": {"anyOf": [{"required": ["connector"]}, {"required": ["id"]}]},
        "then": {"$ref": "#/$defs/channel"},
        "else": {"if": RULES_ALONE, "then": {"$ref": "#/$defs/rules"}, "else": {"$ref": "#/$defs/erpsync"}},
        "$defs": {"erpsync": main, "channel": channel, **rules_schema("rules"), **defs},
    }


def _settings_rule(name: str, registry: Registry, defs: dict[str, Any]) -> dict[str, Any]:
    settings = _schema_of(registry.load(name).Settings, f"settings.{name}", defs)
    required = ["settings"] if "required" in settings else []
    return {
        "if": {"properties": {"connector": {"const": name}}, "required": ["connector"]},
        "then": {"properties": {"settings": settings}, "required": required},
    }


def _schema_of(model: type[BaseModel], prefix: str, defs: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of `model`; what it refers to goes into `defs` under `prefix`."""
    schema = model.model_json_schema(ref_template=f"#/$defs/{prefix}.{{model}}")
    defs.update({f"{prefix}.{name}": body for name, body in schema.pop("$defs", {}).items()})
    return schema


def fields() -> list[FieldDoc]:
    """Return every key of erpsync.yaml, then every key of a channel file, in the order of their models."""
    return [*connector_fields(MainFile), *connector_fields(ChannelFile)]


def connector_fields(model: type[BaseModel], prefix: str = "") -> list[FieldDoc]:
    """Return every key of a model, such as a connector's `Settings`, with those of the models it holds.

    Its own stand before those that all models of its kind have.
    """
    docs: list[FieldDoc] = []
    for name, field in sorted(model.model_fields.items(), key=lambda pair: pair[0] not in model.__annotations__):
        path = f"{prefix}{field.alias or name}"
        docs.append(FieldDoc(path, _type(field.annotation), _default(field), field.description or ""))
        if field.annotation is Defaults:
            continue
        for below, deeper in _below(kinds(field.annotation), path):
            docs += connector_fields(below, f"{deeper}.")
    return docs


def _below(alternatives: Kinds, path: str) -> Iterator[tuple[type[BaseModel], str]]:
    """Yield the models that stand at a path, in a list there or under names of the operator's own, with their paths."""
    yield from ((model, path) for model in models(alternatives))
    yield from ((model, f"{path}[]") for kind in alternatives for model in models(item((kind,))))
    if named := values(alternatives):
        yield from _below(named, f"{path}.*")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, BaseModel) else str(value)


_NAMES: dict[Any, str] = {
    int: "whole number",
    float: "number",
    str: "text",
    bool: "true/false",
    SecretStr: "secret",
    type(None): "empty",
}


def _type(annotation: Any) -> str:
    names = [_kind_name(kind) for kind in kinds(annotation)]
    return " or ".join(dict.fromkeys(names))


def _kind_name(kind: Any) -> str:
    if kind in _NAMES:
        return _NAMES[kind]
    if get_origin(kind) is Literal:
        return "|".join(str(value) for value in get_args(kind))
    if item((kind,)):
        return f"list of {_type(Union[item((kind,))])}"  # noqa: UP007 - built from a tuple
    if models((kind,)) or get_origin(kind) is dict:
        return "mapping"
    return "any" if kind is Any else str(getattr(kind, "__name__", kind)).lower()
