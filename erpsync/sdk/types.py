"""The types that cross the border between a connector and the daemon.

All are frozen, slotted and keyword-only. Instants are aware `datetime`s, quantities are `int >= 0`, money is in
integer minor units of an ISO 4217 currency. `None` means "this view does not carry the field" and never erases a
value known from a fuller view.

Why no channel words in here: what a platform calls its fields stays inside that connector's `mapping`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from erpsync.sdk.errors import PayloadError

Payload = Mapping[str, Any]


class OrderState(StrEnum):
    """How far the channel has taken an order; partly shipped orders are `PAID` with shipped quantities on lines."""

    UNPAID = "unpaid"
    PAID = "paid"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Asked for, granted (money is going back) or closed without one."""

    OPEN = "open"
    GRANTED = "granted"
    CLOSED = "closed"


class Repeat(StrEnum):
    """What may be done with an effect whose outcome is unknown."""

    SAFE = "safe"
    LOOK_FIRST = "look_first"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a stream stands and how it is to be read on.

    Args:
        mark: the opaque progress mark of the last committed page; None when nothing was read yet.
        overlap: how much of the time already read is read again.
        since: the oldest instant a back-fill (or a first refund pass) has to reach.
    """

    mark: str | None = None
    overlap: timedelta = timedelta(seconds=300)
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One row of a list call: enough to know whether the record is new or different.

    Args:
        version_at: the channel's own change time.
        digest: of the row as received, see `digest_of`.
        read_from: when the request that brought the row began.
        read_to: when its answer had arrived.
        row: the row itself; the whole record when the connector has no detail call.
        source: where it stands, for people: page, or file and line.
    """

    external_id: str
    version_at: datetime
    digest: str
    read_from: datetime
    read_to: datetime
    row: Payload = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One whole record as the channel gave it, with the head that led to it and the time of its own reading."""

    head: Head
    payload: Payload
    read_from: datetime
    read_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Heads in any order and the mark that is valid once they are committed."""

    heads: tuple[Head, ...]
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPage:
    """As `OrderPage`, of the refund stream."""

    heads: tuple[Head, ...]
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Who gets the parcel. `ciphertext` stands for the person where the platform hides name, phone and address."""

    name: str = ""
    phone: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    address: str = ""
    ciphertext: str = ""

    @property
    def complete(self) -> bool:
        """Whether a parcel can be addressed: name, phone and address, or the platform's ciphertext for them."""
        return bool(self.ciphertext or (self.name and self.phone and self.address))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One order line in the channel's units.

    Args:
        channel_sku: the seller code; the platform's ids where there is none.
        item_ref: the platform's own ids of what was bought, as in `ListingRow.item_ref`.
        cancelled_qty: units that the channel itself says are closed or cancelled.
        shipped_qty: units that the channel itself says have left.
    """

    external_id: str
    channel_sku: str
    qty: int
    price_minor: int
    item_ref: str = ""
    title: str = ""
    cancelled_qty: int = 0
    shipped_qty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BadLine:
    """A line that could not be read; the order is kept and held until this is mended."""

    key: str
    error: PayloadError
    row: Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """An order in normal form.

    Args:
        version_at: the channel's change time of the view this was read from.
        ready_at: since when it is due to be fulfilled; None while it is not. Not the same as paid.
        ship_by_at: until when the channel wants to be told that it left, if it says.
        total_minor: what the buyer has to pay in all, postage in, discounts out, as the channel states it.
        paid_minor: what the buyer has paid; never used to decide whether the order is paid.
        do_not_ship: the channel's reason for not shipping yet; empty when there is none.
        undated: the channel gives no change time and `version_at` is when it was read; the state never goes back.
    """

    external_id: str
    version_at: datetime
    state: OrderState
    placed_at: datetime
    paid_at: datetime | None = None
    ready_at: datetime | None = None
    ship_by_at: datetime | None = None
    currency: str
    total_minor: int
    paid_minor: int | None = None
    goods_minor: int | None = None
    freight_minor: int | None = None
    discount_minor: int | None = None
    refunded_minor: int | None = None
    lines: tuple[Line, ...]
    bad_lines: tuple[BadLine, ...] = ()
    recipient: Recipient | None = None
    buyer: str | None = None
    buyer_note: str | None = None
    do_not_ship: str = ""
    undated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundLine:
    """Units a refund names, in the channel's units."""

    line_external_id: str
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """A refund in normal form. `lines` is empty when the channel names money only."""

    external_id: str
    order_external_id: str
    version_at: datetime
    state: RefundState
    amount_minor: int
    currency: str
    lines: tuple[RefundLine, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """One sellable thing of the channel's catalogue. `shown_qty` is the number the channel shows now, if it says."""

    channel_sku: str
    item_ref: str
    title: str = ""
    shown_qty: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPage:
    """Catalogue rows and the mark that is valid once they are committed."""

    rows: tuple[ListingRow, ...]
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """An absolute quantity for one listing, in the channel's units. `key` names it in the answer."""

    key: str
    channel_sku: str
    item_ref: str
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentLine:
    """Units of one order line in a parcel, in the channel's units; `earlier_qty` of them left in earlier parcels."""

    external_id: str
    qty: int
    ordered_qty: int
    earlier_qty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One parcel to report.

    Args:
        number: our own, unique; the idempotency key where a channel takes one.
        carrier: our code, see `erpsync.sdk.carriers`.
        whole: this parcel holds all that the order ever ships; otherwise the order is split.
    """

    number: str
    order_external_id: str
    carrier: str
    tracking: str
    lines: tuple[ShipmentLine, ...]
    whole: bool = True
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentReport:
    """A parcel that a warehouse or a file reports as having left. `order` is our number or the channel's id."""

    key: str
    order: str
    carrier: str
    tracking: str
    lines: tuple[RefundLine, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentReportPage:
    """Shipment reports and what could not be read, with the mark that is valid once they are committed."""

    reports: tuple[ShipmentReport, ...]
    bad: tuple[BadLine, ...] = ()
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """Units of one of our SKUs for one order line; `line` is the line's id on its channel."""

    line: str
    sku: str
    qty: int
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a warehouse is to send.

    Args:
        number: our own, unique; a release that was taken back comes again under another one.
        order: our number of the order, for people; two warehouses may send parts of it.
        warehouse: our code of the warehouse.
    """

    number: str
    order: str
    warehouse: str
    lines: tuple[ReleaseLine, ...]
    recipient: Recipient
    placed_at: datetime
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A parcel that a warehouse reports as having left.

    Args:
        key: names the report for people and dead letters; one that is read again has the same.
        release: number of the release it belongs to.
        lines: what is in it, in our units; empty means all of the release that has not left yet.
        left_at: when it left, if the warehouse says so; a count of that time or later has it off already.
    """

    key: str
    release: str
    carrier: str
    tracking: str
    lines: tuple[ReleaseLine, ...] = ()
    left_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockCount:
    """What a warehouse counted of a SKU. `warehouse` may be empty where the channel runs a single one."""

    key: str
    sku: str
    on_hand: int
    as_of: datetime
    warehouse: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswer:
    """Whether a release was stopped. Also what a warehouse says that gives one back without being asked."""

    key: str
    release: str
    stopped: bool
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePage:
    """What a warehouse reports, and what of it could not be read, with the mark that is valid once committed."""

    dispatches: tuple[Dispatch, ...] = ()
    counts: tuple[StockCount, ...] = ()
    answers: tuple[CancelAnswer, ...] = ()
    bad: tuple[BadLine, ...] = ()
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRequest:
    """An HTTP request as it came in; header names are lower case."""

    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookRecord:
    """One record a webhook carries: `kind` is `order` or `refund`."""

    kind: str
    raw: Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookResult:
    """What a webhook says.

    Args:
        key: identity of the delivery: equal keys are the same delivery.
        records: raw records to apply.
        hints: names of streams to poll now (`orders`, `refunds`, `listings`).
    """

    key: str
    records: tuple[WebhookRecord, ...] = ()
    hints: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReply:
    """The answer the platform wants to see for a stored webhook."""

    body: bytes = b'{"ok":true}'
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What `Connector.check` found: notes for people, the platform clock's lead over ours, token expiry."""

    notes: tuple[str, ...] = ()
    clock_ahead_s: float | None = None
    token_expires_at: datetime | None = None
