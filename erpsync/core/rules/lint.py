"""What is wrong with conditions and rules by themselves: what can match nothing, and effects that never count.

Why sound and not complete: what is said is sure; what would take a proof is left alone. Conditions are taken apart into
their ways to hold (a disjunction of conjunctions), and facts are compared one by one.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

from erpsync.core.facts import FACTS, Fact, FactType, On
from erpsync.core.rules.model import (
    NEVER,
    Comparison,
    Condition,
    Operator,
    Opposite,
    Rule,
    Some,
    Zones,
    single_effects,
)
from erpsync.core.rules.places import short_place

MOST_WAYS = 256
"""A condition with more ways to hold is not judged."""

_BOUNDS = (Operator.LT, Operator.LE, Operator.GT, Operator.GE)
_NOT = {Operator.LT: Operator.GE, Operator.LE: Operator.GT, Operator.GT: Operator.LE, Operator.GE: Operator.LT}
_RUNNING = (FactType.SINCE, FactType.UNTIL)
_ALL_DAY = (1 << 1440) - 1

Literal = tuple[Comparison, bool]
"""A comparison, and whether it holds or is known not to."""

Way = frozenset[Literal]
"""Comparisons that hold together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """A single effect that never counts: a rule above has it wherever this one matches; both by place in the file."""

    rule: int
    effect: str
    above: int


def never_match(when: Condition, on: On, zones: Zones) -> str:
    """Return the fact that keeps a condition from ever holding, as its name; empty where it may hold."""
    ways = _ways(when)
    if not ways:
        return ""
    found = [_impossible(way, on, zones) for way in ways]
    return found[0] if all(found) else ""


def shadowed(rules: Sequence[Rule]) -> list[Shadow]:
    """Return the single effects that never count, in the order of the rules."""
    found = []
    above: dict[tuple[On, str], _Above] = {}
    for at, rule in enumerate(rules):
        ways = _ways(rule.when)
        for effect in single_effects(rule.then):
            known = above.setdefault((rule.on, effect), _Above({}))
            coverer = known.covering(rule, ways, rules)
            if coverer is None:
                known.add(at, ways)
            else:
                found.append(Shadow(rule=at, effect=effect, above=coverer))
    return found


@dataclass(frozen=True, slots=True)
class _Above:
    """The rules above that have one effect, found by one word that they ask for."""

    by_word: dict[tuple[str, object], list[tuple[int, Way]]]

    def add(self, at: int, ways: list[Way]) -> None:
        """Add a rule."""
        for way in ways:
            for key in _filed_under(way):
                self.by_word.setdefault(key, []).append((at, way))

    def covering(self, rule: Rule, ways: list[Way], rules: Sequence[Rule]) -> int | None:
        """Return the first rule that matches wherever this one does."""
        coverers: set[int] = set()
        for number, way in enumerate(ways):
            candidates = [each for key in _asked_for(way) for each in self.by_word.get(key, ())]
            covering = {at for at, other in candidates if _lasts(rules[at], rule) and _covers(other, way, rule.on)}
            coverers = covering if number == 0 else coverers & covering
        return min(coverers, default=None)


_ANYWHERE = ("", "")


def _filed_under(way: Way) -> list[tuple[str, object]]:
    named = sorted((test.fact, test.words) for test, holds in way if holds and test.operator is Operator.ONE_OF)
    return [(named[0][0], _same(named[0][0], word)) for word in named[0][1]] if named else [_ANYWHERE]


def _asked_for(way: Way) -> list[tuple[str, object]]:
    words = [(test.fact, test.words[0]) for test, holds in way if holds and test.operator is Operator.ONE_OF]
    return [_ANYWHERE, *((fact, _same(fact, word)) for fact, word in words)]


def _same(fact: str, word: object) -> object:
    return short_place(word) if isinstance(word, str) and fact in ("province", "city") else word


def _lasts(above: Rule, rule: Rule) -> bool:
    """Whether a rule is in force whenever another one is."""
    first = datetime.min.replace(tzinfo=UTC)
    return (above.from_at or first) <= (rule.from_at or first) and (above.until_at or NEVER) >= (rule.until_at or NEVER)


def _ways(condition: Condition) -> list[Way]:
    """Return the ways for a condition to hold; none where they are too many."""
    try:
        return list(_taken_apart(condition, holds=True))
    except OverflowError:
        return []


