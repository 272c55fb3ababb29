"""Lists read by time window, for orders and refunds.

Why a bad row is still a head: one record that cannot be read must become a dead letter, not stop the stream.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from connectors.jd.client import Answer
from connectors.jd.mapping import Fields, parse_time
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError, TransientError
from erpsync.sdk.types import Head
from erpsync.sdk.windows import Ask, ShrinkingWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows of one list call, and how many the platform counts for the request, if it says."""

    rows: list[Mapping[str, Any]]
    total: int | None
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Rows of one list call, and the mark that is valid once they are committed."""

    rows: list[Mapping[str, Any]]
    answer: Answer
    source: str
    mark: str


def read_pages(
    name: str, sorted_by: str | None, window: ShrinkingWindow, ask_for: Callable[[Ask], Found]
) -> Iterator[Page]:
    """Yield what the window asks for, page by page.

    Args:
        name: of the list, for people.
        sorted_by: the time by which the window is cut and the rows are sorted; None where nobody knows how they are
            sorted, so that pages are counted.
    """
    while not window.done:
        ask = window.request()
        found = ask_for(ask)
        more = _more(found, asked=ask.page * window.rules.page_size, size=window.rules.page_size)
        window.advance(_times(found.rows, sorted_by) if sorted_by else [], full=more, total=found.total)
        source = f"{name} {ask.start.isoformat()} to {ask.end.isoformat()} page {ask.page}"
        yield Page(rows=found.rows, answer=found.answer, source=source, mark=window.mark())


def heads_of(page: Page, id_field: str, time_fields: Sequence[str]) -> tuple[Head, ...]:
    """Return the heads of a page's rows; the version is the first of `time_fields` that a row has."""
    return tuple(_head(row, page, id_field, time_fields) for row in page.rows)


def within(page: Page, time_field: str, start: datetime, end: datetime) -> Page:
    """Return the page with its rows of [start, end) only, and those whose time cannot be read."""
    times = ((row, time_or_none(row, time_field)) for row in page.rows)
    return replace(page, rows=[row for row, at in times if at is None or start <= at < end])


@contextmanager
def marks_readable() -> Iterator[None]:
    """Turn what goes wrong while a mark is read into a `PayloadError`: it was not written by this connector."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError):
        raise PayloadError("the mark of the stream was not written by this connector", path="$.mark") from None


def time_or_none(row: Mapping[str, Any], name: str) -> datetime | None:
    """Return the instant of a field, None when it has none that can be read."""
    try:
        return parse_time(row.get(name), path=f"$.{name}")
    except PayloadError:
        return None


def _head(row: Mapping[str, Any], page: Page, id_field: str, time_fields: Sequence[str]) -> Head:
    """Return the head of a row; an unreadable id or time is found again, and named, when the row is normalised."""
    digest = digest_of(row)
    try:
        external_id = Fields(row, "$").id(id_field)
    except PayloadError:
        external_id = f"unreadable-{digest}"
    changed_at = next((at for name in time_fields if (at := time_or_none(row, name)) is not None), None)
    return Head(
        external_id=external_id,
        order_external_id=str(row.get("orderId") or ""),
        version_at=changed_at or page.answer.sent_at,
        dated=changed_at is not None,
        digest=digest,
        read_from=page.answer.sent_at,
        read_to=page.answer.received_at,
        row=row,
        source=page.source,
    )


def _more(found: Found, *, asked: int, size: int) -> bool:
    """Return whether rows follow: as the total counts, else if the page is full."""
    more = found.total > asked if found.total is not None else len(found.rows) >= size
    if more and not found.rows:
        raise TransientError("a list page without rows says that more follow")
    return more


def _times(rows: Sequence[Mapping[str, Any]], name: str) -> list[datetime]:
    """Return the rows' times; none at all when one cannot be read, so that pages are counted instead."""
    found = [at for row in rows if (at := time_or_none(row, name)) is not None]
    return found if len(found) == len(rows) else []
