"""What is told to be wrong, once when it breaks and once when it mends; and what it rests on."""

from sqlalchemy import Column, Index, Table, Text, text

from erpsync.store.tables.base import at, count, metadata, one_of, past, ref, row_id, words

alarm = Table(
    "alarm",
    metadata,
    row_id(),
    Column("rule", Text, nullable=False),
    words("subject"),
    words("host"),
    ref("channel_id", "channel.id", nullable=True),
    words("level", default="bad"),
    count("step"),
    words("said"),
    past("seen_at", nullable=False),
    past("raised_at"),
    past("well_at"),
    past("ended_at"),
    one_of("level", "bad", "warn"),
    Index(
        "uq_alarm_open",
        "rule",
        "subject",
        unique=True,
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index(
        "ix_alarm_ended_at",
        "ended_at",
        sqlite_where=text("ended_at IS NOT NULL"),
        postgresql_where=text("ended_at IS NOT NULL"),
    ),
)
"""An alarm from the first look that saw it (`seen_at`), told at `raised_at`, well since `well_at`, over at `ended_at`.

`host` is the machine of whose own trouble it tells, empty where any node sees the same. `step` rises where one alarm is
told again because it got worse."""

arrival_pattern = Table(
    "arrival_pattern",
    metadata,
    ref("channel_id", "channel.id", primary_key=True),
    past("learned_at", nullable=False),
    Column("rates", Text, nullable=False),
)
"""How many minutes of each hour of the week (UTC, from Thursday 00:00 on, as 1970 began) bring orders; JSON."""

late_order = Table(
    "late_order",
    metadata,
    ref("order_id", "orders.id", primary_key=True),
    at("due_at", nullable=False),
    past("told_at", nullable=False),
)
"""Orders of which was told that they are late: each is told once."""
