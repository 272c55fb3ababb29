"""Of which events a route tells: a condition about events, made ready once for all that are to come."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC

from erpsync.core.facts import EventFacts, On
from erpsync.core.rules.conditions import Ask, State, compile_condition, leaves
from erpsync.core.rules.model import NEVER, Comparison, Condition, Every, Some
from erpsync.core.rules.places import ZoneMap

_NO_ZONES = ZoneMap({})
_NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """Of what a route tells.

    Args:
        condition: about events; one that asks of every event which kind it is has `kinds`.

    Attributes:
        kinds: among these are all that it holds of; one that ends in a dot means all that begin so.
        asks: names of the facts that it asks about; no others have to be known.
    """

    condition: Condition
    kinds: tuple[str, ...] = field(init=False, compare=False)
    asks: frozenset[str] = field(init=False, compare=False)
    _ask: Ask = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Make the condition ready."""
        node = compile_condition(self.condition, On.EVENT, UTC)
        object.__setattr__(self, "kinds", kinds_of(self.condition))
        object.__setattr__(self, "asks", frozenset(leaf.fact.name for leaf in leaves(node)))
        object.__setattr__(self, "_ask", node.ask)

    def holds(self, facts: EventFacts) -> bool:
        """Whether an event is told: whatever is not known of it is no reason to."""
        return self._ask(facts, State(NEVER, facts.tag, _NOTHING, _NO_ZONES)) is True


def kinds_of(condition: Condition) -> tuple[str, ...]:
    """Return kinds of events among which are all that a condition may hold of; none where it may be any."""
    if isinstance(condition, Comparison):
        return tuple(map(str, condition.words)) if condition.fact == "event" else ()
    if isinstance(condition, Every):
        return next(filter(None, map(kinds_of, condition.of)), ())
    if isinstance(condition, Some):
        return _together(map(kinds_of, condition.of))
    return ()


def _together(of: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    found = list(of)
    return tuple(dict.fromkeys(kind for kinds in found for kind in kinds)) if all(found) else ()
