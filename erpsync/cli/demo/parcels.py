"""What the demonstration proves of parcels: couriers' and shops' own books held against the database's.

numbers given = alive · one waybill per parcel · no unit in two releases · nothing left held · each shop told once
"""

import json
from collections import Counter
from collections.abc import Mapping

from sqlalchemy import case, func, select

from erpsync.cli.demo.check import Check
from erpsync.flows.context import Channel, Context
from erpsync.sdk.sandbox.demo import DemoCourier, DemoShop
from erpsync.store.outbox.queue import SHIPMENT
from erpsync.store.tables import (
    WAYBILL_IS_LIVE,
    event,
    order_line,
    orders,
    print_run,
    release,
    release_line,
    shipment,
    task,
    wave,
    waybill,
)
from erpsync.store.tasks import task_key

HAS_NUMBER = ("booked", "used")
OPEN = ("wanted", "unsure", "handed", "cancelling")
TO_LEAVE = ("pending", "told", "recalled")


def prove_parcels(
    ctx: Context, shops: Mapping[str, DemoShop], couriers: Mapping[str, DemoCourier], *, printed: bool
) -> list[Check]:
    """Return the checks of the summary; `printed` is whether papers can be printed on this machine."""
    checks = [_paid_once(ctx, ctx.channel(name), courier) for name, courier in couriers.items()]
    checks += [_one_waybill(ctx), _one_release(ctx), _never_held(ctx), _all_left(ctx)]
    checks += [_waves(ctx)] if printed else []
    return [*checks, *(_told_once(ctx, ctx.channel(name), shop) for name, shop in shops.items())]


def to_leave(ctx: Context) -> int:
    """Return how many releases and waybills are under way; cheap to ask again and again."""
    releases = select(func.count()).select_from(release).where(release.c.state.in_(TO_LEAVE))
    waybills = select(func.count()).select_from(waybill).where(waybill.c.state.in_(OPEN))
    with ctx.store.read() as connection:
        return int(connection.execute(releases).scalar_one()) + int(connection.execute(waybills).scalar_one())


def _paid_once(ctx: Context, account: Channel, courier: DemoCourier) -> Check:
    """Hold every number that the courier gave and did not void against the numbers that parcels have."""
    query = select(waybill.c.number).where(waybill.c.account_id == account.id, waybill.c.state.in_(HAS_NUMBER))
    open_ = select(func.count()).select_from(waybill).where(waybill.c.account_id == account.id)
    with ctx.store.read() as connection:
        known = Counter(connection.execute(query).scalars())
        waiting = connection.execute(open_.where(waybill.c.state.in_(OPEN))).scalar_one()
    given = courier.numbers()
    paid = Counter(number for number, void in given.items() if not void)
    problem = f"{waiting} bookings are not settled" if waiting else ""
    if known != paid:
        problem = f"{(paid - known).total()} paid for and on no parcel, {(known - paid).total()} not given or void"
    figures = f"{len(given)} given, {len(given) - paid.total()} void, {known.total()} on parcels"
    return Check(name=f"{account.name}: no label paid twice", figures=figures, problem=problem)


def _one_waybill(ctx: Context) -> Check:
    """Count the live waybills of each parcel, and of each that an account booked and that left the used ones."""
    parcels = select(waybill.c.release_id, waybill.c.parcel).where(WAYBILL_IS_LIVE)
    several = parcels.group_by(waybill.c.release_id, waybill.c.parcel).having(func.count() > 1).subquery()
    used = func.count(case((waybill.c.state == "used", 1)))
    left = select(release.c.id).outerjoin(waybill, waybill.c.release_id == release.c.id)
    booked = release.c.account_id.is_not(None)
    lacking = left.where(release.c.state == "shipped", booked).group_by(release.c.id, release.c.parcels)
    lacking_ = lacking.having(used != release.c.parcels).subquery()
    shipped = select(func.coalesce(func.sum(release.c.parcels), 0)).where(release.c.state == "shipped", booked)
    with ctx.store.read() as connection:
        doubled = connection.execute(select(func.count()).select_from(several)).scalar_one()
        bare = connection.execute(select(func.count()).select_from(lacking_)).scalar_one()
        parcels_left = connection.execute(shipped).scalar_one()
    problem = f"{doubled} parcels have several, {bare} left without their own" if doubled or bare else ""
    return Check(name="one live waybill per parcel", figures=f"{parcels_left} parcels left", problem=problem)


