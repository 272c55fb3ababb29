"""What stands in an order where a rule compares it, as people may see it.

Why apart from judging: a verdict is stored and logged and holds no value of an order; who looks at one is shown them,
but never what people wrote or are called.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from erpsync.core.facts import FACTS, UNKNOWN, WEEKDAYS, Fact, Facts, FactType, about
from erpsync.core.rules.model import Clause
from erpsync.core.rules.places import ZoneMap

NONE = "-"
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1)}


def shown_value(clause: Clause, facts: Facts, *, tags: frozenset[str], zones: ZoneMap, now: datetime) -> str | None:
    """Return what an order or parcel has where a clause compares it; None where that is private.

    Args:
        tags: those that the rule saw: of people, and of the rules above it.
        now: the instant of the verdict, on the clock that the rules go by.
    """
    name, _, of = clause.fact.partition(" ")
    fact = FACTS[about(facts)].get(name)
    if fact is None:  # `from` or `until` of the rule itself
        return now.isoformat(timespec="minutes")
    return None if fact.private else _spelled(_value(fact, of, facts, tags, zones, now))


def _value(fact: Fact, of: str, facts: Facts, tags: frozenset[str], zones: ZoneMap, now: datetime) -> Any:
    match fact.type:
        case FactType.CLOCK:
            return now.strftime("%H:%M")
        case FactType.WEEKDAY:
            return WEEKDAYS[now.weekday()]
        case FactType.COSTS:
            return getattr(facts, fact.field).get(of, UNKNOWN)
    if fact.name == "tag":
        return tags
    if fact.name == "zone":
        return zones.of(facts.province, facts.city)
    value = getattr(facts, fact.field)
    if not isinstance(value, datetime):
        return value
    passed = now - value if fact.type is FactType.SINCE else value - now
    return passed // _UNITS[fact.unit]  # whole ones, rounded down: just before it flips a limit is not reached yet


def _spelled(value: Any) -> str:
    if value is UNKNOWN:
        return "unknown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, frozenset):
        return ", ".join(sorted(value)) or NONE
    if isinstance(value, Decimal):
        return f"{value:f}"
    return NONE if value is None or value == "" else str(value)
