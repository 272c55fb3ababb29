"""Editors get a JSON Schema, the README a list of keys; both come from the models."""

import json
from typing import Any

from erpsync.settings import FieldDoc, connector_fields, fields, installed, schema
from tests.unit.settings.builders import MarketSettings, registry


def references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"]} if "$ref" in node else set()
        return own.union(*map(references, node.values()))
    return set().union(*map(references, node)) if isinstance(node, list) else set()


def test_the_schema_names_its_dialect_and_itself() -> None:
    got = schema(registry())

    assert got["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert got["$id"] == "urn:erpsync:schema:config"


def test_the_schema_is_json_and_every_reference_leads_somewhere() -> None:
    got = json.loads(json.dumps(schema(registry())))

    assert {name.removeprefix("#/$defs/") for name in references(got)} - set(got["$defs"]) == set()


def test_a_channels_settings_follow_its_connector() -> None:
    channel = schema(registry())["$defs"]["channel"]

    assert channel["properties"]["connector"]["enum"] == ["market"]
    (rule,) = channel["allOf"]
    assert rule["if"]["properties"] == {"connector": {"const": "market"}}
    assert rule["then"]["properties"]["settings"]["required"] == ["app_key", "app_secret"]
    assert rule["then"]["properties"]["settings"]["additionalProperties"] is False


def test_every_key_is_described() -> None:
    assert [doc.path for doc in fields() if not doc.description] == []


def boundless(node: Any, path: str = "") -> set[str]:
    """Return the paths of numbers without a least or a largest value."""
    if isinstance(node, list):
        return set().union(*(boundless(each, path) for each in node))
    if not isinstance(node, dict):
        return set()
    below = set().union(*(boundless(each, f"{path}.{key}") for key, each in node.items()))
    whole = {"minimum", "exclusiveMinimum"} & node.keys() and {"maximum", "exclusiveMaximum"} & node.keys()
    return below | ({path} if node.get("type") in ("integer", "number") and not whole else set())


def test_no_number_may_be_beyond_every_calendar_and_column() -> None:
    assert boundless(schema(installed())) == set()


def test_every_description_is_one_line() -> None:
    assert [doc.path for doc in fields() if "\n" in doc.description or len(doc.description) > 100] == []


def test_keys_are_listed_with_path_type_and_default() -> None:
    listed = fields()

    assert FieldDoc("web.listen", "text", "127.0.0.1:8686", listed[4].description) in listed
    assert [doc[:3] for doc in listed if doc.path.startswith("warehouses")] == [
        ("warehouses", "list of mapping", "[]"),
        ("warehouses[].id", "text", "required"),
        ("warehouses[].priority", "whole number", "1"),
        ("warehouses[].safety_stock", "whole number", "0"),
        ("warehouses[].sellable", "true/false", "true"),
        ("warehouses[].channel", "text or empty", ""),
        ("warehouses[].desk", "true/false or mapping", "false"),
        ("warehouses[].desk.wave_min", "whole number or empty", ""),
        ("warehouses[].desk.wave_size", "whole number", "60"),
        ("warehouses[].sender", "mapping or empty", ""),
        ("warehouses[].sender.name", "text", "required"),
        ("warehouses[].sender.phone", "text", "required"),
        ("warehouses[].sender.company", "text", ""),
        ("warehouses[].sender.province", "text", "required"),
        ("warehouses[].sender.city", "text", "required"),
        ("warehouses[].sender.district", "text", ""),
        ("warehouses[].sender.address", "text", "required"),
        ("warehouses[].waybill", "ours|theirs", "theirs"),
    ]
    assert [doc[:3] for doc in listed if doc.path in ("privacy.keys", "orders.reserve", "stock.warehouses")] == [
        ("privacy.keys", "list of secret", "required"),
        ("orders.reserve", "payment|placement", "payment"),
        ("stock.warehouses", "list of text or empty", ""),
    ]


def test_a_connectors_keys_are_listed_the_same_way() -> None:
    assert connector_fields(MarketSettings)[:2] == [
        FieldDoc("app_key", "text", "required", "name of the app"),
        FieldDoc("app_secret", "secret", "required", "signs every call"),
    ]
