"""What buyers want, give back and were sent."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    and_,
    literal_column,
    text,
)

from erpsync.store.tables.base import BigInt, at, count, flag, metadata, not_negative, one_of, past, ref, row_id, words

PHASES = ("cancelled", "completed", "shipped", "partially_shipped", "held", "unpaid", "ready")
OPEN_MERGEABLE = text("merge_index IS NOT NULL AND phase IN ('held', 'ready', 'partially_shipped')")
"""Paid orders of which something has still to leave and whose recipient is known, in the words of their index."""

orders = Table(
    "orders",
    metadata,
    row_id(),
    ref("channel_id", "channel.id"),
    Column("external_id", Text, nullable=False),
    Column("number", Text, nullable=False, unique=True),
    words("kind", default="channel"),
    Column("phase", Text, nullable=False),
    Column("state", Text, nullable=False),
    words("hold_reason"),
    at("version_at", nullable=False),
    words("digest"),
    past("read_from_at", nullable=False),
    past("read_to_at", nullable=False),
    at("placed_at", nullable=False),
    at("paid_at"),
    at("ready_at"),
    at("ship_by_at"),
    Column("currency", Text, nullable=False),
    Column("total_minor", BigInt, nullable=False),
    Column("paid_minor", BigInt),
    Column("goods_minor", BigInt),
    Column("freight_minor", BigInt),
    Column("discount_minor", BigInt),
    Column("refunded_minor", BigInt),
    Column("most_minor", BigInt),
    at("lowered_at"),
    Column("recipient", LargeBinary),
    Column("recipient_index", LargeBinary),
    Column("phone_index", LargeBinary),
    Column("province", Text),
    Column("city", Text),
    Column("district", Text),
    Column("notes", LargeBinary),
    Column("buyer_index", LargeBinary),
    Column("merge_index", LargeBinary),
    Column("seller_flag", BigInt),
    Column("address_complete", Boolean(create_constraint=False)),
    words("do_not_ship"),
    words("refund_asked"),
    past("imported_at", nullable=False),
    UniqueConstraint("channel_id", "external_id"),
    one_of("kind", "channel", "phone", "b2b", "cod"),
    one_of("phase", *PHASES),
    one_of("state", "unpaid", "paid", "shipped", "completed", "cancelled"),
    CheckConstraint("phase <> 'held' OR hold_reason <> ''", name="held_has_reason"),
    Index("ix_orders_placed_at", "placed_at"),
    Index("ix_orders_imported_at", "imported_at"),
    Index("ix_orders_channel_id_placed_at", "channel_id", "placed_at"),
    Index("ix_orders_phase_placed_at", "phase", "placed_at"),
    Index("ix_orders_channel_id_phase_placed_at", "channel_id", "phase", "placed_at"),
    Index("ix_orders_channel_id_paid_at", "channel_id", "paid_at"),
    Index(
        "ix_orders_left_unseen",
        "channel_id",
        "state",
        "phase",  # told by the condition too, but SQLite takes the index with the most columns given
        sqlite_where=text("phase = 'shipped' AND state = 'paid'"),
        postgresql_where=text("phase = 'shipped' AND state = 'paid'"),
    ),
    Index(
        "ix_orders_phone_index",
        text("(id / 4096)"),
        "phone_index",
        sqlite_where=text("phone_index IS NOT NULL"),
        postgresql_where=text("phone_index IS NOT NULL"),
    ),
    Index(
        "ix_orders_buyer_week",
        text("(placed_at / 604800000000)"),
        "buyer_index",
        sqlite_where=text("buyer_index IS NOT NULL"),
        postgresql_where=text("buyer_index IS NOT NULL"),
    ),
    Index(
        "ix_orders_same_recipient",
        "merge_index",
        sqlite_where=OPEN_MERGEABLE,
        postgresql_where=OPEN_MERGEABLE,
    ),
    Index(
        "ix_orders_personal",
        "channel_id",
        "placed_at",
        sqlite_where=text("recipient IS NOT NULL OR notes IS NOT NULL"),
        postgresql_where=text("recipient IS NOT NULL OR notes IS NOT NULL"),
    ),
)

PART_ORDERS = 4096
ORDER_PART = literal_column("(orders.id / 4096)", BigInt)
"""The part of all orders to which one belongs, in the words of its indexes.

