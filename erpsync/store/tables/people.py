"""What is left for people: tasks, events, the payloads decisions rest on, and the proof of the keys."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, text

from erpsync.store.tables.base import at, metadata, past, ref, row_id, words

task = Table(
    "task",
    metadata,
    row_id(),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    ref("channel_id", "channel.id", nullable=True),
    ref("order_id", "orders.id", nullable=True),
    Column("reason", Text, nullable=False),
    at("opened_at", nullable=False),
    at("closed_at"),
    words("closed_by"),
    Index(
        "ix_task_order_id",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
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
    row_id(),
    at("at", nullable=False),
    Column("kind", Text, nullable=False),
    ref("order_id", "orders.id", nullable=True),
    ref("sku_id", "sku.id", nullable=True),
    ref("channel_id", "channel.id", nullable=True),
    words("detail", default="{}"),
    words("actor"),
    Index(
        "ix_event_order_id",
        "order_id",
        sqlite_where=text("order_id IS NOT NULL"),
        postgresql_where=text("order_id IS NOT NULL"),
    ),
    Index(
        "ix_event_sku_id",
        "sku_id",
        "id",
        sqlite_where=text("sku_id IS NOT NULL"),
        postgresql_where=text("sku_id IS NOT NULL"),
    ),
    Index(
        "ix_event_actor",
        "actor",
        "id",
        sqlite_where=text("actor <> ''"),
        postgresql_where=text("actor <> ''"),
    ),
    Index(
        "ix_event_orderless",
        "at",
        sqlite_where=text("order_id IS NULL"),
        postgresql_where=text("order_id IS NULL"),
    ),
)

# One row: what opens it are the keys of this database.
key_proof = Table("key_proof", metadata, row_id(), Column("sealed", LargeBinary, nullable=False))

payload = Table(
    "payload",
    metadata,
    row_id(),
    ref("channel_id", "channel.id"),
    Column("kind", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    past("at", nullable=False),
    Column("body", LargeBinary, nullable=False),
    words("ahead_digest"),
    Index("ix_payload_channel_id_at", "channel_id", "at"),
    Index(
        "ix_payload_ahead",
        "channel_id",
        "kind",
        "external_id",
        sqlite_where=text("ahead_digest <> ''"),
        postgresql_where=text("ahead_digest <> ''"),
    ),
)
