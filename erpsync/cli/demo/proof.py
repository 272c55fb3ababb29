"""What the demonstration proves at its end: the shops' own books held against the database's.

received = stored · no unit promised twice · every shop shows what is available · the certificate is sealed
"""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from erpsync.cli.demo.check import Check
from erpsync.cli.demo.stage import goods
from erpsync.flows.availability.levels import load_listed
from erpsync.flows.context import Channel, Context
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.reconcile.certificate import prove as certify
from erpsync.sdk.sandbox.demo import DemoShop
from erpsync.store.db.store import Tx
from erpsync.store.tables import dirty_sku, hold, listing, orders, outbox, release, release_order, shipment, stock

LISTINGS_AT_ONCE = 500


def idle(ctx: Context) -> bool:
    """Whether nothing is on its way to a shop."""
    with ctx.store.read() as connection:
        dirty = connection.execute(select(func.count()).select_from(dirty_sku)).scalar_one()
        busy = select(func.count()).where(outbox.c.state.in_(("pending", "leased"))).select_from(outbox)
        fresh = select(func.count()).where(outbox.c.waiting_for == "fresh").select_from(outbox)
        return not (dirty or connection.execute(busy).scalar_one() or connection.execute(fresh).scalar_one())


def prove(ctx: Context, shops: Mapping[str, DemoShop], span: tuple[datetime, datetime]) -> list[Check]:
    """Return every check of the summary; `span` is when people traded."""
    checks = [_stored(ctx, ctx.channel(name), shop) for name, shop in shops.items()]
    checks.append(_promised(ctx))
    checks.append(_counters(ctx))
    checks += [_shown(ctx, ctx.channel(name), shop) for name, shop in shops.items()]
    checks += _sealed(ctx, span)
    checks.append(_parcels(ctx))
    checks.append(_releases(ctx))
    return checks


def _sealed(ctx: Context, span: tuple[datetime, datetime]) -> list[Check]:
    """Return whether the certificate covers the whole span, for every channel whose past can be listed."""
    since, until = span
    with ctx.store.read() as connection:
        certificate = certify(
            connection, ctx, channels=ctx.channels.values(), since=since, until=until, at=ctx.store.clock.now()
        )
    return [
        Check(
            name=f"{channel['channel']}: certificate sealed",
            figures=f"{channel['orders']} orders, {channel['sealed']} of {channel['windows']} windows",
            problem=""
            if channel["state"] == "sealed"
            else f"{channel['unsealed'][0]['why']} ({channel['unsealed'][0]['from']})",
        )
        for channel in certificate["channels"]
        if channel["state"] != "unprovable"
    ]


def _stored(ctx: Context, channel: Channel, shop: DemoShop) -> Check:
    with ctx.store.read() as connection:
        rows = connection.execute(select(orders.c.external_id).where(orders.c.channel_id == channel.id)).scalars()
        stored = list(rows)
    placed = shop.placed()
    missing, strange = placed - set(stored), set(stored) - placed
    problem = "" if placed else "nobody ordered anything"
    if missing or strange or len(stored) != len(set(stored)):
        problem = f"{len(missing)} missing {sorted(missing)[:3]}, {len(strange)} unknown {sorted(strange)[:3]}"
    figures = f"{len(placed)} = {len(stored)}"
    return Check(name=f"{channel.name}: orders received = stored", figures=figures, problem=problem)


def _promised(ctx: Context) -> Check:
    with ctx.store.read() as connection:
        on_hand = connection.execute(select(func.sum(stock.c.on_hand))).scalar_one()
        over = connection.execute(
            select(func.count()).select_from(stock).where(stock.c.reserved > stock.c.on_hand)
        ).scalar_one()
        held = connection.execute(select(func.coalesce(func.sum(hold.c.qty), 0))).scalar_one()
    problem = f"{over} places promise more than they have" if over else ""
    return Check(name="no unit sold twice", figures=f"{held} promised of {on_hand}", problem=problem)


def _counters(ctx: Context) -> Check:
    wrong = verify_counters(ctx)
    with ctx.store.read() as connection:
        places = connection.execute(select(func.count()).select_from(stock)).scalar_one()
    return Check(name="counters = sums of holds and ledger", figures=f"{places} places", problem="; ".join(wrong[:3]))


def _shown(ctx: Context, channel: Channel, shop: DemoShop) -> Check:
    wanted = _numbers(ctx, channel)
    shown = shop.shown()
    wrong = {code: (shown.get(code), qty) for code, qty in wanted.items() if shown.get(code) != qty}
    problem = "; ".join(f"{code} shows {has}, should be {qty}" for code, (has, qty) in sorted(wrong.items())[:3])
    if len(wanted) < len(goods()):
        problem = f"only {len(wanted)} of {len(goods())} goods are listed"
    figures = f"{len(wanted) - len(wrong)} of {len(wanted)} listings"
    return Check(name=f"{channel.name}: stock shown = available", figures=figures, problem=problem)


def _numbers(ctx: Context, channel: Channel) -> dict[str, int]:
    """Return the number every listing of a channel should show now."""

    def read_numbers(tx: Tx) -> dict[str, int]:
        ids = tx.execute(select(listing.c.id).where(listing.c.channel_id == channel.id)).scalars().all()
        numbers: dict[str, int] = {}
        for start in range(0, len(ids), LISTINGS_AT_ONCE):
            for item in load_listed(tx, ctx, channel, ids[start : start + LISTINGS_AT_ONCE]).values():
                if item.qty is not None:
                    numbers[item.channel_sku] = item.qty
        return numbers

    return ctx.store.retrying(read_numbers)


def _releases(ctx: Context) -> Check:
    """Return whether every release that left did so once: with one label, and in one parcel of each of its orders."""
    with ctx.store.read() as connection:
        rows = connection.execute(select(release.c.state, func.count().label("n")).group_by(release.c.state)).all()
        members = select(func.count()).select_from(release_order).join(release).where(release.c.state == "shipped")
        left = connection.execute(members).scalar_one()
        parcels = connection.execute(select(func.count()).select_from(shipment)).scalar_one()
        labels = connection.execute(select(func.count(shipment.c.tracking.distinct()))).scalar_one()
    shipped = next((row.n for row in rows if row.state == "shipped"), 0)
    problem = "" if (left, shipped) == (parcels, labels) else f"{parcels} parcels with {labels} labels left"
    figures = ", ".join(f"{row.n} {row.state}" for row in sorted(rows)) or "none"
    return Check(name="every release leaves once", figures=figures, problem=problem)


def _parcels(ctx: Context) -> Check:
    with ctx.store.read() as connection:
        rows = connection.execute(select(shipment.c.state, func.count().label("n")).group_by(shipment.c.state)).all()
    figures = ", ".join(f"{row.n} {row.state}" for row in sorted(rows)) or "none"
    return Check(name="parcels", figures=figures)
