"""Who may use the REST API, which requests were carried out, and who is told of events.

Why requests are kept by (token, key): a client that got no answer asks again with the same key, and must get the first
answer, not a second effect.
"""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger, Table, Text, UniqueConstraint

from erpsync.store.tables.base import at, count, flag, metadata, one_of, ref, row_id, words

api_token = Table(
    "api_token",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    at("created_at", nullable=False),
    words("created_by"),
    at("last_used_at"),
    at("revoked_at"),
    words("revoked_by"),
    one_of("scope", "read", "operate", "admin"),
)

api_request = Table(
    "api_request",
    metadata,
    row_id(),
    ref("token_id", "api_token.id"),
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    at("at", nullable=False),
    count("fence", default=1),
    at("claimed_until_at"),
    flag("carried_out"),
    Column("status", SmallInteger),
    Column("body", LargeBinary),
    UniqueConstraint("token_id", "key"),
    CheckConstraint("(status IS NULL) = (body IS NULL)", name="answer_whole"),
    CheckConstraint("(status IS NULL) = (claimed_until_at IS NOT NULL)", name="claimed_or_answered"),
    Index("ix_api_request_at", "at"),
)

subscription = Table(
    "subscription",
    metadata,
    row_id(),
    Column("url", Text, nullable=False),
    Column("secret", LargeBinary, nullable=False),
    words("kinds", default="[]"),
    count("cursor"),
    at("created_at", nullable=False),
    words("created_by"),
    Column("state", Text, nullable=False, server_default="active"),
    count("attempts"),
    at("run_at", nullable=False),
    at("failing_since_at"),
    at("told_at"),
    words("error"),
    one_of("state", "active", "stopped"),
)
