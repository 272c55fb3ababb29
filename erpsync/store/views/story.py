"""The story behind an order or a SKU: what is so now and why, and everything that led to it in time order.

Why built from rows and not from logs: events, ledger, holds and outbox rows are written in the transactions they tell
of, so the story cannot differ from what was done.
"""

from collections.abc import Collection, Iterable
from itertools import chain

from sqlalchemy import Connection, and_, func, or_, select

from erpsync.store.outbox.queue import IS_OPEN
from erpsync.store.releases import is_about
from erpsync.store.tables import (
    backorder,
    channel,
    dead_letter,
    event,
    hold,
    ledger,
    order_hold,
    order_line,
    outbox,
    shipment,
    sku,
    task,
    warehouse,
)
from erpsync.store.views.entries import entry, in_order, of_effect, of_events, of_movement
from erpsync.store.views.next_steps import next_of_order
from erpsync.store.views.orders import find_order, show_order
from erpsync.store.views.sku_story import explain_sku
from erpsync.store.views.values import Json, NotFound, iso

__all__ = ["explain", "explain_order", "explain_sku"]


def explain(connection: Connection, name: str, *, off: Collection[str] = ()) -> Json:
    """Return the story of the order, or else of the SKU, of that name; raises `NotFound` when there is neither.

    Args:
        off: channels that are switched off in the configuration.
    """
    try:
        return explain_order(connection, name, off=off)
    except NotFound:
        if connection.execute(select(sku.c.id).where(sku.c.code == name)).first() is None:
            raise NotFound(f"no order and no SKU {name}") from None
    return explain_sku(connection, name, off=off)


def explain_order(connection: Connection, name: str, *, off: Collection[str] = ()) -> Json:
    """Return `{order, why: [sentence], story: [{at, about, what, detail, actor}], next: [sentence]}`.

    The story is told oldest first; `next` is what to do. Raises `NotFound`.

    Args:
        name: our number, or the channel's id where only one channel has it.
        off: channels that are switched off in the configuration.
    """
    order_id = find_order(connection, name)
    shown = show_order(connection, name)
    del shown["events"]
    told = chain(
        _events(connection, order_id),
        _ledger(connection, order_id),
        _reports(connection, order_id),
        _tasks(connection, order_id),
        _letters(connection, order_id),
    )
    to_do = next_of_order(connection, order_id, shown, off=off)
    return {"order": shown, "why": _why(connection, order_id, shown), "story": in_order(told), "next": to_do}


def _events(connection: Connection, order_id: int) -> Iterable[Json]:
    # A task that is closed is told by the task itself.
    mine = and_(event.c.order_id == order_id, event.c.order_id.is_not(None), event.c.kind != "task.done")
    return of_events(connection, connection.execute(select(event).where(mine).order_by(event.c.at, event.c.id)))


def _ledger(connection: Connection, order_id: int) -> Iterable[Json]:
    """Yield the stock movements that name the order, one of its lines or one of its shipments."""
    # The names first, one list each: PostgreSQL uses no index for what a sub-query among others would find.
    lines = list(connection.execute(select(order_line.c.id).where(order_line.c.order_id == order_id)).scalars())
    parcels = sorted(_shipments(connection, order_id))
    query = (
        select(ledger, sku.c.code.label("sku"), warehouse.c.code.label("warehouse"))
        .join(sku, sku.c.id == ledger.c.sku_id)
        .join(warehouse, warehouse.c.id == ledger.c.warehouse_id)
        .where(
            or_(
                and_(ledger.c.ref_kind == "order", ledger.c.ref_id == order_id),
                and_(ledger.c.ref_kind == "line", ledger.c.ref_id.in_(lines)),
                and_(ledger.c.ref_kind == "shipment", ledger.c.ref_id.in_(parcels)),
            )
        )
        .order_by(ledger.c.id)
    )
    return (of_movement(row, {}) for row in connection.execute(query))


def _reports(connection: Connection, order_id: int) -> Iterable[Json]:
    numbers = _shipments(connection, order_id)
    query = (
        select(outbox, channel.c.name.label("channel"))
        .join(channel, channel.c.id == outbox.c.destination_id)
        .where(outbox.c.kind == "shipment", outbox.c.ref_id.in_(sorted(numbers)))
        .order_by(outbox.c.id)
    )
    return (of_effect(row, {"shipment": numbers[row.ref_id]}) for row in connection.execute(query))


