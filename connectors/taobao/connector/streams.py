"""Lists read by time window, for orders and refunds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.taobao.connector.base import TaobaoBase
from connectors.taobao.mapping import Fields, format_time
from erpsync.sdk.errors import TransientError
from erpsync.sdk.lists import Page, head_of, marks_readable, time_or_none
from erpsync.sdk.top import Answer, rows_of
from erpsync.sdk.types import Head
from erpsync.sdk.windows import ShrinkingWindow, WindowRules

OLDEST = timedelta(days=90)
"""How far back lists reach: the newest three months. Source: protocol note taobao.md sections 3.1 and 3.3."""

SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list method: its words, the time by which it is cut, whether it is sorted by that, and fixed parameters.

    Source: protocol note taobao.md sections 3.2, 3.3 and 6. Windows end after they start, both ends count as inside.
    """

    method: str
    plural: str
    singular: str
    id_field: str
    fields: str
    time_field: str
    max_span: timedelta
    extra: Mapping[str, str]
    in_order: bool = True

    def rules(self, page_size: int) -> WindowRules:
        """Return how this list is paged."""
        return WindowRules(page_size=page_size, max_span=self.max_span, min_span=SECOND)


def read_pages(shop: TaobaoBase, listing: Listing, window: ShrinkingWindow) -> Iterator[Page]:
    """Yield what the window asks for, page by page."""
    while not window.done:
        ask = window.request()
        start, end = format_time(ask.start), format_time(ask.end)
        times = {f"start_{listing.time_field}": start, f"end_{listing.time_field}": end}
        size = window.rules.page_size
        answer = shop.read(
            listing.method, fields=listing.fields, page_no=ask.page, page_size=size, **times, **listing.extra
        )
        rows = rows_of(answer.body, listing.plural, listing.singular)
        total = answer.body.get("total_results")
        window.advance(
            _times(rows, listing) if listing.in_order else [],
            full=_more(answer, len(rows), asked=ask.page * size, size=size),
            total=total if isinstance(total, int) else None,
        )
        source = f"{listing.method} {start} to {end} page {ask.page}"
        yield Page(rows=rows, answer=answer, source=source, mark=window.mark())


def heads_of(page: Page, id_field: str) -> tuple[Head, ...]:
    """Return the heads of a page's rows."""
    return tuple(head_of(Fields(row), page, id=id_field, order="tid", changed=("modified",)) for row in page.rows)


def resumed(listing: Listing, page_size: int, mark: str | None, **times: Any) -> ShrinkingWindow:
    """Return a pass that continues at `mark`, or begins at the oldest instant the platform still lists."""
    with marks_readable():
        window = ShrinkingWindow.resume(listing.rules(page_size), mark, **times)
    oldest = times["now"] - OLDEST
    if not window.done and window.request().start < oldest:
        return ShrinkingWindow.resume(listing.rules(page_size), None, **{**times, "begin": oldest})
    return window


def _more(answer: Answer, on_page: int, *, asked: int, size: int) -> bool:
    """Return whether rows follow: as `has_next` says, else as `total_results` counts, else if the page is full."""
    said, total = answer.body.get("has_next"), answer.body.get("total_results")
    if isinstance(said, bool):
        more = said
    elif isinstance(total, int):
        more = total > asked
    else:
        more = on_page >= size
    if more and not on_page:
        raise TransientError("a list page without rows says that more follow")
    return more


def _times(rows: Sequence[Mapping[str, Any]], listing: Listing) -> list[datetime]:
    times = (time_or_none(Fields(row), listing.time_field) for row in rows)
    return [at for at in times if at is not None]
