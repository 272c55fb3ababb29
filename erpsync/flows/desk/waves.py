"""Waves: which releases of a desk are picked together, in which order, and when they are done.

    open ─printed─▶ printed ─all have left, or a person says so─▶ done
      └─ dropped, or everything in it was stopped ─▶ dropped

Why orders are not locked here: a wave takes nothing of an order, and a recall looks at no wave. Both want the release
to be `told` in the statement that changes it, so whoever comes second leaves it alone.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import structlog
from sqlalchemy import Connection, Select, literal_column, select

from erpsync.core.deadline import ship_by
from erpsync.core.policy import OrderPolicy
from erpsync.core.waves import WaveRelease, order
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.numbering import next_numbers
from erpsync.flows.warehouses.siblings import could_come_along
from erpsync.store.db.bulk import in_parts, insert_many, new_ids, update_many
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.goods import shelves_of
from erpsync.store.tables import orders, release, release_line, release_order, wave
from erpsync.store.views.values import NotFound
from erpsync.store.waves import OPEN, WaveHead, end_wave, find_wave, leave_wave, lock_wave, settle_wave, unsettled

NUMBER = "W{yyyymmdd}{seq:04}"
BY_ITSELF = "erpsync"

log = structlog.get_logger()


class Free(NamedTuple):
    """A release that is in no wave, and when its oldest order is due."""

    id: int
    number: str
    due_at: datetime


def make_wave(
    ctx: Context, *, warehouse: str, numbers: Sequence[str] = (), most: int | None = None, actor: str
) -> str | None:
    """Put releases of a desk that are in no wave into one, in the order of picking; return its number.

    Without `numbers` those that are due first, `most` at most, or as many as the warehouse's `wave_size`; None where
    there are none. One whose recipient has another paid order that may leave later is taken only where it is named.

    Raises `Refused` for a warehouse that is no desk, or a release that cannot be picked.
    """
    place = desk_of(ctx, warehouse)
    most = ctx.warehouses[place].wave_size if most is None else most
    if most < 1:
        raise Refused(f"a wave holds at least 1 release, not {most}")
    make = partial(_make, ctx=ctx, place=place, numbers=tuple(dict.fromkeys(numbers)), most=most, actor=actor)
    return ctx.store.retrying(make)


def drop_wave(ctx: Context, number: str, *, actor: str) -> None:
    """End a wave that is not printed; its releases are in none any more. Raises `Refused` for any other."""

    def drop(tx: Tx) -> None:
        head = _locked(tx, number)
        if head.state != OPEN:
            raise Refused(f"wave {number} is {head.state}; only one that is not printed is dropped")
        leave_wave(tx, head.id, ("told", "recalled", "stopped", "dropped"))
        end_wave(tx, head.id, "dropped")
        _tell(tx, "wave.dropped", head, {}, actor)

    ctx.store.retrying(drop)


def finish_wave(ctx: Context, number: str, *, actor: str) -> list[str]:
    """End a printed wave although not all of it has left; return the releases that are in no wave any more.

    They are picked with another wave. What was recalled stays in this one until somebody stops it. A wave of which
    all has left is done by itself. Raises `Refused` for a wave that is not printed, or has ended.
    """

    def finish(tx: Tx) -> list[str]:
        head = _locked(tx, number)
        if head.state == OPEN:
            raise Refused(f"wave {number} is not printed; drop it instead")
        if head.state != "printed":
            raise Refused(f"wave {number} is {head.state} already")
        back = leave_wave(tx, head.id, ("told",))
        end_wave(tx, head.id, "done")
        _tell(tx, "wave.done", head, {"back": back}, actor)
        return back

    return ctx.store.retrying(finish)


def make_due_waves(ctx: Context) -> int:
    """Make waves at desks where `wave_min` releases or more wait for one, and end those that are done.

    Return how many were made.
    """
    desks = sorted(ctx.desks.values())
    if not desks:
        return 0
    with ctx.store.read() as connection:
        ended = unsettled(connection, desks)
    for wave_id in ended:
        ctx.store.retrying(partial(settle_wave, wave_id=wave_id))
    return sum(_fill(ctx, place) for place in desks)


def desk_of(ctx: Context, warehouse: str) -> int:
    """Return the row id of a desk by its code; raises `Refused` for a warehouse that is none."""
    if warehouse not in ctx.desks:
        known = ", ".join(sorted(ctx.desks))
        if not known:
            raise Refused("no warehouse has a desk; `desk: true` makes one of a warehouse")
        raise Refused(f"warehouse {warehouse} has no desk; there is one in {known}")
    return ctx.desks[warehouse]


def _fill(ctx: Context, place: int) -> int:
    policy, made = ctx.warehouses[place], 0
    if policy.wave_min is None:
        return 0
    while _waiting(ctx, place, policy.wave_min):
        if make_wave(ctx, warehouse=policy.id, actor=BY_ITSELF) is None:
            break
        made += 1
    return made


def _waiting(ctx: Context, place: int, least: int) -> bool:
    with ctx.store.read() as connection:
        return len(connection.execute(_unpicked(place).limit(least)).all()) >= least


def _make(tx: Tx, *, ctx: Context, place: int, numbers: Sequence[str], most: int, actor: str) -> str | None:
    chosen: list[Free] = []
    while not chosen:  # what a rival took meanwhile is in a wave by now, and there may be more
        wanted = free_releases(tx.connection, ctx, place, numbers)
        if numbers:
            _refuse_missing(tx, place, numbers, wanted)
        wanted = wanted if numbers else _first_alone(tx, ctx, wanted, most)
        if not wanted:
            return None
        chosen = _lock_free(tx, place, wanted)
        if numbers:
            _refuse_missing(tx, place, numbers, chosen)
    return _write(tx, ctx, place, chosen, actor)


def _first_alone(tx: Tx, ctx: Context, free: Iterable[Free], most: int) -> list[Free]:
    """Return the releases that are due first, without those that a person has to look at."""
    ordered = sorted(free, key=lambda each: (each.due_at, each.id))
    alone: list[Free] = []
    for start in range(0, len(ordered), most):
        some = ordered[start : start + most]
        coming = could_come_along(tx.connection, ctx, [each.id for each in some])
        alone += [each for each in some if each.id not in coming]
        if len(alone) >= most:
            break
    return alone[:most]


def _unpicked(place: int) -> Select[Any]:
    told = release.c.state == literal_column("'told'")
    return select(release.c.id).where(release.c.warehouse_id == place, told, release.c.wave_id.is_(None))


def free_releases(connection: Connection, ctx: Context, place: int, numbers: Sequence[str] = ()) -> list[Free]:
    """Return the releases of a desk that are in no wave, all of them or those that are named."""
    columns = (orders.c.channel_id, orders.c.ship_by_at, orders.c.paid_at, orders.c.ready_at, orders.c.placed_at)
    query = (
        _unpicked(place)
        .join(release_order, release_order.c.release_id == release.c.id)
        .join(orders, orders.c.id == release_order.c.order_id)
        .add_columns(release.c.number, *columns)
    )
    free: dict[int, Free] = {}
    rows: Iterable[Any] = connection.execute(query.where(release.c.number.in_(numbers)) if numbers else query)
    for row in rows:
        seller = ctx.seller(row.channel_id)
        due_at = ship_by(row, seller.orders if seller else OrderPolicy())
        known = free.get(row.id)
        if known is None or due_at < known.due_at:
            free[row.id] = Free(row.id, row.number, due_at)
    return list(free.values())


def _lock_free(tx: Tx, place: int, wanted: Iterable[Free]) -> list[Free]:
    """Return those of the releases that are still in no wave, locked."""
    by_id = {free.id: free for free in wanted}
    locked: list[Free] = []
    for part in in_parts(by_id):
        query = _unpicked(place).where(release.c.id.in_(part)).order_by(release.c.id).with_for_update()
        locked += [by_id[id] for id in tx.execute(query).scalars()]
    return locked


def _refuse_missing(tx: Tx, place: int, numbers: Sequence[str], found: Iterable[Free]) -> None:
    missing = sorted(set(numbers) - {free.number for free in found})
    if not missing:
        return
    query = select(release, wave.c.number.label("wave")).outerjoin(wave, wave.c.id == release.c.wave_id)
    row = tx.execute(query.where(release.c.number == missing[0], release.c.warehouse_id == place)).first()
    if row is None:
        raise Refused(f"this desk has no release {missing[0]}")
    if row.state != "told":
        raise Refused(f"release {missing[0]} is {row.state}, it cannot be picked")
    raise Refused(f"release {missing[0]} is in wave {row.wave} already")


def _write(tx: Tx, ctx: Context, place: int, chosen: Sequence[Free], actor: str) -> str:
    """Write a wave of locked releases, in the order of picking; return its number."""
    [wave_id] = new_ids(tx, wave, 1)
    number = next(next_numbers(tx, ctx, NUMBER, 1, taken=wave.c.number))
    row = {"id": wave_id, "warehouse_id": place, "number": number, "state": OPEN, "actor": actor, "made_at": tx.now}
    insert_many(tx, wave, [row])
    ids = {free.number: free.id for free in chosen}
    picked = _ordered(tx, place, chosen)
    slots = [{"id": ids[name], "wave_id": wave_id, "slot": slot} for slot, name in enumerate(picked, 1)]
    update_many(tx, release, slots, keys=["id"])
    head = WaveHead(id=wave_id, number=number, warehouse_id=place, state=OPEN)
    _tell(tx, "wave.made", head, {"releases": len(picked)}, actor)
    log.info("wave.made", wave=number, warehouse=ctx.warehouses[place].id, releases=len(picked))
    return number


def _ordered(tx: Tx, place: int, chosen: Sequence[Free]) -> list[str]:
    units: dict[int, dict[int, int]] = {free.id: {} for free in chosen}
    for part in in_parts(units):
        for row in tx.all(select(release_line).where(release_line.c.release_id.in_(part))):
            of_release = units[row.release_id]
            of_release[row.sku_id] = of_release.get(row.sku_id, 0) + row.qty
    skus = {sku_id for of_release in units.values() for sku_id in of_release}
    shelves: Mapping[int, str] = {
        key.sku_id: shelf for key, shelf in shelves_of(tx.connection, skus).items() if key.warehouse_id == place
    }
    releases = [WaveRelease(number=free.number, units=units[free.id], due_at=free.due_at) for free in chosen]
    return [each.number for each in order(releases, shelves)]


def _locked(tx: Tx, number: str) -> WaveHead:
    head = find_wave(tx.connection, number)
    if head is None:
        raise NotFound(f"no wave {number}")
    return lock_wave(tx, head.id)


def _tell(tx: Tx, kind: str, head: WaveHead, detail: Mapping[str, object], actor: str) -> None:
    told = {"wave": head.number, "warehouse_id": head.warehouse_id, **detail}
    write_events(tx, [Event(kind=kind, detail=told, actor=actor)])
