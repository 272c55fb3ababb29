"""What stands on the labels of parcels: couriers' numbers, of which release each is, and which have left."""

from dataclasses import dataclass

from sqlalchemy import Connection, Select, func, literal_column, select

from erpsync.store.names import newest_called
from erpsync.store.tables import WAYBILL_IS_LIVE, orders, release, release_order, shipment, waybill


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A courier's number with the number of its release; empty where it was only bought in advance."""

    number: str
    release: str
    carrier: str
    state: str


def live_numbers(connection: Connection, release_id: int) -> list[Numbered]:
    """Return the numbers that the parcels of a release have or are about to have, the first parcel's first."""
    live = select(waybill.c.id).where(WAYBILL_IS_LIVE, waybill.c.release_id == release_id)
    query = _numbered().where(waybill.c.id.in_(live)).order_by(waybill.c.parcel)
    return [Numbered(**row._mapping) for row in connection.execute(query)]


def has_number(connection: Connection, number: str) -> Numbered | None:
    """Return whose a number is, the newest where couriers gave it more than once; None where it is nobody's."""
    query = _numbered().where(waybill.c.number == number, waybill.c.number != literal_column("''"))
    row = connection.execute(query.order_by(waybill.c.id.desc()).limit(1)).first()
    return None if row is None else Numbered(**row._mapping)


def left_with(connection: Connection, number: str) -> list[str]:
    """Return the numbers of the orders of which a parcel with a courier's number left."""
    same = shipment.c.order_id.in_(newest_called(connection, number)) & (shipment.c.tracking == number)
    query = select(orders.c.number).join(shipment, shipment.c.order_id == orders.c.id).where(same)
    return list(connection.execute(query.order_by(orders.c.id)).scalars())


def replaced_by(connection: Connection, release_id: int) -> str | None:
    """Return the newest release that was made of the same orders after this one, None where none was."""
    same, newer = release_order.alias(), release_order.alias()
    query = (
        select(release.c.number)
        .join(newer, newer.c.release_id == release.c.id)
        .join(same, same.c.order_id == newer.c.order_id)
        .where(same.c.release_id == release_id, release.c.id > release_id, newer.c.warehouse_id == same.c.warehouse_id)
    )
    return connection.execute(query.order_by(release.c.id.desc()).limit(1)).scalar()


def _numbered() -> "Select[tuple[str, str, str, str]]":
    of = func.coalesce(release.c.number, literal_column("''")).label("release")
    query = select(waybill.c.number, of, waybill.c.carrier, waybill.c.state)
    return query.outerjoin(release, release.c.id == waybill.c.release_id)