def _shipments(connection: Connection, order_id: int) -> dict[int, str]:
    query = select(shipment.c.id, shipment.c.number).where(shipment.c.order_id == order_id)
    return {row.id: row.number for row in connection.execute(query)}


def _tasks(connection: Connection, order_id: int) -> Iterable[Json]:
    for row in connection.execute(select(task).where(is_about(connection, order_id, task)).order_by(task.c.id)):
        yield entry(row.opened_at, "task", "opened", {"id": row.id, "kind": row.kind, "reason": row.reason})
        if row.closed_at is not None:
            yield entry(row.closed_at, "task", "closed", {"id": row.id, "kind": row.kind}, row.closed_by)


def _letters(connection: Connection, order_id: int) -> Iterable[Json]:
    mine = is_about(connection, order_id, dead_letter)
    for row in connection.execute(select(dead_letter).where(mine).order_by(dead_letter.c.id)):
        told = {"id": row.id, "kind": row.kind, "error": row.error, "source": row.source}
        yield entry(row.at, "dead letter", row.state, told)


def _why(connection: Connection, order_id: int, shown: Json) -> list[str]:
    return [
        f"the order is {shown['status']}",
        *_reasons(connection, order_id),
        *_held(connection, order_id),
        *_missing(connection, order_id),
        *_unreported(connection, order_id),
        *_to_do(connection, order_id),
    ]


def _reasons(connection: Connection, order_id: int) -> Iterable[str]:
    for row in connection.execute(select(order_hold).where(order_hold.c.order_id == order_id)):
        yield f"held since {iso(row.at)}: {row.reason}" + (f" ({row.detail})" if row.detail else "")


def _unreported(connection: Connection, order_id: int) -> Iterable[str]:
    numbers = _shipments(connection, order_id)
    query = select(outbox).where(outbox.c.kind == "shipment", outbox.c.ref_id.in_(sorted(numbers)), IS_OPEN)
    for row in connection.execute(query.order_by(outbox.c.id)):
        number = numbers[row.ref_id]
        reason = f" ({row.error})" if row.error else ""
        if row.sent_at is not None:
            who = "a person looks" if row.state == "waiting" else "erpsync finds out"
            yield f"shipment {number}: sent at {iso(row.sent_at)}, no answer came; unknown until {who}{reason}"
        elif row.state == "waiting":
            yield f"shipment {number} is not reported to the channel yet: it waits for {row.waiting_for}{reason}"


def _to_do(connection: Connection, order_id: int) -> Iterable[str]:
    mine = is_about(connection, order_id, task)
    for row in connection.execute(select(task).where(mine, task.c.closed_at.is_(None))):
        yield f"task {row.id} is open: {row.reason}"


def _held(connection: Connection, order_id: int) -> Iterable[str]:
    query = (
        select(hold, sku.c.code.label("sku"), warehouse.c.code.label("warehouse"), order_line.c.external_id)
        .join(order_line, and_(hold.c.owner_kind == "line", hold.c.owner_id == order_line.c.id))
        .join(sku, sku.c.id == hold.c.sku_id)
        .join(warehouse, warehouse.c.id == hold.c.warehouse_id)
        .where(order_line.c.order_id == order_id)
        .order_by(order_line.c.id)
    )
    for row in connection.execute(query):
        until = f" until {iso(row.expires_at)}" if row.expires_at else ""
        how = "released to" if row.released else "held in"
        yield f"line {row.external_id}: {row.qty} of {row.sku} {how} {row.warehouse}{until}"


def _missing(connection: Connection, order_id: int) -> Iterable[str]:
    ahead = backorder.alias("ahead")
    turn = or_(
        ahead.c.due_at < backorder.c.due_at,
        and_(ahead.c.due_at == backorder.c.due_at, ahead.c.number < backorder.c.number),
    )
    before = select(func.coalesce(func.sum(ahead.c.qty), 0)).where(
        ahead.c.sku_id == backorder.c.sku_id, ahead.c.waits, turn
    )
    query = (
        select(backorder, sku.c.code.label("sku"), before.scalar_subquery().label("units_ahead"))
        .join(sku, sku.c.id == backorder.c.sku_id)
        .where(backorder.c.order_id == order_id)
        .order_by(backorder.c.owner_id, sku.c.code)
    )
    for row in connection.execute(query):
        ahead_of_it = f"{row.units_ahead} go to others first" if row.units_ahead else "no order comes before it"
        yield f"{row.qty} of {row.sku} missing; {ahead_of_it if row.waits else 'not served while the order is held'}"
