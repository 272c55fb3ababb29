"""Every table, with the CHECKs and keys by which the database refuses impossible states.

Why instants are integers: microseconds since 1970 compare and index alike on SQLite and PostgreSQL, and no driver
can drop a time zone from them. Why order status is not a column: filling a backorder must not lock its order, so what
depends on holds and backorders is derived when read (`orders.phase` holds the rest).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(at: datetime) -> int:
    """Return microseconds since 1970 of an aware instant."""
    return (at - EPOCH) // _MICROSECOND


def instant(value: int) -> datetime:
    """Return the aware UTC instant of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as microseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return what is stored."""
        return None if value is None else micros(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return what was stored."""
        return None if value is None else instant(value)


BigInt = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInt, primary_key=True)


def _ref(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    return Column(name, BigInt, ForeignKey(target), nullable=nullable, primary_key=primary_key)


def _text(name: str, *, default: str = "") -> Column[str]:
    return Column(name, Text, nullable=False, server_default=default)


def _count(name: str, *, default: int = 0) -> Column[int]:
    return Column(name, BigInt, nullable=False, server_default=str(default))


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean(create_constraint=False), nullable=False, server_default=false())


def _at(name: str, *, nullable: bool = True) -> Column[datetime]:
    return Column(name, Instant, nullable=nullable)


