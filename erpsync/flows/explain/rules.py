"""What each rule says of an order, by which fact, and what ends it."""

from collections.abc import Iterator, Sequence

from erpsync.core.facts import On
from erpsync.core.instants import stamp
from erpsync.core.rules import Because, Gift, Hold, grounds_of
from erpsync.flows.explain.case import Case
from erpsync.flows.explain.steps import Step, Written, listed
from erpsync.flows.rules.judging import Seen, is_judged, look_at
from erpsync.flows.warehouses.parcel_rules import Judged, judged_parcels
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.order_rules import gifts_of
from erpsync.store.orders import read_orders

WHY_NO_GIFT = {
    "once": "the buyer has one already, or nobody knows who buys",
    "most": "as many as may be are given",
    "unknown_sku": "its SKU is not known",
    "dropped": "it was dropped for want of stock",
    "replaced": "another SKU is given in its place",
}


def see(case: Case) -> Seen | None:
    """Return what the rules in force say of the order now; None where there are none, or nothing is left to send.

    Raises `LookupError` or `PrivacyError` where they ask about what cannot be opened here.
    """
    if not any(case.ctx.book.ledgers[on].rules for on in (On.ORDER, On.PARCEL)):
        return None
    order = read_orders(case.tx.connection, [case.row.id])[case.row.id]
    if not is_judged(order):
        return None
    return look_at(case.tx.connection, case.ctx, [order], now=case.tx.trusted_now)[order.id]


def rule_steps(case: Case) -> Iterator[Step]:
    """Yield one step of what the rules say, with a step for each of them."""
    try:
        seen = see(case)
    except (LookupError, PrivacyError) as error:
        yield Step(what="rules_unread", text=f"what the rules say of it cannot be told here: {error}")
        return
    if seen is None:
        return
    because = seen.verdict.because
    matched = sum(1 for each in because if each.outcome == "matched")
    parcels = judged_parcels(case.tx.connection, case.ctx, case.row.id, now=case.tx.trusted_now)
    steps = tuple(_step(case, seen, each, parcels) for each in because)
    until = seen.verdict.look_at
    text = f"{matched} of {len(because)} rules match"
    if len(because) == 1:
        text = "the only rule matches" if matched else "the only rule does not match"
    yield Step(what="rules", text=text, until=until, steps=steps)


def _step(case: Case, seen: Seen, because: Because, parcels: Sequence[Judged]) -> Step:
    rule, setting = because.rule, written(case, because.rule)
    grounds = _grounds(case, seen, because)
    said = listed(grounds) if grounds else ""
    match because.outcome:
        case "matched":
            comes = tuple(_comes(case, seen, rule))
            return Step(what="rule_matched", text=f"rule {rule} matches: {said}", setting=setting, steps=comes)
        case "unknown":
            text = f"rule {rule} cannot be answered, and so does not match: {said}"
            return Step(what="rule_unknown", text=text, setting=setting)
        case "later":
            of_parcels = tuple(_of_parcel(case, rule, parcel) for parcel in parcels)
            text = f"rule {rule} is judged when a parcel is made"
            return Step(what="rule_later", text=text, setting=setting, steps=of_parcels)
    if not said:
        return Step(what="rule_not", text=f"rule {rule} does not match", setting=setting)
    return Step(what="rule_not", text=f"rule {rule} does not match: not {said}", setting=setting)


def _of_parcel(case: Case, rule: str, parcel: Judged) -> Step:
    """Return what a rule about parcels says of one."""
    because, place = parcel.because(rule), parcel.release or parcel.warehouse
    said = parcel.seen.decided(case.ctx, because)
    match because.outcome:
        case "matched":
            return Step(what="rule_matched", text=f"of the parcel of {place} it matches: {said}")
        case "unknown":
            return Step(what="rule_unknown", text=f"of the parcel of {place} it cannot be answered: {said}")
    return Step(what="rule_not", text=f"of the parcel of {place} it does not match: not {said}")


def _grounds(case: Case, seen: Seen, because: Because) -> list[str]:
    """Return what decided: the fact, what stands in the order where that may be shown, and the rule's own word."""
    grounds = grounds_of(case.ctx.book, seen.facts, seen.verdict, because, seen.at.astimezone(case.ctx.timezone))
    parts = ((it.clause.fact, it.value or "", it.clause.operator, it.clause.word) for it in grounds)
    return [" ".join(filter(None, part)) for part in parts]


def _comes(case: Case, seen: Seen, rule: str) -> Iterator[Step]:
    """Yield what a rule that matches wants of the order, and what of it does not count."""
    for hold in seen.verdict.holds:
        if hold.rule == rule:
            yield _hold(case, seen, hold)
    for mark in seen.verdict.marks:
        if mark.rule == rule:
            text = f"marks it {mark.name}: {mark.value}" if mark.value else f"marks it {mark.name}"
            yield Step(what="rule_mark", text=text)
    states = gifts_of(case.tx.connection, [case.row.id])
    for gift in seen.verdict.gifts:
        if gift.rule == rule:
            yield _gift(gift, states.get((case.row.id, rule)))
    for passed in seen.verdict.passed_over:
        if passed.rule == rule:
            text = f"its {passed.effect} does not count: rule {passed.won_by} above has one"
            yield Step(what="rule_passed_over", text=text)


def _hold(case: Case, seen: Seen, hold: Hold) -> Step:
    if hold.rule in seen.approved:
        return Step(what="rule_approved", text=f"somebody approved what it asks: {hold.text}")
    return Step(what="rule_hold", text=f"holds it: {hold.text}", until=hold.until_at, steps=(ends(case, hold),))


def ends(case: Case, hold: Hold) -> Step:
    """Return what ends a hold of a rule."""
    if hold.asks:
        text = f"`erpsync orders approve {case.number} {hold.rule}` if it may leave"
        return Step(what="ends", text=text)
    if hold.until_at is not None:
        return Step(what="ends", text=f"it may end by itself at {stamp(hold.until_at)}", until=hold.until_at)
    return Step(what="ends", text="it ends when the rule matches no more")


def _gift(gift: Gift, state: str | None) -> Step:
    named = f"{gift.gift.sku} ×{gift.gift.qty}"
    why = WHY_NO_GIFT.get(state or "")
    if why is None:
        return Step(what="rule_gift", text=f"gives {named}")
    return Step(what="rule_gift", text=f"would give {named}: {why}")


def written(case: Case, rule: str) -> Written | None:
    """Return where a rule is written."""
    place = case.ctx.rule_lines.get(rule)
    if place is None:
        return None
    file, _, line = place.rpartition(":")
    return file, int(line)
