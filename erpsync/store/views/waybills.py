"""Waybills as `waybills list` prints them."""

from sqlalchemy import Connection, select

from erpsync.store.tables import channel, release, waybill
from erpsync.store.views.values import Json, row_json

_SHOWN = ("number", "account", "carrier", "service", "state", "release", "parcel", "key", "sort_code", "cost_minor")
_AFTER = ("currency", "reason", "made_at", "sent_at", "booked_at", "ended_at")


def list_waybills(
    connection: Connection,
    *,
    account: str | None = None,
    state: str | None = None,
    release_number: str | None = None,
    limit: int = 100,
) -> list[Json]:
    """Return waybills, newest first, limit 0 is all; none of them holds what the courier gave to print."""
    query = (
        select(waybill, channel.c.name.label("account"), release.c.number.label("release"))
        .join(channel, channel.c.id == waybill.c.account_id)
        .outerjoin(release, release.c.id == waybill.c.release_id)
        .order_by(waybill.c.id.desc())
        .limit(limit or None)
    )
    if account is not None:
        query = query.where(waybill.c.account_id.in_(select(channel.c.id).where(channel.c.name == account)))
    if state is not None:
        query = query.where(waybill.c.state == state)
    if release_number is not None:
        query = query.where(waybill.c.release_id.in_(select(release.c.id).where(release.c.number == release_number)))
    # Scans waybill: newest first, and no further than the page is long.
    rows = connection.execute(query).all()
    return [row_json(row, _SHOWN) | row_json(row, _AFTER) for row in rows]
