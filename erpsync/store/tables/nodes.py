"""Who runs and which channels there are: nodes, leases, channels, progress of their streams."""

from sqlalchemy import Column, Float, LargeBinary, Table, Text, UniqueConstraint

from erpsync.store.tables.base import at, count, flag, metadata, ref, row_id, words

node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    words("version"),
    at("started_at", nullable=False),
    at("heartbeat_at", nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("key", Text, primary_key=True),
    words("owner"),
    count("epoch"),
    at("until_at", nullable=False),
)

counter = Table("counter", metadata, Column("name", Text, primary_key=True), count("value"))

channel = Table(
    "channel",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    words("connector"),
    flag("active"),
    flag("paused"),
    words("paused_reason"),
    at("down_since_at"),
    words("down_error"),
    at("auth_failed_at"),
    at("blocked_until_at"),
    Column("tokens", Float, nullable=False, server_default="0"),
    at("tokens_at"),
    count("timeouts"),
    at("token_expires_at"),
    count("not_stored"),
    at("not_stored_at"),
)

token = Table(
    "token",
    metadata,
    row_id(),
    ref("channel_id", "channel.id"),
    Column("pair", LargeBinary),
    words("origin"),
    count("renewals"),
    at("renewed_at"),
    count("tries"),
    at("asked_at"),
    at("refused_at"),
    at("try_at"),
    words("error"),
    at("warned_for_at"),
    count("warned_days"),
    UniqueConstraint("channel_id"),
)

cursor = Table(
    "cursor",
    metadata,
    ref("channel_id", "channel.id", primary_key=True),
    Column("stream", Text, primary_key=True),
    Column("mark", Text),
    at("since_at"),
    at("wanted_at"),
    at("began_at"),
    at("complete_began_at"),
    at("complete_ended_at"),
    at("failed_at"),
    words("error"),
)
