"""Reads the conditions of a rule, or of a route, from its tree; every problem at its own place.

Why not a pydantic model: which operators and words a condition takes hangs on the fact it stands under, and a union of
all of them would explain a mistyped word by what every other fact might have been.
"""

import re
from collections.abc import Collection, Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass
from decimal import Decimal
from math import isfinite

from erpsync.core.facts import FACTS, LEVELS, Fact, FactType, On, plain
from erpsync.core.rules.model import Comparison, Condition, Every, Operator, Opposite, RuleWord, Some
from erpsync.core.rules.places import PROVINCES, short_place
from erpsync.languages.codes import EVENTS
from erpsync.sdk.money import CURRENCIES
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.own_orders import OWN
from erpsync.settings.problems import Findings, Path
from erpsync.settings.tree import Mapping, Node, Place, Scalar, Sequence

MOST = 10**12
"""Beyond these nobody means what is written: amounts and counts, minutes (ten years), hours (the same)."""
_MOST_OF = {FactType.SINCE: 5_256_000, FactType.UNTIL: 87_600}
_TIME = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_BOUNDS = {"lt": Operator.LT, "le": Operator.LE, "gt": Operator.GT, "ge": Operator.GE}
ON_SETS = {"has": Operator.HAS, "any": Operator.HAS, "all": Operator.ALL, "only": Operator.ONLY}
_OPERATORS: Table[FactType, tuple[str, ...]] = {
    FactType.SINGLE: ("is",),
    FactType.PLACE: ("is",),
    FactType.WORDS: (*ON_SETS, "is"),
    FactType.NOTE: ("contains", "unread", "is"),
    FactType.AMOUNT: (*_BOUNDS, "is"),
    FactType.COSTS: (*_BOUNDS, "is"),
    FactType.NUMBER: (*_BOUNDS, "is"),
    FactType.FLAG: ("is",),
    FactType.SINCE: (*_BOUNDS, "is"),
    FactType.UNTIL: (*_BOUNDS, "is"),
    FactType.CLOCK: ("from", "to"),
    FactType.WEEKDAY: (),
    FactType.EVENT: (),
    FactType.LEVEL: (),
}
_PLAIN_FORMS = {FactType.WEEKDAY: "[DAY, …]", FactType.EVENT: "KIND or [KIND, …]", FactType.LEVEL: "LEVEL"}
_GROUPS = ("any", "all")
_DEEPEST = 2
"""`any` and `all` may stand in one another once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Names that the rest of the configuration holds; None where that cannot be told.

    Args:
        connectors: those of the channels.
    """

    channels: Collection[str] | None = None
    connectors: Collection[str] | None = None
    warehouses: Collection[str] | None = None
    rules: Collection[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """Reads the conditions of one rule or route.

    Args:
        on: what they are about.
        zones: the names of the zones of this file.
    """

    findings: Findings
    on: On
    zones: Collection[str]
    known: Known

    def read(self, node: Node, path: Path) -> Condition | None:
        """Return the condition under `when`, or None after noting what is wrong with it."""
        before = len(self.findings.found)
        condition = self._mapping(node, path, depth=0)
        failed = any(problem.severity == "error" for problem in self.findings.found[before:])
        return None if failed else condition

    def _mapping(self, node: Node, path: Path, depth: int, *, negated: bool = False) -> Condition:
        if not isinstance(node, Mapping):
            self.findings.add(node.place, path, "must be a mapping of facts")
            return Every(())
        if not node.items:
            self.findings.add(node.place, path, "is empty: name a fact")
        parts: list[Condition] = []
        for key, child in node.items.items():
            below, place = (*path, key), node.keys[key]
            if key in _GROUPS:
                parts.append(self._group(key, child, below, place, depth))
            elif key == "not":
                if negated:
                    self.findings.add(place, below, "`not` stands in `not`")
                parts.append(Opposite(self._mapping(child, below, depth, negated=True)))
            else:
                parts += self._fact(key, child, below, place)
        return parts[0] if len(parts) == 1 and depth else Every(tuple(parts))

    def _group(self, key: str, node: Node, path: Path, place: Place, depth: int) -> Condition:
        if depth >= _DEEPEST:
            self.findings.add(place, path, "`any` and `all` may stand in one another only once")
            return Every(())
        if not isinstance(node, Sequence) or not node.items:
            self.findings.add(place, path, "must be a list of mappings of facts")
            return Every(())
        below = tuple(self._mapping(child, (*path, n), depth + 1) for n, child in enumerate(node.items))
        return Some(below) if key == "any" else Every(below)

    def _fact(self, name: str, node: Node, path: Path, place: Place) -> list[Condition]:
        fact = FACTS[self.on].get(name)
        if fact is None:
            self.findings.add(place, path, self._no_such_fact(name))
            return []
        if fact.type is FactType.COSTS:
            return self._costs(fact, node, path, place)
        if isinstance(node, Mapping):
            return self._operators(fact, node, path, place)
        return self._equal(fact, node, path, place)

    def _no_such_fact(self, name: str) -> str:
        for on, facts in FACTS.items():
            if name in facts and on is not self.on:
                if On.EVENT in (on, self.on):
                    return "is a fact of events, which routes ask about" if on is On.EVENT else "is no fact of events"
                if name == "freight":
                    return (
                        "is what the buyer pays, a fact of on: order; what a courier takes is cost: {ACCOUNT: {le: 20}}"
                    )
                return f"is a fact of on: {on.value}, not of on: {self.on.value}"
        return f"no such fact{did_you_mean(name, [*FACTS[self.on], *_GROUPS, 'not']) or '; the reference lists them'}"

    def _costs(self, fact: Fact, node: Node, path: Path, place: Place) -> list[Condition]:
        if not isinstance(node, Mapping) or not node.items:
            self.findings.add(place, path, "must name a courier account: ACCOUNT: {le: 20}")
            return []
        found: list[Condition] = []
        for account, child in node.items.items():
            below = (*path, account)
            if self.known.channels is not None and account not in self.known.channels:
                hint = did_you_mean(account, self.known.channels)
                self.findings.add(node.keys[account], below, f"no channel '{account}' in channels/{hint}")
            if isinstance(child, Mapping):
                found += self._operators(fact, child, below, node.keys[account], of=account)
            else:
                self.findings.add(node.keys[account], below, "must be a comparison such as {le: 20}")
        return found

    # ---- operators ---------------------------------------------------------------------------------------------------

    def _operators(self, fact: Fact, node: Mapping, path: Path, place: Place, of: str = "") -> list[Condition]:
        if not node.items:
            self.findings.add(place, path, "is empty: say how it is compared")
        if fact.type is FactType.CLOCK:
            return self._clock(fact, node, path, place)
        found: list[Condition] = []
        for key, child in node.items.items():
            below, at = (*path, key), node.keys[key]
            if key not in _OPERATORS[fact.type]:
                self.findings.add(at, below, _no_operator(key, fact))
                continue
            test = self._operator(fact, key, child, below, at)
            if test is not None:
                found.append(Comparison(fact=fact.name, operator=test[0], words=test[1], of=of))
        return found

    def _operator(
        self, fact: Fact, key: str, node: Node, path: Path, place: Place
    ) -> tuple[Operator, tuple[RuleWord, ...]] | None:
        if key == "is":
            if isinstance(node, Scalar) and node.value == "unknown":
                return Operator.UNKNOWN, ()
            self.findings.add(place, path, "must be unknown; other values stand beside the fact itself")
            return None
        if key == "unread":
            if isinstance(node, Scalar) and isinstance(node.value, bool):
                return Operator.UNREAD, (node.value,)
            self.findings.add(place, path, "must be true or false")
            return None
        if key in _BOUNDS:
            number = self._number(fact, node, path, place)
            return None if number is None else (_BOUNDS[key], (number,))
        words = self._words(fact, node, path, place)
        operator = Operator.CONTAINS if key == "contains" else ON_SETS[key]
        return (operator, words) if words else None

    def _clock(self, fact: Fact, node: Mapping, path: Path, place: Place) -> list[Condition]:
        minutes: dict[str, int] = {}
        for key, child in node.items.items():
            if key not in _OPERATORS[FactType.CLOCK]:
                self.findings.add(node.keys[key], (*path, key), _no_operator(key, fact))
                continue
            value = child.value if isinstance(child, Scalar) else None
            match = _TIME.fullmatch(value) if isinstance(value, str) else None
            if key == "to" and value == "24:00":
                minutes[key] = 1440
            elif match is None:
                self.findings.add(node.keys[key], (*path, key), 'must be a time of day such as "22:00"')
            else:
                minutes[key] = int(match[1]) * 60 + int(match[2])
        for key in ("from", "to"):
            if key not in node.items:
                self.findings.add(place, (*path, key), "is missing")
        if len(minutes) < 2:
            return []
        if minutes["from"] % 1440 == minutes["to"] % 1440:
            self.findings.add(place, path, "from and to are the same time of day")
        return [Comparison(fact=fact.name, operator=Operator.WITHIN, words=(minutes["from"], minutes["to"]))]

    # ---- words -------------------------------------------------------------------------------------------------------

    def _equal(self, fact: Fact, node: Node, path: Path, place: Place) -> list[Condition]:
        """Return the condition of a fact with a word or a list of words beside it."""
        if fact.type in (FactType.NOTE, FactType.CLOCK, FactType.SINCE, FactType.UNTIL):
            self.findings.add(place, path, f"must say how it is compared: {_forms(fact)}")
            return []
        words = self._words(fact, node, path, place)
        operator = Operator.HAS if fact.type is FactType.WORDS else Operator.ONE_OF
        if fact.type is FactType.LEVEL and (named := [level for level in LEVELS if level in words]):
            words = LEVELS[LEVELS.index(named[0]) :]
        return [Comparison(fact=fact.name, operator=operator, words=words)] if words else []

    def _words(self, fact: Fact, node: Node, path: Path, place: Place) -> tuple[RuleWord, ...]:
        """Return the words beside a fact or an operator; none where a problem was noted."""
        if isinstance(node, Mapping):
            self.findings.add(place, path, "must be a word or a list of words")
            return ()
        items: list[tuple[Node, Path, Place]] = [(node, path, place)]
        if isinstance(node, Sequence):
            items = [(child, (*path, n), child.place) for n, child in enumerate(node.items)]
            if not items:
                self.findings.add(place, path, "is an empty list")
        words = [self._word(fact, *item) for item in items]
        return () if None in words else tuple(word for word in words if word is not None)

    def _word(self, fact: Fact, node: Node, path: Path, place: Place) -> RuleWord | None:
        if fact.type is FactType.FLAG:
            if isinstance(node, Scalar) and isinstance(node.value, bool):
                return node.value
            self.findings.add(place, path, "must be true or false")
            return None
        if fact.type in (FactType.NUMBER, FactType.AMOUNT):
            return self._number(fact, node, path, place)
        if not isinstance(node, Scalar) or not isinstance(node.value, str) or node.tag:
            quotes = ": put it in quotes" if isinstance(node, Scalar) and isinstance(node.value, int | float) else ""
            self.findings.add(place, path, f"must be text{quotes}")
            return None
        word = plain(node.value).strip()
        problem = _bad_word(word, fact)
        if problem:
            self.findings.add(place, path, problem)
            return None
        self._look_up(fact, word, path, place)
        return word

    def _number(self, fact: Fact, node: Node, path: Path, place: Place) -> Decimal | None:
        value = node.value if isinstance(node, Scalar) and not node.tag else None
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            self.findings.add(place, path, f"must be a number{_unit(fact)}")
            return None
        number = Decimal(str(value))
        least, most = least_and_most(fact)
        if number > most:
            self.findings.add(place, path, f"must be at most {most}")
        elif number < least:
            self.findings.add(place, path, f"must be at least {least}")
        elif fact.type is FactType.NUMBER and number != number.to_integral_value():
            self.findings.add(place, path, f"must be a whole number{_unit(fact)}")
        else:
            return number
        return None

    def _look_up(self, fact: Fact, word: str, path: Path, place: Place) -> None:
        """Note a word that is none of those that there are."""
        if fact.name == "zone":
            if word not in self.zones:
                self.findings.add(place, path, f"no zone '{word}' in this file{near(word, self.zones)}")
        elif fact.type is FactType.PLACE:
            if fact.name == "province" and short_place(word) not in PROVINCES:
                text = f"'{word}' is no province of China{near(word, PROVINCES)}"
                self.findings.add(place, path, text, severity="warning")
        elif fact.type is FactType.EVENT:
            if word not in EVENTS and not (word.endswith(".") and any(kind.startswith(word) for kind in EVENTS)):
                hint = did_you_mean(word, EVENTS) or "; docs/messages.md lists them"
                self.findings.add(place, path, f"no kind of event '{word}'{hint}")
        elif fact.words:
            if not _is_among(word, fact.words):
                self.findings.add(place, path, f"no such word{did_you_mean(word, fact.words) or _known(fact.words)}")
        elif fact.name == "currency" and word not in CURRENCIES:
            self.findings.add(place, path, f"'{word}' is no currency")
        else:
            self._look_up_name(fact.name, word, path, place)

    def _look_up_name(self, name: str, word: str, path: Path, place: Place) -> None:
        """Note the name of a channel, connector, warehouse or rule that the configuration does not hold."""
        names = {
            "channel": self.known.channels,
            "connector": self.known.connectors,
            "warehouse": self.known.warehouses,
            "rule": self.known.rules,
        }.get(name)
        if names is None or _is_among(word, names) or (word == OWN and name in ("channel", "connector")):
            return
        if name == "connector":
            self.findings.add(place, path, f"no channel has the connector '{word}'{near(word, names)}")
        else:
            self.findings.add(place, path, f"there is no {name} '{word}'{near(word, names)}")


def _is_among(word: str, names: Collection[str]) -> bool:
    """Whether a word is one of the names, or with a `*` at its end the beginning of one."""
    return word in names or (word.endswith("*") and any(name.startswith(word[:-1]) for name in names))


def least_and_most(fact: Fact) -> tuple[int, int]:
    """Return between which numbers a fact may be compared with."""
    most = _MOST_OF.get(fact.type, MOST)
    return (-most if fact.type is FactType.UNTIL else 0), most


def near(word: str, names: Collection[str]) -> str:
    """Return what may be meant, else what there is; of two characters one is enough."""
    return did_you_mean(word, names, cutoff=0.5) or _known(names)


def _known(names: Iterable[str]) -> str:
    return f"; known are {one_of(names)}"


def _unit(fact: Fact) -> str:
    """Return the unit in which a number of a fact is meant, as messages end with it; amounts are of their order's."""
    return f" ({fact.unit})" if fact.unit and fact.type not in (FactType.AMOUNT, FactType.COSTS) else ""


def _bad_word(word: str, fact: Fact) -> str:
    if not word:
        return "is empty"
    if fact.type is not FactType.NOTE and "*" in word:
        if fact.type is not FactType.WORDS or fact.name == "zone":
            return "must be a whole word; a `*` stands only in words for sets such as sku"
        if "*" in word[:-1]:
            return "has a `*` that is not at its end"
    return ""


def _no_operator(key: str, fact: Fact) -> str:
    operators = _OPERATORS[fact.type]
    if key == "not":
        return f"`not` stands before a fact: not: {{{fact.name}: …}}"
    hint = did_you_mean(key, operators)
    return f"{fact.name} takes no such operator{hint or f'; write {_forms(fact)}'}"


def _forms(fact: Fact) -> str:
    """Return how a fact is compared, as it is written."""
    if fact.type is FactType.CLOCK:
        return 'both from and to: {from: "22:00", to: "08:00"}'
    if fact.type is FactType.NOTE:
        return "{contains: [WORD, …]}, {unread: true} or {is: unknown}"
    if fact.type in (FactType.SINCE, FactType.UNTIL, FactType.COSTS):
        return "{lt: N}, {le: N}, {gt: N}, {ge: N} or {is: unknown}"
    if fact.type in (FactType.NUMBER, FactType.AMOUNT):
        return "N, [N, …], {lt: N}, {le: N}, {gt: N}, {ge: N} or {is: unknown}"
    if fact.type is FactType.FLAG:
        return "true, false or {is: unknown}"
    if fact.type is FactType.WORDS:
        return "[WORD, …], {has: […]}, {any: […]}, {all: […]}, {only: […]} or {is: unknown}"
    return _PLAIN_FORMS.get(fact.type, "WORD, [WORD, …] or {is: unknown}")
