"""The story behind an order: everything that led to what is so now, in time order, and what to do.

Why built from rows and not from logs: events, ledger, holds and outbox rows are written in the transactions they tell
of, so the story cannot differ from what was done.
"""

from collections.abc import Collection, Iterable
from itertools import chain

from sqlalchemy import Connection, and_, or_, select

from erpsync.store.releases import is_about
from erpsync.store.tables import (
    channel,
    dead_letter,
    event,
    ledger,
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
from erpsync.store.views.values import Json


def tell_order(connection: Connection, name: str, *, off: Collection[str] = ()) -> Json:
    """Return `{order, story: [{at, about, what, detail, actor}], next: [sentence]}`.

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
    return {"order": shown, "story": in_order(told), "next": to_do}


def _events(connection: Connection, order_id: int) -> Iterable[Json]:
    # What tasks and dead letters are told by themselves.
    told = event.c.kind.not_in(("task.opened", "task.done", "letter.opened"))
    of_order = and_(event.c.order_id == order_id, event.c.order_id.is_not(None), told)
    return of_events(connection, connection.execute(select(event).where(of_order).order_by(event.c.at, event.c.id)))


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
    of_order = is_about(connection, order_id, dead_letter)
    for row in connection.execute(select(dead_letter).where(of_order).order_by(dead_letter.c.id)):
        told = {"id": row.id, "kind": row.kind, "error": row.error, "source": row.source}
        yield entry(row.at, "dead letter", row.state, told)
