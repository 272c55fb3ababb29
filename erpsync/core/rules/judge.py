"""What the rules say of one order or parcel at one instant.

Why the whole of it each time: nothing that an order went through before matters, so judging twice, late or after a
crash ends the same, and whoever stores it writes the difference.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from erpsync.core.facts import Fact, Facts, FactType, OrderFacts, Unknown, about
from erpsync.core.rules.book import Book, Compiled
from erpsync.core.rules.conditions import Leaf, State, deciding_leaves, leaves
from erpsync.core.rules.model import NEVER, Because, Effects, Gift, Hold, Mark, PassedOver, Seen, Verdict

_NOTHING: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Gathered:
    """What matching rules have said so far."""

    holds: list[Hold] = field(default_factory=list)
    marks: dict[str, Mark] = field(default_factory=dict)
    gifts: list[Gift] = field(default_factory=list)
    passed_over: list[PassedOver] = field(default_factory=list)
    sealed: dict[str, str] = field(default_factory=dict)
    won_by: dict[str, str] = field(default_factory=dict)

    def mark(self, name: str, rule: str, value: str = "") -> None:
        """Add a mark, unless a rule above has set it."""
        if name not in self.marks:
            self.marks[name] = Mark(name=name, value=value, rule=rule)

    def verdict(self, because: Iterable[Because], look_at: datetime | None) -> Verdict:
        """Return all of it."""
        if self.sealed:
            sealed = sorted(self.sealed)
            self.mark("seal", self.sealed[sealed[0]], " ".join(sealed))
        return Verdict(
            holds=tuple(self.holds),
            marks=tuple(self.marks.values()),
            gifts=tuple(self.gifts),
            because=tuple(because),
            passed_over=tuple(self.passed_over),
            look_at=look_at,
        )


def judge(book: Book, facts: Facts, now: datetime) -> Verdict:
    """Return all that the rules say of `facts` at `now`: rules in their order, each seeing the tags set above it.

    What a rule's condition does not know matches nothing and is marked `unknown:FACT`, if the rule hangs on it.
    """
    shelf = book.ledgers[about(facts)].shelf(facts)
    because = list(shelf.because)
    read = facts.notes_read if isinstance(facts, OrderFacts) else _NOTHING
    state = State(now, facts.tag, read, book.zone_map)
    gathered: _Gathered | None = None
    look_at = NEVER
    for place, rule in shelf.rules:
        until = rule.until(facts, state) if rule.until else NEVER
        look_at = min(look_at, until)
        unsure = False
        for ask, reason in rule.tests:
            answer = ask(facts, state)
            if answer is False:
                because[place] = reason if isinstance(reason, Because) else reason(facts, state)
                break
            unsure = unsure or answer is None
        else:
            gathered = gathered or _Gathered()
            if unsure:
                because[place] = _unknown(rule, facts, state, gathered)
            else:
                matched = rule.matched
                because[place] = matched if isinstance(matched, Because) else matched(facts, state)
                _apply(rule, facts, state, gathered, until)
    look = None if look_at == NEVER else look_at
    return gathered.verdict(because, look) if gathered else Verdict(because=tuple(because), look_at=look)


def approval_digest(hold: Hold, key: Callable[[str], str]) -> str:
    """Return what an approval of a hold is bound to: it is another one as soon as a fact that was seen is another.

    Args:
        key: a keyed hash. Notes, names and addresses go into the digest through it only.
    """
    seen = [[name, key(value) if private else value] for name, value, private in hold.seen]
    return sha256(json.dumps([hold.rule, seen], ensure_ascii=False).encode()).hexdigest()


def _unknown(rule: Compiled, facts: Facts, state: State, gathered: _Gathered) -> Because:
    """Return why a rule cannot be answered, after marking the facts that are missing."""
    found = rule.unknown(facts, state)
    for leaf in found:
        gathered.mark(f"unknown:{leaf.fact.name}", rule.id)
    return Because(rule=rule.id, outcome="unknown", clauses=tuple(dict.fromkeys(leaf.clause for leaf in found)))


def _apply(rule: Compiled, facts: Facts, state: State, gathered: _Gathered, until: datetime) -> None:
    """Gather the effects of a rule that matches."""
    then = rule.then
    if rule.notes:
        grounds = deciding_leaves(rule.node, facts, state)
        state.read |= {leaf.reads for leaf, answer in grounds if leaf.reads and answer}
    if then.hold or then.void:
        gathered.holds.append(_hold(rule, facts, state, until))
    for tag in then.tag:
        gathered.mark(f"tag:{tag}", rule.id)
    for what in then.seal:
        gathered.sealed.setdefault(what, rule.id)
    if then.gift:
        gathered.gifts.append(Gift(rule=rule.id, gift=then.gift))
    for effect in rule.single:
        winner = gathered.won_by.setdefault(effect, rule.id)
        if winner != rule.id:
            gathered.passed_over.append(PassedOver(rule=rule.id, effect=effect, won_by=winner))
            continue
        for name, value in _single_marks(effect, then):
            gathered.mark(name, rule.id, value)
    if then.tag:
        state.tags |= frozenset(then.tag)


def _hold(rule: Compiled, facts: Facts, state: State, until: datetime) -> Hold:
    then = rule.then
    asks = then.ask or bool(then.void)
    return Hold(
        rule=rule.id,
        text=then.hold or then.void,
        asks=asks,
        void=bool(then.void),
        until_at=None if until == NEVER else until,
        seen=_seen(_grounds(rule, facts, state), facts, state) if asks else (),
    )


def _grounds(rule: Compiled, facts: Facts, state: State) -> Iterable[Leaf]:
    """Return what an approval is for: what the rule matched on; all that it asks about where it asks about time.

    Else what was approved would be asked anew when time alone moves on from one ground to another.
    """
    if rule.node.until is not None:
        return leaves(rule.node)
    return (leaf for leaf, _ in deciding_leaves(rule.node, facts, state))


def _single_marks(effect: str, then: Effects) -> Iterable[tuple[str, str]]:
    if effect == "carrier":
        return (("carrier", " ".join(then.carrier)),)
    if effect == "warehouse":
        return (("warehouse", f"by:{then.warehouse_by}" if then.warehouse_by else " ".join(then.warehouse)),)
    if effect == "part":
        return ((f"part:{part.name}", json.dumps({part.by: part.words}, ensure_ascii=False)) for part in then.part)
    return ((effect, getattr(then, effect)),)


def _seen(grounds: Iterable[Leaf], facts: Facts, state: State) -> Seen:
    found = {}
    for leaf in grounds:
        name = f"{leaf.fact.name} {leaf.test.of}" if leaf.test.of else leaf.fact.name
        found[name] = (name, _as_seen(leaf, facts, state), leaf.fact.private)
    return tuple(found[name] for name in sorted(found))


def _as_seen(leaf: Leaf, facts: Facts, state: State) -> str:
    """Return a fact as it was seen. What runs with the clock is seen by the instant it runs from, or not at all."""
    value = _instant_of(leaf.fact, facts) if leaf.until else leaf.value(facts, state)
    text = _canonical(value)
    if leaf.fact.name == "address" and isinstance(facts, OrderFacts):
        return json.dumps([text, facts.recipient], ensure_ascii=False)
    return text


def _instant_of(fact: Fact, facts: Facts) -> Any:
    return getattr(facts, fact.field) if fact.type in (FactType.SINCE, FactType.UNTIL) else None


def _canonical(value: Any) -> str:
    """Return a value as text, equal for equal values."""
    if isinstance(value, frozenset):
        return json.dumps(sorted(value), ensure_ascii=False)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return value.value if isinstance(value, Unknown) else str(value)
