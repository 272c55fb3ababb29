"""Who runs and which channels there are: nodes, leases, channels, progress of their streams."""

from sqlalchemy import Column, Float, LargeBinary, Table, Text, UniqueConstraint

from erpsync.store.tables.base import (
    LONGEST_BLOCK_S,
    LONGEST_LEASE_S,
    LONGEST_TOKEN_PAUSE_S,
    BigInt,
    at,
    count,
    deadline,
    flag,
    metadata,
    past,
    ref,
    row_id,
    words,
)

node = Table(
    "node",
    metadata,
    Column("id", Text, primary_key=True),
    words("version"),
    past("started_at", nullable=False),
    past("heartbeat_at", nullable=False),
    past("left_at"),
    past("refused_at"),
    words("refused"),
)

# Apart from the heartbeat, whose row is written anew every few seconds.
in_force = Table(
    "in_force", metadata, Column("node", Text, primary_key=True), past("since_at", nullable=False), words("text")
)

lease = Table(
    "lease",
    metadata,
    Column("key", Text, primary_key=True),
    words("owner"),
    count("epoch"),
    deadline("until_at", within_s=LONGEST_LEASE_S, nullable=False),
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
    words("paused_by"),
    past("down_since_at"),
    words("down_error"),
    past("auth_failed_at"),
    deadline("blocked_until_at", within_s=LONGEST_BLOCK_S),
    Column("tokens", Float, nullable=False, server_default="0"),
    past("tokens_at"),
    count("timeouts"),
    at("token_expires_at"),
    count("not_stored"),
    past("not_stored_at"),
    Column("clock_ahead_s", Float),
    past("clock_told_at"),
    Column("balance", BigInt),
    past("balance_at"),
)

token = Table(
    "token",
    metadata,
    row_id(),
    ref("channel_id", "channel.id"),
    Column("pair", LargeBinary),
    words("origin"),
    count("renewals"),
    past("renewed_at"),
    count("tries"),
    past("asked_at"),
    past("refused_at"),
    deadline("try_at", within_s=LONGEST_TOKEN_PAUSE_S),
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
    past("wanted_at"),
    past("began_at"),
    past("complete_began_at"),
    past("complete_ended_at"),
    past("failed_at"),
    words("error"),
)
