"""The life of an order: what a newer view changes, what refunds take out, which phase it is in.

Why whole views and not changes: channels tell how an order stands, not what happened to it; which view is the newest is
decided in `readings`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeGuard

from erpsync.core.readings import Reading, is_further
from erpsync.sdk.types import Line, Order, OrderState, Recipient

GIFT_ID = "gift:"
"""How the id of a gift's line begins; no line of a channel may begin so."""

VOID = "void:"
"""How the reason of a hold begins that takes an order for none."""


class Origin(StrEnum):
    """Whose line it is: the channel's, or one that only we know, added by a rule or by hand."""

    CHANNEL = "channel"
    GIFT = "gift"
    HAND = "hand"


class OrderKind(StrEnum):
    """Whose order it is: a channel's, or one that was made here, and how it came."""

    CHANNEL = "channel"
    PHONE = "phone"
    B2B = "b2b"
    COD = "cod"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLine:
    """An order line as stored. All quantities in the channel's units; `parts` are our units per one of them.

    Cancelled units have three sources that may name the same units: the channel closed them, a refund was granted
    for them, we dropped them. The largest counts, and never a unit that has left. What is no goods (`no_stock`: a
    surcharge, a service) never has anything to leave. `properties` are encrypted. `rule` is the one that gave a gift.
    """

    id: int
    external_id: str
    channel_sku: str
    qty: int
    price_minor: int
    item_ref: str = ""
    title: str = ""
    parts: Mapping[int, int] = field(default_factory=dict)
    sku_id: int | None = None
    factor: int = 1
    closed_qty: int = 0
    refunded_qty: int = 0
    dropped_qty: int = 0
    shipped_qty: int = 0
    no_stock: bool = False
    origin: Origin = Origin.CHANNEL
    rule: str = ""
    properties: bytes | None = None

    @property
    def cancelled_qty(self) -> int:
        """Units that will never leave."""
        return min(self.qty - self.shipped_qty, max(self.closed_qty, self.refunded_qty, self.dropped_qty))

    @property
    def open_qty(self) -> int:
        """Units still to leave."""
        return 0 if self.no_stock else self.qty - self.cancelled_qty - self.shipped_qty


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """An order as stored, without its recipient.

    Args:
        region: the recipient's province, city and district as they were told; None where nobody has looked.
        notes: who bought and what was written, encrypted.
        buyer_index: the keyed hash by which other orders of the same buyer are found.
        most_minor: what was to pay before the total was lowered while the order was due; None if it was not.
        lowered_at: the version of the view that lowered it last.
    """

    id: int
    channel_id: int
    external_id: str
    number: str
    kind: OrderKind = OrderKind.CHANNEL
    state: OrderState
    reading: Reading
    placed_at: datetime
    paid_at: datetime | None
    ready_at: datetime | None
    ship_by_at: datetime | None = None
    imported_at: datetime | None = None
    currency: str
    total_minor: int
    paid_minor: int | None = None
    goods_minor: int | None = None
    freight_minor: int | None = None
    discount_minor: int | None = None
    refunded_minor: int | None = None
    most_minor: int | None = None
    lowered_at: datetime | None = None
    do_not_ship: str = ""
    refund_asked: str = ""
    address_complete: bool | None = None
    recipient_index: bytes | None = None
    region: tuple[str, str, str] | None = None
    notes: bytes | None = None
    buyer_index: bytes | None = None
    seller_flag: int | None = None
    lines: tuple[KnownLine, ...] = ()
    holds: Mapping[str, str] = field(default_factory=dict)

    @property
    def due(self) -> tuple[datetime, str]:
        """Whose turn it is: oldest paid first."""
        return (self.paid_at or self.placed_at, self.number)

    @property
    def of_channel(self) -> tuple[KnownLine, ...]:
        """The lines that the channel knows: its views, its refunds, its totals and its calls are about no others."""
        return tuple(line for line in self.lines if line.origin is Origin.CHANNEL)

    @property
    def sold(self) -> tuple[KnownLine, ...]:
        """The lines that somebody bought, or that a person added; all but gifts."""
        return tuple(line for line in self.lines if line.origin is not Origin.GIFT)

    @property
    def is_void(self) -> bool:
        """Whether a rule took it for no real order, and no person has decided yet."""
        return any(reason.startswith(VOID) for reason in self.holds)

    @property
    def open_qty(self) -> int:
        """Channel units still to leave."""
        return sum(line.open_qty for line in self.lines)

    @property
    def shipped_qty(self) -> int:
        """Channel units that have left."""
        return sum(line.shipped_qty for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """What became of an order by a newer view.

    Args:
        left_behind: by line id, units open with us that the channel reports as shipped.
        changes: names of what changed, for the event: field names; `line X added`, `line X cancelled`, `line X changed`
            for what is to be sent; `details of line X` for the rest of it; `currency A -> B`.
    """

    order: KnownOrder
    left_behind: Mapping[int, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()


CURRENCY = "currency"
"""How a change of it begins."""

_AMOUNTS = ("total_minor", "paid_minor", "goods_minor", "freight_minor", "discount_minor", "refunded_minor")


def merge(stored: KnownOrder, new: Order, reading: Reading, line_ids: Iterable[int]) -> Merged:
    """Return the order as the newer view has it; what the view does not carry stays.

    Args:
        line_ids: ids for lines not seen before, taken as needed.
    """
    ids = iter(line_ids)
    by_id = {line.external_id: line for line in stored.of_channel}
    lines: list[KnownLine] = []
    left: dict[int, int] = {}
    state = stored.state if new.undated and is_further(stored.state, new.state) else new.state
    changes = [name for name in _AMOUNTS if _differs(getattr(stored, name), getattr(new, name))]
    for incoming in ordered(new):
        before = by_id.pop(incoming.external_id, None)
        line = merge_line(before, incoming, state, ids)
        if before is None:
            changes.append(f"line {incoming.external_id} added")
        elif line != before:
            same = _to_send(line) == _to_send(before)
            changes.append(f"details of line {line.external_id}" if same else f"line {line.external_id} changed")
        extra = min(reported_shipped(incoming, state) - line.shipped_qty, line.open_qty)
        if extra > 0:
            left[line.id] = extra
        lines.append(line)
    stay = unshown(stored, new) if state is not OrderState.CANCELLED else frozenset()
    taken_out = {line.external_id for line in new.lines if not line.qty}
    for gone in by_id.values():
        ends = gone.external_id in taken_out or not (new.some_lines or gone.external_id in stay)
        if ends and gone.closed_qty < gone.qty:
            changes.append(f"line {gone.external_id} cancelled")
            lines.append(replace(gone, closed_qty=gone.qty))
        else:
            lines.append(gone)
    lines += own_lines(stored)
    order = _merge_fields(stored, new, state, reading, tuple(lines))
    fields = ("state", "paid_at", "ready_at", "do_not_ship", "refund_asked")
    changes += [name for name in fields if getattr(order, name) != getattr(stored, name)]
    if (order.seller_flag or 0) != (stored.seller_flag or 0):
        changes.append("seller_flag")
    if new.currency != stored.currency:
        changes.append(f"{CURRENCY} {stored.currency} -> {new.currency}")
    return Merged(order=order, left_behind=left, changes=tuple(changes))


def own_lines(order: KnownOrder) -> tuple[KnownLine, ...]:
    """Return the lines that the channel does not know."""
    return tuple(line for line in order.lines if line.origin is not Origin.CHANNEL)


def _to_send(line: KnownLine) -> tuple[str, str, int, int]:
    return (line.channel_sku, line.item_ref, line.qty, line.cancelled_qty)


def unshown(stored: KnownOrder, new: Order) -> frozenset[str]:
    """Return the known lines that may be in the view although it does not show them, because they cannot be read.

    A bad line is named by `line_id` in its row, else by its key. One that fits no known line may be any of them that
    the view does not show.
    """
    lines = frozenset(line.external_id for line in stored.of_channel)
    named = {str(bad.row.get("line_id") or bad.key) for bad in new.bad_lines}
    return lines.difference(line.external_id for line in new.lines) if named - lines else frozenset(named)


def _differs(stored: int | None, new: int | None) -> bool:
    return new is not None and new != stored


def merge_line(before: KnownLine | None, new: Line, state: OrderState, ids: Iterable[int]) -> KnownLine:
    """Return a line as a view of an order in `state` has it."""
    closed = new.qty if state is OrderState.CANCELLED else new.cancelled_qty
    if before is None:
        return KnownLine(
            id=next(iter(ids)),
            external_id=new.external_id,
            channel_sku=new.channel_sku,
            item_ref=new.item_ref,
            title=new.title,
            qty=new.qty,
            closed_qty=closed,
            price_minor=new.price_minor,
        )
    qty = max(new.qty, before.shipped_qty)
    same = new.channel_sku == before.channel_sku and new.item_ref == before.item_ref
    kept = before if same else replace(before, sku_id=None, factor=1, parts={}, no_stock=False)
    return replace(
        kept,
        channel_sku=new.channel_sku,
        item_ref=new.item_ref or before.item_ref,
        title=new.title or before.title,
        qty=qty,
        closed_qty=min(closed, qty),
        price_minor=new.price_minor,
    )


def _merge_fields(
    stored: KnownOrder, new: Order, state: OrderState, reading: Reading, lines: tuple[KnownLine, ...]
) -> KnownOrder:
    kept = {name: getattr(stored, name) if (v := getattr(new, name)) is None else v for name in _AMOUNTS}
    back = state is not new.state
    return replace(
        stored,
        state=state,
        reading=reading,
        placed_at=new.placed_at,
        paid_at=new.paid_at or stored.paid_at,
        ship_by_at=new.ship_by_at or stored.ship_by_at,
        ready_at=stored.ready_at if back else new.ready_at,
        currency=new.currency,
        do_not_ship=new.do_not_ship,
        refund_asked=stored.refund_asked if new.refund_asked is None else new.refund_asked,
        seller_flag=stored.seller_flag if new.seller_flag is None else new.seller_flag,
        address_complete=new.recipient.complete if carries(new.recipient) else stored.address_complete,
        lines=lines,
        **_lowered(stored, new, reading),
        **kept,
    )


def _lowered(stored: KnownOrder, new: Order, reading: Reading) -> dict[str, Any]:
    """Return what was to pay at most, and since when it is less. A price agreed on before it was due does not count."""
    if stored.ready_at is None or new.total_minor >= max(stored.total_minor, stored.most_minor or 0):
        return {"most_minor": None, "lowered_at": None}
    if new.total_minor >= stored.total_minor:
        return {"most_minor": stored.most_minor, "lowered_at": stored.lowered_at}
    return {"most_minor": max(stored.total_minor, stored.most_minor or 0), "lowered_at": reading.version_at}


def carries(recipient: Recipient | None) -> TypeGuard[Recipient]:
    """Whether a view says anything about who gets the parcel; one that says nothing erases nothing."""
    return recipient is not None and recipient != Recipient()


def reported_shipped(line: Line, state: OrderState) -> int:
    """Return the units of a line that have left, as a view of an order in `state` has it."""
    if state in (OrderState.SHIPPED, OrderState.COMPLETED):
        return max(line.shipped_qty, line.qty - line.cancelled_qty)
    return line.shipped_qty


def ordered(order: Order) -> tuple[Line, ...]:
    """Return the lines of which the view wants units; one of none was taken out."""
    return tuple(line for line in order.lines if line.qty)


def first_seen(
    new: Order, reading: Reading, *, id: int, channel_id: int, number: str, ids: Iterable[int]
) -> KnownOrder:
    """Return a newly seen order; what the channel says has left already touches no stock."""
    taken = iter(ids)
    lines = []
    for incoming in ordered(new):
        line = merge_line(None, incoming, new.state, taken)
        left_qty = min(line.qty, reported_shipped(incoming, new.state))
        lines.append(replace(line, shipped_qty=left_qty) if left_qty else line)
    return KnownOrder(
        id=id,
        channel_id=channel_id,
        external_id=new.external_id,
        number=number,
        state=new.state,
        reading=reading,
        placed_at=new.placed_at,
        paid_at=new.paid_at,
        ship_by_at=new.ship_by_at,
        ready_at=new.ready_at,
        currency=new.currency,
        do_not_ship=new.do_not_ship,
        refund_asked=new.refund_asked or "",
        seller_flag=new.seller_flag,
        address_complete=None if new.recipient is None else new.recipient.complete,
        lines=tuple(lines),
        **{name: getattr(new, name) for name in _AMOUNTS},
    )


def unbooked(order: KnownOrder) -> Merged:
    """Return a newly seen order whose units left the stock that is counted here: they are to be taken off it."""
    left = {line.id: line.shipped_qty for line in order.lines if line.shipped_qty}
    return Merged(
        order=replace(order, lines=tuple(replace(line, shipped_qty=0) for line in order.lines)), left_behind=left
    )


def with_shipped(order: KnownOrder, units: Mapping[int, int]) -> KnownOrder:
    """Return the order with these channel units, by line id, counted as having left."""
    if not units:
        return order
    lines = (replace(line, shipped_qty=line.shipped_qty + units.get(line.id, 0)) for line in order.lines)
    return replace(order, lines=tuple(lines))


def phase(order: KnownOrder) -> str:
    """Return the part of an order's status that does not depend on stock; the first that matches."""
    if order.open_qty == 0:
        if order.shipped_qty == 0 and not any(line.no_stock and line.cancelled_qty < line.qty for line in order.lines):
            return "cancelled"
        if order.shipped_qty == 0 and order.ready_at is None:
            return "unpaid"  # of nothing but what is no goods
        return "completed" if order.state is OrderState.COMPLETED else "shipped"
    if order.shipped_qty:
        return "partially_shipped"
    if order.holds:
        return "held"
    return "unpaid" if order.ready_at is None else "ready"


def residual_minor(order: KnownOrder) -> int:
    """Return what the total has beyond the lines it is about + freight - discount; shown, never corrected."""
    lines = order.of_channel if order.kind is OrderKind.CHANNEL else order.lines
    goods = sum(line.price_minor * line.qty for line in lines)
    return order.total_minor - goods - (order.freight_minor or 0) + (order.discount_minor or 0)
