"""What there is, what is promised and what channels were told."""

from sqlalchemy import Boolean, CheckConstraint, Column, Index, Table, Text, UniqueConstraint, and_, text, true

from erpsync.store.tables.base import (
    LONGEST_LATE_CALL_S,
    BigInt,
    at,
    count,
    deadline,
    flag,
    metadata,
    not_negative,
    past,
    ref,
    row_id,
    words,
)

sku = Table(
    "sku",
    metadata,
    row_id(),
    Column("code", Text, nullable=False, unique=True),
    words("title"),
    words("barcode"),
    Column("weight_g", BigInt),
    Column("volume_cm3", BigInt),
    Column("floor_minor", BigInt),
    words("floor_currency"),
    words("tags", default="[]"),
    CheckConstraint("(floor_minor IS NULL) = (floor_currency = '')", name="floor_has_currency"),
    *not_negative("weight_g", "volume_cm3", "floor_minor"),
    Index("ix_sku_barcode", "barcode", sqlite_where=text("barcode <> ''"), postgresql_where=text("barcode <> ''")),
)

warehouse = Table(
    "warehouse",
    metadata,
    row_id(),
    Column("code", Text, nullable=False, unique=True),
    count("priority", default=1),
    count("safety_stock"),
    flag("sellable"),
    Column("feeds", Boolean(create_constraint=False), nullable=False, server_default=true()),
    *not_negative("safety_stock"),
)

sku_place = Table(
    "sku_place",
    metadata,
    ref("sku_id", "sku.id", primary_key=True),
    ref("warehouse_id", "warehouse.id", primary_key=True),
    Column("shelf", Text, nullable=False),
    CheckConstraint("shelf <> ''", name="shelf_named"),
)

stock = Table(
    "stock",
    metadata,
    ref("sku_id", "sku.id", primary_key=True),
    ref("warehouse_id", "warehouse.id", primary_key=True),
    count("on_hand"),
    count("reserved"),
    past("counted_at"),
    *not_negative("on_hand", "reserved"),
)

sku_policy = Table(
    "sku_policy",
    metadata,
    row_id(),
    ref("sku_id", "sku.id"),
    ref("channel_id", "channel.id", nullable=True),
    ref("warehouse_id", "warehouse.id", nullable=True),
    Column("safety", BigInt),
    Column("cap", BigInt),
    Column("buffer", BigInt),
    Column("paused", Boolean(create_constraint=False)),
    CheckConstraint("(channel_id IS NULL) <> (warehouse_id IS NULL)", name="channel_or_warehouse"),
    *not_negative("safety", "cap", "buffer"),
    *(
        Index(
            f"uq_sku_policy_{place}",
            "sku_id",
            f"{place}_id",
            unique=True,
            sqlite_where=text(f"{place}_id IS NOT NULL"),
            postgresql_where=text(f"{place}_id IS NOT NULL"),
        )
        for place in ("channel", "warehouse")
    ),
)

waiting_count = Table(
    "waiting_count",
    metadata,
    ref("warehouse_id", "warehouse.id", primary_key=True),
    Column("sku", Text, primary_key=True),
    ref("channel_id", "channel.id"),
    count("on_hand"),
    past("counted_at", nullable=False),
    flag("unknown"),
    *not_negative("on_hand"),
)

ledger = Table(
    "ledger",
    metadata,
    row_id(),
    ref("sku_id", "sku.id"),
    ref("warehouse_id", "warehouse.id"),
    Column("qty", BigInt, nullable=False),
    Column("reason", Text, nullable=False),
    words("ref_kind"),
    Column("ref_id", BigInt),
    past("at", nullable=False),
    words("actor"),
    Index("ix_ledger_sku_id_at", "sku_id", "at"),
    Index("ix_ledger_ref", "ref_kind", "ref_id"),
)

sold_out = Table(
    "sold_out",
    metadata,
    row_id(),
    ref("sku_id", "sku.id"),
    past("from_at", nullable=False),
    past("to_at"),
    Index("ix_sold_out_sku_id", "sku_id", "from_at"),
    Index(
        "uq_sold_out_open",
        "sku_id",
        unique=True,
        sqlite_where=text("to_at IS NULL"),
        postgresql_where=text("to_at IS NULL"),
    ),
)

bundle = Table(
    "bundle",
    metadata,
    ref("bundle_id", "sku.id", primary_key=True),
    ref("sku_id", "sku.id", primary_key=True),
    count("qty", default=1),
    CheckConstraint("qty > 0", name="qty_positive"),
    CheckConstraint("bundle_id <> sku_id", name="not_itself"),
    Index("ix_bundle_sku_id", "sku_id"),
)

hold = Table(
    "hold",
    metadata,
    Column("owner_id", BigInt, primary_key=True),  # first in the key: the kind alone tells nothing
    Column("owner_kind", Text, primary_key=True),
    ref("sku_id", "sku.id", primary_key=True),
    ref("warehouse_id", "warehouse.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    at("expires_at"),
    flag("released"),
    CheckConstraint("qty > 0", name="qty_positive"),
    Index("ix_hold_sku_id", "sku_id", "warehouse_id"),
    Index(
        "ix_hold_expires_at",
        "expires_at",
        sqlite_where=text("expires_at IS NOT NULL"),
        postgresql_where=text("expires_at IS NOT NULL"),
    ),
)

backorder = Table(
    "backorder",
    metadata,
    Column("owner_id", BigInt, primary_key=True),  # first in the key: the kind alone tells nothing
    Column("owner_kind", Text, primary_key=True),
    ref("sku_id", "sku.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    ref("order_id", "orders.id", nullable=True),
    ref("channel_id", "channel.id", nullable=True),
    at("due_at", nullable=False),
    Column("number", Text, nullable=False),
    flag("waits"),
    CheckConstraint("qty > 0", name="qty_positive"),
    CheckConstraint("owner_kind <> 'line' OR (order_id IS NOT NULL AND channel_id IS NOT NULL)", name="line_has_order"),
    Index("ix_backorder_sku_id", "sku_id"),
    Index("ix_backorder_order_id", "order_id"),
)

listing = Table(
    "listing",
    metadata,
    row_id(),
    ref("channel_id", "channel.id"),
    Column("channel_sku", Text, nullable=False),
    words("item_ref"),
    words("title"),
    ref("sku_id", "sku.id", nullable=True),
    count("factor", default=1),
    flag("no_stock"),
    Column("told_qty", BigInt),
    flag("told_sure"),
    past("told_at"),
    words("sent_since", default="[]"),
    words("late", default="[]"),
    deadline("late_until_at", within_s=LONGEST_LATE_CALL_S),
    words("earlier", default="[]"),
    past("zeroed_at"),
    Column("shown_qty", BigInt),
    past("shown_at"),
    past("shown_since_at"),
    words("refused"),
    UniqueConstraint("channel_id", "channel_sku", "item_ref"),
    CheckConstraint("factor > 0", name="factor_positive"),
    CheckConstraint("told_qty >= 0", name="told_not_negative"),
    Index("ix_listing_sku_id", "sku_id"),
)

HAS_BARCODE = text("sku.barcode <> ''")
"""SKUs of which a barcode is known; as a text, for the index that holds no others."""

UNMAPPED_LISTING = and_(listing.c.sku_id.is_(None), ~listing.c.no_stock)
"""Listings that nobody has tied to a SKU; those of what is no goods need none."""

dirty_sku = Table(
    "dirty_sku",
    metadata,
    ref("sku_id", "sku.id", primary_key=True),
    past("first_at", nullable=False),
    flag("urgent"),
    Column("by_channel_id", BigInt),
    past("by_pass_at"),
)
