"""Making releases: what leaves a warehouse in one parcel, for one order or for several of one recipient.

    order ready, units held ─▶ release ─ at a desk: told at once, people have it
                                  └ a system's: pending ─claim─▶ gate ─▶ unsure ─call─▶ told ─▶ shipped
                                                          │        └─ surely not there ─▶ pending
                                                          └─ held, cancelled, short ─▶ dropped; made anew later
    unsure, told ─order changed─▶ recalled ─▶ stopped (yes: its units are free again) or kept (no: they leave)

Why the holds are marked in the commit before the call: from there on the warehouse may have the order, and nothing of
it is given away until it says that it has stopped.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from itertools import count as counting
from typing import Any

from erpsync.core.parcels import Parcel, Reason
from erpsync.core.release import Piece
from erpsync.flows.allocation.allocate import gather
from erpsync.flows.allocation.recall import set_released
from erpsync.flows.context import Channel, Context
from erpsync.flows.couriers.accounts import ask_coverage
from erpsync.flows.couriers.choice import choose_couriers
from erpsync.flows.couriers.wanted import want_waybills
from erpsync.flows.orders.numbering import next_numbers
from erpsync.flows.warehouses.desk_recalls import stop_at_desks
from erpsync.flows.warehouses.planning import Planned, plan_by_rules, read_units
from erpsync.flows.warehouses.refusals import ask_about_refused
from erpsync.flows.warehouses.releasable import read_to_the_end, releasable, with_partners
from erpsync.flows.warehouses.short_gifts import settle_short_gifts
from erpsync.flows.warehouses.siblings import awaited
from erpsync.sdk.roles import WarehouseSink
from erpsync.store.cursors import read_cursors
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.names import write_names
from erpsync.store.orders import lock_order_ids, read_orders
from erpsync.store.outbox.queue import (
    LANE_SHIPMENT,
    RELEASE,
    Effect,
    enqueue,
)
from erpsync.store.registry import lock_skus
from erpsync.store.releases import NOTHING_UNDER_WAY, UnderWay
from erpsync.store.tables import orders, release, release_line, release_order

NUMBER = "R{yyyymmdd}{seq:06}"
"""The pattern of release numbers. Nothing is to be read out of one: an order may have many, and one many orders."""
ORDERS_AT_ONCE = 200
MADE_AT_ONCE = 2000


def release_ready(ctx: Context) -> int:
    """Make releases of what is ready in warehouses where people pick or a channel's system does; return how many.

    All that could leave is looked at, page by page: orders that stay keep no younger ones back.
    """
    run = served(ctx)
    if not run:
        return 0
    stop_at_desks(ctx)
    ask_about_refused(ctx)
    settle_short_gifts(ctx)
    made, after = 0, 0
    while made < MADE_AT_ONCE and (planned := plan_page(ctx, run, after)) is not None:
        page, waiting, after = planned
        for order_id in {stay.order_id for stay in page.plan.stays if stay.because.code is Reason.TORN}:
            ctx.store.retrying(partial(_gather, ctx=ctx, order_id=order_id))
        leaving = {id for parcel in page.plan.parcels if parcel.warehouse_id in run for id in parcel.order_ids}
        leaving -= waiting.keys()
        if leaving:
            booked = [parcel for parcel in page.plan.parcels if parcel.warehouse_id in ctx.booked_for]
            ask_coverage(
                ctx, {page.orders[id].region for each in booked for id in leaving.intersection(each.order_ids)}
            )
            made += ctx.store.retrying(partial(make_planned, ctx=ctx, run=run, page=page, leaving=leaving))
    return made


def served(ctx: Context) -> set[int]:
    """Return the ids of the warehouses that releases are made for: a system or people send what lies there."""
    run = {i for i in ctx.warehouses if (c := ctx.runner(i)) and c.enabled and c.plays(WarehouseSink)}
    return run | set(ctx.desks.values())


def plan_page(ctx: Context, run: Collection[int], after: int) -> tuple[Planned, Mapping[int, datetime], int] | None:
    """Return what of the next orders could leave, with others of the same recipients; None where there are no more.

    Beside it, by order id, until when some wait for others of their recipients, and the last of these orders.
    """
    now = ctx.store.trusted_now()
    # Scans orders, hold: those that are ready, and what is held of them.
    with ctx.store.read() as connection:
        queries = releasable(ctx, run, read_to_the_end(ctx, read_cursors(connection)))
        pages = [query.where(orders.c.id > after).limit(ORDERS_AT_ONCE) for query in queries]
        ids = sorted(id for page in pages for id in connection.execute(page).scalars())[:ORDERS_AT_ONCE]
        if not ids:
            return None
        partners = [id for query in queries for id in connection.execute(with_partners(query, ids)).scalars()]
        page = plan_by_rules(connection, ctx, read_orders(connection, {*ids, *partners}), now=now)
        return page, awaited(connection, ctx, page, now=ctx.store.clock.now()), ids[-1]


def _gather(tx: Tx, *, ctx: Context, order_id: int) -> None:
    """Let the units of an order lie together that make no whole unit where they lie."""
    for order in lock_order_ids(tx, [order_id]).values():
        gather(tx, ctx, order)


def make_planned(tx: Tx, *, ctx: Context, run: Collection[int], page: Planned, leaving: Collection[int]) -> int:
    """Make the releases of a plan; where an order or what is held of it has changed meanwhile, it is planned anew."""
    locked = lock_order_ids(tx, leaving)
    lock_skus(tx, {sku_id for order in locked.values() for line in order.lines for sku_id in line.parts})
    known = {id: page.orders[id] for id in leaving}
    if locked != known or read_units(tx.connection, known) != page.units.of(known):
        page = plan_by_rules(tx.connection, ctx, locked, now=tx.trusted_now)
    wanted = set(leaving)
    parcels = [parcel for parcel in page.plan.parcels if parcel.warehouse_id in run and wanted >= set(parcel.order_ids)]
    make_releases(tx, ctx, parcels, page.units.out)
    return len(parcels)


def make_releases(tx: Tx, ctx: Context, parcels: Sequence[Parcel], out: UnderWay = NOTHING_UNDER_WAY) -> None:
    """Write a release for each parcel of locked orders: people have it at once, a system is told by an effect.

    The database refuses a second one of the same part of an order that is open in a warehouse.

    Args:
        out: what open releases have of the orders already.
    """
    ids = new_ids(tx, release, len(parcels))
    numbers = list(next_numbers(tx, ctx, NUMBER, len(parcels), taken=release.c.number))
    desks = set(ctx.desks.values())
    heads: list[dict[str, Any]] = []
    members: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    names: list[tuple[int, str]] = []
    effects: list[Effect] = []
    events: list[Event] = []
    parts = _Parts(out)
    for id, number, parcel in zip(ids, numbers, parcels, strict=True):
        at_desk = parcel.warehouse_id in desks
        heads.append(_head_row(tx, id, number, parcel, at_desk=at_desk))
        members += parts.members(id, parcel)
        lines += line_rows(id, parcel.pieces)
        names += [(order_id, number) for order_id in parcel.order_ids]
        detail = {"release": number, "warehouse_id": parcel.warehouse_id}
        events += [Event(kind="release.made", order_id=order_id, detail=detail) for order_id in parcel.order_ids]
        runner = ctx.runner(parcel.warehouse_id)
        if runner is not None and not at_desk:
            effects.append(_effect(tx, runner, id, number))
    insert_many(tx, release, heads)
    insert_many(tx, release_order, members)
    insert_many(tx, release_line, lines)
    write_names(tx, names)
    enqueue(tx, effects)
    write_events(tx, events)
    for place in desks & {parcel.warehouse_id for parcel in parcels}:
        theirs = [piece.line_id for parcel in parcels if parcel.warehouse_id == place for piece in parcel.pieces]
        set_released(tx, theirs, place, released=True)
    choose_couriers(tx, ctx, ids)
    want_waybills(tx, ctx, ids)


class _Parts:
    """Tells the releases of one order in one warehouse apart: by the rule's part, and by a count from the second on."""

    def __init__(self, out: UnderWay) -> None:
        self._taken = {key: set(names) for key, names in out.parts.items()}

    def members(self, release_id: int, parcel: Parcel) -> Iterator[dict[str, Any]]:
        """Yield the rows of the orders in a release."""
        for order_id in parcel.order_ids:
            taken = self._taken.setdefault((order_id, parcel.warehouse_id), set())
            names = (parcel.part if count == 1 else f"{parcel.part}#{count}" for count in counting(1))
            part = next(name for name in names if name not in taken)
            taken.add(part)
            yield {
                "release_id": release_id,
                "order_id": order_id,
                "warehouse_id": parcel.warehouse_id,
                "part": part,
            }


def _head_row(tx: Tx, id: int, number: str, parcel: Parcel, *, at_desk: bool) -> dict[str, Any]:
    return {
        "id": id,
        "warehouse_id": parcel.warehouse_id,
        "number": number,
        "state": "told" if at_desk else "pending",
        "carrier": parcel.carrier[0] if parcel.carrier else "",
        "weight_g": parcel.weight_g,
        "made_at": tx.now,
        "told_at": tx.now if at_desk else None,
    }


def _effect(tx: Tx, runner: Channel, release_id: int, number: str) -> Effect:
    return Effect(
        destination_id=runner.id,
        kind=RELEASE,
        key=number,
        ref_id=release_id,
        serial_key=f"release:{release_id}",
        lane=LANE_SHIPMENT,
        run_at=tx.now,
        marked_at=tx.now,
    )


def line_rows(release_id: int, pieces: Iterable[Piece]) -> list[dict[str, Any]]:
    """Return the rows of what a release holds."""
    return [
        {"release_id": release_id, "line_id": p.line_id, "sku_id": p.sku_id, "qty": p.qty, "units": p.units}
        for p in pieces
    ]
