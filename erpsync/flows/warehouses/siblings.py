"""Paid orders to the recipient of a release that could not come along, and why.

Why asked when papers are made and not when releases are: until then what kept an order back may be gone, or another may
have come.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from erpsync.core.deadline import asks_at
from erpsync.core.orders import KnownOrder
from erpsync.core.parcels import Because, Parcel, Plan, Reason, siblings
from erpsync.core.parcels.portions import ALONE
from erpsync.core.parcels.siblings import MOST_SIBLINGS
from erpsync.core.policy import OrderPolicy
from erpsync.flows.context import Context
from erpsync.flows.warehouses.planning import Planned, plan_orders
from erpsync.store.db.bulk import in_parts
from erpsync.store.orders import read_orders
from erpsync.store.tables import orders, release_order
from erpsync.store.tables.orders import OPEN_MERGEABLE

STILL_COMING = (Reason.HELD, Reason.SHORT, Reason.NOT_WHOLE, Reason.BELOW_LEAST)
"""Why orders stay that may leave later; what is sealed or too heavy never comes along."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """An order that is not in a release to its recipient: our number of it, and why."""

    order: str
    because: Because


def siblings_of(connection: Connection, ctx: Context, release_ids: Collection[int]) -> dict[int, list[Beside]]:
    """Return the siblings of releases, by release id; those without any are left out."""
    members = _members(connection, release_ids)
    families = _families(connection, {order_id for each in members.values() for order_id in each.order_ids})
    shared = {id: it for id, it in members.items() if families.get(it.order_ids[0], set()) - {*it.order_ids}}
    if not shared:
        return {}
    wanted = {order_id for each in shared.values() for order_id in (*each.order_ids, *families[each.order_ids[0]])}
    planned = plan_orders(connection, ctx, read_orders(connection, wanted))
    parcels = [_as_parcel(planned, each) for each in shared.values()]
    plan = Plan(parcels=(*parcels, *planned.plan.parcels), stays=planned.plan.stays)
    found = siblings(planned.candidates, plan, planned.marks, ctx.packing)
    return {
        id: [Beside(order=planned.orders[each.order_id].number, because=each.because) for each in found[at]]
        for at, id in enumerate(shared)
        if at in found
    }


@dataclass(frozen=True, slots=True)
class _Members:
    """Whose lines a release holds, where, and of which part."""

    warehouse_id: int
    part: str
    order_ids: list[int]


def could_come_along(connection: Connection, ctx: Context, release_ids: Collection[int]) -> dict[int, list[Beside]]:
    """Return those siblings of releases that may leave later; releases that have none are left out."""
    found = siblings_of(connection, ctx, release_ids)
    coming = {id: [each for each in told if each.because.code in STILL_COMING] for id, told in found.items()}
    return {id: told for id, told in coming.items() if told}


def awaited(connection: Connection, ctx: Context, page: Planned, *, now: datetime) -> dict[int, datetime]:
    """Return until when orders of a plan wait for others of their recipients, by order id; most do not.

    They wait where their channel says so, for what could still come along, and no longer than is left to be in time.
    """
    patient = [parcel for parcel in page.plan.parcels if parcel.merge_index and _wait(ctx, page, parcel.order_ids)]
    members = {id for parcel in patient for id in parcel.order_ids}
    families = _families(connection, members)
    wanted = members.union(*families.values())
    if wanted == members:
        return {}
    planned = plan_orders(connection, ctx, read_orders(connection, wanted))
    found = siblings(planned.candidates, planned.plan, planned.marks, ctx.packing)
    waiting: dict[int, datetime] = {}
    for at, told in found.items():
        order_ids = planned.plan.parcels[at].order_ids
        latest = min(_latest(ctx, planned.orders[id]) for id in order_ids)
        if now < latest and any(each.because.code in STILL_COMING for each in told):
            waiting |= dict.fromkeys(order_ids, latest)
    return {id: latest for id, latest in waiting.items() if id in members}


def _wait(ctx: Context, page: Planned, order_ids: Iterable[int]) -> bool:
    sellers = (ctx.seller(page.orders[id].channel_id) for id in order_ids)
    return any(seller is not None and seller.orders.merge.sibling == "wait" for seller in sellers)


def _latest(ctx: Context, order: KnownOrder) -> datetime:
    seller = ctx.seller(order.channel_id)
    return asks_at(order, seller.orders if seller else OrderPolicy())


def _members(connection: Connection, release_ids: Iterable[int]) -> dict[int, _Members]:
    query = select(release_order).order_by(*release_order.primary_key)
    members: dict[int, _Members] = {}
    for some in in_parts(release_ids):
        for row in connection.execute(query.where(release_order.c.release_id.in_(some))):
            part = row.part.partition("#")[0]
            members.setdefault(row.release_id, _Members(row.warehouse_id, part, [])).order_ids.append(row.order_id)
    return members


def _families(connection: Connection, order_ids: Iterable[int]) -> dict[int, set[int]]:
    """Return the open orders to the recipient of each of these; no more than are ever told of."""
    of = orders.alias("of")
    own = select(of.c.id, of.c.merge_index).where(of.c.merge_index.is_not(None))
    index_of: dict[int, bytes] = {}
    for part in in_parts(order_ids):
        index_of |= {row.id: row.merge_index for row in connection.execute(own.where(of.c.id.in_(part)))}
    others = select(orders.c.id, orders.c.merge_index).where(OPEN_MERGEABLE).order_by(orders.c.placed_at, orders.c.id)
    family: dict[bytes, list[int]] = {}
    for row in connection.execute(others.where(orders.c.merge_index.in_(sorted(set(index_of.values()))))):
        family.setdefault(row.merge_index, []).append(row.id)
    return {id: set(family.get(index, ())[: MOST_SIBLINGS + 1]) for id, index in index_of.items()}


def _as_parcel(planned: Planned, members: _Members) -> Parcel:
    """Return a release as the plan would have made it, as far as siblings are told by it."""
    of = next(each for each in planned.candidates if each.order.id in members.order_ids)
    marks = planned.marks.get(of.order.id)
    return Parcel(
        warehouse_id=members.warehouse_id,
        order_ids=tuple(members.order_ids),
        part=members.part,
        pieces=(),
        due=of.order.due,
        merge_index=of.merge_index,
        kind=of.kind if of.kind in ALONE else "",
        currency=of.order.currency,
        carrier=marks.carrier if marks else (),
        weight_g=None,
        volume_cm3=None,
        units=0,
        goods_minor=0,
    )
