"""Events as the API tells them, one after the other; and who is told."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from erpsync.store.tables import channel, event, orders, sku, subscription
from erpsync.store.views.details import with_names
from erpsync.store.views.values import Json, NotFound, detail, iso, row_json

_SUBSCRIPTION = ("id", "url", "state", "created_at", "created_by", "failing_since_at", "told_at", "attempts", "error")


def list_events(
    connection: Connection, *, after: int, until: int, kinds: Sequence[str] = (), limit: int = 100
) -> list[Json]:
    """Return events with ids above `after` up to `until`, oldest first.

    Args:
        until: `settled_id` of a moment before this connection's snapshot; beyond it events may still turn up.
        kinds: only these; a kind that ends in `.` means all that begin so. None at all means every kind.
    """
    query = with_codes().where(event.c.id > after, event.c.id <= until).order_by(event.c.id).limit(limit)
    if kinds:
        query = query.where(_any_of(kinds))
    return tell(connection, connection.execute(query).all())


def with_codes() -> Select[Any]:
    """Return a query for events with the names of what they are about; its rows are for `tell`."""
    return (
        select(event, orders.c.number, orders.c.external_id, channel.c.name.label("channel"), sku.c.code.label("sku"))
        .outerjoin(orders, orders.c.id == event.c.order_id)
        .outerjoin(channel, channel.c.id == event.c.channel_id)
        .outerjoin(sku, sku.c.id == event.c.sku_id)
    )


def tell(connection: Connection, rows: Sequence[Any]) -> list[Json]:
    """Return rows of `with_codes` as the API tells them."""
    told = with_names(connection, [detail(row.detail) for row in rows])
    return [_event(row, why) for row, why in zip(rows, told, strict=True)]


def newest_event(connection: Connection) -> int:
    """Return the id of the newest event there is, 0 for none."""
    return connection.execute(select(func.max(event.c.id))).scalar() or 0


def _any_of(kinds: Sequence[str]) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = event.c.kind.in_([kind for kind in kinds if not kind.endswith(".")])
    for prefix in kinds:
        if prefix.endswith("."):
            condition |= event.c.kind.startswith(prefix, autoescape=True)
    return condition


def _event(row: Any, why: Any) -> Json:
    return {
        "id": row.id,
        "at": iso(row.at),
        "kind": row.kind,
        "order": row.number,
        "external_id": row.external_id,
        "channel": row.channel,
        "sku": row.sku,
        "detail": why,
        "actor": row.actor,
    }


def list_subscriptions(connection: Connection) -> list[Json]:
    """Return all subscriptions, oldest first, without their secrets; `cursor` is the last event that was taken."""
    return [_subscription(row) for row in connection.execute(select(subscription).order_by(subscription.c.id))]


def show_subscription(connection: Connection, id: int) -> Json:
    """Return one subscription; raises `NotFound`."""
    row = connection.execute(select(subscription).where(subscription.c.id == id)).first()
    if row is None:
        raise NotFound(f"no subscription {id}")
    return _subscription(row)


def _subscription(row: Any) -> Json:
    return row_json(row, _SUBSCRIPTION) | {"cursor": str(row.cursor), "kinds": json.loads(row.kinds)}
