"""The JSON Schema of rules.yaml and of routes' conditions: keys and effects by models, conditions by the facts.

Why conditions are written from `core.facts`: an editor that underlines a mistyped fact has to know the same ones.
"""

from typing import Any

from erpsync.core.facts import FACTS, Fact, FactType, On
from erpsync.core.rules.model import EFFECTS
from erpsync.languages.codes import EVENTS
from erpsync.settings.conditions import ON_SETS, least_and_most
from erpsync.settings.rule_models import RuleKeys, RulesFile

Schema = dict[str, Any]

RULES_ALONE: Schema = {
    "anyOf": [{"required": ["zones"]}, {"properties": {"rules": {"type": "array"}}, "required": ["rules"]}]
}
"""What tells rules.yaml from erpsync.yaml, under whose `rules` stands a mapping."""

_IS_UNKNOWN: Schema = {"const": "unknown"}
_TIME: Schema = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"}
_COMPARED = (FactType.SINCE, FactType.UNTIL)


def rules_schema(name: str) -> Schema:
    """Return definitions for `$defs`: that of rules.yaml under `name`, and what it refers to under names below it.

    `NAME.on_event` is what a route's `when` may hold.
    """
    file = RulesFile.model_json_schema()
    rule = RuleKeys.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
    models = {f"{name}.{model}": body for model, body in rule.pop("$defs").items()}
    rule["required"] = ["id", "when", "then"]
    rule["allOf"] = [_when_of(on, name) for on in EFFECTS]
    file["properties"]["rules"] = {"type": "array", "items": {"$ref": f"#/$defs/{name}.rule"}}
    conditions = {f"{name}.on_{on}": _conditions(on, f"#/$defs/{name}.on_{on}") for on in On}
    return {name: file, f"{name}.rule": rule, **models, **conditions}


def _when_of(on: On, name: str) -> Schema:
    """Return that a rule about this has conditions about it; what says nothing is about orders."""
    said: Schema = {"properties": {"on": {"const": on.value}}}
    about = said if on is On.ORDER else said | {"required": ["on"]}
    return {"if": about, "then": {"properties": {"when": {"$ref": f"#/$defs/{name}.on_{on}"}}}}


def _conditions(on: On, place: str) -> Schema:
    itself = {"$ref": place}
    several = {"type": "array", "items": itself, "minItems": 1}
    facts = {name: _condition(fact) | {"description": _said(fact)} for name, fact in FACTS[on].items()}
    return _mapping({**facts, "any": several, "all": several, "not": itself})


def _said(fact: Fact) -> str:
    return f"{fact.says} In {fact.unit}." if fact.unit and fact.unit != "currency" else fact.says


def _condition(fact: Fact) -> Schema:
    """Return what may stand beside a fact."""
    bounds = {key: _number(fact) for key in ("lt", "le", "gt", "ge")}
    compared = _mapping({**bounds, "is": _IS_UNKNOWN})
    if fact.type is FactType.CLOCK:
        return _mapping({"from": _TIME, "to": _TIME}) | {"required": ["from", "to"]}
    if fact.type is FactType.EVENT:
        return {"anyOf": _word_or_words({"anyOf": [{"enum": list(EVENTS)}, {"pattern": r"^[a-z_]+\.$"}]})}
    if fact.type in (FactType.WEEKDAY, FactType.LEVEL):
        return {"anyOf": _word_or_words(_word(fact))}
    if fact.type is FactType.NOTE:
        return _mapping(
            {"contains": {"anyOf": _word_or_words(_word(fact))}, "unread": {"type": "boolean"}, "is": _IS_UNKNOWN}
        )
    if fact.type is FactType.COSTS:
        return {"type": "object", "additionalProperties": compared, "minProperties": 1}
    if fact.type in _COMPARED:
        return compared
    if fact.type in (FactType.AMOUNT, FactType.NUMBER):
        return {"anyOf": [*_word_or_words(_number(fact)), compared]}
    if fact.type is FactType.FLAG:
        return {"anyOf": [{"type": "boolean"}, _mapping({"is": _IS_UNKNOWN})]}
    words = _word_or_words(_word(fact))
    sets = {key: {"anyOf": words} for key in ON_SETS} if fact.type is FactType.WORDS else {}
    return {"anyOf": [*words, _mapping({**sets, "is": _IS_UNKNOWN})]}


def _mapping(keys: Schema) -> Schema:
    return {"type": "object", "properties": keys, "additionalProperties": False, "minProperties": 1}


def _word(fact: Fact) -> Schema:
    return {"enum": list(fact.words)} if fact.words else {"type": "string", "minLength": 1}


def _number(fact: Fact) -> Schema:
    least, most = least_and_most(fact)
    return {"type": "integer" if fact.type is FactType.NUMBER else "number", "minimum": least, "maximum": most}


def _word_or_words(word: Schema) -> list[Schema]:
    return [word, {"type": "array", "items": word, "minItems": 1}]
