"""A recorded parcel as channels are told of it."""

from dataclasses import dataclass

from sqlalchemy import func, select

from erpsync.core.orders import KnownOrder
from erpsync.sdk.types import Shipment, ShipmentLine
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import shipment, shipment_line


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedParcel:
    """A shipment as the channel is told of it, with its order as of now; `state` is how far it is told.

    `units`, by line id, are all that is in it; its lines are those that the channel knows.
    """

    shipment: Shipment
    order: KnownOrder
    units: dict[int, int]
    forced: bool
    state: str


def order_ids(tx: Tx, shipment_id: int) -> list[int]:
    """Return the order of a parcel, as a list of one."""
    return [int(tx.execute(select(shipment.c.order_id).where(shipment.c.id == shipment_id)).scalar_one())]


def load_parcel(tx: Tx, shipment_id: int) -> LoadedParcel:
    """Return a parcel. Its order is locked first, so that a correction under way counts."""
    [order] = lock_order_ids(tx, order_ids(tx, shipment_id)).values()
    head = tx.execute(select(shipment).where(shipment.c.id == shipment_id)).one()
    query = select(shipment_line.c.line_id, shipment_line.c.qty).where(shipment_line.c.shipment_id == shipment_id)
    units = {line.line_id: line.qty for line in tx.all(query)}
    earlier = _earlier(tx, head.order_id, shipment_id)
    lines = {line.id: line for line in order.of_channel}
    parcel = Shipment(
        number=head.number,
        order_external_id=order.external_id,
        carrier=head.carrier,
        tracking=head.tracking,
        lines=tuple(
            ShipmentLine(
                external_id=lines[line_id].external_id,
                qty=qty,
                ordered_qty=lines[line_id].qty,
                earlier_qty=earlier.get(line_id, 0),
            )
            for line_id, qty in sorted(units.items())
            if line_id in lines
        ),
        whole=head.whole,
        shipped_at=head.shipped_at,
    )
    return LoadedParcel(shipment=parcel, order=order, units=units, forced=head.forced, state=head.state)


def _earlier(tx: Tx, order_id: int, shipment_id: int) -> dict[int, int]:
    """Return, by line id, the units that left in the order's earlier parcels."""
    query = (
        select(shipment_line.c.line_id, func.sum(shipment_line.c.qty).label("qty"))
        .join(shipment)
        .where(shipment.c.order_id == order_id, shipment.c.id < shipment_id)
        .group_by(shipment_line.c.line_id)
    )
    return {row.line_id: int(row.qty) for row in tx.all(query)}
