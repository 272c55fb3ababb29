"""What the console shows of accounts with couriers: what waits, what nobody used, what they refused, who took what."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal_column, select

from erpsync.store.tables import (
    WAYBILL_IS_LIVE,
    WAYBILL_IS_UNUSED,
    channel,
    orders,
    rate,
    release,
    release_order,
    task,
    waybill,
)
from erpsync.store.views.values import Json, row_json

REFUSED_KINDS = ("no_waybill", "no_courier")
"""Kinds of tasks that say why a release has no number."""


def count_waybills(connection: Connection) -> dict[int, dict[str, int]]:
    """Return how many numbers of each account are in each state that has not ended."""
    found: dict[int, dict[str, int]] = {}
    counted = select(waybill.c.account_id, waybill.c.state, func.count().label("rows"))
    for which in (WAYBILL_IS_UNUSED, waybill.c.state == literal_column("'spare'")):
        for row in connection.execute(counted.where(which).group_by(waybill.c.account_id, waybill.c.state)):
            found.setdefault(row.account_id, {})[row.state] = row.rows
    return found


def stale_waybills(connection: Connection, before_at: datetime, *, most: int) -> tuple[list[Json], int]:
    """Return numbers that were booked before an instant and not used since, oldest first, and how many there are."""
    is_stale = WAYBILL_IS_UNUSED, waybill.c.state == literal_column("'booked'"), waybill.c.booked_at < before_at
    query = (
        select(waybill, channel.c.name.label("account"), release.c.number.label("release"))
        .join(channel, channel.c.id == waybill.c.account_id)
        .join(release, release.c.id == waybill.c.release_id)
        .where(*is_stale)
    )
    rows = connection.execute(query.order_by(waybill.c.id).limit(most)).all()
    count = len(rows) if len(rows) < most else connection.execute(select(func.count()).where(*is_stale)).scalar_one()
    names = ("number", "account", "carrier", "release", "booked_at", "cost_minor", "currency")
    return [row_json(row, names) for row in rows], count


def refused_releases(connection: Connection, *, most: int) -> tuple[list[Json], int]:
    """Return releases that no courier takes, with reason and since when, oldest first, and how many there are."""
    is_open = task.c.closed_at.is_(None), task.c.kind.in_(REFUSED_KINDS)
    rows = connection.execute(select(task).where(*is_open).order_by(task.c.id).limit(most)).all()
    count = len(rows) if len(rows) < most else connection.execute(select(func.count()).where(*is_open)).scalar_one()
    return [{"release": row.key, **row_json(row, ("kind", "reason", "opened_at"))} for row in rows], count


def count_rates(connection: Connection) -> dict[int, int]:
    """Return how many rows the card of each account has."""
    # Scans rate: all of it is wanted, and it holds what a few files say.
    rows = connection.execute(select(rate.c.account_id, func.count().label("rows")).group_by(rate.c.account_id))
    return {row.account_id: row.rows for row in rows}


def newest_choices(connection: Connection, *, most: int) -> Sequence[Any]:
    """Return the newest releases that a courier was chosen for, one row each, of the `most` newest of all.

    A row has `carrier`, `choice`, `made_at`, `province` and `city` of its first order, and `cost_minor` with `currency`
    as its courier says it, None where it does not.
    """
    # Scans release: newest first, and no further than `most`.
    newest = select(release.c.id).order_by(release.c.id.desc()).limit(most).subquery()
    first = (
        select(release_order.c.release_id, func.min(release_order.c.order_id).label("order_id"))
        .join(newest, newest.c.id == release_order.c.release_id)
        .group_by(release_order.c.release_id)
        .subquery()
    )
    paid = (
        select(
            waybill.c.release_id,
            func.sum(waybill.c.cost_minor).label("cost_minor"),
            func.max(waybill.c.currency).label("currency"),
        )
        .join(newest, newest.c.id == waybill.c.release_id)
        .where(WAYBILL_IS_LIVE)
        .group_by(waybill.c.release_id)
        .subquery()
    )
    columns = (release.c.carrier, release.c.choice, release.c.made_at, orders.c.province, orders.c.city)
    query = (
        select(*columns, paid.c.cost_minor, paid.c.currency)
        .join(first, first.c.release_id == release.c.id)
        .join(orders, orders.c.id == first.c.order_id)
        .outerjoin(paid, paid.c.release_id == release.c.id)
        .where(release.c.account_id.is_not(None))
    )
    return connection.execute(query.order_by(release.c.id.desc())).all()
