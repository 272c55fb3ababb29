"""Conditions made ready to be asked: closures that say yes, no or unknown.

Why three answers: what is not known matches nothing, and neither does its opposite. `None` is the third.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal
from operator import attrgetter, ge, gt, le, lt
from typing import Any

from erpsync.core.facts import FACTS, UNKNOWN, Fact, FactType, On, Unknown, plain
from erpsync.core.rules.model import (
    NEVER,
    Clause,
    Comparison,
    Condition,
    Every,
    Operator,
    Opposite,
    RuleWord,
    Some,
    clause_of,
)
from erpsync.core.rules.places import ZoneMap, short_place
from erpsync.core.rules.times import clock_span, left_flip, since_flip

Answer = bool | None
_COMPARE: dict[Operator, Callable[[Any, Any], bool]] = {
    Operator.LT: lt,
    Operator.LE: le,
    Operator.GT: gt,
    Operator.GE: ge,
}
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1)}
_NO_ZONES_YET: Any = object()


class State:
    """What is so at one point of the way through the rules: the instant, the tags so far, the notes that were read."""

    __slots__ = ("_zones", "now", "read", "tags", "zone_map")

    def __init__(self, now: datetime, tags: frozenset[str], read: frozenset[str], zone_map: ZoneMap) -> None:
        self.now = now
        self.tags = tags
        self.read = read
        self.zone_map = zone_map
        self._zones = _NO_ZONES_YET

    def zones(self, facts: Any) -> frozenset[str] | Unknown:
        """Return the zones of the recipient."""
        if self._zones is _NO_ZONES_YET:
            self._zones = self.zone_map.of(facts.province, facts.city)
        found: frozenset[str] | Unknown = self._zones
        return found


Ask = Callable[[Any, State], Answer]
Until = Callable[[Any, State], datetime]
Value = Callable[[Any, State], Any]
Why = Callable[[Any, State], tuple[Clause, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One comparison.

    Args:
        until: when time may change its answer; None where time does not matter.
        reads: the note that is understood when it holds.
    """

    test: Comparison
    fact: Fact
    ask: Ask
    value: Value
    clause: Clause
    until: Until | None = None
    reads: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Several conditions of which all, or one, have to hold; or one that has not to."""

    kind: type[Every | Some | Opposite]
    nodes: tuple["Node", ...]
    ask: Ask
    until: Until | None


Node = Leaf | Group


def compile_condition(condition: Condition, on: On, zone: tzinfo) -> Node:
    """Return a condition ready to be asked about facts of the kind `on`; the clock is that of `zone`."""
    if isinstance(condition, Comparison):
        return _leaf(condition, FACTS[on][condition.fact], zone)
    below = (condition.of,) if isinstance(condition, Opposite) else condition.of
    nodes = tuple(compile_condition(each, on, zone) for each in below)
    # What time does not change is asked first: it decides for longer, and is cheaper.
    nodes = tuple(sorted(nodes, key=lambda node: node.until is not None))
    return _group(type(condition), nodes)


def _group(kind: type[Every | Some | Opposite], nodes: tuple[Node, ...]) -> Group:
    asks = tuple(node.ask for node in nodes)
    timed = any(node.until for node in nodes)
    if kind is Opposite:
        return Group(kind=kind, nodes=nodes, ask=_not(asks[0]), until=nodes[0].until)
    deciding = kind is Some
    return Group(
        kind=kind, nodes=nodes, ask=_join(asks, deciding), until=_joined_until(nodes, deciding) if timed else None
    )


def _not(ask: Ask) -> Ask:
    def opposite(facts: Any, state: State) -> Answer:
        answer = ask(facts, state)
        return None if answer is None else not answer

    return opposite


def _join(asks: tuple[Ask, ...], deciding: bool) -> Ask:
    """Return what asks until an answer decides alone: no for `Every`, yes for `Some`."""

    def joined(facts: Any, state: State) -> Answer:
        unsure = False
        for ask in asks:
            answer = ask(facts, state)
            if answer is deciding:
                return deciding
            unsure = unsure or answer is None
        return None if unsure else not deciding

    return joined


def _joined_until(nodes: tuple[Node, ...], deciding: bool) -> Until:
    """Return what says when a group may answer otherwise.

    While one answer decides alone, all that do so have to change; otherwise any that changes may do.
    """

    def until(facts: Any, state: State) -> datetime:
        soonest, latest = NEVER, None
        for node in nodes:
            decides = node.ask(facts, state) is deciding
            if node.until is None:
                if decides:
                    return NEVER
                continue
            if not decides and latest is not None:
                continue
            at = node.until(facts, state)
            if decides:
                latest = at if latest is None else max(latest, at)
            soonest = min(soonest, at)
        return soonest if latest is None else latest

    return until


def deciding_leaves(node: Node, facts: Any, state: State) -> Iterator[tuple[Leaf, Answer]]:
    """Yield the comparisons that make a condition say what it says, with their answers."""
    if isinstance(node, Leaf):
        yield node, node.ask(facts, state)
        return
    answer = node.ask(facts, state)
    for below in node.nodes:
        if node.kind is Opposite or below.ask(facts, state) is answer:
            yield from deciding_leaves(below, facts, state)


def why(node: Node, *, holds: bool) -> Why:
    """Return what says which comparisons decided, for a condition that holds or is known not to.

    Of several that have to hold together the first that does not decides.
    """
    if isinstance(node, Leaf):
        clauses = (node.clause,)
        return lambda facts, state: clauses
    if node.kind is Opposite:
        return why(node.nodes[0], holds=not holds)
    parts = [(below.ask, why(below, holds=holds)) for below in node.nodes]
    if (node.kind is Every) is holds:
        return lambda facts, state: tuple([clause for _, part in parts for clause in part(facts, state)])
    if holds:
        return lambda facts, state: tuple(
            [clause for ask, part in parts if ask(facts, state) for clause in part(facts, state)]
        )

    def first(facts: Any, state: State) -> tuple[Clause, ...]:
        for ask, part in parts:
            if ask(facts, state) is False:
                return part(facts, state)
        return ()

    return first


def leaves(node: Node) -> Iterator[Leaf]:
    """Yield every comparison of a condition."""
    if isinstance(node, Leaf):
        yield node
    else:
        for below in node.nodes:
            yield from leaves(below)


def _leaf(test: Comparison, fact: Fact, zone: tzinfo) -> Leaf:
    value = _value(test, fact)
    reads = fact.name if fact.type is FactType.NOTE and test.operator is Operator.CONTAINS else ""
    ask, until = _asked(test, fact, value, zone)
    return Leaf(test=test, fact=fact, ask=ask, until=until, value=value, clause=clause_of(test), reads=reads)


def _value(test: Comparison, fact: Fact) -> Value:
    if fact.name == "tag":
        return lambda _, state: state.tags
    if fact.name == "zone":
        return lambda facts, state: state.zones(facts)
    if fact.type is FactType.COSTS:
        account = test.of
        return lambda facts, _: facts.cost.get(account, UNKNOWN)
    if fact.type in (FactType.CLOCK, FactType.WEEKDAY):
        return lambda _, state: None  # said by the instant, not by the order
    get = attrgetter(fact.field)
    return lambda facts, _: get(facts)


def _asked(test: Comparison, fact: Fact, value: Value, zone: tzinfo) -> tuple[Ask, Until | None]:
    if test.operator is Operator.UNKNOWN:
        return lambda facts, state: value(facts, state) is UNKNOWN, None
    if fact.type in (FactType.CLOCK, FactType.WEEKDAY):
        span = clock_span(test, zone)
        return lambda _, state: span(state.now)[2], lambda _, state: span(state.now)[1]
    if fact.type is FactType.SINCE:
        return _since(test, attrgetter(fact.field), _UNITS[fact.unit])
    if fact.type is FactType.UNTIL:
        return _left(test, attrgetter(fact.field), _UNITS[fact.unit])
    if test.operator is Operator.UNREAD:
        return _unread(fact, wanted=bool(test.words[0])), None
    return _timeless(test, fact, value), None


def _timeless(test: Comparison, fact: Fact, value: Value) -> Ask:
    if test.operator in _COMPARE:
        return _compared(_COMPARE[test.operator], test.words[0], fact, value)
    if test.operator is Operator.CONTAINS:
        return _contains(tuple(plain(str(word)).casefold() for word in test.words), attrgetter(fact.field))
    if test.operator is Operator.ONE_OF:
        return _one_of(test, fact, value)
    return _with_known(value, _on_set(test))


def _with_known(value: Value, says: Callable[[Any], bool]) -> Ask:
    def ask(facts: Any, state: State) -> Answer:
        found = value(facts, state)
        return None if found is UNKNOWN else says(found)

    return ask


def _compared(compare: Callable[[Any, Any], bool], word: RuleWord, fact: Fact, value: Value) -> Ask:
    if isinstance(word, Decimal) and word == word.to_integral_value() and fact.type is FactType.NUMBER:
        word = int(word)
    if fact.type is FactType.COSTS:
        return _with_known(value, lambda found: compare(found, word))
    get = attrgetter(fact.field)

    def ask(facts: Any, _: State) -> Answer:
        found = get(facts)
        return None if found is UNKNOWN else compare(found, word)

    return ask


def _one_of(test: Comparison, fact: Fact, value: Value) -> Ask:
    if fact.type is FactType.PLACE:
        places = frozenset(short_place(str(word)) for word in test.words)
        return _with_known(value, lambda found: short_place(found) in places)
    if fact.type is FactType.EVENT:
        return _kind_of_event(tuple(map(str, test.words)), attrgetter(fact.field))
    words = frozenset(plain(word) if isinstance(word, str) else word for word in test.words)
    if fact.type is FactType.COSTS:
        return _with_known(value, words.__contains__)
    get = attrgetter(fact.field)

    def ask(facts: Any, _: State) -> Answer:
        found = get(facts)
        return None if found is UNKNOWN else found in words

    return ask


def _kind_of_event(words: tuple[str, ...], get: Callable[[Any], str]) -> Ask:
    exact = frozenset(word for word in words if not word.endswith("."))
    starts = tuple(word for word in words if word.endswith("."))

    def ask(facts: Any, _: State) -> Answer:
        kind = get(facts)
        return kind in exact or kind.startswith(starts)

    return ask


def _contains(words: tuple[str, ...], get: Callable[[Any], Any]) -> Ask:
    def ask(facts: Any, _: State) -> Answer:
        note = get(facts)
        if note is UNKNOWN:
            return None
        if not note:
            return False
        folded = note.casefold()
        return any(word in folded for word in words)

    return ask


def _unread(fact: Fact, *, wanted: bool) -> Ask:
    get, name = attrgetter(fact.field), fact.name

    def ask(facts: Any, state: State) -> Answer:
        note = get(facts)
        if note is UNKNOWN:
            return None
        return (bool(note.strip()) and name not in state.read) is wanted

    return ask


def _on_set(test: Comparison) -> Callable[[frozenset[str]], bool]:
    words = [plain(str(word)) for word in test.words]
    exact = frozenset(word for word in words if not word.endswith("*"))
    starts = tuple(word[:-1] for word in words if word.endswith("*"))
    if test.operator is Operator.HAS:
        if not starts:
            return lambda found: not exact.isdisjoint(found)
        return lambda found: not exact.isdisjoint(found) or any(each.startswith(starts) for each in found)
    if test.operator is Operator.ALL:
        return lambda found: exact <= found and all(any(each.startswith(start) for each in found) for start in starts)
    # Of nothing nothing is said: an order without tags is not one that has only this tag.
    return lambda found: bool(found) and all(each in exact or each.startswith(starts) for each in found)


def _since(test: Comparison, get: Callable[[Any], Any], unit: timedelta) -> tuple[Ask, Until]:
    length, before = since_flip(test.operator, Decimal(str(test.words[0])), unit)

    def ask(facts: Any, state: State) -> Answer:
        at = get(facts)
        if at is None:
            return False
        return None if at is UNKNOWN else (state.now - at >= length) is not before

    return ask, _instant(get, length)


def _left(test: Comparison, get: Callable[[Any], Any], unit: timedelta) -> tuple[Ask, Until]:
    length, before = left_flip(test.operator, Decimal(str(test.words[0])), unit)

    def ask(facts: Any, state: State) -> Answer:
        at = get(facts)
        if at is None:
            return False
        return None if at is UNKNOWN else (at - state.now <= length) is not before

    return ask, _instant(get, -length)


def _instant(get: Callable[[Any], Any], length: timedelta) -> Until:
    """Return what says when a length of time from an instant is over, if it is not yet."""

    def until(facts: Any, state: State) -> datetime:
        at = get(facts)
        if at is None or at is UNKNOWN or at - state.now + length <= timedelta(0):
            return NEVER
        return at + length if at - NEVER < -length else NEVER

    return until
