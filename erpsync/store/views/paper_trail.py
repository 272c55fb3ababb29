"""What is known of one release beside its own row: what was printed of it, and what happened; and where a number leads.

Why a release has no story of its own: all that happens to it happens to its orders, and is told there once.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from erpsync.store.tables import print_run, release, release_order, wave, waybill
from erpsync.store.views.entries import in_order
from erpsync.store.views.releases import list_releases
from erpsync.store.views.story import tell_order
from erpsync.store.views.values import Json, row_json

_PRINT = ("paper", "copy", "reason", "actor", "at")


def releases_of(connection: Connection, order_id: int) -> list[Json]:
    """Return the releases that an order is or was in, newest first."""
    query = select(release.c.number).join(release_order).where(release_order.c.order_id == order_id)
    numbers = list(connection.execute(query).scalars())
    return list_releases(connection, numbers=numbers, limit=0) if numbers else []


def prints_of(connection: Connection, number: str) -> list[Json]:
    """Return the papers that were handed out of a release, newest first; `of_wave` the pick lists that it stood on."""
    row = connection.execute(select(release.c.id, release.c.wave_id).where(release.c.number == number)).one()
    runs = list(connection.execute(select(print_run).where(print_run.c.release_id == row.id)))
    if row.wave_id is not None:
        of_wave = select(print_run).where(print_run.c.wave_id == row.wave_id, print_run.c.paper == "pick")
        runs += connection.execute(of_wave)
    runs.sort(key=lambda run: -run.id)
    return [row_json(run, _PRINT) | {"of_wave": run.wave_id is not None} for run in runs]


def story_of(connection: Connection, number: str, order_numbers: Sequence[str]) -> list[Json]:
    """Return what happened to a release, oldest first, as the stories of its orders tell it, each thing once."""
    told: dict[tuple[str, str], Json] = {}
    for order in order_numbers:
        for entry in tell_order(connection, order)["story"]:
            if (entry["detail"] or {}).get("release") == number:
                told.setdefault((entry["at"], entry["what"]), entry)
    return list(in_order(told.values()))


def place_of_number(connection: Connection, text: str) -> tuple[str, str] | None:
    """Return what exactly has this number, and its own one: ("release", R…) or ("wave", W…); None for nothing.

    A courier's number leads to the release that it was booked for.
    """
    number = text.strip()
    named = select(release.c.number).where(release.c.number == number.upper())
    booked = select(release.c.number).join(waybill, waybill.c.release_id == release.c.id)
    booked = booked.where(waybill.c.number == number, waybill.c.number != "").order_by(release.c.id.desc()).limit(1)
    waves = select(wave.c.number).where(wave.c.number == number.upper())
    for what, query in (("release", named), ("wave", waves), ("release", booked)):
        found = connection.execute(query).scalar()
        if found is not None:
            return what, found
    return None