def _not_negative(*names: str) -> list[CheckConstraint]:
    return [CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative") for name in names]


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")


node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    _text("version"),
    _at("started_at", nullable=False),
    _at("heartbeat_at", nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("key", Text, primary_key=True),
    _text("owner"),
    _count("epoch"),
    _at("until_at", nullable=False),
)

counter = Table("counter", metadata, Column("name", Text, primary_key=True), _count("value"))

channel = Table(
    "channel",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    _text("connector"),
    _flag("active"),
    _flag("paused"),
    _text("paused_reason"),
    _at("down_since_at"),
    _text("down_error"),
    _at("auth_failed_at"),
    _at("blocked_until_at"),
    Column("tokens", Float, nullable=False, server_default="0"),
    _at("tokens_at"),
    _count("timeouts"),
    _at("token_expires_at"),
)

cursor = Table(
    "cursor",
    metadata,
    _ref("channel_id", "channel.id", primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("mark", Text),
    _at("since_at"),
    _at("wanted_at"),
    _at("began_at"),
    _at("complete_began_at"),
    _at("complete_ended_at"),
    _at("failed_at"),
    _text("error"),
)

sku = Table("sku", metadata, _id(), Column("code", Text, nullable=False, unique=True))

warehouse = Table(
    "warehouse",
    metadata,
    _id(),
    Column("code", Text, nullable=False, unique=True),
    _count("priority", default=1),
    _count("safety_stock"),
    _flag("sellable"),
    *_not_negative("safety_stock"),
)

stock = Table(
    "stock",
    metadata,
    _ref("sku_id", "sku.id", primary_key=True),
    _ref("warehouse_id", "warehouse.id", primary_key=True),
    _count("on_hand"),
    _count("reserved"),
    _at("counted_at"),
    *_not_negative("on_hand", "reserved"),
)

ledger = Table(
    "ledger",
    metadata,
    _id(),
    _ref("sku_id", "sku.id"),
    _ref("warehouse_id", "warehouse.id"),
    Column("qty", BigInt, nullable=False),
    Column("reason", Text, nullable=False),
    _text("ref_kind"),
    Column("ref_id", BigInt),
    _at("at", nullable=False),
    _text("actor"),
    Index("ix_ledger_sku_id_at", "sku_id", "at"),
)

bundle = Table(
    "bundle",
    metadata,
    _ref("bundle_id", "sku.id", primary_key=True),
    _ref("sku_id", "sku.id", primary_key=True),
    _count("qty", default=1),
    CheckConstraint("qty > 0", name="qty_positive"),
    CheckConstraint("bundle_id <> sku_id", name="not_itself"),
    Index("ix_bundle_sku_id", "sku_id"),
)

PHASES = ("cancelled", "completed", "shipped", "partially_shipped", "held", "unpaid", "ready")

orders = Table(
    "orders",
    metadata,
    _id(),
    _ref("channel_id", "channel.id"),
    Column("external_id", Text, nullable=False),
    Column("number", Text, nullable=False, unique=True),
    Column("phase", Text, nullable=False),
    Column("state", Text, nullable=False),
    _text("hold_reason"),
    _at("version_at", nullable=False),
    _text("digest"),
    _at("read_from_at", nullable=False),
    _at("read_to_at", nullable=False),
    _at("placed_at", nullable=False),
    _at("paid_at"),
    _at("ready_at"),
    Column("currency", Text, nullable=False),
    Column("total_minor", BigInt, nullable=False),
    Column("paid_minor", BigInt),
    Column("goods_minor", BigInt),
    Column("freight_minor", BigInt),
    Column("discount_minor", BigInt),
    Column("refunded_minor", BigInt),
    Column("recipient", LargeBinary),
    Column("recipient_index", LargeBinary),
    Column("phone_index", LargeBinary),
    Column("address_complete", Boolean(create_constraint=False)),
    _text("do_not_ship"),
    _at("imported_at", nullable=False),
    UniqueConstraint("channel_id", "external_id"),
    _one_of("phase", *PHASES),
    _one_of("state", "unpaid", "paid", "shipped", "completed", "cancelled"),
    CheckConstraint("phase <> 'held' OR hold_reason <> ''", name="held_has_reason"),
    Index("ix_orders_placed_at", "placed_at"),
    Index(
        "ix_orders_unpaid",
        "channel_id",
        "placed_at",
        sqlite_where=text("phase = 'unpaid'"),
        postgresql_where=text("phase = 'unpaid'"),
    ),
    Index(
        "ix_orders_phone_index",
        "phone_index",
        sqlite_where=text("phone_index IS NOT NULL"),
        postgresql_where=text("phone_index IS NOT NULL"),
    ),
    Index("ix_orders_held", "id", sqlite_where=text("phase = 'held'"), postgresql_where=text("phase = 'held'")),
)

order_line = Table(
    "order_line",
    metadata,
    _id(),
    _ref("order_id", "orders.id"),
    Column("external_id", Text, nullable=False),
    Column("channel_sku", Text, nullable=False),
    _text("item_ref"),
    _text("title"),
    _ref("sku_id", "sku.id", nullable=True),
    _count("factor", default=1),
    _flag("is_bundle"),
    Column("qty", BigInt, nullable=False),
    _count("closed_qty"),
    _count("refunded_qty"),
    _count("dropped_qty"),
    _count("cancelled_qty"),
    _count("shipped_qty"),
    Column("price_minor", BigInt, nullable=False),
    UniqueConstraint("order_id", "external_id"),
    *_not_negative("qty", "closed_qty", "refunded_qty", "dropped_qty", "cancelled_qty", "shipped_qty"),
    CheckConstraint("cancelled_qty + shipped_qty <= qty", name="not_more_than_ordered"),
    CheckConstraint("factor > 0", name="factor_positive"),
    Index("ix_order_line_sku_id", "sku_id"),
    Index(
        "ix_order_line_unmapped",
        "channel_sku",
        sqlite_where=text("sku_id IS NULL"),
        postgresql_where=text("sku_id IS NULL"),
    ),
)

line_part = Table(
    "line_part",
    metadata,
    _ref("line_id", "order_line.id", primary_key=True),
    _ref("sku_id", "sku.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    CheckConstraint("qty > 0", name="qty_positive"),
)

order_hold = Table(
    "order_hold",
    metadata,
    _ref("order_id", "orders.id", primary_key=True),
    Column("reason", Text, primary_key=True),
    _text("detail"),
    _at("at", nullable=False),
)

hold = Table(
    "hold",
    metadata,
    Column("owner_kind", Text, primary_key=True),
    Column("owner_id", BigInt, primary_key=True),
    _ref("sku_id", "sku.id", primary_key=True),
    _ref("warehouse_id", "warehouse.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    _at("expires_at"),
    _flag("released"),
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
    Column("owner_kind", Text, primary_key=True),
    Column("owner_id", BigInt, primary_key=True),
    _ref("sku_id", "sku.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    _ref("order_id", "orders.id"),
    _ref("channel_id", "channel.id"),
    _at("due_at", nullable=False),
    Column("number", Text, nullable=False),
    _flag("waits"),
    CheckConstraint("qty > 0", name="qty_positive"),
    Index("ix_backorder_sku_id", "sku_id"),
    Index("ix_backorder_order_id", "order_id"),
)

refund = Table(
    "refund",
    metadata,
    _id(),
    _ref("channel_id", "channel.id"),
    Column("external_id", Text, nullable=False),
    Column("order_external_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    _at("version_at", nullable=False),
    _text("digest"),
    _at("read_from_at", nullable=False),
    _at("read_to_at", nullable=False),
    Column("amount_minor", BigInt, nullable=False),
    Column("currency", Text, nullable=False),
    _text("reason"),
    UniqueConstraint("channel_id", "external_id"),
    _one_of("state", "open", "granted", "closed"),
    *_not_negative("amount_minor"),
    Index("ix_refund_order", "channel_id", "order_external_id"),
)

refund_line = Table(
    "refund_line",
    metadata,
    _ref("refund_id", "refund.id", primary_key=True),
    Column("line_external_id", Text, primary_key=True),
    Column("qty", BigInt, nullable=False),
    CheckConstraint("qty > 0", name="qty_positive"),
)

SHIPMENT_STATES = ("pending", "sent", "waiting", "dropped", "refused", "kept")

shipment = Table(
    "shipment",
    metadata,
    _id(),
    _ref("order_id", "orders.id"),
    Column("number", Text, nullable=False, unique=True),
    Column("carrier", Text, nullable=False),
    Column("tracking", Text, nullable=False),
    Column("state", Text, nullable=False),
    _flag("whole"),
    _flag("forced"),
    _text("forced_reason"),
    _text("actor"),
    _at("shipped_at", nullable=False),
    _at("sent_at"),
    UniqueConstraint("order_id", "carrier", "tracking"),
    _one_of("state", *SHIPMENT_STATES),
)

shipment_line = Table(
    "shipment_line",
    metadata,
    _ref("shipment_id", "shipment.id", primary_key=True),
    _ref("line_id", "order_line.id", primary_key=True),
    Column("qty", BigInt, nullable=False),
    CheckConstraint("qty > 0", name="qty_positive"),
)

listing = Table(
    "listing",
    metadata,
    _id(),
    _ref("channel_id", "channel.id"),
    Column("channel_sku", Text, nullable=False),
    _text("item_ref"),
    _text("title"),
    _ref("sku_id", "sku.id", nullable=True),
    _count("factor", default=1),
    Column("told_qty", BigInt),
    _flag("told_sure"),
    _at("told_at"),
    _text("sent_since", default="[]"),
    _at("zeroed_at"),
    Column("shown_qty", BigInt),
    _at("shown_at"),
    _text("refused"),
    UniqueConstraint("channel_id", "channel_sku", "item_ref"),
    CheckConstraint("factor > 0", name="factor_positive"),
    CheckConstraint("told_qty >= 0", name="told_not_negative"),
    Index("ix_listing_sku_id", "sku_id"),
)

dirty_sku = Table(
    "dirty_sku",
    metadata,
    _ref("sku_id", "sku.id", primary_key=True),
    _at("first_at", nullable=False),
    _flag("urgent"),
    Column("by_channel_id", BigInt),
    _at("by_pass_at"),
)

outbox = Table(
    "outbox",
    metadata,
    _id(),
    _ref("destination_id", "channel.id"),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("ref_id", BigInt, nullable=False),
    Column("serial_key", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    _at("run_at", nullable=False),
    _at("marked_at", nullable=False),
    _at("fresh_after_at"),
    _flag("confirmed"),
    _count("attempts"),
    Column("lease_owner", Text),
    _at("lease_until_at"),
    _count("fence"),
    _at("sent_at"),
    _text("waiting_for"),
    _text("error"),
    _at("done_at"),
    _one_of("state", "pending", "leased", "waiting", "done", "dead"),
    CheckConstraint("(state = 'leased') = (lease_owner IS NOT NULL)", name="lease_owner_iff_leased"),
    CheckConstraint("(lease_owner IS NULL) = (lease_until_at IS NULL)", name="lease_whole"),
    CheckConstraint("(state = 'waiting') = (waiting_for <> '')", name="waiting_has_reason"),
    CheckConstraint("(state IN ('done', 'dead')) = (done_at IS NOT NULL)", name="done_has_instant"),
    Index(
        "uq_outbox_open_key",
        "destination_id",
        "kind",
        "key",
        unique=True,
        sqlite_where=text("state IN ('pending', 'waiting')"),
        postgresql_where=text("state IN ('pending', 'waiting')"),
    ),
    Index(
        "uq_outbox_leased_serial",
        "serial_key",
        unique=True,
        sqlite_where=text("state = 'leased'"),
        postgresql_where=text("state = 'leased'"),
    ),
    Index(
        "ix_outbox_due",
        "destination_id",
        "kind",
        "lane",
        "run_at",
        sqlite_where=text("state = 'pending'"),
        postgresql_where=text("state = 'pending'"),
    ),
    Index(
        "ix_outbox_waiting",
        "destination_id",
        "waiting_for",
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
    Index(
        "ix_outbox_done_at",
        "done_at",
        sqlite_where=text("done_at IS NOT NULL"),
        postgresql_where=text("done_at IS NOT NULL"),
    ),
    Index("ix_outbox_kind_ref_id", "kind", "ref_id"),
)

inbox = Table(
    "inbox",
    metadata,
    _id(),
    _ref("channel_id", "channel.id"),
    Column("delivery_key", Text, nullable=False),
    Column("body", LargeBinary),
    _at("received_at", nullable=False),
    Column("state", Text, nullable=False),
    _count("attempts"),
    _at("run_at", nullable=False),
    _text("error"),
    UniqueConstraint("channel_id", "delivery_key"),
    _one_of("state", "pending", "done", "dead"),
    Index(
        "ix_inbox_pending", "run_at", sqlite_where=text("state = 'pending'"), postgresql_where=text("state = 'pending'")
    ),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    _id(),
    _ref("channel_id", "channel.id"),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    _at("at", nullable=False),
    _count("attempts", default=1),
    Column("error", Text, nullable=False),
    _text("source"),
    Column("body", LargeBinary),
    _ref("order_id", "orders.id", nullable=True),
    Column("outbox_id", BigInt),
    Column("state", Text, nullable=False),
    _one_of("state", "open", "replayed", "dropped", "superseded"),
    Index(
        "uq_dead_letter_open",
        "channel_id",
        "kind",
        "key",
        unique=True,
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
    Index(
        "ix_dead_letter_order_id",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
)

task = Table(
    "task",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    _ref("channel_id", "channel.id", nullable=True),
    _ref("order_id", "orders.id", nullable=True),
    Column("reason", Text, nullable=False),
    _at("opened_at", nullable=False),
    _at("closed_at"),
    _text("closed_by"),
    Index(
        "uq_task_open",
        "kind",
        "key",
        unique=True,
        sqlite_where=text("closed_at IS NULL"),
        postgresql_where=text("closed_at IS NULL"),
    ),
)

event = Table(
    "event",
    metadata,
    _id(),
    _at("at", nullable=False),
    Column("kind", Text, nullable=False),
    _ref("order_id", "orders.id", nullable=True),
    _ref("sku_id", "sku.id", nullable=True),
    _ref("channel_id", "channel.id", nullable=True),
    _text("detail", default="{}"),
    _text("actor"),
    Index(
        "ix_event_order_id",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
    Index(
        "ix_event_sku_id",
        "sku_id",
        sqlite_where=text("sku_id IS NOT NULL"),
        postgresql_where=text("sku_id IS NOT NULL"),
    ),
)

payload = Table(
    "payload",
    metadata,
    _id(),
    _ref("channel_id", "channel.id"),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    _at("at", nullable=False),
    Column("body", LargeBinary, nullable=False),
)
