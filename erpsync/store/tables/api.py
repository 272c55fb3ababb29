"""Who may use the REST API, which requests were carried out, and who is told of events.

Why requests are kept by (token, key): a client that got no answer asks again with the same key, and must get the first
answer, not a second effect. What people do at the console is kept by (user, key): a form may be sent twice as well.
"""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary, SmallInteger, Table, Text, UniqueConstraint

from erpsync.store.tables.base import (
    LONGEST_BACK_OFF_S,
    LONGEST_CLAIM_S,
    at,
    count,
    deadline,
    flag,
    metadata,
    one_of,
    past,
    ref,
    row_id,
    words,
)

api_token = Table(
    "api_token",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("scope", Text, nullable=False),
    at("created_at", nullable=False),
    words("created_by"),
    past("last_used_at"),
    at("revoked_at"),
    words("revoked_by"),
    one_of("scope", "read", "pack", "operate", "admin"),
)

api_request = Table(
    "api_request",
    metadata,
    row_id(),
    ref("token_id", "api_token.id", nullable=True),
    ref("user_id", "user_account.id", nullable=True),
    Column("key", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    past("at", nullable=False),
    count("fence", default=1),
    deadline("claimed_until_at", within_s=LONGEST_CLAIM_S),
    flag("carried_out"),
    Column("status", SmallInteger),
    Column("body", LargeBinary),
    UniqueConstraint("token_id", "key"),
    UniqueConstraint("user_id", "key"),
    CheckConstraint("(token_id IS NULL) <> (user_id IS NULL)", name="one_caller"),
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
    deadline("run_at", within_s=LONGEST_BACK_OFF_S, nullable=False),
    past("failing_since_at"),
    past("told_at"),
    words("error"),
    one_of("state", "active", "stopped"),
)
