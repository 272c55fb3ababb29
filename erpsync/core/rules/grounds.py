"""Why a rule says what it says of one order: what was compared, whether it is so, and what stands there."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from erpsync.core.facts import Fact, Facts
from erpsync.core.rules.book import Book
from erpsync.core.rules.conditions import Leaf, Node
from erpsync.core.rules.model import Because, Clause, Opposite, Verdict
from erpsync.core.rules.shown import shown_value


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """A comparison that decided.

    Args:
        fact: what was compared; None for the time in which a rule counts.
        holds: whether it is so, which below a `not` is no reason for the rule but one against it; None where that is
            not known.
        value: what stands in the order or parcel; None where nobody is shown it.
    """

    clause: Clause
    fact: Fact | None
    holds: bool | None
    value: str | None


def grounds_of(book: Book, facts: Facts, verdict: Verdict, because: Because, now: datetime) -> list[Ground]:
    """Return what decided a rule about these facts, in the order of `because`.

    Args:
        verdict: what the rules say of these facts; `because` is one of its reasons.
        now: the instant of the verdict, on the clock that the rules go by.
    """
    rule = next((each for each in book.rules if each.id == because.rule), None)
    found = dict[Clause, tuple[Fact, bool]]()
    for leaf, straight in _leaves(rule.node) if rule and because.outcome != "later" else ():
        found.setdefault(leaf.clause, (leaf.fact, straight))
    matched = {"matched": True, "not": False}.get(because.outcome)
    tags = facts.tag | _tags_above(verdict, because.rule)
    grounds = []
    for clause in because.clauses:
        fact, straight = found.get(clause, (None, True))
        value = shown_value(clause, facts, tags=tags, zones=book.zone_map, now=now)
        holds = None if matched is None else matched is straight
        grounds.append(Ground(clause=clause, fact=fact, holds=holds, value=value))
    return grounds


def _tags_above(verdict: Verdict, rule: str) -> frozenset[str]:
    """Return the tags that a rule saw of the rules above it."""
    places = {because.rule: place for place, because in enumerate(verdict.because)}
    tags = (mark for mark in verdict.marks if mark.name.startswith("tag:") and places[mark.rule] < places[rule])
    return frozenset(mark.name.removeprefix("tag:") for mark in tags)


def _leaves(node: Node, *, straight: bool = True) -> Iterator[tuple[Leaf, bool]]:
    """Yield every comparison of a condition, and whether it has to hold or, below a `not`, must not."""
    if isinstance(node, Leaf):
        yield node, straight
        return
    for below in node.nodes:
        yield from _leaves(below, straight=straight is not (node.kind is Opposite))
