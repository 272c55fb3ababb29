"""What the comparison with the channels found: windows of their past, numbers that are not ours."""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, text

from erpsync.store.tables.base import BigInt, Instant, at, count, metadata, not_negative, one_of, past, ref, words

seal_window = Table(
    "seal_window",
    metadata,
    ref("channel_id", "channel.id", primary_key=True),
    Column("start_at", Instant, primary_key=True),
    at("end_at", nullable=False),
    past("scanned_at"),
    past("since_at"),
    count("order_count"),
    words("ids_hash"),
    past("sealed_at"),
    count("reopened"),
    count("missed"),
    words("late", default="[]"),
    words("why"),
    *not_negative("order_count"),
    CheckConstraint("end_at > start_at", name="ends_after_start"),
    CheckConstraint("sealed_at IS NULL OR scanned_at IS NOT NULL", name="sealed_was_scanned"),
    Index(
        "ix_seal_window_open",
        "channel_id",
        "start_at",
        sqlite_where=text("sealed_at IS NULL"),
        postgresql_where=text("sealed_at IS NULL"),
    ),
)

drift = Table(
    "drift",
    metadata,
    ref("listing_id", "listing.id", primary_key=True),
    Column("kind", Text, nullable=False),
    Column("shown_qty", BigInt, nullable=False),
    Column("told_qty", BigInt, nullable=False),
    past("shown_at", nullable=False),
    past("found_at", nullable=False),
    count("repairs"),
    past("ended_at"),
    one_of("kind", "sale", "lost_push", "hand_edit"),
)
