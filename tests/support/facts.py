"""Builders of facts on their way in, for what no small shop would say of itself: overlapping readings, odd views."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from erpsync.flows.orders.apply import Applied, apply
from erpsync.flows.records.batch import Batch, OrderRecord, RefundRecord
from erpsync.sdk.types import Head, Line, Order, OrderState, Raw, Recipient, Refund, RefundLine, RefundState
from tests.support.shop import NOON, Town

HOME = Recipient(name="王小明", phone="13800001111", address="解放路 1 号")


def line(sku: str = "TEA", qty: int = 1, *, id: str = "L1", price: int = 1000, **fields: Any) -> Line:
    """Return an order line."""
    return Line(external_id=id, channel_sku=sku, qty=qty, price_minor=price, **fields)


def order(external_id: str = "o1", *lines: Line, state: OrderState = OrderState.PAID, **fields: Any) -> Order:
    """Return an order of one paid line unless told otherwise."""
    bought = lines or (line(),)
    ready = None if state is OrderState.UNPAID else NOON
    values: dict[str, Any] = {
        "version_at": NOON,
        "placed_at": NOON,
        "paid_at": ready,
        "ready_at": ready,
        "currency": "CNY",
        "total_minor": sum(item.price_minor * item.qty for item in bought),
        "recipient": HOME,
    } | fields
    return Order(external_id=external_id, state=state, lines=bought, **values)


def refund(external_id: str = "r1", order_id: str = "o1", *, state: RefundState, amount: int = 0, **qty: int) -> Refund:
    """Return a refund that names `qty` units by line id."""
    return Refund(
        external_id=external_id,
        order_external_id=order_id,
        version_at=NOON,
        state=state,
        amount_minor=amount,
        currency="CNY",
        lines=tuple(RefundLine(line_external_id=id, qty=units) for id, units in qty.items()),
    )


def raw(external_id: str, version_at: datetime, *, digest: str, read: tuple[float, float]) -> Raw:
    """Return a raw record read from and to these seconds after noon."""
    began, ended = (NOON + timedelta(seconds=second) for second in read)
    head = Head(external_id=external_id, version_at=version_at, digest=digest, read_from=began, read_to=ended)
    return Raw(head=head, payload={"id": external_id, "digest": digest}, read_from=began, read_to=ended)


def fact(item: Order, *, digest: str = "a", read: tuple[float, float] = (0, 1)) -> OrderRecord:
    """Return an order as it was read."""
    return OrderRecord(raw=raw(item.external_id, item.version_at, digest=digest, read=read), order=item)


def refund_fact(item: Refund, *, digest: str = "a", read: tuple[float, float] = (0, 1)) -> RefundRecord:
    """Return a refund as it was read."""
    return RefundRecord(raw=raw(item.external_id, item.version_at, digest=digest, read=read), refund=item)


def take_in(town: Town, *orders: OrderRecord, refunds: Sequence[RefundRecord] = (), channel: str = "shop") -> Applied:
    """Apply facts as one page would."""
    batch = Batch(orders=orders, refunds=tuple(refunds))
    return town.store.retrying(lambda tx: apply(tx, town.ctx, town.channel(channel), batch))


def later(seconds: float) -> datetime:
    """Return an instant after noon."""
    return NOON + timedelta(seconds=seconds)
