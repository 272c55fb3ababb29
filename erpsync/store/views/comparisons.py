"""What the comparison with the channels left behind: windows of the last days, drifted numbers, lost parcels."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from erpsync.store.tables import channel, drift, listing, orders, seal_window, sku, task
from erpsync.store.views.values import Json, row_json

MOST_DRIFTED = 100
MOST_PARCELS = 100
MOST_MARKS = 500
_DRIFT = ("channel", "channel_sku", "item_ref", "sku", "kind", "shown_qty", "told_qty", "found_at", "repairs")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenWindow:
    """A window of a channel's past as people are shown it; `missed` orders were found by a scan alone."""

    start_at: datetime
    end_at: datetime
    scanned_at: datetime | None
    sealed_at: datetime | None
    order_count: int
    reopened: int
    missed: int
    why: str

    @property
    def state(self) -> str:
        """One of sealed, late (sealed, after orders had been missed or it was opened again), open, and waiting."""
        if self.sealed_at is not None:
            return "late" if self.missed or self.reopened else "sealed"
        return "waiting" if self.scanned_at is None else "open"


def windows_since(
    connection: Connection, channel_ids: Collection[int], since: datetime, until: datetime
) -> dict[int, list[SeenWindow]]:
    """Return the windows of these channels that touch [since, until), by channel id, each in order of time."""
    by_channel: dict[int, list[SeenWindow]] = defaultdict(list)
    query = select(*(seal_window.c[name] for name in ("channel_id", *SeenWindow.__dataclass_fields__)))
    touched = query.where(
        seal_window.c.channel_id.in_(sorted(channel_ids)),
        # Also by the start, which the key ends in: a window is an hour or a few, never longer than the span shown.
        seal_window.c.start_at > since - (until - since),
        seal_window.c.start_at < until,
        seal_window.c.end_at > since,
    )
    for row in connection.execute(touched.order_by(seal_window.c.channel_id, seal_window.c.start_at)):
        by_channel[row.channel_id].append(
            SeenWindow(**{name: getattr(row, name) for name in SeenWindow.__dataclass_fields__})
        )
    return by_channel


def drifted(connection: Connection) -> list[Json]:
    """Return listings that show a number they were not told, those found last first.

    `kind` is sale, lost_push or hand_edit; `repairs` how often it was told again without showing it once.
    """
    # Scans drift: it holds one row for each listing that ever drifted, and those that ended are left out.
    query = (
        select(
            *(drift.c[name] for name in ("kind", "shown_qty", "told_qty", "found_at", "repairs")),
            listing.c.channel_sku,
            listing.c.item_ref,
            channel.c.name.label("channel"),
            sku.c.code.label("sku"),
        )
        .join(listing, listing.c.id == drift.c.listing_id)
        .join(channel, channel.c.id == listing.c.channel_id)
        .outerjoin(sku, sku.c.id == listing.c.sku_id)
        .where(drift.c.ended_at.is_(None))
        .order_by(drift.c.found_at.desc(), drift.c.listing_id)
        .limit(MOST_DRIFTED)
    )
    return [row_json(row, _DRIFT) for row in connection.execute(query)]


def drift_marks(connection: Connection, since: datetime) -> dict[int, list[datetime]]:
    """Return when drifted numbers were found since an instant, by channel id; also of those that ended."""
    # Scans drift: it holds one row for each listing that ever drifted, no history of it.
    query = (
        select(listing.c.channel_id, drift.c.found_at)
        .join(listing, listing.c.id == drift.c.listing_id)
        .where(drift.c.found_at >= since)
        .order_by(drift.c.found_at.desc(), drift.c.listing_id)
        .limit(MOST_MARKS)
    )
    marks: dict[int, list[datetime]] = defaultdict(list)
    for row in connection.execute(query):
        marks[row.channel_id].append(row.found_at)
    return marks


def lost_parcels(connection: Connection) -> list[Json]:
    """Return the open questions about parcels that a channel took and does not show, the newest first."""
    query = (
        select(
            task.c.id, task.c.opened_at, task.c.reason, orders.c.number.label("order"), channel.c.name.label("channel")
        )
        .outerjoin(orders, orders.c.id == task.c.order_id)
        .outerjoin(channel, channel.c.id == task.c.channel_id)
        .where(task.c.kind == "shipment_missing", task.c.closed_at.is_(None))
        .order_by((task.c.id + 0).desc())
        .limit(MOST_PARCELS)
    )
    rows: Any = connection.execute(query)
    return [row_json(row, ("id", "opened_at", "reason", "order", "channel")) for row in rows]
