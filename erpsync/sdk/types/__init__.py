"""The types that cross the border between a connector and the daemon.

All are frozen, slotted and keyword-only. Instants are aware `datetime`s, quantities are `int >= 0`, money is in
integer minor units of an ISO 4217 currency. `None` means "this view does not carry the field" and never erases a
value known from a fuller view.

Why no channel words in here: what a platform calls its fields stays inside that connector's `mapping`.
"""

from erpsync.sdk.types.calls import (
    CheckReport,
    UnknownMessage,
    WebhookRecord,
    WebhookReply,
    WebhookRequest,
    WebhookResult,
)
from erpsync.sdk.types.couriers import (
    BookedNumber,
    BookedParcel,
    Booking,
    BookingRequest,
    LabelKind,
    ParcelGoods,
    Region,
    Sender,
    SpareNumber,
    TrackedParcel,
    TrackNode,
    TrackPage,
    TrackState,
    Waybill,
    WaybillPage,
)
from erpsync.sdk.types.goods import ListingPage, ListingRow, StockLevel
from erpsync.sdk.types.messages import Message, MessageLevel
from erpsync.sdk.types.orders import BadLine, Line, Order, OrderState, Recipient, Refund, RefundLine, RefundState
from erpsync.sdk.types.parcels import Repeat, Shipment, ShipmentLine, ShipmentReport, ShipmentReportPage
from erpsync.sdk.types.payload import Payload
from erpsync.sdk.types.records import Cursor, Head, OrderPage, Raw, RefundPage
from erpsync.sdk.types.warehouses import CancelAnswer, Dispatch, Release, ReleaseLine, StockCount, WarehousePage

__all__ = [
    "BadLine",
    "BookedNumber",
    "BookedParcel",
    "Booking",
    "BookingRequest",
    "CancelAnswer",
    "CheckReport",
    "Cursor",
    "Dispatch",
    "Head",
    "LabelKind",
    "Line",
    "ListingPage",
    "ListingRow",
    "Message",
    "MessageLevel",
    "Order",
    "OrderPage",
    "OrderState",
    "ParcelGoods",
    "Payload",
    "Raw",
    "Recipient",
    "Refund",
    "RefundLine",
    "RefundPage",
    "RefundState",
    "Region",
    "Release",
    "ReleaseLine",
    "Repeat",
    "Sender",
    "Shipment",
    "ShipmentLine",
    "ShipmentReport",
    "ShipmentReportPage",
    "SpareNumber",
    "StockCount",
    "StockLevel",
    "TrackNode",
    "TrackPage",
    "TrackState",
    "TrackedParcel",
    "UnknownMessage",
    "WarehousePage",
    "Waybill",
    "WaybillPage",
    "WebhookRecord",
    "WebhookReply",
    "WebhookRequest",
    "WebhookResult",
]
