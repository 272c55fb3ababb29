"""What became of an order's releases and parcels: handed over or not, told or not, and what they wait for."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from erpsync.core import advice
from erpsync.core.instants import stamp
from erpsync.core.orders import OrderKind
from erpsync.core.parcels import Because, Reason
from erpsync.core.release import OPEN_PHASES
from erpsync.flows.explain.case import ENDED, Case
from erpsync.flows.explain.couriers import courier, told_where
from erpsync.flows.explain.rules import written
from erpsync.flows.explain.shops import not_working
from erpsync.flows.explain.steps import Step, Written, counted
from erpsync.flows.warehouses.planning import plan_by_rules
from erpsync.flows.warehouses.releasable import read_to_the_end
from erpsync.flows.warehouses.siblings import awaited
from erpsync.sdk.roles import WarehouseSink
from erpsync.store import tables
from erpsync.store.cursors import read_cursors
from erpsync.store.orders import read_orders
from erpsync.store.outbox.queue import IS_LEASED, IS_OPEN, RELEASE, RELEASE_CANCEL, SHIPMENT
from erpsync.store.tables import outbox, release, release_order, shipment, warehouse
from erpsync.store.views.tracks import read_tracks, track_of


def releases(case: Case) -> Iterator[Step]:
    """Yield the releases that a warehouse has or is to get, and why there is none where there should be."""
    query = (
        select(release, warehouse.c.code.label("place"))
        .join(release_order, release_order.c.release_id == release.c.id)
        .join(warehouse, warehouse.c.id == release.c.warehouse_id)
        .where(release_order.c.order_id == case.row.id, release_order.c.ended_at.is_(None))
    )
    rows = case.tx.all(query.order_by(release.c.id))
    effects = _effects(case, (RELEASE, RELEASE_CANCEL), [row.id for row in rows])
    for row in rows:
        text, since = _release(row)
        place = case.ctx.warehouses.get(row.warehouse_id)
        if row.state == "pending" and place is not None and place.waybill == "ours":
            text = f"release {row.number} is made and goes to {row.place} with its waybill, as soon as it has one"
        steps = (*_way(case, effects.get(row.id)), *courier(case, row))
        yield Step(what=f"release_{row.state}", text=text, since=since, steps=steps)
    places = {row.warehouse_id for row in rows}
    waiting = {row.warehouse_id for row in case.held if not row.released} - places
    if case.row.ready_at is not None and case.row.phase in OPEN_PHASES and not case.row.hold_reason:
        yield from (step for place in sorted(waiting) for step in _not_released(case, place))
    for place in sorted(places | waiting):
        runner = case.ctx.runner(place)
        if runner is not None:
            yield from not_working(runner, _shop(case, runner.id), case.tx.now, case.settings)


def _release(row: Any) -> tuple[str, Any]:
    number, place = row.number, row.place
    match row.state:
        case "pending":
            return f"release {number} is made and goes to {place} with the next call", row.made_at
        case "unsure":
            return (
                f"release {number} was sent to {place} and had no answer: nobody knows whether it arrived",
                row.made_at,
            )
        case "told":
            return f"{place} has release {number} and sends it", row.told_at
        case "recalled":
            return f"{place} is asked to stop release {number}: {row.reason}", row.told_at
        case "kept":
            return f"{place} could not stop release {number} and sends it: {row.reason}", row.told_at
        case "refused":
            return f"{place} refuses release {number}: {row.reason}", row.made_at
    return f"release {number} of {place} is {row.state}", row.made_at


def _not_released(case: Case, place: int) -> Iterator[Step]:
    """Yield why units that lie ready where releases are made for are not handed over yet."""
    runner, code = case.ctx.runner(place), case.codes.get(place, "")
    at_desk = code in case.ctx.desks
    if not at_desk and (runner is None or not runner.plays(WarehouseSink)):
        return
    shop = case.shop_name
    stays = list(_staying(case, place, code))
    if stays:
        yield from stays
    elif case.row.channel_id not in read_to_the_end(case.ctx, read_cursors(case.tx.connection)):
        text = f"nothing is handed over to {code} before the refunds of {shop} were read to the end"
        yield Step(what="refunds", text=text)
    else:
        text = f"it is handed over to {code} with the next round of the daemon"
        setting = case.settings.of_warehouse(code, "desk" if at_desk else "channel")
        yield Step(what="release_due", text=text, setting=setting)


def _staying(case: Case, place: int, code: str) -> Iterator[Step]:
    """Yield why units of an order in a warehouse are in no release, each reason once."""
    known = read_orders(case.tx.connection, [case.row.id])
    planned = plan_by_rules(case.tx.connection, case.ctx, known, now=case.tx.trusted_now)
    waits = awaited(case.tx.connection, case.ctx, planned, now=case.tx.now)
    if (until := waits.get(case.row.id)) is not None:
        text = f"it waits for another order to its recipient, until {stamp(until)} at the latest"
        yield Step(what="sibling", text=text, until=until, setting=_setting(case))
    reasons = {stay.because.code: stay.because for stay in planned.plan.stays if stay.warehouse_id == place}
    for because in reasons.values():
        text = stays_because(because, code)
        if text:
            setting = written(case, str(because.values["rule"])) if because.code is Reason.RULE else None
            yield Step(what=because.code.value, text=text, setting=setting)


def _setting(case: Case) -> Written | None:
    return case.settings.of_channel(case.shop_name, "orders.merge.sibling")


def stays_because(because: Because, code: str) -> str:
    """Return in words why units stay in a warehouse; nothing where other steps say it."""
    values = because.values
    match because.code:
        case Reason.NOT_WHOLE:
            return f"nothing of it is handed over to {code} before all of it is there"
        case Reason.BELOW_LEAST:
            return f"what lies in {code} is worth less than the shop's least for a part of an order"
        case Reason.SEALED if "parcels" in values:
            parcels = counted(int(values["parcels"]), "parcel", "parcels")
            return f"it may not be split, and {code} could send it in {parcels} only"
        case Reason.SEALED:
            return f"it may not be split, and not all of it lies in {code}"
        case Reason.BAD_MARK:
            mark = values["mark"]
            return f"its mark {mark} cannot be understood; set it anew or take it away"
        case Reason.TORN:
            return f"what lies in {code} makes no whole unit; the rest of the set lies elsewhere"
        case Reason.GIFT_ALONE:
            return f"a gift in {code} leaves with what was sold, never alone"
        case Reason.RULE:
            rule, why = values["rule"], values["text"]
            return f"rule {rule} holds its parcel in {code}: {why}"
        case Reason.SURPLUS:
            return f"more of it is held in {code} than it wants; it is given back with the next plan"
    return ""


def parcels(case: Case) -> Iterator[Step]:
    """Yield each parcel of the order with whether the channel knows of it, and what it waits for."""
    rows = case.tx.all(select(shipment).where(shipment.c.order_id == case.row.id).order_by(shipment.c.id))
    effects = _effects(case, (SHIPMENT,), [row.id for row in rows])
    tracks = read_tracks(case.tx.connection, [row.tracking for row in rows])
    for row in rows:
        at = track_of(tracks, row.carrier, row.tracking)
        steps = (*_way(case, effects.get(row.id)), *told_where(at, row.carrier))
        yield Step(
            what=f"parcel_{row.state}", text=_parcel(case, row), since=row.sent_at or row.shipped_at, steps=steps
        )
    if case.status not in ENDED or any(row.state in ("pending", "waiting") for row in rows):
        if case.channel is None:
            yield Step(what="not_configured", text=f"{case.shop_name} is configured no more")
        else:
            yield from not_working(case.channel, case.shop, case.tx.now, case.settings)


def _parcel(case: Case, row: Any) -> str:
    shop, parcel = case.shop_name, f"{row.number} ({row.carrier} {row.tracking})"
    match row.state:
        case "sent":
            return f"parcel {parcel} has left and {shop} was told"
        case "pending":
            return f"parcel {parcel} has left and {shop} is to be told"
        case "waiting":
            return f"parcel {parcel} has left and {shop} is not told yet"
        case "dropped":
            return f"parcel {parcel} has left and {shop} is never told: its order was cancelled there"
        case "refused":
            return f"parcel {parcel} has left and {shop} refuses to know of it"
        case "kept" if case.row.kind != OrderKind.CHANNEL:
            return f"parcel {parcel} has left"
        case "kept":
            return f"parcel {parcel} has left; {shop} is told of no parcels"
    return f"parcel {parcel} is {row.state}"


def _effects(case: Case, kinds: tuple[str, ...], refs: list[int]) -> Mapping[int, Any]:
    """Return the open or leased row of the outbox about each release or parcel."""
    effects: dict[int, Any] = {}
    for kind in kinds if refs else ():
        of_refs = (outbox.c.kind == kind, outbox.c.ref_id.in_(refs))
        for row in case.tx.all(select(outbox).where(*of_refs, IS_OPEN | IS_LEASED)):
            effects[row.ref_id] = row
    return effects


def _way(case: Case, row: Any) -> Iterator[Step]:
    """Yield what an effect (its row of the outbox) waits for, and what ends that."""
    if row is None:
        return
    if row.sent_at is not None and row.state != "leased":
        text = (
            f"it was sent at {stamp(row.sent_at)} and had no answer: {row.error}; erpsync finds out whether it arrived"
        )
        if row.state == "waiting":
            text = (
                f"it was sent at {stamp(row.sent_at)} and had no answer: {row.error}; a person finds out if it arrived"
            )
        yield Step(what="unknown", text=text, since=row.sent_at)
    elif row.state == "leased":
        yield Step(what="under_way", text="a call that tells it is under way", until=row.lease_until_at)
    elif row.state == "waiting":
        yield _waits(case, row)
    elif row.held_since_at is not None:
        text = f"its order cannot be read again: {row.error}; it is tried again at {stamp(row.run_at)}"
        yield Step(what="unread", text=text, since=row.held_since_at, until=row.run_at)
    elif row.attempts:
        tries = counted(row.attempts, "try", "tries")
        text = f"{tries} failed, the last with: {row.error}; it is tried again at {stamp(row.run_at)}"
        yield Step(what="back_off", text=text, since=row.marked_at, until=row.run_at)
    else:
        text = "it goes out with the next call, after a last look at its order"
        setting = case.settings.of_channel(case.shop_name, "orders.gate_s")
        yield Step(what="due", text=text, since=row.marked_at, setting=setting)


def _waits(case: Case, row: Any) -> Step:
    """Return what a parked effect waits for."""
    since = row.held_since_at or row.marked_at
    ends = Step(
        what="ends", text=advice.fill(advice.WAITS.get(row.waiting_for, row.waiting_for), channel=case.shop_name)
    )
    match row.waiting_for:
        case "gate":
            text = f"it waits at the gate: {row.error}"
        case "person":
            text = f"it waits for a person: {row.error}"
        case "scan":
            text = f"it waits for its courier's first scan; {case.shop_name} is told then"
        case "refunds":
            text = f"it waits until the refunds of {case.shop_name} were read to the end"
        case _:
            text = f"it waits for {row.waiting_for}: {row.error}"
    return Step(what=str(row.waiting_for), text=text, since=since, steps=(ends,))


def _shop(case: Case, channel_id: int) -> Any:
    return case.tx.execute(select(tables.channel).where(tables.channel.c.id == channel_id)).first()
