"""What rules said of an order, with what decided, as programs and people read it.

Why with the order's own values: `total >= 300` alone does not say how far from it an order is. What is private is named
and compared, and its value is None.
"""

from typing import Any

from erpsync.core.order_holds import by_rule
from erpsync.core.rules import Because, Hold, grounds_of
from erpsync.flows.context import Context
from erpsync.flows.rules.judging import Seen, digest_of
from erpsync.flows.rules.parcels import SeenParcel

Json = dict[str, Any]


def reasons_of(ctx: Context, seen: Seen) -> list[Json]:
    """Return `{id, outcome, because}` of each rule, in the order of the file."""
    return [
        {"id": because.rule, "outcome": because.outcome, "because": clauses_of(ctx, seen, because)}
        for because in seen.verdict.because
    ]


def asking(ctx: Context, seen: Seen) -> list[Json]:
    """Return what rules ask a person, each with the digest that an approval is bound to."""
    decided = {reason["id"]: reason["because"] for reason in reasons_of(ctx, seen)}
    return [
        {
            "rule": hold.rule,
            "text": hold.text,
            "void": hold.void,
            "because": decided[hold.rule],
            "digest": digest_of(ctx, hold),
        }
        for hold in seen.holds
        if hold.asks
    ]


def asked_in_words(ctx: Context, seen: Seen) -> str:
    """Return which rules ask what and why, in one line."""
    decided = {because.rule: because for because in seen.verdict.because}
    return "; ".join(_in_words(ctx, seen, hold, decided[hold.rule]) for hold in seen.holds if hold.asks)


def _in_words(ctx: Context, seen: Seen, hold: Hold, because: Because) -> str:
    return f"{hold.rule} ({hold.text}: {clauses_in_words(clauses_of(ctx, seen, because))})"


def clauses_in_words(clauses: list[Json]) -> str:
    """Return what decided as the rule has it: fact, value if it may be seen, operator, the rule's word."""
    return "; ".join(" ".join(filter(None, clause.values())) for clause in clauses)


def clauses_of(ctx: Context, seen: Seen | SeenParcel, because: Because) -> list[Json]:
    """Return what decided a rule, one `{fact, value, operator, word}` for each comparison."""
    grounds = grounds_of(ctx.book, seen.facts, seen.verdict, because, seen.at.astimezone(ctx.timezone))
    return [
        {"fact": it.clause.fact, "value": it.value, "operator": it.clause.operator, "word": it.clause.word}
        for it in grounds
    ]


def wants(seen: Seen) -> dict[str, str]:
    """Return all that should be so of an order by the rules, in words of rows: holds, marks and gifts by name."""
    named = {by_rule(hold.rule, void=hold.void): hold.text for hold in seen.holds}
    named |= {mark.name: mark.value for mark in seen.verdict.marks}
    return named | {f"gift:{each.rule}": f"{each.gift.qty}×{each.gift.sku}" for each in seen.verdict.gifts}