def _one_release(ctx: Context) -> Check:
    """Add up what releases hold, or what left with them, of each line."""
    under_way = case((release.c.state.in_(TO_LEAVE), release_line.c.units), else_=release_line.c.left_units)
    units = select(release_line.c.line_id, func.sum(under_way).label("units")).join(release)
    held = units.group_by(release_line.c.line_id).subquery()
    wanted = order_line.c.qty * order_line.c.factor
    over = select(func.count()).select_from(held).join(order_line, order_line.c.id == held.c.line_id)
    with ctx.store.read() as connection:
        doubled = connection.execute(over.where(held.c.units > wanted)).scalar_one()
        total = connection.execute(select(func.coalesce(func.sum(held.c.units), 0))).scalar_one()
    problem = f"{doubled} lines are in releases more often than they were bought" if doubled else ""
    return Check(name="no unit in two releases", figures=f"{total} units in releases", problem=problem)


def _never_held(ctx: Context) -> Check:
    """Read the story of every order: what held it when a parcel of it left."""
    query = select(event.c.order_id, event.c.kind, event.c.detail).where(event.c.order_id.is_not(None))
    with ctx.store.read() as connection:
        rows = connection.execute(query.order_by(event.c.id)).all()
    held: dict[int, Mapping[str, str]] = {}
    left, wrong = 0, []
    for row in rows:
        if row.kind == "order.shipped":
            left += 1
            wrong += [row.order_id] if held.get(row.order_id) else []
        detail = json.loads(row.detail)
        changed = detail.get("to", {})
        if "held" in detail or "held" in changed:
            held[row.order_id] = detail.get("held") or changed.get("held") or {}
    problem = f"{len(wrong)} parcels left while their orders were held" if wrong else ""
    return Check(name="nothing left while held", figures=f"{left} parcels of orders", problem=problem)


def _all_left(ctx: Context) -> Check:
    query = select(release.c.state, func.count().label("n")).group_by(release.c.state)
    with ctx.store.read() as connection:
        rows = {row.state: row.n for row in connection.execute(query)}
    waiting = sum(rows.get(state, 0) for state in TO_LEAVE)
    problem = f"{waiting} releases still lie at a desk" if waiting else ""
    figures = ", ".join(f"{count} {state}" for state, count in sorted(rows.items())) or "none"
    return Check(name="all that may leave has left", figures=figures, problem=problem)


def _waves(ctx: Context) -> Check:
    """Look for the slip of each release that left."""
    slips = select(print_run.c.release_id).where(print_run.c.paper == "slip")
    bare = select(func.count()).select_from(release).where(release.c.state == "shipped", release.c.id.not_in(slips))
    with ctx.store.read() as connection:
        unprinted = connection.execute(bare).scalar_one()
        printed = connection.execute(select(func.count(wave.c.printed_at))).scalar_one()
        papers = connection.execute(select(func.count()).select_from(print_run)).scalar_one()
    problem = f"{unprinted} releases left without a slip" if unprinted else "" if printed else "no wave was printed"
    return Check(name="waves printed", figures=f"{printed} waves, {papers} papers", problem=problem)


def _told_once(ctx: Context, channel: Channel, shop: DemoShop) -> Check:
    """Hold the parcels that a shop knows of against those of its orders that left.

    One whose buyer asked for his money after it left must not be told before somebody decides: a task asks for it.
    """
    query = select(shipment.c.id, orders.c.external_id, shipment.c.tracking, shipment.c.state)
    gates = select(task.c.key).where(task.c.kind == "gate", task.c.closed_at.is_(None))
    with ctx.store.read() as connection:
        rows = connection.execute(
            query.join(orders, orders.c.id == shipment.c.order_id).where(orders.c.channel_id == channel.id)
        ).all()
        asked = set(connection.execute(gates).scalars())
    sent = Counter((row.external_id, row.tracking) for row in rows if row.state == "sent")
    told = Counter(shop.told())
    waiting = [task_key(SHIPMENT, row.id) for row in rows if row.state != "sent"]
    forgotten = [key for key in waiting if key not in asked]
    problem = f"{len(forgotten)} parcels are not told, and nobody is asked" if forgotten else ""
    if told != sent:
        problem = f"{(told - sent).total()} told too often or unasked, {(sent - told).total()} not known there"
    figures = f"{told.total()} parcels, {len(waiting)} wait for a person" if waiting else f"{told.total()} parcels"
    return Check(name=f"{channel.name}: told of each parcel once", figures=figures, problem=problem)
