"""Where parcels are, as orders, shipments and releases show it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, Select, select

from erpsync.store.db.bulk import in_parts
from erpsync.store.tables import shipment, track
from erpsync.store.views.values import Json, iso

Tracks = Mapping[str, Mapping[str, Json]]
"""By number and courier: `{state, at, place}`, the courier's word for where a parcel is and since when."""


def read_tracks(connection: Connection, numbers: Iterable[str]) -> Tracks:
    """Return where the parcels with these numbers are; those of which nothing was told are left out."""
    columns = (track.c.number, track.c.carrier, track.c.state, track.c.last_at, track.c.place)
    found: dict[str, dict[str, Json]] = {}
    for part in in_parts(numbers):
        for row in connection.execute(select(*columns).where(track.c.number.in_(part), track.c.state != "")):
            shown = {"state": row.state, "at": iso(row.last_at), "place": row.place}
            found.setdefault(row.number, {})[row.carrier] = shown
    return found


def track_of(tracks: Tracks, carrier: str, number: str) -> Json | None:
    """Return where a parcel is; None where nothing was told of it."""
    return tracks.get(number, {}).get(carrier)


def with_track(query: Select[Any]) -> Select[Any]:
    """Return a query of shipments that reads with each where it is, for `track_json`."""
    same = (track.c.number == shipment.c.tracking) & (track.c.carrier == shipment.c.carrier)
    told = (track.c.state.label("track_state"), track.c.last_at.label("track_at"), track.c.place.label("track_place"))
    return query.add_columns(*told).outerjoin(track, same)


def track_json(row: Any) -> Json | None:
    """Return where a shipment of `with_track` is; None where nothing was told of it."""
    if not row.track_state:
        return None
    return {"state": row.track_state, "at": iso(row.track_at), "place": row.track_place}
