"""The life of an order: which reading of it counts, what changed, what holds it, which phase it is in.

Why readings and not messages: channels deliver late, twice and out of order, so what we know is always "the newest
view", decided by the channel's own version and by when each view was read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from erpsync.sdk.types import Head, Line, Order, OrderState, Refund, RefundState

# Which channel states may follow which. Where two views of one version cannot be told apart, the later one in this
# order wins; a channel that lists an earlier state under a newer version is believed (orders are re-opened).
TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.UNPAID: frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED, OrderState.CANCELLED}),
    OrderState.PAID: frozenset({OrderState.SHIPPED, OrderState.COMPLETED, OrderState.CANCELLED}),
    OrderState.SHIPPED: frozenset({OrderState.COMPLETED, OrderState.CANCELLED}),
    OrderState.COMPLETED: frozenset({OrderState.CANCELLED}),
    OrderState.CANCELLED: frozenset(),
}

# Reasons that hold an order, the one shown first first.
HOLD_REASONS = (
    "refund_open",
    "operator",
    "do_not_ship",
    "unmapped_sku",
    "bad_line",
    "incomplete_address",
)


class Verdict(StrEnum):
    """What a reading of a record is worth."""

    NEW = "new"
    NEWER = "newer"
    SAME = "same"
    OLDER = "older"
    READ_AGAIN = "read_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which version of a record was read, and when."""

    version_at: datetime
    digest: str
    read_from: datetime
    read_to: datetime


def judge(known: Reading | None, new: Reading, *, further: bool, rereads: bool) -> Verdict:
    """Return what `new` is worth beside what is known.

    Args:
        further: whether the new view's state is further along the transition table.
        rereads: whether the channel can be asked for this one record again.
    """
    if known is None:
        return Verdict.NEW
    if new.version_at != known.version_at:
        return Verdict.NEWER if new.version_at > known.version_at else Verdict.OLDER
    if new.digest == known.digest:
        return Verdict.SAME
    if new.read_from > known.read_to:
        return Verdict.NEWER
    if known.read_from > new.read_to:
        return Verdict.OLDER
    if rereads:
        return Verdict.READ_AGAIN
    return Verdict.NEWER if further else Verdict.OLDER


def is_further(new: OrderState, known: OrderState) -> bool:
    """Whether `new` may follow `known`."""
    return new in TRANSITIONS[known]


def reading_of(head: Head, *, version_at: datetime | None = None) -> Reading:
    """Return the reading a head stands for."""
    return Reading(
        version_at=version_at or head.version_at, digest=head.digest, read_from=head.read_from, read_to=head.read_to
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLine:
    """An order line as stored. All quantities in the channel's units; `parts` are our units per one of them.

    Cancelled units have three sources that may name the same units: the channel closed them, a refund was granted
    for them, we dropped them. The largest counts, and never a unit that has left.
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

    @property
    def cancelled_qty(self) -> int:
        """Units that will never leave."""
        return min(self.qty - self.shipped_qty, max(self.closed_qty, self.refunded_qty, self.dropped_qty))

    @property
    def open_qty(self) -> int:
        """Units still to leave."""
        return self.qty - self.cancelled_qty - self.shipped_qty


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOrder:
    """An order as stored, without its recipient."""

    id: int
    channel_id: int
    external_id: str
    number: str
    state: OrderState
    reading: Reading
    placed_at: datetime
    paid_at: datetime | None
    ready_at: datetime | None
    currency: str
    total_minor: int
    paid_minor: int | None = None
    goods_minor: int | None = None
    freight_minor: int | None = None
    discount_minor: int | None = None
    refunded_minor: int | None = None
    do_not_ship: str = ""
    address_complete: bool | None = None
    recipient_index: bytes | None = None
    lines: tuple[KnownLine, ...] = ()
    holds: Mapping[str, str] = field(default_factory=dict)

    @property
    def due(self) -> tuple[datetime, str]:
        """Whose turn it is: oldest paid first."""
        return (self.paid_at or self.placed_at, self.number)

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
        left_behind: by line id, units that the channel reports as shipped beyond what we shipped.
        changes: names of what changed, for the event: field names, `line X added`, `line X cancelled`.
    """

    order: KnownOrder
    left_behind: Mapping[int, int] = field(default_factory=dict)
    changes: tuple[str, ...] = ()


_AMOUNTS = ("total_minor", "paid_minor", "goods_minor", "freight_minor", "discount_minor", "refunded_minor")


def merge(known: KnownOrder, new: Order, reading: Reading, line_ids: Iterable[int]) -> Merged:
    """Return the order as the newer view has it; what the view does not carry stays.

    Args:
        line_ids: ids for lines not seen before, taken as needed.
    """
    ids = iter(line_ids)
    by_id = {line.external_id: line for line in known.lines}
    lines: list[KnownLine] = []
    left: dict[int, int] = {}
    state = known.state if new.undated and is_further(known.state, new.state) else new.state
    changes = [name for name in _AMOUNTS if _differs(getattr(known, name), getattr(new, name))]
    for incoming in new.lines:
        before = by_id.pop(incoming.external_id, None)
        line = _merge_line(before, incoming, state, ids)
        if before is None:
            changes.append(f"line {incoming.external_id} added")
        elif line != before:
            changes.append(f"line {incoming.external_id} changed")
        reported = _reported_shipped(incoming, state)
        extra = reported - line.shipped_qty
        if extra > 0:
            left[line.id] = min(extra, line.qty - line.shipped_qty)
        lines.append(line)
    for gone in by_id.values():
        if gone.closed_qty < gone.qty and not _named_bad(gone, new):
            changes.append(f"line {gone.external_id} cancelled")
            lines.append(replace(gone, closed_qty=gone.qty))
        else:
            lines.append(gone)
    order = _merge_fields(known, new, state, reading, tuple(lines))
    fields = ("state", "paid_at", "ready_at", "do_not_ship")
    changes += [name for name in fields if getattr(order, name) != getattr(known, name)]
    return Merged(order=order, left_behind=left, changes=tuple(changes))


def _named_bad(line: KnownLine, new: Order) -> bool:
    return any(bad.row.get("line_id") == line.external_id for bad in new.bad_lines)


def _differs(known: int | None, new: int | None) -> bool:
    return new is not None and new != known


def _merge_line(before: KnownLine | None, new: Line, state: OrderState, ids: Iterable[int]) -> KnownLine:
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
    kept = before if same else replace(before, sku_id=None, factor=1, parts={})
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
    known: KnownOrder, new: Order, state: OrderState, reading: Reading, lines: tuple[KnownLine, ...]
) -> KnownOrder:
    kept = {name: getattr(known, name) if (v := getattr(new, name)) is None else v for name in _AMOUNTS}
    back = state is not new.state
    return replace(
        known,
        state=state,
        reading=reading,
        placed_at=new.placed_at,
        paid_at=new.paid_at or known.paid_at,
        ready_at=known.ready_at if back else new.ready_at,
        currency=new.currency,
        do_not_ship=new.do_not_ship,
        address_complete=known.address_complete if new.recipient is None else new.recipient.complete,
        lines=lines,
        **kept,
    )


