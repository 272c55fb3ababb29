"""Waybills as `waybills list` and the API show them; none of them holds what the courier gave to print."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, literal_column, select

from erpsync.store.tables import channel, release, waybill
from erpsync.store.views.values import Json, NotFound, row_json

_SHOWN = ("id", "number", "account", "carrier", "service", "state", "release", "parcel", "key", "sort_code")
_AFTER = ("cost_minor", "currency", "reason", "made_at", "sent_at", "booked_at", "ended_at")


def list_waybills(
    connection: Connection,
    *,
    account: str | None = None,
    state: str | None = None,
    release_number: str | None = None,
    before_id: int = 0,
    limit: int = 100,
) -> list[Json]:
    """Return waybills, newest first; limit 0 is all, `before_id` only what is older than that one."""
    query = _waybills().order_by(waybill.c.id.desc()).limit(limit or None)
    if account is not None:
        query = query.where(waybill.c.account_id.in_(select(channel.c.id).where(channel.c.name == account)))
    if state is not None:
        query = query.where(waybill.c.state == state)
    if release_number is not None:
        query = query.where(waybill.c.release_id.in_(select(release.c.id).where(release.c.number == release_number)))
    if before_id:
        query = query.where(waybill.c.id < before_id)
    # Scans waybill: newest first, and no further than the page is long.
    return _shown(connection, query)


def show_waybill(connection: Connection, name: str) -> Json:
    """Return the waybill of a courier's number, of a booking's key, or of a release, the newest one's first parcel.

    Raises `NotFound`, also for a number that more than one account has.
    """
    numbered = _first(connection, (waybill.c.number == name) & (waybill.c.number != literal_column("''")))
    if len(numbered) > 1:
        raise NotFound(f"{name} is a number of {len(numbered)} accounts: name the release")
    of_release = waybill.c.release_id.in_(select(release.c.id).where(release.c.number == name))
    found = numbered or _first(connection, waybill.c.key == name) or _first(connection, of_release)
    if not found:
        raise NotFound(f"no waybill {name}")
    return found[0]


def _first(connection: Connection, wanted: ColumnElement[bool]) -> list[Json]:
    return _shown(connection, _waybills().where(wanted).order_by(waybill.c.attempt.desc(), waybill.c.parcel))


def _waybills() -> Select[Any]:
    return (
        select(waybill, channel.c.name.label("account"), release.c.number.label("release"))
        .join(channel, channel.c.id == waybill.c.account_id)
        .outerjoin(release, release.c.id == waybill.c.release_id)
    )


def _shown(connection: Connection, query: Select[Any]) -> list[Json]:
    return [row_json(row, _SHOWN) | row_json(row, _AFTER) for row in connection.execute(query)]
