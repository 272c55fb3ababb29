"""Shipments as `shipments list` prints them."""

from sqlalchemy import ColumnElement, Connection, literal_column, select

from erpsync.store.outbox.queue import IS_OPEN
from erpsync.store.tables import channel, orders, outbox, shipment
from erpsync.store.views.parts import shipment_lines, shipment_state
from erpsync.store.views.tracks import track_json, with_track
from erpsync.store.views.values import Json, row_json

_BEFORE = ("number", "order", "channel", "carrier", "tracking")
_AFTER = ("state", "waiting_for", "error", "shipped_at", "sent_at", "forced", "forced_reason", "actor")


def list_shipments(
    connection: Connection,
    *,
    channel_name: str | None = None,
    state: str | None = None,
    order_id: int | None = None,
    limit: int = 100,
    after: str | None = None,
) -> list[Json]:
    """Return shipments, newest first, limit 0 is all, `after` a number only what comes behind it.

    `state` is `unknown` while its report was sent and got no answer; `waiting_for` and `error` are those of the report.

    `lines` are `{external_id, qty}` in the channel's units; `track` is `{state, at, place}` as the courier tells it,
    None where it told nothing.
    """
    query = (
        select(shipment, shipment_state().label("now"), orders.c.number.label("order"), channel.c.name.label("channel"))
        .join(orders, orders.c.id == shipment.c.order_id)
        .join(channel, channel.c.id == orders.c.channel_id)
        .order_by(shipment.c.id.desc())
        .limit(limit or None)
    )
    if channel_name is not None:
        channel_id = select(channel.c.id).where(channel.c.name == channel_name).scalar_subquery()
        query = query.where(shipment.c.channel_id == channel_id)
    if state is not None:
        query = query.where(*_state_is(state))
    if after is not None:
        query = query.where(shipment.c.id < select(shipment.c.id).where(shipment.c.number == after).scalar_subquery())
    if order_id is not None:
        query = query.where(shipment.c.order_id == order_id)
    # Scans shipment: newest first, and no further than the page is long.
    rows = connection.execute(with_track(query)).all()
    parcels: list[Json] = []
    for start in range(0, len(rows), 500):
        page = rows[start : start + 500]
        ids = [row.id for row in page]
        lines, reports = shipment_lines(connection, ids), _reports(connection, ids)
        for row in page:
            waiting_for, error = reports.get(row.id, ("", ""))
            now = {"state": row.now, "waiting_for": waiting_for, "error": error}
            shown = row_json(row, _BEFORE) | {"lines": lines.get(row.id, [])}
            at = {"track": track_json(row)}
            parcels.append(shown | now | at | row_json(row, _AFTER[3:]))
    return parcels


def _state_is(state: str) -> list[ColumnElement[bool]]:
    conditions = [shipment_state() == state]
    if state == "unknown":
        told = outbox.c.destination_id.in_(select(channel.c.id))  # each of them, so that the index of open rows fits
        doubtful = select(outbox.c.ref_id).where(told, outbox.c.kind == "shipment", outbox.c.sent_at.is_not(None))
        doubtful = doubtful.where(IS_OPEN)
        conditions.append(shipment.c.id.in_(doubtful))
    elif state != "sent":
        # The second condition says nothing new, but that the index of what is not sent fits.
        conditions += [shipment.c.state == state, shipment.c.state != literal_column("'sent'")]
    return conditions


def _reports(connection: Connection, shipment_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Return (waiting for, error) of the newest outbox row of each shipment."""
    query = select(outbox.c.ref_id, outbox.c.waiting_for, outbox.c.error)
    newest_last = query.where(outbox.c.kind == "shipment", outbox.c.ref_id.in_(shipment_ids)).order_by(outbox.c.id)
    return {row.ref_id: (row.waiting_for, row.error) for row in connection.execute(newest_last)}
