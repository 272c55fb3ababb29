"""Orders and rules as they are shown together: an order with what rules say of it, rules with what they do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection

from erpsync.core.facts import On
from erpsync.core.order_holds import kind_of, rule_of
from erpsync.core.rules import Effects
from erpsync.flows.audit.said import Json, asking, reasons_of, wants
from erpsync.flows.audit.trial import Coverage, HoldsChange
from erpsync.flows.context import Context
from erpsync.flows.rules.facts import TO_LEAVE
from erpsync.flows.rules.judging import Seen, is_judged, look_at
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.order_rules import gifts_of
from erpsync.store.orders import read_orders
from erpsync.store.views import find_order, iso, show_order
from erpsync.store.views.held import held_by_rules
from erpsync.store.views.marks import wanted_by_rules


def show_ruled(ctx: Context, order: str) -> Json:
    """Return one order as `show_order` does, with what the rules in force say of it now.

    `rules` is empty where they are not asked, because nothing has still to leave, and None where the keys at hand do
    not open what they ask about.
    """
    with ctx.store.read() as connection:
        shown = show_order(connection, order)
        return shown | {"rules": _rules_of(ctx, connection, order)}


def _rules_of(ctx: Context, connection: Connection, name: str) -> list[Json] | None:
    if not ctx.book.effects:
        return []
    if ctx.store.vault is None:
        return None
    id = find_order(connection, name)
    order = read_orders(connection, [id])[id]
    if not is_judged(order):
        return []
    try:
        seen = look_at(connection, ctx, [order], now=ctx.store.trusted_now())[id]
    except PrivacyError:
        return None
    return reasons_of(ctx, seen)


def show_asking(ctx: Context, order: str) -> list[Json]:
    """Return what rules ask a person of an order, with the digests that an approval is bound to."""
    with ctx.store.read() as connection:
        id = find_order(connection, order)
        known = read_orders(connection, [id])[id]
        if not is_judged(known):
            return []
        return asking(ctx, look_at(connection, ctx, [known], now=ctx.store.trusted_now())[id])


def try_order(ctx: Context, order: str, other: Context | None = None) -> Json:
    """Return what rules say of an order now, rule by rule; those in force if no others are given.

    Of an order of which nothing has still to leave it is what they would say.

    Args:
        other: the same context with other rules; then `differs` says what they would begin and end.
    """
    tried = other or ctx
    with ctx.store.read() as connection:
        id = find_order(connection, order)
        known = read_orders(connection, [id])[id]
        now = ctx.store.trusted_now()
        seen = look_at(connection, tried, [known], now=now)[id]
        gifts = {rule: state for (_, rule), state in gifts_of(connection, [id]).items()}
        in_force = None if other is None else look_at(connection, ctx, [known], now=now)[id]
    said = {
        "order": known.number,
        "judged": is_judged(known),
        "at": iso(now),
        "look_at": None if seen.verdict.look_at is None else iso(seen.verdict.look_at),
        "rules": [
            {**reason, **_come_of(seen, reason["id"], gifts), "written": tried.rule_lines.get(reason["id"])}
            for reason in reasons_of(tried, seen)
        ],
    }
    return said if in_force is None else said | {"differs": _differs(wants(in_force), wants(seen))}


def _come_of(seen: Seen, rule: str, gifts: dict[str, str]) -> Json:
    verdict = seen.verdict
    hold = next((hold for hold in verdict.holds if hold.rule == rule), None)
    gift = next((each.gift for each in verdict.gifts if each.rule == rule), None)
    return {
        "hold": None
        if hold is None
        else {
            "text": hold.text,
            "asks": hold.asks,
            "void": hold.void,
            "approved": rule in seen.approved,
            "until_at": None if hold.until_at is None or hold.asks else iso(hold.until_at),
        },
        "marks": [{"name": mark.name, "value": mark.value} for mark in verdict.marks if mark.rule == rule],
        "gift": None if gift is None else {"sku": gift.sku, "qty": gift.qty, "state": gifts.get(rule)},
        "passed_over": [
            {"effect": each.effect, "won_by": each.won_by} for each in verdict.passed_over if each.rule == rule
        ],
    }


def _differs(before: dict[str, str], after: dict[str, str]) -> Json:
    """Return what other rules would begin and end; what would have another value is in both."""
    return {
        "begins": [_named(name, after) for name in sorted(after) if before.get(name) != after[name]],
        "ends": [_named(name, before) for name in sorted(before) if after.get(name) != before[name]],
    }


def _named(name: str, wanted: dict[str, str]) -> Json:
    return {"name": name, "value": wanted[name]}


def list_rules(ctx: Context) -> list[Json]:
    """Return the rules in the order of their file, each with how many open orders it holds, and wants anything of."""
    with ctx.store.read() as connection:
        held, wanted = held_by_rules(connection), wanted_by_rules(connection, TO_LEAVE)
    return [
        {
            "id": id,
            "about": on.value,
            "then": then,
            "written": ctx.rule_lines.get(id),
            "holds": held[id],
            "wants": wanted[id],
        }
        for id, on, then in _rules(ctx)
    ]


def _rules(ctx: Context) -> list[tuple[str, On, Json]]:
    found = [
        (rule.at, rule.id, on, _effects(rule.then)) for on, ledger in ctx.book.ledgers.items() for rule in ledger.rules
    ]
    return [(id, on, then) for _, id, on, then in sorted(found, key=lambda each: each[0])]


def _effects(then: Effects) -> Json:
    """Return what comes of a rule, by the keys that it is written with."""
    said = {name: _plain(value) for name, value in _given(then) if name not in ("gift", "part", "warehouse_by")}
    if then.warehouse_by:
        said["warehouse"] = {"by": then.warehouse_by}
    if then.gift:
        said["gift"] = dict(_given(then.gift))
    if then.part:
        said["part"] = {part.name: {part.by: list(part.words)} for part in then.part}
    return said


def _given(of: Any) -> Iterator[tuple[str, Any]]:
    """Yield what is said of an effect, by name."""
    return ((each.name, value) for each in fields(of) if (value := getattr(of, each.name)))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def show_coverage(ctx: Context, found: Coverage) -> Json:
    """Return what the rules about orders and parcels do with the newest orders, as numbers."""
    rules = []
    for id, on, _ in _rules(ctx):
        said = found.outcomes.get(id, Counter())
        counts = {name: said.get(name, 0) for name in ("matched", "not", "unknown", "later")}
        rules.append({"id": id, "about": on.value, **counts})
    return {"orders": found.orders, "untouched": found.untouched, "rules": rules}


def show_change(found: HoldsChange, *, most: int) -> Json:
    """Return how other rules would hold open orders, most changed first.

    Args:
        most: a reload that would change the holds of more open orders is refused.
    """
    reasons = sorted(found.begin + found.end, key=lambda reason: (-found.begin[reason] - found.end[reason], reason))
    return {
        "open": found.open,
        "changed": found.changed,
        "most_changed": most,
        "refused": found.changed > most,
        "rules": [
            {
                "id": rule_of(reason),
                "hold": kind_of(reason),
                "begins": found.begin[reason],
                "ends": found.end[reason],
                "begins_with": found.begins_with.get(reason, []),
                "ends_with": found.ends_with.get(reason, []),
            }
            for reason in reasons
        ],
    }
