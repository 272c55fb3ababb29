"""Every table, with the CHECKs and keys by which the database refuses impossible states.

Why order status is not a column: filling a backorder must not lock its order, so what depends on holds and backorders
is derived when read (`orders.phase` holds the rest).
"""

from erpsync.store.tables.api import api_request, api_token, subscription
from erpsync.store.tables.base import EPOCH, BigInt, Instant, instant, metadata, micros
from erpsync.store.tables.names import order_name
from erpsync.store.tables.nodes import channel, counter, cursor, in_force, lease, node, token
from erpsync.store.tables.orders import (
    PHASES,
    RELEASE_STATES,
    RELEASES_OUT,
    SHIPMENT_STATES,
    UNMAPPED_LINE,
    former_tracking,
    line_part,
    order_hold,
    order_line,
    orders,
    refund,
    refund_line,
    release,
    release_line,
    shipment,
    shipment_line,
)
from erpsync.store.tables.people import event, key_proof, payload, task
from erpsync.store.tables.proofs import drift, seal_window
from erpsync.store.tables.queue import dead_letter, inbox, outbox, unknown_message
from erpsync.store.tables.stock import (
    UNMAPPED_LISTING,
    backorder,
    bundle,
    dirty_sku,
    hold,
    ledger,
    listing,
    sku,
    sku_policy,
    stock,
    waiting_count,
    warehouse,
)

__all__ = [
    "EPOCH",
    "PHASES",
    "RELEASES_OUT",
    "RELEASE_STATES",
    "SHIPMENT_STATES",
    "UNMAPPED_LINE",
    "UNMAPPED_LISTING",
    "BigInt",
    "Instant",
    "api_request",
    "api_token",
    "backorder",
    "bundle",
    "channel",
    "counter",
    "cursor",
    "dead_letter",
    "dirty_sku",
    "drift",
    "event",
    "former_tracking",
    "hold",
    "in_force",
    "inbox",
    "instant",
    "key_proof",
    "lease",
    "ledger",
    "line_part",
    "listing",
    "metadata",
    "micros",
    "node",
    "order_hold",
    "order_line",
    "order_name",
    "orders",
    "outbox",
    "payload",
    "refund",
    "refund_line",
    "release",
    "release_line",
    "seal_window",
    "shipment",
    "shipment_line",
    "sku",
    "sku_policy",
    "stock",
    "subscription",
    "task",
    "token",
    "unknown_message",
    "waiting_count",
    "warehouse",
]
