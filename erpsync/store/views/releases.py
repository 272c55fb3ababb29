"""Releases and waves as `releases list` and `waves show` print them: numbers, goods, shelves, never a recipient."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, func, literal_column, select

from erpsync.store.goods import SHELF, known, with_base, with_shelf
from erpsync.store.tables import (
    WAVE_IS_UNDER_WAY,
    WAYBILL_IS_LIVE,
    order_line,
    orders,
    print_run,
    release,
    release_line,
    release_order,
    shipment,
    shipment_line,
    sku,
    warehouse,
    wave,
    waybill,
)
from erpsync.store.views.tracks import read_tracks
from erpsync.store.views.values import Json, NotFound, row_json

_BEFORE = ("number", "warehouse", "state", "reason")
_AFTER = ("carrier", "service", "weight_g", "parcels", "wave", "slot", "made_at", "printed_at", "ended_at")
_WAVE = ("number", "warehouse", "state", "actor", "made_at", "printed_at", "ended_at")
_PAGE = 500


def list_releases(
    connection: Connection,
    *,
    warehouse_ids: Collection[int] = (),
    states: Collection[str] = (),
    wave_id: int | None = None,
    numbers: Collection[str] = (),
    unpicked: bool = False,
    after: str | None = None,
    limit: int = 100,
) -> list[Json]:
    """Return releases, newest first, without the recipient; limit 0 is all, `after` a number only what is older.

    `lines` are in our units, `tracking` the couriers' numbers of its parcels, `tracks` where those are of which a
    courier told anything (`{tracking, state, at, place}`), `copies` how often its papers were printed.

    Args:
        unpicked: only those that a desk has and that are in no wave.
    """
    query = _releases().order_by(release.c.id.desc()).limit(limit or None)
    if warehouse_ids:
        query = query.where(release.c.warehouse_id.in_(sorted(warehouse_ids)))
    if states:
        query = query.where(release.c.state.in_(sorted(states)))
    if wave_id is not None:
        query = query.where(release.c.wave_id == wave_id)
    if numbers:
        query = query.where(release.c.number.in_(sorted(numbers)))
    if unpicked:
        query = query.where(release.c.wave_id.is_(None), release.c.state == literal_column("'told'"))
    if after is not None:
        query = query.where(release.c.id < _id_of(after).scalar_subquery())
    # Scans release: newest first, and no further than the page is long.
    return _shown(connection, query)


def show_release(connection: Connection, number: str) -> Json:
    """Return one release as lists show it; raises `NotFound`."""
    found = _shown(connection, _releases().where(release.c.number == number))
    if not found:
        raise NotFound(f"no release {number}")
    return found[0]


def stop_list(connection: Connection, warehouse_ids: Collection[int]) -> list[Json]:
    """Return what was printed at these desks and must not leave, the one that was made first at the top."""
    recalled = release.c.state == literal_column("'recalled'")
    query = _releases().where(recalled, release.c.warehouse_id.in_(sorted(warehouse_ids)))
    return _shown(connection, query.where(release.c.printed_at.is_not(None)).order_by(release.c.id))


def list_waves(
    connection: Connection,
    *,
    warehouse_ids: Collection[int] = (),
    states: Collection[str] = (),
    after: str | None = None,
    limit: int = 100,
) -> list[Json]:
    """Return waves, newest first; limit 0 is all, `after` a number only what is older.

    `releases` is how many are in it, `states` how many of them in each state.
    """
    query = _waves().order_by(wave.c.id.desc()).limit(limit or None)
    if warehouse_ids:
        query = query.where(wave.c.warehouse_id.in_(sorted(warehouse_ids)))
    if states:
        query = query.where(wave.c.state.in_(sorted(states)))
    if after is not None:
        query = query.where(wave.c.id < select(wave.c.id).where(wave.c.number == after).scalar_subquery())
    # Scans wave: newest first, and no further than the page is long.
    return _counted(connection, query)


def waves_under_way(connection: Connection, warehouse_id: int) -> list[Json]:
    """Return the waves of a desk that have not ended, newest first, as lists show them."""
    query = _waves().where(wave.c.warehouse_id == warehouse_id, WAVE_IS_UNDER_WAY).order_by(wave.c.id.desc())
    return _counted(connection, query)


def show_wave(connection: Connection, number: str) -> Json:
    """Return one wave with its releases by slot, as `members`; raises `NotFound`."""
    found = _counted(connection, _waves().where(wave.c.number == number))
    if not found:
        raise NotFound(f"no wave {number}")
    wave_id = select(wave.c.id).where(wave.c.number == number).scalar_subquery()
    members = _releases().where(release.c.wave_id == wave_id).order_by(release.c.slot)
    return found[0] | {"members": _shown(connection, members)}


def _id_of(number: str) -> Select[Any]:
    return select(release.c.id).where(release.c.number == number)


def tracking_of(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    """Return couriers' numbers: those of live waybills, else of the parcels that took the release's lines away."""
    tracking: dict[int, list[str]] = {}
    live = select(waybill.c.release_id, waybill.c.number).where(WAYBILL_IS_LIVE, waybill.c.number != "")
    for row in connection.execute(live.where(waybill.c.release_id.in_(ids)).order_by(waybill.c.parcel)):
        tracking.setdefault(row.release_id, []).append(row.number)
    holds_a_line = (
        select(shipment_line.c.line_id)
        .join(release_line, release_line.c.line_id == shipment_line.c.line_id)
        .where(shipment_line.c.shipment_id == shipment.c.id, release_line.c.release_id == release.c.id)
    )
    left = (
        select(release.c.id, shipment.c.tracking)
        .join(release_order, release_order.c.release_id == release.c.id)
        .join(shipment, shipment.c.order_id == release_order.c.order_id)
        .where(
            release.c.id.in_(sorted(set(ids) - tracking.keys())),
            shipment.c.shipped_at.between(release.c.made_at, func.coalesce(release.c.ended_at, shipment.c.shipped_at)),
            holds_a_line.exists(),
        )
        .order_by(release.c.id, shipment.c.id)
    )
    for row in connection.execute(left):
        known = tracking.setdefault(row.id, [])
        if row.tracking not in known:
            known.append(row.tracking)
    return tracking


def _releases() -> Select[Any]:
    return (
        select(release, warehouse.c.code.label("warehouse"), wave.c.number.label("wave"))
        .join(warehouse, warehouse.c.id == release.c.warehouse_id)
        .outerjoin(wave, wave.c.id == release.c.wave_id)
    )


def _waves() -> Select[Any]:
    return select(wave, warehouse.c.code.label("warehouse")).join(warehouse, warehouse.c.id == wave.c.warehouse_id)


def _counted(connection: Connection, query: Select[Any]) -> list[Json]:
    rows = connection.execute(query).all()
    shown: list[Json] = []
    for page in _pages(rows):
        states: dict[int, dict[str, int]] = {}
        count = select(release.c.wave_id, release.c.state, func.count().label("of_state"))
        count = count.where(release.c.wave_id.in_([row.id for row in page]))
        for row in connection.execute(count.group_by(release.c.wave_id, release.c.state).order_by(release.c.state)):
            states.setdefault(row.wave_id, {})[row.state] = row.of_state
        for row in page:
            of_wave = states.get(row.id, {})
            shown.append(row_json(row, _WAVE) | {"releases": sum(of_wave.values()), "states": of_wave})
    return shown


def _shown(connection: Connection, query: Select[Any]) -> list[Json]:
    shown: list[Json] = []
    for page in _pages(connection.execute(query).all()):
        ids = [row.id for row in page]
        numbers, lines = _orders(connection, ids), _lines(connection, ids)
        tracking, copies = tracking_of(connection, ids), _copies(connection, ids)
        tracks = read_tracks(connection, [number for of_release in tracking.values() for number in of_release])
        for row in page:
            own = {
                "orders": numbers.get(row.id, []),
                "lines": lines.get(row.id, []),
                "tracking": tracking.get(row.id, []),
                "tracks": [
                    {"tracking": number} | at
                    for number in tracking.get(row.id, [])
                    for at in tracks.get(number, {}).values()
                ],
                "copies": copies.get(row.id, {}),
            }
            shown.append(row_json(row, _BEFORE) | own | row_json(row, _AFTER))
    return shown


def _pages(rows: Sequence[Any]) -> Iterable[Sequence[Any]]:
    return (rows[start : start + _PAGE] for start in range(0, len(rows), _PAGE))


def _orders(connection: Connection, ids: Sequence[int]) -> dict[int, list[str]]:
    query = select(release_order.c.release_id, orders.c.number).join(orders, orders.c.id == release_order.c.order_id)
    numbers: dict[int, list[str]] = {}
    for row in connection.execute(
        query.where(release_order.c.release_id.in_(ids)).order_by(*release_order.primary_key)
    ):
        numbers.setdefault(row.release_id, []).append(row.number)
    return numbers


def _lines(connection: Connection, ids: Sequence[int]) -> dict[int, list[Json]]:
    query = (
        select(
            release_line.c.release_id,
            release_line.c.qty,
            orders.c.number.label("order"),
            order_line.c.title,
            sku.c.code,
            known("title").label("known_as"),
            SHELF,
        )
        .join(release, release.c.id == release_line.c.release_id)
        .join(order_line, order_line.c.id == release_line.c.line_id)
        .join(orders, orders.c.id == order_line.c.order_id)
        .join(sku, sku.c.id == release_line.c.sku_id)
        .where(release_line.c.release_id.in_(ids))
        .order_by(*release_line.primary_key)
    )
    lines: dict[int, list[Json]] = {}
    for row in connection.execute(with_shelf(with_base(query))):
        title, shelf = row.known_as or row.title, row.shelf or ""
        line = {"order": row.order, "sku": row.code, "title": title, "qty": row.qty, "shelf": shelf}
        lines.setdefault(row.release_id, []).append(line)
    return lines


def _copies(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    query = select(print_run.c.release_id, print_run.c.paper, func.max(print_run.c.copy).label("copies"))
    query = query.where(print_run.c.release_id.in_(ids)).group_by(print_run.c.release_id, print_run.c.paper)
    copies: dict[int, dict[str, int]] = {}
    for row in connection.execute(query.order_by(print_run.c.paper)):
        copies.setdefault(row.release_id, {})[row.paper] = row.copies
    return copies