def _taken_apart(condition: Condition, *, holds: bool) -> Iterator[Way]:
    if isinstance(condition, Comparison):
        yield frozenset({(condition, holds)})
    elif isinstance(condition, Opposite):
        yield from _taken_apart(condition.of, holds=not holds)
    elif isinstance(condition, Some) is holds:
        for each in condition.of:
            yield from _taken_apart(each, holds=holds)
    else:
        parts = [list(_taken_apart(each, holds=holds)) for each in condition.of]
        count = 1
        for part in parts:
            count *= len(part)
        if count > MOST_WAYS:
            raise OverflowError
        for chosen in product(*parts):
            yield frozenset().union(*chosen)


def _by_fact(way: Iterable[Literal]) -> Mapping[tuple[str, str], list[Literal]]:
    found: dict[tuple[str, str], list[Literal]] = {}
    for test, holds in way:
        found.setdefault((test.fact, test.of), []).append((test, holds))
    return found


def _impossible(way: Way, on: On, zones: Zones) -> str:
    """Return a fact that cannot be as this way to hold wants it."""
    by_fact = _by_fact(way)
    for (name, _), literals in sorted(by_fact.items()):
        if _contradict(literals, FACTS[on][name]):
            return name
    places = _allowed(by_fact.get(("province", ""), []))
    wanted = [test for test, holds in by_fact.get(("zone", ""), []) if holds and test.operator is Operator.HAS]
    for test in wanted:
        provinces = {short_place(province) for zone in test.words for province, _ in zones.get(str(zone), ())}
        if places is not None and not provinces & {short_place(str(word)) for word in places}:
            return "zone"
    return ""


def _contradict(literals: Sequence[Literal], fact: Fact) -> bool:
    unknown = [holds for test, holds in literals if test.operator is Operator.UNKNOWN]
    if True in unknown and len(literals) > unknown.count(True):
        return True
    if any((test, not holds) in literals for test, holds in literals):
        return True
    if fact.type is FactType.CLOCK:
        return not _minutes(literals)
    if fact.type is FactType.FLAG and _allowed(literals) is None:
        barred = {word for test, holds in literals if not holds for word in test.words}
        return {True, False} <= barred
    if fact.type is FactType.WORDS:
        return _sets_contradict(literals)
    if fact.type is FactType.EVENT:
        return _kinds_contradict(literals)
    if fact.type in _RUNNING and not _is_there(literals):
        return False
    low, high = _interval(literals)
    if low is not None and high is not None and (low[0] > high[0] or (low[0] == high[0] and (low[1] or high[1]))):
        return True
    allowed = _allowed(literals)
    return allowed is not None and not any(_inside(word, low, high) for word in allowed)


def _allowed(literals: Iterable[Literal]) -> set[object] | None:
    """Return the words that a fact may be, None where any."""
    allowed: set[object] | None = None
    barred: set[object] = set()
    for test, holds in literals:
        if test.operator is Operator.ONE_OF:
            words = {_same(test.fact, word) for word in test.words}
            if holds:
                allowed = words if allowed is None else allowed & words
            else:
                barred |= words
    return None if allowed is None else allowed - barred


def _is_there(literals: Iterable[Literal]) -> bool:
    """Whether there must be an instant: to be known not to be before a limit, an order need not be paid at all."""
    return any(holds and test.operator in _BOUNDS for test, holds in literals)


Bound = tuple[Decimal, bool]
"""A number, and whether it is left out itself."""


def _interval(literals: Iterable[Literal]) -> tuple[Bound | None, Bound | None]:
    """Return the lower and the upper bound of a number."""
    low: Bound | None = None
    high: Bound | None = None
    for test, holds in literals:
        if test.operator not in _BOUNDS:
            continue
        operator = test.operator if holds else _NOT[test.operator]
        bound = (Decimal(str(test.words[0])), operator in (Operator.LT, Operator.GT))
        if operator in (Operator.GT, Operator.GE):
            low = bound if low is None else max(low, bound)
        else:
            high = bound if high is None else min(high, bound, key=lambda each: (each[0], not each[1]))
    return low, high


def _inside(word: object, low: Bound | None, high: Bound | None) -> bool:
    if isinstance(word, str | bool):
        return True
    number = Decimal(str(word))
    above = low is None or number > low[0] or (number == low[0] and not low[1])
    below = high is None or number < high[0] or (number == high[0] and not high[1])
    return above and below