def _reported_shipped(line: Line, state: OrderState) -> int:
    if state in (OrderState.SHIPPED, OrderState.COMPLETED):
        return max(line.shipped_qty, line.qty - line.cancelled_qty)
    return line.shipped_qty


def first_seen(
    new: Order, reading: Reading, *, id: int, channel_id: int, number: str, ids: Iterable[int]
) -> KnownOrder:
    """Return a newly seen order; what the channel says has left already touches no stock."""
    taken = iter(ids)
    lines = []
    for incoming in new.lines:
        line = _merge_line(None, incoming, new.state, taken)
        lines.append(replace(line, shipped_qty=min(line.qty, _reported_shipped(incoming, new.state))))
    return KnownOrder(
        id=id,
        channel_id=channel_id,
        external_id=new.external_id,
        number=number,
        state=new.state,
        reading=reading,
        placed_at=new.placed_at,
        paid_at=new.paid_at,
        ready_at=new.ready_at,
        currency=new.currency,
        do_not_ship=new.do_not_ship,
        address_complete=None if new.recipient is None else new.recipient.complete,
        lines=tuple(lines),
        **{name: getattr(new, name) for name in _AMOUNTS},
    )


def with_refunds(order: KnownOrder, refunds: Iterable[Refund]) -> KnownOrder:
    """Return the order with the units that granted refunds take out of it.

    Money that names no units cancels only if all granted money together covers the whole order.
    """
    granted = [refund for refund in refunds if refund.state is RefundState.GRANTED]
    named: dict[str, int] = {}
    for refund in granted:
        for line in refund.lines:
            named[line.line_external_id] = named.get(line.line_external_id, 0) + line.qty
    money = max(sum(refund.amount_minor for refund in granted), order.refunded_minor or 0)
    whole = order.total_minor > 0 and money >= order.total_minor
    return replace(
        order,
        lines=tuple(
            replace(line, refunded_qty=line.qty if whole else min(line.qty, named.get(line.external_id, 0)))
            for line in order.lines
        ),
    )


def with_shipped(order: KnownOrder, units: Mapping[int, int]) -> KnownOrder:
    """Return the order with these channel units, by line id, counted as having left."""
    if not units:
        return order
    lines = (replace(line, shipped_qty=line.shipped_qty + units.get(line.id, 0)) for line in order.lines)
    return replace(order, lines=tuple(lines))


def hold_reasons(
    order: KnownOrder, *, refunds: Iterable[Refund], bad_lines: bool, needs_address: bool, operator: str | None
) -> dict[str, str]:
    """Return why an order must not leave, reason to detail.

    An address is asked for only once the order is ready: many channels hide the recipient until then.
    """
    reasons: dict[str, str] = {}
    asked = [refund.external_id for refund in refunds if refund.state is RefundState.OPEN]
    if asked:
        reasons["refund_open"] = ", ".join(asked)
    if operator is not None:
        reasons["operator"] = operator
    if order.do_not_ship:
        reasons["do_not_ship"] = order.do_not_ship
    unmapped = sorted({line.channel_sku for line in order.lines if line.open_qty and not line.parts})
    if unmapped:
        reasons["unmapped_sku"] = ", ".join(unmapped)
    if bad_lines:
        reasons["bad_line"] = "a line could not be read"
    if needs_address and order.ready_at is not None and not order.address_complete:
        reasons["incomplete_address"] = "name, phone or address is missing"
    return reasons


def first_reason(reasons: Iterable[str]) -> str:
    """Return the reason to show, or an empty text when nothing holds the order."""
    held = set(reasons)
    return next((reason for reason in HOLD_REASONS if reason in held), "")


def phase(order: KnownOrder) -> str:
    """Return the part of an order's status that does not depend on stock; the first that matches."""
    if order.open_qty == 0:
        if order.shipped_qty == 0:
            return "cancelled"
        return "completed" if order.state is OrderState.COMPLETED else "shipped"
    if order.shipped_qty:
        return "partially_shipped"
    if order.holds:
        return "held"
    return "unpaid" if order.ready_at is None else "ready"


def residual_minor(order: KnownOrder) -> int:
    """Return what the channel's total has beyond lines + freight - discount; shown, never corrected."""
    goods = sum(line.price_minor * line.qty for line in order.lines)
    return order.total_minor - goods - (order.freight_minor or 0) + (order.discount_minor or 0)
