"""The rules of one configuration, ready to judge.

Why an index by channel and kind: of two thousand rules nearly all name a shop, and an order should meet only its own.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from hashlib import sha256
from typing import Any

from erpsync.core.facts import FACTS, FactType, On
from erpsync.core.rules.conditions import Ask, Leaf, Node, State, Until, compile_condition, deciding_leaves, leaves, why
from erpsync.core.rules.model import (
    EFFECTS,
    NEVER,
    Because,
    Clause,
    Effects,
    Every,
    Operator,
    Outcome,
    Rule,
    Zones,
    single_effects,
)
from erpsync.core.rules.places import ZoneMap

Reason = Because | Callable[[Any, State], Because]
INDEXED = ("channel", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One rule, ready to be asked.

    Args:
        at: its place in the file.
        nodes: the parts of its condition, all of which have to hold.
        tests: what has to hold, each with the reason to give where it does not, or what finds that reason.
        keys: by fact, the words that one has to be, as far as the index knows them.
        until: when time may change its answer; None where it cannot.
        matched: the reason to give where it matches, or what finds it.
        notes: whether it understands notes.
        source: the rule as it was read.
    """

    id: str
    at: int
    node: Node
    nodes: tuple[Node, ...]
    then: Effects
    single: tuple[str, ...]
    tests: tuple[tuple[Ask, Reason], ...]
    keys: Mapping[str, Leaf]
    matched: Reason
    notes: bool
    until: Until | None
    source: Rule

    def unknown(self, facts: Any, state: State) -> list[Leaf]:
        """Return the comparisons that keep the condition from being answered."""
        nodes = [node for node in self.nodes if node.ask(facts, state) is None]
        return [leaf for node in nodes for leaf, _ in deciding_leaves(node, facts, state)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """The rules that an order of one channel and kind meets, and what is said of all rules before any is asked.

    Args:
        rules: each with its place in `because`.
    """

    rules: tuple[tuple[int, Compiled], ...]
    because: tuple[Because, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """The rules about orders, or about parcels."""

    rules: tuple[Compiled, ...]
    later: Mapping[int, Because]
    keys: Mapping[str, frozenset[str]]
    shelves: dict[tuple[str, ...], Shelf] = field(default_factory=dict, compare=False)

    def shelf(self, facts: Any) -> Shelf:
        """Return the rules that these facts meet. As many shelves come to be as channels and kinds are named."""
        key = tuple([value if (value := getattr(facts, name)) in words else "" for name, words in self.keys.items()])
        found = self.shelves.get(key)
        if found is None:
            found = self.shelves[key] = self._made(dict(zip(self.keys, key, strict=True)))
        return found

    def _made(self, key: Mapping[str, str]) -> Shelf:
        because = dict(self.later)
        met = []
        for rule in self.rules:
            missed = next((leaf for name, leaf in rule.keys.items() if key[name] not in leaf.test.words), None)
            if missed is None:
                met.append(rule)
            because[rule.at] = Because(rule=rule.id, outcome="not", clauses=(missed.clause,) if missed else ())
        places = {at: place for place, at in enumerate(sorted(because))}
        return Shelf(
            rules=tuple((places[rule.at], rule) for rule in met), because=tuple(because[at] for at in sorted(because))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """Compiled rules.

    Args:
        digest: differs when any rule, a zone or the time zone does.
        effects: what may come of the rules about orders: names of `EFFECTS`, `ask` where a person is asked, and `once`
            and `most` where gifts are limited.
        timed: whether time alone may change what the rules say of an order.
        needs: by what is judged, the names of the facts that the rules ask about; no others have to be known. With
            `address` go its recipient, with a note whether something else has understood it.
        zones: as they were read.
    """

    digest: str
    effects: frozenset[str]
    timed: bool
    needs: Mapping[On, frozenset[str]]
    ledgers: Mapping[On, Ledger]
    zone_map: ZoneMap
    zones: Zones

    @property
    def rules(self) -> tuple[Compiled, ...]:
        """All rules in the order of the file, whatever they are about."""
        return tuple(sorted((rule for ledger in self.ledgers.values() for rule in ledger.rules), key=lambda it: it.at))


def compile_book(rules: Sequence[Rule], zones: Zones, timezone: tzinfo) -> Book:
    """Return the rules ready to judge, in their order.

    Args:
        rules: as `settings.rules` reads them; facts, operators and words fit one another.
        timezone: whose clock and midnight the conditions on time mean.
    """
    text = repr((rules, sorted(zones.items()), str(timezone)))
    made = {on: [_compiled(rule, at, timezone) for at, rule in enumerate(rules) if rule.on is on] for on in EFFECTS}
    return Book(
        digest=sha256(text.encode()).hexdigest()[:12],
        effects=frozenset(name for rule in made[On.ORDER] for name in _effects(rule.then)),
        timed=any(rule.until is not None for rule in made[On.ORDER]),
        needs={on: frozenset(_needs(made[on])) for on in EFFECTS},
        ledgers={on: _ledger(on, made[on], made[On.PARCEL]) for on in EFFECTS},
        zone_map=ZoneMap(zones),
        zones=zones,
    )


def _needs(rules: Iterable[Compiled]) -> Iterable[str]:
    for rule in rules:
        for leaf in leaves(rule.node):
            yield leaf.fact.name
            if leaf.fact.name == "zone":
                yield from ("province", "city")


def _effects(then: Effects) -> Iterable[str]:
    yield from (name for name in EFFECTS[On.ORDER] if getattr(then, name))
    if then.warehouse_by:
        yield "warehouse"
    if then.ask or then.void:
        yield "ask"
    if then.gift is not None:
        yield from (limit for limit in ("once", "most") if getattr(then.gift, limit))


def _ledger(on: On, rules: Sequence[Compiled], parcels: Sequence[Compiled]) -> Ledger:
    later = parcels if on is On.ORDER else ()
    words: dict[str, set[str]] = {name: set() for name in INDEXED if FACTS[on][name].type is FactType.SINGLE}
    for rule in rules:
        for name, leaf in rule.keys.items():
            words[name].update(str(word) for word in leaf.test.words)
    return Ledger(
        rules=tuple(rules),
        later={rule.at: Because(rule=rule.id, outcome="later") for rule in later},
        keys={name: frozenset(found) for name, found in words.items()},
    )


def _compiled(rule: Rule, at: int, zone: tzinfo) -> Compiled:
    node = compile_condition(rule.when, rule.on, zone)
    nodes = node.nodes if not isinstance(node, Leaf) and node.kind is Every else (node,)
    keys = {each.fact.name: each for each in nodes if isinstance(each, Leaf) and _is_key(each)}
    known = {id(leaf) for leaf in keys.values()}
    tests = [(each.ask, _reason(rule.id, "not", each)) for each in nodes if id(each) not in known]
    if rule.from_at:
        tests.append(_window(rule.id, "from", rule.from_at))
    if rule.until_at:
        tests.append(_window(rule.id, "until", rule.until_at))
    return Compiled(
        id=rule.id,
        at=at,
        node=node,
        nodes=nodes,
        then=rule.then,
        single=single_effects(rule.then),
        tests=tuple(tests),
        keys=keys,
        matched=_reason(rule.id, "matched", node),
        notes=any(leaf.reads for leaf in leaves(node)),
        until=_until_in_window(node, rule.from_at, rule.until_at) if rule.from_at or rule.until_at else node.until,
        source=rule,
    )


def _is_key(leaf: Leaf) -> bool:
    return leaf.fact.name in INDEXED and leaf.fact.type is FactType.SINGLE and leaf.test.operator is Operator.ONE_OF


def _reason(rule: str, outcome: Outcome, node: Node) -> Reason:
    """Return why a rule matched or not by a condition, or what finds it for one that several facts may decide."""
    if isinstance(node, Leaf):
        return Because(rule=rule, outcome=outcome, clauses=(node.clause,))
    if node.kind is Every and outcome == "matched" and all(isinstance(below, Leaf) for below in node.nodes):
        return Because(rule=rule, outcome=outcome, clauses=tuple(leaf.clause for leaf in leaves(node)))
    clauses = why(node, holds=outcome == "matched")
    return lambda facts, state: Because(rule=rule, outcome=outcome, clauses=clauses(facts, state))


def _window(rule: str, word: str, at: datetime) -> tuple[Ask, Reason]:
    clause = Clause(fact="now", operator=word, word=at.isoformat())
    because = Because(rule=rule, outcome="not", clauses=(clause,))
    if word == "from":
        return lambda _, state: state.now >= at, because
    return lambda _, state: state.now < at, because


def _until_in_window(node: Node, from_at: datetime | None, until_at: datetime | None) -> Until:
    """Return what says when a rule that counts for some time only may answer otherwise."""
    ends = until_at or NEVER

    def until(facts: Any, state: State) -> datetime:
        now = state.now
        if now >= ends:
            return NEVER
        fails = node.ask(facts, state) is False
        own = node.until(facts, state) if node.until else NEVER
        if from_at and now < from_at:
            return max(from_at, own) if fails else from_at
        return own if fails else min(own, ends)

    return until


NO_RULES = compile_book((), {}, UTC)
"""The rules of a seller who has none."""
