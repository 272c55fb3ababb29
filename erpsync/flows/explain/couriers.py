"""Who takes a release and why, with every offer that does not, and how far its number is."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import select

from erpsync.core.couriers import NO_COURIER, Ground, Refusal
from erpsync.core.rates import Lack
from erpsync.flows.couriers.accounts import LOW
from erpsync.flows.explain.case import Case
from erpsync.flows.explain.rules import written
from erpsync.flows.explain.steps import Step
from erpsync.sdk.types import TrackState
from erpsync.store.outbox.queue import IS_WAITING, WAYBILL
from erpsync.store.tables import channel, outbox, waybill
from erpsync.store.views.values import Json

REASONS = {
    Refusal.CARRIER_NOT_ALLOWED.value: "the shop does not allow it",
    Refusal.WAYBILL_KIND.value: "it cannot be given the hidden recipient",
    Refusal.COD.value: "it collects no money",
    Refusal.OTHER_WAREHOUSE.value: "it fetches no parcels there",
    Refusal.NOT_COVERED.value: "it does not go there",
    Refusal.ZONE_NOT_SERVED.value: "its card has no price for the place",
    Refusal.UNKNOWN_ZONE.value: "nobody knows to which zone the place belongs, as the order says no province or city",
    Refusal.TOO_HEAVY.value: "the parcel is too heavy",
    Refusal.UNKNOWN_WEIGHT.value: "nobody knows what the parcel weighs",
    Refusal.TOO_BIG.value: "the parcel is too big",
    Refusal.UNKNOWN_VOLUME.value: "nobody knows how big the parcel is",
    Lack.NO_CARD.value: "its costs are not known, it has no rate card",
    Lack.TWO_ZONES.value: "its costs are not known, the place belongs to two zones",
}
"""What speaks against an offer, or why it has no cost."""


def courier(case: Case, row: Any) -> Iterator[Step]:
    """Yield who takes a release (its row), why, and which number it has; nothing where nobody was asked for."""
    if row.choice is None:
        return
    choice = json.loads(row.choice)
    others = tuple(_offers(choice["refused"]))
    if choice["ground"] == NO_COURIER:
        yield Step(what=NO_COURIER, text="no courier takes it", steps=(*_rules(case, choice), *others))
        return
    account = case.tx.execute(select(channel.c.name).where(channel.c.id == row.account_id)).scalar()
    unmet = [
        Step(what="wish_unmet", text=f"{wish} was wished for, and no account offers it") for wish in choice["unmet"]
    ]
    unpriced = _offers(choice["lacks"]) if choice["ground"] == Ground.CHEAPEST else ()
    said = _chosen(choice, row.carrier, str(account or row.account_id))
    steps = (*_rules(case, choice), *unmet, *unpriced, *others)
    yield Step(what=f"courier_{choice['ground']}", text=said, steps=steps)
    yield from _number(case, row)


def _chosen(choice: dict[str, Any], carrier: str, account: str) -> str:
    ground, rule = choice["ground"], choice.get("wished_by")
    if ground == Ground.WISH and rule:
        return f"{carrier} takes it, by account {account}: rule {rule} wishes for it"
    if ground == Ground.WISH:
        return f"{carrier} takes it, by account {account}: it was wished for"
    if ground == Ground.CHEAPEST:
        return f"{carrier} takes it, by account {account}: it is the cheapest"
    return f"{carrier} takes it, by account {account}: nothing else decides"


def _rules(case: Case, choice: dict[str, Any]) -> Iterator[Step]:
    """Yield which rules about parcels matched when the courier was chosen, and which could not be answered."""
    for rule, outcome, decided in choice.get("rules", ()):
        if outcome == "unknown":
            text = f"rule {rule} could not be answered, and so did not match: {decided}"
        else:
            text = f"rule {rule} matched: {decided}"
        yield Step(what=f"rule_{outcome}", text=text, setting=written(case, rule))


def _offers(refused: Iterable[Iterable[str]]) -> Iterator[Step]:
    for account, service, reason in refused:
        named = f"{account} ({service})" if service else account
        why = REASONS.get(reason, reason)
        yield Step(what=f"offer_{reason}", text=f"not by {named}: {why}")


def _number(case: Case, row: Any) -> Iterator[Step]:
    """Yield how far the newest waybill of a release is."""
    query = select(waybill).where(waybill.c.release_id == row.id, waybill.c.parcel == 1)
    last = case.tx.execute(query.order_by(waybill.c.attempt.desc()).limit(1)).first()
    if last is None:
        return
    match last.state:
        case "booked" | "used":
            text = f"its waybill is {last.number}"
        case "wanted" if _waits_for_balance(case, row):
            account = case.tx.execute(select(channel.c.name).where(channel.c.id == row.account_id)).scalar()
            text = f"its waybill waits until account {account} has waybills again"
        case "wanted":
            text = "its waybill is to be had with the next call, or as soon as there is a number"
        case "unsure":
            text = "its waybill was asked for and no answer came; it is found out whether the courier has it"
        case "handed":
            text = "the courier has its booking, and the number follows"
        case "refused":
            text = f"it has no waybill: {last.reason}"
        case _:
            text = f"its waybill {last.number or last.key} is void, or to be void"
    yield Step(what=f"waybill_{last.state}", text=text, since=last.booked_at or last.sent_at or last.made_at)


def _waits_for_balance(case: Case, row: Any) -> bool:
    """Whether the booking of a release waits until its account has waybills."""
    waits = (outbox.c.kind == WAYBILL, outbox.c.ref_id == row.id, IS_WAITING, outbox.c.waiting_for == LOW)
    return case.tx.execute(select(outbox.c.id).where(*waits)).first() is not None


def told_where(at: Json | None, carrier: str) -> Iterator[Step]:
    """Yield where a parcel is, as its courier tells it; nothing where it told nothing."""
    if at is None:
        return
    since = datetime.fromisoformat(at["at"])
    yield Step(what=at["state"], text=_where(TrackState(at["state"]), carrier), since=since)
    if at["place"]:
        place = at["place"]
        yield Step(what="place", text=f"it was seen last in {place}", since=since)


def _where(state: TrackState, carrier: str) -> str:
    match state:
        case TrackState.ANNOUNCED:
            return f"{carrier} knows of it and does not have it yet"
        case TrackState.PICKED_UP:
            return f"{carrier} has fetched it"
        case TrackState.IN_TRANSIT:
            return f"it is under way with {carrier}"
        case TrackState.DELIVERING:
            return f"{carrier} is delivering it"
        case TrackState.PROBLEM:
            return f"{carrier} has trouble with it"
        case TrackState.DELIVERED:
            return f"{carrier} has delivered it"
        case TrackState.RETURNING:
            return f"{carrier} is bringing it back"
        case TrackState.RETURNED:
            return f"{carrier} has brought it back"
