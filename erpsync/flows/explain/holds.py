"""Why an order is held: since when, by what, and what ends it; and what looks wrong with its address."""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select

from erpsync.core import advice
from erpsync.core.address import Problem, problems
from erpsync.core.order_holds import HoldReason, kind_of, rule_of, standing
from erpsync.flows.explain.case import ENDED, Case
from erpsync.flows.explain.rules import written
from erpsync.flows.explain.steps import Step, Written, listed
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.encrypted import recipient_row
from erpsync.store.regions import regions
from erpsync.store.tables import event, order_hold


def held(case: Case) -> Iterator[Step]:
    """Yield each reason that holds the order, the most pressing first."""
    rows = {row.reason: row for row in case.tx.all(select(order_hold).where(order_hold.c.order_id == case.row.id))}
    ranks = {reason: rank for rank, (reason, _) in enumerate(standing(rows))}
    for reason in sorted(rows, key=lambda reason: (ranks.get(kind_of(reason), len(ranks)), reason)):
        row = rows[reason]
        steps = (*_facts(case, reason), *_ends(case, reason))
        text = _said(case, reason, row.detail)
        yield Step(what=kind_of(reason), text=text, since=row.at, setting=_setting(case, reason), steps=steps)


def _said(case: Case, reason: str, detail: str) -> str:
    shop = case.shop_name
    match reason:
        case HoldReason.REFUND_OPEN:
            return f"a refund is asked for on {shop}: {detail}"
        case HoldReason.OPERATOR:
            return f"{_who_held(case)} holds it: {detail or 'no reason was given'}"
        case HoldReason.WAREHOUSE_REFUSED:
            return f"a warehouse does not send it: {detail}"
        case HoldReason.DO_NOT_SHIP:
            return f"{shop} says that it must not leave yet: {detail}"
        case HoldReason.UNREAD_UPDATE:
            return f"a newer view of it was not understood: {detail}"
        case HoldReason.UNMAPPED_SKU:
            return f"nobody has tied these seller codes of {shop} to a SKU: {detail}"
        case HoldReason.BAD_LINE:
            return f"a line that {shop} sent could not be read"
        case HoldReason.INCOMPLETE_ADDRESS:
            return f"name, phone or address is missing, and orders of {shop} must have them"
    if kind_of(reason) == HoldReason.VOID:
        return f"rule {rule_of(reason)} takes it for no real order: {detail}"
    if kind_of(reason) == HoldReason.RULE:
        return f"rule {rule_of(reason)} holds it: {detail}"
    return f"it is held for {reason}: {detail}"


def _who_held(case: Case) -> str:
    of_order = (event.c.order_id == case.row.id, event.c.order_id.is_not(None), event.c.kind == "order.held")
    rows = case.tx.all(select(event.c.actor, event.c.detail).where(*of_order).order_by(event.c.id.desc()))
    by_hand = (row.actor for row in rows if row.actor and "reason" in json.loads(row.detail))
    return next(by_hand, "somebody")


def _setting(case: Case, reason: str) -> Written | None:
    if rule_of(reason):
        return written(case, rule_of(reason))
    if reason != HoldReason.INCOMPLETE_ADDRESS:
        return None
    return case.settings.of_channel(case.shop_name, "orders.require_address")


def _facts(case: Case, reason: str) -> Iterator[Step]:
    """Yield the facts behind a reason, as far as they have a name of their own."""
    if reason == HoldReason.REFUND_OPEN:
        yield from (_refund(refund) for refund in case.shown["refunds"] if refund["state"] == "open")
    elif reason in (HoldReason.UNREAD_UPDATE, HoldReason.BAD_LINE):
        yield from map(letter, case.letters)


def _refund(refund: dict[str, Any]) -> Step:
    name, lines = refund["external_id"], [line["external_id"] for line in refund["lines"]]
    if not lines:
        return Step(what="refund", text=f"refund {name} is open and names no line: it keeps the whole order")
    amount = sum(line["qty"] for line in refund["lines"])
    return Step(what="refund", amount=amount, text=f"in refund {name}, which is open, of line {listed(lines)}")


def letter(row: Any) -> Step:
    """Return an open dead letter (its row)."""
    text = f"dead letter {row.id} ({row.source or row.key}): {row.error}"
    return Step(what="dead_letter", text=text, since=row.at)


def _ends(case: Case, reason: str) -> Iterator[Step]:
    """Yield what ends a hold; that of a rule is told where the rules are."""
    if not rule_of(reason):
        yield Step(what="ends", text=advice.fill(advice.HOLDS.get(reason, reason), order=case.number))


def address_notes(case: Case) -> Iterator[Step]:
    """Yield what looks wrong with the address of an order that is still to leave; nothing where it cannot be opened."""
    vault, row = case.ctx.store.vault, case.row
    if row.recipient is None or vault is None or case.status in ENDED:
        return
    try:
        recipient = vault.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id))
    except PrivacyError:
        return
    for problem in problems(recipient, regions()):
        yield Step(what=f"address_{problem.code}", text=_wrong(problem))


def _wrong(problem: Problem) -> str:
    within = problem.within
    match problem.code, problem.part:
        case "too_short", _:
            return "the address may not lead to a door: too little stands behind its district"
        case "bad_phone", _:
            return "the phone of who gets it is no telephone number"
        case "unknown_region", "province":
            return "no province has the name that the address says"
        case "unknown_region", "city":
            return f"no city of {within} has the name that the address says" if within else "its city is not known"
        case "unknown_region", _:
            return f"no district of {within} has the name that the address says"
        case _, "address":
            return f"the address says {within}, and its street line begins with another place"
        case _, "city":
            return f"the city of the address does not lie in {within}"
    return f"the district of the address does not lie in {within}"