def _minutes(literals: Iterable[Literal]) -> int:
    """Return the minutes of the day that are left, as bits."""
    left = _ALL_DAY
    for test, holds in literals:
        if test.operator is Operator.WITHIN:
            begin, end = (int(word) for word in test.words)
            inside = (1 << end) - (1 << begin) if begin < end else _ALL_DAY ^ ((1 << begin) - (1 << end))
            left &= inside if holds else _ALL_DAY ^ inside
    return left


def _kinds_contradict(literals: Sequence[Literal]) -> bool:
    """Whether no kind of event is meant by all that it has to be, and by nothing that it must not be."""
    wanted = [[_starts(word) for word in test.words] for test, holds in literals if holds]
    barred = [_starts(word) for test, holds in literals if not holds for word in test.words]
    return any(not any(_may_meet(word, others) for word in words) for words in wanted for others in wanted) or any(
        all(_matched_by(word, barred) for word in words) for words in wanted
    )


def _starts(kind: object) -> str:
    return f"{kind}*" if str(kind).endswith(".") else str(kind)


def _sets_contradict(literals: Sequence[Literal]) -> bool:
    needed = [(test.words, test.operator) for test, holds in literals if holds and test.operator is not Operator.ONLY]
    only = [test.words for test, holds in literals if holds and test.operator is Operator.ONLY]
    barred = [test.words for test, holds in literals if not holds and test.operator is Operator.HAS]
    for words, operator in needed:
        choose = all if operator is Operator.HAS else any
        for others in only:
            if choose(not _may_meet(str(word), others) for word in words):
                return True
        for others in barred:
            if choose(_matched_by(str(word), others) for word in words):
                return True
    return False


def _may_meet(word: str, others: Iterable[object]) -> bool:
    """Whether something can be meant both by a word and by one of others."""
    for other in map(str, others):
        short, long = sorted((word, other), key=lambda each: len(each.removesuffix("*")))
        if word == other or (short.endswith("*") and long.startswith(short[:-1])):
            return True
    return False


def _matched_by(word: str, others: Iterable[object]) -> bool:
    """Whether all that a word means is meant by one of others."""
    return any(
        word == other or (other.endswith("*") and word.removesuffix("*").startswith(other[:-1]))
        for other in map(str, others)
    )


def _covers(above: Way, way: Way, on: On) -> bool:
    """Whether whatever holds in one way holds in the one above too."""
    if not {test.fact for test, _ in above} <= {test.fact for test, _ in way}:
        return False
    by_fact = _by_fact(way)
    return all(_implied(each, by_fact.get((each[0].fact, each[0].of), []), FACTS[on][each[0].fact]) for each in above)


def _implied(literal: Literal, known: Sequence[Literal], fact: Fact) -> bool:
    test, holds = literal
    # Between two rules tags are added and notes are read: the same words ask for something else.
    if fact.name == "tag" or test.operator is Operator.UNREAD:
        return False
    if literal in known:
        return True
    if fact.type in _RUNNING and holds and not _is_there(known):
        return False
    if test.operator is Operator.ONE_OF and holds:
        allowed = _allowed(known)
        return allowed is not None and allowed <= {_same(test.fact, word) for word in test.words}
    if test.operator in _BOUNDS:
        low, high = _interval(known)
        wanted_low, wanted_high = _interval([literal])
        if wanted_low is not None:
            return low is not None and low >= wanted_low
        return high is not None and (high[0], not high[1]) <= (wanted_high[0], not wanted_high[1])  # type: ignore[index]
    if test.operator is Operator.WITHIN:
        narrow = _minutes(known)
        return any(each.operator is Operator.WITHIN for each, _ in known) and not narrow & ~_minutes([literal])
    if test.operator is Operator.HAS and holds:
        return any(_says(each, test.words) for each, positive in known if positive)
    if test.operator is Operator.CONTAINS and holds:
        return any(
            all(any(str(word) in str(longer) for word in test.words) for longer in each.words)
            for each, positive in known
            if positive and each.operator is Operator.CONTAINS
        )
    return False


def _says(test: Comparison, words: Sequence[object]) -> bool:
    if test.operator is Operator.HAS:
        return all(_matched_by(str(word), words) for word in test.words)
    return test.operator is Operator.ALL and any(_matched_by(str(word), words) for word in test.words)
