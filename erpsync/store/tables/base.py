"""What all tables are made of: instants, keys, columns and checks.

Why instants are integers: microseconds since 1970 compare and index alike on SQLite and PostgreSQL, and no driver
can drop a time zone from them.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Integer,
    MetaData,
    Text,
    TypeDecorator,
    false,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

LONGEST_ASK_S = 86_400
LONGEST_BACK_OFF_S = 300
LONGEST_BLOCK_S = 86_400
LONGEST_CLAIM_S = 60
LONGEST_LATE_CALL_S = 300
LONGEST_LEASE_S = 300
LONGEST_LOCK_S = 900
LONGEST_ROUTE_WAIT_S = 900
LONGEST_SESSION_S = 604_800
LONGEST_TOKEN_PAUSE_S = 14_400
"""How far ahead a deadline of each kind is ever set, or may be believed to be: trying earlier does no harm."""


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


def row_id() -> Column[int]:
    """Return the integer key of a table."""
    return Column("id", BigInt, primary_key=True)


def ref(name: str, target: str, *, nullable: bool = False, primary_key: bool = False) -> Column[int]:
    """Return a reference to another table's row."""
    return Column(name, BigInt, ForeignKey(target), nullable=nullable, primary_key=primary_key)


def words(name: str, *, default: str = "") -> Column[str]:
    """Return a text that is empty rather than missing."""
    return Column(name, Text, nullable=False, server_default=default)


def count(name: str, *, default: int = 0) -> Column[int]:
    """Return a whole number that is never missing."""
    return Column(name, BigInt, nullable=False, server_default=str(default))


def flag(name: str) -> Column[bool]:
    """Return a yes or no, no by default."""
    return Column(name, Boolean(create_constraint=False), nullable=False, server_default=false())


def at(name: str, *, nullable: bool = True) -> Column[datetime]:
    """Return an instant by another's clock, or one that only people look at; see also `past` and `deadline`."""
    return Column(name, Instant, nullable=nullable)


def past(name: str, *, nullable: bool = True) -> Column[datetime]:
    """Return an instant by our clock that says when something was done: one that lies in the future counts as now."""
    return deadline(name, within_s=0, nullable=nullable)


def deadline(name: str, *, within_s: float, nullable: bool = True) -> Column[datetime]:
    """Return an instant by our clock that is waited for; it is never believed to lie further ahead than its span."""
    return Column(name, Instant, nullable=nullable, info={"within": timedelta(seconds=within_s)})


def not_negative(*names: str) -> list[CheckConstraint]:
    """Return a check per column that it is never below zero."""
    return [CheckConstraint(f"{name} >= 0", name=f"{name}_not_negative") for name in names]


def one_of(column: str, *values: str) -> CheckConstraint:
    """Return a check that a column holds one of these words."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"{column}_known")
