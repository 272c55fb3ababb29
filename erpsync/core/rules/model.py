"""What a rule says and what comes of it, as plain values.

Why a tree of conditions and not text: which fact decided, and when time will change the answer, can be said of a tree.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from erpsync.core.facts import On

NEVER = datetime.max.replace(tzinfo=UTC)
"""The instant that stands for none."""


class Operator(StrEnum):
    """How a fact is compared."""

    ONE_OF = "one of"
    LT = "lt"
    LE = "le"
    GT = "gt"
    GE = "ge"
    WITHIN = "within"
    HAS = "has"
    ALL = "all"
    ONLY = "only"
    CONTAINS = "contains"
    UNKNOWN = "unknown"
    UNREAD = "unread"


SIGNS: Mapping[Operator, str] = {Operator.LT: "<", Operator.LE: "<=", Operator.GT: ">", Operator.GE: ">="}

RuleWord = str | int | Decimal | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One fact compared with the rule's own words.

    Args:
        words: what it is compared with. `WITHIN` has two: the minute of the day it begins and the one it ends before.
            In words for sets a `*` at the end stands for whatever follows.
        of: the courier account, for a fact that has a value for each.
    """

    fact: str
    operator: Operator
    words: tuple[RuleWord, ...] = ()
    of: str = ""


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Some:
    """At least one of these holds."""

    of: tuple["Condition", ...]


@dataclass(frozen=True, slots=True)
class Opposite:
    """This is known not to hold."""

    of: "Condition"


Condition = Comparison | Every | Some | Opposite


@dataclass(frozen=True, slots=True, kw_only=True)
class GiftEffect:
    """An own line that is wanted as long as the rule matches.

    Args:
        once: `buyer` for one gift of this rule per buyer; empty for one per order.
        most: so many are given in all; None is no limit.
        short: what becomes of it without stock: `wait`, `drop`, or the SKU that is given in its place.
    """

    sku: str
    qty: int = 1
    once: Literal["", "buyer"] = ""
    most: int | None = None
    short: str = "wait"


@dataclass(frozen=True, slots=True, kw_only=True)
class PartEffect:
    """Units that leave in a parcel of their own: those whose SKU, or one of whose tags, is among the words."""

    name: str
    by: Literal["sku", "sku_tag"]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """How what a rule matches should be.

    Args:
        hold: why it must not leave; with `ask` until a person approves, else as long as the rule matches.
        void: why it is no real order; it is held until a person decides.
        carrier: couriers in order of preference.
        warehouse: warehouses in order of preference; or what they are chosen by, in `warehouse_by`.
        tell: when the shop is told that a parcel left.
    """

    hold: str = ""
    ask: bool = False
    tag: tuple[str, ...] = ()
    seal: tuple[Literal["merge", "split"], ...] = ()
    gift: GiftEffect | None = None
    carrier: tuple[str, ...] = ()
    warehouse: tuple[str, ...] = ()
    warehouse_by: Literal["", "zone", "freight"] = ""
    part: tuple[PartEffect, ...] = ()
    void: str = ""
    tell: Literal["", "left", "scan"] = ""


SINGLE = ("carrier", "warehouse", "part", "void", "tell")
"""Effects of which the first rule that has one wins; the others gather."""

EFFECTS: Mapping[On, tuple[str, ...]] = {
    On.ORDER: ("hold", "tag", "seal", "gift", *SINGLE),
    On.PARCEL: ("hold", "carrier"),
}
"""By what a rule is about, what may come of it."""


def single_effects(then: Effects) -> tuple[str, ...]:
    """Return those single effects that a rule has."""
    return tuple(name for name in SINGLE if getattr(then, name) or (name == "warehouse" and then.warehouse_by))


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule. It counts from `from_at` on and until before `until_at`."""

    id: str
    on: On = On.ORDER
    when: Condition
    then: Effects
    from_at: datetime | None = None
    until_at: datetime | None = None


Zones = Mapping[str, tuple[tuple[str, str], ...]]
"""By the name of a zone, its (province, city); an empty city is all of the province."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What decided: a fact, how it was compared, and the rule's own word. Never what stands in the order."""

    fact: str
    operator: str
    word: str = ""


Outcome = Literal["matched", "not", "unknown", "later"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """Why a rule matched or not.

    Args:
        outcome: `unknown` is no match because of facts that are not known; `later` is judged with a parcel.
        clauses: what decided it; more than one where only several do.
    """

    rule: str
    outcome: Outcome
    clauses: tuple[Clause, ...] = ()


Seen = tuple[tuple[str, str, bool], ...]
"""Facts that an approval is for: name, value as text, and whether that is private. Sorted by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A reason why an order must not leave.

    Args:
        asks: it stands until a person approves, not only as long as the rule matches.
        void: it also takes no stock and makes no release.
        until_at: when time alone may end it; None if it does not.
        seen: what is approved with it; empty where nobody is asked. Holds private texts: for `approval_digest` only.
    """

    rule: str
    text: str
    asks: bool = False
    void: bool = False
    until_at: datetime | None = None
    seen: Seen = field(default=(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something else that should be so of an order, by a name that it has once.

    Names and values: `tag:NAME` and `unknown:FACT` have none; `seal` has `merge`, `split` or both with a blank between;
    `carrier` and `warehouse` have codes with blanks between, `warehouse` also `by:zone` or `by:freight`; `part:NAME`
    has `{"sku_tag": [...]}` or `{"sku": [...]}` as JSON; `void` has its reason; `tell` has `left` or `scan`.
    """

    name: str
    value: str = ""
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gift:
    """A gift that a rule wants."""

    rule: str
    gift: GiftEffect


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A single effect that did not count because a rule above has it too."""

    rule: str
    effect: str
    won_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """All that the rules say of one order or parcel, whatever was so before.

    Args:
        because: one for each rule of this kind in the order of the file; for an order also those that are judged later.
        look_at: the first instant at which time alone may change any of it; None if it cannot.
    """

    holds: tuple[Hold, ...] = ()
    marks: tuple[Mark, ...] = ()
    gifts: tuple[Gift, ...] = ()
    because: tuple[Because, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()
    look_at: datetime | None = None


def spelled(test: Comparison) -> str:
    """Return the rule's own words of a comparison, as they are shown."""
    if test.operator is Operator.WITHIN:
        return "-".join(f"{int(minute) // 60:02}:{int(minute) % 60:02}" for minute in test.words)
    return ", ".join(_spelled(word) for word in test.words)


def _spelled(word: RuleWord) -> str:
    if isinstance(word, bool):
        return "true" if word else "false"
    return f"{word:f}" if isinstance(word, Decimal) else str(word)


def clause_of(test: Comparison) -> Clause:
    """Return a comparison as it is shown."""
    fact = f"{test.fact} {test.of}" if test.of else test.fact
    return Clause(fact=fact, operator=SIGNS.get(test.operator, test.operator.value), word=spelled(test))