A key that comes in no order is looked up part by part: what is written together lies together, and an import writes few
pages however long the history is."""

ORDER_WEEK = literal_column("(orders.placed_at / 604800000000)", BigInt)
"""The week since 1970 in which an order was placed, in the words of its index: a buyer's orders are looked up week by
week, in as many as personal data is kept."""

PERSONAL = text("(recipient IS NOT NULL OR notes IS NOT NULL)")
"""Orders that hold what is personal, in the words of their index; where only a line does, its notes are empty."""

order_line = Table(
    "order_line",
    metadata,
    row_id(),
    ref("order_id", "orders.id"),
    Column("external_id", Text, nullable=False),
    Column("channel_sku", Text, nullable=False),
    words("item_ref"),
    words("title"),
    Column("properties", LargeBinary),
    words("origin", default="channel"),
    words("rule"),
    ref("sku_id", "sku.id", nullable=True),
    count("factor", default=1),
    flag("has_parts"),
    flag("no_stock"),
    Column("qty", BigInt, nullable=False),
    count("closed_qty"),
    count("refunded_qty"),
    count("dropped_qty"),
    count("cancelled_qty"),
    count("shipped_qty"),
    Column("price_minor", BigInt, nullable=False),
    UniqueConstraint("order_id", "external_id"),
    *not_negative("qty", "closed_qty", "refunded_qty", "dropped_qty", "cancelled_qty", "shipped_qty"),
    CheckConstraint("cancelled_qty + shipped_qty <= qty", name="not_more_than_ordered"),
    CheckConstraint("factor > 0", name="factor_positive"),
    one_of("origin", "channel", "gift", "hand"),
    Index(
        "ix_order_line_sku_id_order_id",
        "sku_id",
        "order_id",
        sqlite_where=text("sku_id IS NOT NULL"),
        postgresql_where=text("sku_id IS NOT NULL"),
    ),
    Index(
        "ix_order_line_unmapped",
        "channel_sku",
        "order_id",
        sqlite_where=text("sku_id IS NULL AND NOT no_stock"),
        postgresql_where=text("sku_id IS NULL AND NOT no_stock"),
    ),
)

UNMAPPED_LINE = and_(order_line.c.sku_id.is_(None), text("NOT order_line.no_stock"))
"""Lines that nobody has tied to a SKU, in the words of their index."""

line_part = Table(
    "line_part",
    metadata,
    ref("line_id", "order_line.id", primary_key=True),
    ref("sku_id", "sku.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    CheckConstraint("qty > 0", name="qty_positive"),
    Index("ix_line_part_sku_id", "sku_id", "line_id"),
)

order_hold = Table(
    "order_hold",
    metadata,
    ref("order_id", "orders.id", primary_key=True),
    Column("reason", Text, primary_key=True),
    words("detail"),
    at("at", nullable=False),
    Index(
        "ix_order_hold_refused",
        "reason",
        "order_id",
        sqlite_where=text("reason = 'warehouse_refused'"),
        postgresql_where=text("reason = 'warehouse_refused'"),
    ),
)

refund = Table(
    "refund",
    metadata,
    row_id(),
    ref("channel_id", "channel.id"),
    Column("external_id", Text, nullable=False),
    Column("order_external_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    at("version_at", nullable=False),
    words("digest"),
    past("read_from_at", nullable=False),
    past("read_to_at", nullable=False),
    Column("amount_minor", BigInt, nullable=False),
    Column("to_pay_minor", BigInt),
    Column("currency", Text, nullable=False),
    words("reason"),
    UniqueConstraint("channel_id", "external_id"),
    one_of("state", "open", "granted", "closed"),
    *not_negative("amount_minor"),
    Index("ix_refund_order", "channel_id", "order_external_id"),
)

refund_line = Table(
    "refund_line",
    metadata,
    ref("refund_id", "refund.id", primary_key=True),
    Column("line_external_id", Text, primary_key=True),
    Column("qty", BigInt, nullable=False),
    CheckConstraint("qty > 0", name="qty_positive"),
)

SHIPMENT_STATES = ("pending", "sent", "waiting", "dropped", "refused", "kept")

shipment = Table(
    "shipment",
    metadata,
    row_id(),
    ref("order_id", "orders.id"),
    ref("channel_id", "channel.id", nullable=True),
    Column("number", Text, nullable=False, unique=True),
    Column("carrier", Text, nullable=False),
    Column("tracking", Text, nullable=False),
    Column("state", Text, nullable=False),
    flag("whole"),
    flag("forced"),
    words("forced_reason"),
    words("actor"),
    past("shipped_at", nullable=False),
    past("sent_at"),
    past("looked_at"),
    UniqueConstraint("order_id", "carrier", "tracking"),
    one_of("state", *SHIPMENT_STATES),
    Index("ix_shipment_channel_id", "channel_id", "id"),
    Index("ix_shipment_tracking", "tracking"),
    Index(
        "ix_shipment_not_sent",
        "state",
        "id",
        sqlite_where=text("state <> 'sent'"),
        postgresql_where=text("state <> 'sent'"),
    ),
)

former_tracking = Table(
    "former_tracking",
    metadata,
    ref("shipment_id", "shipment.id", primary_key=True),
    Column("carrier", Text, primary_key=True),
    Column("tracking", Text, primary_key=True),
    past("corrected_at", nullable=False),
)
"""Numbers that a parcel had before they were corrected: a report that still names one is about that parcel."""

shipment_line = Table(
    "shipment_line",
    metadata,
    ref("shipment_id", "shipment.id", primary_key=True),
    ref("line_id", "order_line.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    CheckConstraint("qty > 0", name="qty_positive"),
)
