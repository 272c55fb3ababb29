"""What a courier is asked to carry: read from a release, its orders, its goods and its warehouse."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import func, select

from erpsync.core.orders import KnownOrder, OrderKind
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.sdk.types import BookedParcel, BookingRequest, ParcelGoods, Recipient, Sender
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import recipient_row
from erpsync.store.goods import BASE, known, with_base
from erpsync.store.orders import lock_order_ids
from erpsync.store.releases import orders_in
from erpsync.store.tables import orders, release, release_line, sku
from erpsync.store.waybills import StoredWaybill


def request_of(tx: Tx, ctx: Context, rows: Sequence[StoredWaybill]) -> BookingRequest:
    """Return what a courier is asked to carry. Raises `Refused` where something is missing that we have to say."""
    release_id = rows[0].release_id
    together = lock_order_ids(tx, orders_in(tx, [release_id])[release_id])
    of_release = [together[id] for id in sorted(together)]
    head = tx.execute(select(release).where(release.c.id == release_id)).one()
    recipient = recipient_of(tx, of_release[0])
    seller = ctx.channels.get(of_release[0].channel_id)
    return BookingRequest(
        key=rows[0].key,
        carrier=rows[0].carrier,
        service=rows[0].service,
        sender=_sender(ctx, head.warehouse_id),
        recipient=recipient,
        platform="" if seller is None else seller.kind,
        orders=tuple(order.external_id for order in of_release) if seller is not None else (),
        parcels=_parcels(tx, head, len(rows)),
        cod_minor=_collected(of_release),
        currency=of_release[0].currency,
    )


def recipient_of(tx: Tx, order: KnownOrder) -> Recipient:
    """Return who gets an order's parcel; an empty one where nobody said, or it is erased."""
    sealed = tx.execute(select(orders.c.recipient).where(orders.c.id == order.id)).scalar_one()
    if sealed is None:
        return Recipient()
    opened: dict[str, str] = tx.vault.decrypt(sealed, row=recipient_row(order.channel_id, order.external_id))
    return Recipient(**opened)


def _sender(ctx: Context, warehouse_id: int) -> Sender:
    place = ctx.warehouses[warehouse_id]
    if place.sender is None:
        raise Refused(f"warehouse {place.id} has no sender: `sender` of that warehouse in erpsync.yaml is missing")
    return place.sender


def _parcels(tx: Tx, head: Any, count: int) -> tuple[BookedParcel, ...]:
    """Return the parcels of a booking. What is in which of several nobody says, so each may hold any of it."""
    rows = _goods(tx, [head.id])
    goods = tuple(ParcelGoods(name=row.title or row.code, qty=int(row.qty)) for row in rows)
    if count > 1:
        return tuple(BookedParcel(goods=goods) for _ in range(count))
    weight_g = head.weight_g if head.weight_g is not None else _sum(rows, "weight_g")
    return (BookedParcel(goods=goods, weight_g=weight_g, volume_cm3=_sum(rows, "volume_cm3")),)


def measures_of(tx: Tx, release_ids: Iterable[int]) -> dict[int, tuple[int | None, int | None]]:
    """Return what the goods in each release weigh, and their volume; None where that of one SKU is not known."""
    of_release: dict[int, list[Any]] = {}
    for row in _goods(tx, release_ids):
        of_release.setdefault(row.release_id, []).append(row)
    return {id: (_sum(rows, "weight_g"), _sum(rows, "volume_cm3")) for id, rows in of_release.items()}


def _goods(tx: Tx, release_ids: Iterable[int]) -> list[Any]:
    code = func.coalesce(BASE.c.code, sku.c.code)  # a courier is told what it is, not what is written on it
    what = (known("title"), known("weight_g"), known("volume_cm3"))
    joined = select(release_line.c.release_id, sku.c.id, code.label("code"), *what).add_columns(
        func.sum(release_line.c.qty).label("qty")
    )
    query = (
        with_base(joined.join(sku, sku.c.id == release_line.c.sku_id))
        .group_by(release_line.c.release_id, sku.c.id, BASE.c.id)
        .order_by(release_line.c.release_id, sku.c.code)
    )
    return [row for part in in_parts(release_ids) for row in tx.all(query.where(release_line.c.release_id.in_(part)))]


def _sum(rows: Sequence[Any], measure: str) -> int | None:
    """Return what all of it has of a measure together; None where that of one SKU is not known."""
    each = [getattr(row, measure) for row in rows]
    if not rows or None in each:
        return None
    return sum(int(one) * int(row.qty) for one, row in zip(each, rows, strict=True))


def _collected(of_release: Sequence[KnownOrder]) -> int | None:
    """Return what the courier is to collect: what is to pay for orders that are paid on delivery."""
    due = [order.total_minor for order in of_release if order.kind is OrderKind.COD]
    return sum(due) if due else None
