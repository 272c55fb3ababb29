"""The people who may log in to the console, their sessions, and the views of lists that they keep.

Why a session's end is a deadline of its own and not told from its beginning: a clock that was set back moves what was
done to now, and would so begin every session anew.
"""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, UniqueConstraint, text

from erpsync.store.tables.base import (
    LONGEST_LOCK_S,
    LONGEST_SESSION_S,
    at,
    count,
    deadline,
    metadata,
    not_negative,
    one_of,
    past,
    ref,
    row_id,
    words,
)

user_account = Table(
    "user_account",
    metadata,
    row_id(),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    at("created_at", nullable=False),
    words("created_by"),
    at("password_at", nullable=False),
    at("disabled_at"),
    words("disabled_by"),
    past("last_login_at"),
    Column("language", Text),
    count("failed_count"),
    deadline("locked_until_at", within_s=LONGEST_LOCK_S),
    one_of("role", "read", "pack", "operate", "admin"),
    one_of("language", "en", "zh"),
    *not_negative("failed_count"),
)

login_session = Table(
    "login_session",
    metadata,
    row_id(),
    Column("digest", LargeBinary, nullable=False, unique=True),
    ref("user_id", "user_account.id"),
    past("created_at", nullable=False),
    past("last_seen_at", nullable=False),
    deadline("expires_at", within_s=LONGEST_SESSION_S, nullable=False),
    past("ended_at"),
    words("address"),
    words("user_agent"),
    Index(
        "ix_login_session_user_id",
        "user_id",
        sqlite_where=text("ended_at IS NULL"),
        postgresql_where=text("ended_at IS NULL"),
    ),
    Index("ix_login_session_expires_at", "expires_at"),
)

saved_view = Table(
    "saved_view",
    metadata,
    row_id(),
    ref("user_id", "user_account.id"),
    Column("page", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("query", Text, nullable=False),
    at("saved_at", nullable=False),
    UniqueConstraint("user_id", "page", "name"),
)
