"""Lists read by time window, for orders and refunds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.jd.client import Answer
from connectors.jd.mapping import Fields
from erpsync.sdk.errors import TransientError
from erpsync.sdk.lists import Page, head_of, time_or_none
from erpsync.sdk.types import Head
from erpsync.sdk.windows import Ask, ShrinkingWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Rows of one list call, and how many the platform counts for the request, if it says."""

    rows: list[Mapping[str, Any]]
    total: int | None
    answer: Answer


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
        listed = ask_for(ask)
        more = _more(listed, asked=ask.page * window.rules.page_size, size=window.rules.page_size)
        window.advance(_times(listed.rows, sorted_by) if sorted_by else [], full=more, total=listed.total)
        source = f"{name} {ask.start.isoformat()} to {ask.end.isoformat()} page {ask.page}"
        yield Page(rows=listed.rows, answer=listed.answer, source=source, mark=window.mark())


def heads_of(page: Page, id_field: str, time_fields: Sequence[str]) -> tuple[Head, ...]:
    """Return the heads of a page's rows; the version is the first of `time_fields` that a row has."""
    return tuple(head_of(Fields(row), page, id=id_field, order="orderId", changed=time_fields) for row in page.rows)


def _more(listed: Found, *, asked: int, size: int) -> bool:
    """Return whether rows follow: as the total counts, else if the page is full."""
    more = listed.total > asked if listed.total is not None else len(listed.rows) >= size
    if more and not listed.rows:
        raise TransientError("a list page without rows says that more follow")
    return more


def _times(rows: Sequence[Mapping[str, Any]], name: str) -> list[datetime]:
    """Return the rows' times; none at all when one cannot be read, so that pages are counted instead."""
    times = [at for row in rows if (at := time_or_none(Fields(row), name)) is not None]
    return times if len(times) == len(rows) else []
