"""What rules ask of people: the orders that each rule holds, and all that rules and people have made of one order.

Why every order that is shown is judged anew: what decided, and the digest an approval is bound to, are what is so now.
Only the shown page is; how many there are is said by the rows of holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection

from erpsync.core.order_holds import kind_of, rule_of
from erpsync.core.orders import KnownOrder
from erpsync.core.rules import Because, Ground, PassedOver, grounds_of
from erpsync.flows.context import Context
from erpsync.flows.rules.judging import BY_RULES, Seen, digest_of, is_judged, look_at
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.goods import goods_of
from erpsync.store.order_rules import gifts_of, marks_of
from erpsync.store.orders import read_orders
from erpsync.store.views.held import (
    HeldByRule,
    Place,
    held_by,
    held_groups,
    held_since,
)
from erpsync.store.views.marks import UNKNOWN

NO_KEYS = "what rules say cannot be looked at here: this process does not have the keys for notes and addresses"
_LACKED = {"weight_g": "weight_g", "volume_cm3": "volume_cm3", "below_floor": "floor_minor"}
"""By fact that is not known, what a SKU lacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The orders that one rule holds.

    Args:
        asks: a person has to decide; otherwise they go on by themselves.
        line: where the rule is written; empty for one that is there no more.
    """

    held: HeldByRule
    asks: bool
    line: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHold:
    """One rule's hold of one order.

    Args:
        stands: whether the rule still says so; if not, the order goes on as soon as it is looked at again.
        asks: a person may approve it.
        until_at: when it may end by itself.
        digest: of what is shown, for the approval; empty where nothing is asked.
    """

    rule: str
    text: str
    line: str
    since: datetime
    void: bool = False
    stands: bool = False
    asks: bool = False
    until_at: datetime | None = None
    digest: str = ""
    grounds: Sequence[Ground] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldPage:
    """Some of the orders that a rule holds, by row id, in order.

    Args:
        more: where the next page begins; None where there is none.
        problem: why nothing is said of what decided; empty where it is.
    """

    holds: Mapping[int, RuleHold]
    more: Place | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRules:
    """What rules have made of one order, beside its marks.

    Args:
        gifts: by rule, what became of it.
        lacking: by fact that is not known, the SKUs that lack it; none where it is not for want of one.
        problem: why nothing is said of what decided; empty where it is.
    """

    holds: Sequence[RuleHold] = ()
    gifts: Mapping[str, str] = field(default_factory=dict)
    lacking: Mapping[str, Sequence[str]] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one rule says of one order.

    Args:
        passed_over: its effects that do not count, for a rule above has them too.
    """

    because: Because
    grounds: Sequence[Ground] = ()
    passed_over: Sequence[PassedOver] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the rules say of one order now, by rule.

    Args:
        look_at: when time alone may change it.
        problem: why nothing is said; empty where it is.
    """

    rules: Mapping[str, Answer] = field(default_factory=dict)
    look_at: datetime | None = None
    problem: str = ""


def groups(ctx: Context) -> list[Group]:
    """Return what rules hold, those that ask a person first, then the oldest."""
    asking = {rule.id for rule in ctx.book.rules if rule.then.ask or rule.then.void}
    with ctx.store.read() as connection:
        found = held_groups(connection)
    rows = [Group(held=it, asks=it.rule in asking, line=ctx.rule_lines.get(it.rule, "")) for it in found]
    return sorted(rows, key=lambda group: not group.asks)


def held_page(ctx: Context, rule: str, *, size: int, after: Place | None = None) -> HeldPage:
    """Return a page of the orders that a rule holds, those that have waited longest first."""
    now = ctx.store.trusted_now()
    with ctx.store.read() as connection:
        rows = held_by(connection, rule, limit=size + 1, after=after)
        shown = rows[:size]
        orders = read_orders(connection, [row.id for row in shown])
        judged = [order for order in orders.values() if is_judged(order)]
        seen, problem = _seen(connection, ctx, judged, now)
    holds = {row.id: _hold(ctx, seen.get(row.id), rule, row.text, row.since, now) for row in shown}
    more = (shown[-1].since, shown[-1].id) if len(rows) > size else None
    return HeldPage(holds=holds, more=more, problem=problem)


def order_rules(ctx: Context, order_id: int) -> OrderRules:
    """Return what rules have made of an order, beside its marks."""
    now = ctx.store.trusted_now()
    with ctx.store.read() as connection:
        order = read_orders(connection, [order_id])[order_id]
        seen, problem = _seen(connection, ctx, [order] if is_judged(order) else [], now)
        since = held_since(connection, order_id)
        return OrderRules(
            holds=[
                _hold(ctx, seen.get(order_id), rule_of(reason), text, since.get(reason, now), now)
                for reason, text in sorted(order.holds.items())
                if kind_of(reason) in BY_RULES
            ],
            gifts={rule: state for (_, rule), state in gifts_of(connection, [order_id]).items()},
            lacking=_lacking(connection, order),
            problem=problem if any(kind_of(reason) in BY_RULES for reason in order.holds) else "",
        )


def answers(ctx: Context, order_id: int) -> Answers:
    """Return what each rule about orders says of one, and which are judged with its parcels; as if it were open."""
    now = ctx.store.trusted_now()
    with ctx.store.read() as connection:
        order = read_orders(connection, [order_id])[order_id]
        found, problem = _seen(connection, ctx, [order], now)
    if not (seen := found.get(order_id)):
        return Answers(problem=problem)
    verdict = seen.verdict
    over = {each.rule: [it for it in verdict.passed_over if it.rule == each.rule] for each in verdict.because}
    return Answers(
        rules={
            each.rule: Answer(because=each, grounds=_grounds(ctx, seen, each, now), passed_over=over[each.rule])
            for each in verdict.because
        },
        look_at=verdict.look_at,
    )


def _seen(
    connection: Connection, ctx: Context, orders: Sequence[KnownOrder], now: datetime
) -> tuple[dict[int, Seen], str]:
    """Return what the rules say of orders by id, or nothing and why it cannot be looked at here."""
    if ctx.store.vault is None:
        return {}, NO_KEYS
    try:
        return look_at(connection, ctx, orders, now=now), ""
    except (LookupError, PrivacyError):
        return {}, NO_KEYS


def _hold(ctx: Context, seen: Seen | None, rule: str, text: str, since: datetime, now: datetime) -> RuleHold:
    line = ctx.rule_lines.get(rule, "")
    hold = next((each for each in seen.holds if each.rule == rule), None) if seen else None
    if seen is None or hold is None:
        return RuleHold(rule=rule, text=text, line=line, since=since)
    because = next(each for each in seen.verdict.because if each.rule == rule)
    return RuleHold(
        rule=rule,
        text=hold.text,
        line=line,
        since=since,
        void=hold.void,
        stands=True,
        asks=hold.asks,
        until_at=hold.until_at,
        digest=digest_of(ctx, hold) if hold.asks else "",
        grounds=_grounds(ctx, seen, because, now),
    )


def _grounds(ctx: Context, seen: Seen, because: Because, now: datetime) -> list[Ground]:
    return grounds_of(ctx.book, seen.facts, seen.verdict, because, now.astimezone(ctx.timezone))


def _lacking(connection: Connection, order: KnownOrder) -> dict[str, list[str]]:
    marks = marks_of(connection, [order.id]).get(order.id, {})
    facts = sorted(name.removeprefix(UNKNOWN) for name in marks if name.startswith(UNKNOWN))
    skus = {sku_id for line in order.sold for sku_id in line.parts} if not _LACKED.keys().isdisjoint(facts) else ()
    goods = goods_of(connection, skus).values()
    return {
        fact: sorted(row["code"] for row in goods if fact in _LACKED and row[_LACKED[fact]] is None) for fact in facts
    }
