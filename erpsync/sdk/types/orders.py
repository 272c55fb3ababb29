"""Orders and refunds in normal form."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types.payload import Payload


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
        qty: 0 says that the line was taken out; what is known of it is cancelled.
        cancelled_qty: units that the channel itself says are closed or cancelled.
        shipped_qty: units that the channel itself says have left.
        properties: what was chosen or written for it, as (name, value), the name empty where there is none; None where
            the view does not carry it.
    """

    external_id: str
    channel_sku: str
    qty: int
    price_minor: int
    item_ref: str = ""
    title: str = ""
    cancelled_qty: int = 0
    shipped_qty: int = 0
    properties: tuple[tuple[str, str], ...] | None = None


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
        buyer: by what the channel knows who bought, the same in every order of theirs.
        buyer_note: what the buyer wrote; empty where the view says that there is nothing, None where it does not carry
            it. So is `seller_note`, what the seller's people wrote.
        seller_flag: the colour of the seller's flag: 0 none, 1 red, 2 yellow, 3 green, 4 blue, 5 purple; more are kept.
        do_not_ship: the channel's reason for not shipping yet; empty when there is none.
        refund_asked: the ids of refunds that this view calls asked for and not decided, by ", "; words with a blank
            where it names none; None when it says nothing about refunds. Nothing leaves while there is one.
        some_lines: the view may lack lines of the order: one that it does not show stays as it is known.
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
    seller_note: str | None = None
    seller_flag: int | None = None
    do_not_ship: str = ""
    refund_asked: str | None = None
    some_lines: bool = False
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
