"""What the console shows of accounts with couriers: what waits, what nobody used, what they refused, who took what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, literal_column, select

from erpsync.store.db.bulk import in_parts
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A release with its courier.

    Args:
        choice: why it is that one, as JSON.
        province, city: of its first order.
        cost_minor: as the courier says it, None where it does not.
    """

    carrier: str
    choice: str | None
    made_at: datetime
    province: str | None
    city: str | None
    cost_minor: int | None
    currency: str


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


def newest_choices(connection: Connection, *, most: int) -> list[Chosen]:
    """Return the releases that a courier was chosen for, newest first, of the `most` newest of all."""
    columns = (release.c.id, release.c.account_id, release.c.carrier, release.c.choice, release.c.made_at)
    # Scans release: newest first, and no further than `most`.
    newest = connection.execute(select(*columns).order_by(release.c.id.desc()).limit(most)).all()
    rows = [row for row in newest if row.account_id is not None]
    places: dict[int, Any] = {}
    paid: dict[int, Any] = {}
    for part in in_parts(row.id for row in rows):
        where = select(release_order.c.release_id, orders.c.province, orders.c.city).join(orders)
        where = where.where(release_order.c.release_id.in_(part)).order_by(release_order.c.order_id.desc())
        places |= {row.release_id: row for row in connection.execute(where)}  # that of the first order stays
        cost = select(waybill.c.release_id, func.sum(waybill.c.cost_minor), func.max(waybill.c.currency))
        cost = cost.where(WAYBILL_IS_LIVE, waybill.c.release_id.in_(part)).group_by(waybill.c.release_id)
        paid |= {row[0]: row for row in connection.execute(cost)}
    return [
        Chosen(
            carrier=row.carrier,
            choice=row.choice,
            made_at=row.made_at,
            province=places[row.id].province,
            city=places[row.id].city,
            cost_minor=None if row.id not in paid or paid[row.id][1] is None else int(paid[row.id][1]),
            currency="" if row.id not in paid else paid[row.id][2],
        )
        for row in rows
    ]
