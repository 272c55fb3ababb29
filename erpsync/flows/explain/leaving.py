"""What became of an order's releases and parcels: handed over or not, told or not, and what they wait for."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select

from erpsync.core import advice
from erpsync.core.instants import stamp
from erpsync.core.orders import OrderKind
from erpsync.core.release import OPEN_PHASES
from erpsync.flows.explain.case import ENDED, Case
from erpsync.flows.explain.shops import not_working
from erpsync.flows.explain.steps import Step, counted
from erpsync.flows.warehouses.releasable import read_to_the_end
from erpsync.sdk.roles import WarehouseSink
from erpsync.store import tables
from erpsync.store.cursors import read_cursors
from erpsync.store.outbox.queue import IS_LEASED, IS_OPEN, RELEASE, RELEASE_CANCEL, SHIPMENT
from erpsync.store.tables import outbox, release, release_order, shipment, warehouse


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
        yield Step(what=f"release_{row.state}", text=text, since=since, steps=tuple(_way(case, effects.get(row.id))))
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
    """Yield why units that lie ready in a warehouse which a channel runs are not handed over yet."""
    runner, code = case.ctx.runner(place), case.codes.get(place, "")
    if runner is None or not runner.plays(WarehouseSink):
        return
    shop = case.shop_name
    if any(line["backordered_qty"] for line in case.shown["lines"]):
        yield Step(what="not_whole", text=f"nothing of it is handed over to {code} before all of it is there")
    elif case.row.channel_id not in read_to_the_end(case.ctx, read_cursors(case.tx.connection)):
        text = f"nothing is handed over to {code} before the refunds of {shop} were read to the end"
        yield Step(what="refunds", text=text)
    else:
        text = f"it is handed over to {code} with the next round of the daemon"
        yield Step(what="release_due", text=text, setting=case.settings.of_warehouse(code, "channel"))


def parcels(case: Case) -> Iterator[Step]:
    """Yield each parcel of the order with whether the channel knows of it, and what it waits for."""
    rows = case.tx.all(select(shipment).where(shipment.c.order_id == case.row.id).order_by(shipment.c.id))
    effects = _effects(case, (SHIPMENT,), [row.id for row in rows])
    for row in rows:
        steps = tuple(_way(case, effects.get(row.id)))
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
        case "refunds":
            text = f"it waits until the refunds of {case.shop_name} were read to the end"
        case _:
            text = f"it waits for {row.waiting_for}: {row.error}"
    return Step(what=str(row.waiting_for), text=text, since=since, steps=(ends,))


def _shop(case: Case, channel_id: int) -> Any:
    return case.tx.execute(select(tables.channel).where(tables.channel.c.id == channel_id)).first()
