"""Lists read by time window: their pages, the heads of their rows, and marks that can be read.

Why a bad row is still a head: one record that cannot be read must become a dead letter, not stop the stream.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.read import Fields
from erpsync.sdk.types import Head


class Answer(Protocol):
    """An answer of the platform, read between two instants of our clock."""

    @property
    def sent_at(self) -> datetime: ...
    @property
    def received_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of one list call, and the mark that is valid once they are committed."""

    rows: list[Mapping[str, Any]]
    answer: Answer
    source: str
    mark: str


def head_of(fields: Fields, page: Page, *, id: str, order: str, changed: Sequence[str]) -> Head:
    """Return the head of a row; an unreadable id or time is found again, and named, when the row is normalised.

    Args:
        id, order: the fields that hold its id and that of its order.
        changed: the fields that may hold its version; the first that can be read counts.
    """
    digest = digest_of(fields.row)
    try:
        external_id = fields.id(id)
    except PayloadError:
        external_id = f"unreadable-{digest}"
    changed_at = next((at for name in changed if (at := time_or_none(fields, name)) is not None), None)
    return Head(
        external_id=external_id,
        order_external_id=str(fields.row.get(order) or ""),
        version_at=changed_at or page.answer.sent_at,
        dated=changed_at is not None,
        digest=digest,
        read_from=page.answer.sent_at,
        read_to=page.answer.received_at,
        row=fields.row,
        source=page.source,
    )


def time_or_none(fields: Fields, name: str) -> datetime | None:
    """Return the instant of a field, None when it has none that can be read."""
    try:
        return fields.read_instant(fields.row.get(name), path=f"$.{name}")
    except PayloadError:
        return None


def within(page: Page, fields: type[Fields], name: str, start: datetime, end: datetime) -> Page:
    """Return the page with its rows of [start, end) only, and those whose time cannot be read."""
    times = ((row, time_or_none(fields(row), name)) for row in page.rows)
    return replace(page, rows=[row for row, at in times if at is None or start <= at < end])


@contextmanager
def marks_readable() -> Iterator[None]:
    """Turn what goes wrong while a mark is read into a `PayloadError`: it was not written by this connector."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PayloadError("the mark of the stream was not written by this connector", path="$.mark") from None
