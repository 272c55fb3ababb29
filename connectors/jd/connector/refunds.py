"""Refunds before delivery. The list row is the whole record.

Why three readings: the list can be cut by the time a refund was asked for and by the time it was checked, but not by
its change. New ones come by the first, decisions by the second; a refund that the buyer withdrew may show in neither,
so those of the last 30 days are read again from time to time.

Source: protocol note jd.md section 6.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.jd.client import Answer, result_of, rows_of, total_of
from connectors.jd.connector.base import JdBase
from connectors.jd.connector.streams import Found, heads_of, read_pages
from connectors.jd.mapping import format_time, parse_time, refund_of
from erpsync.sdk.lists import Page, marks_readable
from erpsync.sdk.roles import RefundSource
from erpsync.sdk.types import Cursor, Raw, Refund, RefundPage
from erpsync.sdk.windows import Ask, ShrinkingWindow, WindowRules

LIST = "jingdong.pop.afs.soa.refundapply.queryPageList"
PAGE_SIZE = 50
SPAN = timedelta(days=1)
"""The longest window is not documented; a day keeps the pages below the limit of 100, up to 5,000 refunds."""

SWEEP = timedelta(days=30)
TIMES: Mapping[str, str] = {"apply": "applyTime", "check": "checkTime"}
VERSIONS = ("modified", "checkTime", "applyTime")


class JdRefunds(JdBase, RefundSource):
    """The refunds that buyers of the shop ask for before they have the goods."""

    def pull_refunds(self, cursor: Cursor) -> Iterator[RefundPage]:
        """Yield pages of refunds asked for or checked up to the platform's present second, then the sweep if due."""
        now = self.client.server_now()
        with marks_readable():
            marks: dict[str, str] = json.loads(cursor.mark) if cursor.mark else {"swept": format_time(now)}
            swept_at = parse_time(marks["swept"], path="$.mark.swept")
        for name, field in TIMES.items():
            begin = {"begin": cursor.since} if cursor.since else {}
            with marks_readable():
                rules, mark = _rules(self.settings.page_size), marks.get(name)
                window = ShrinkingWindow.resume(rules, mark, now=now, overlap=cursor.overlap, **begin)
            yield from self._window_pages(marks, name, field, window)
        if "sweep" in marks or now - swept_at >= timedelta(minutes=self.settings.refund_sweep_minutes):
            yield from self._sweep(marks, now)

    def normalise_refund(self, raw: Raw) -> Refund:
        """Return the refund in normal form. Raises `PayloadError` naming the field."""
        return refund_of(raw.payload)

    def list_refunds(self, field: str, start: datetime, end: datetime, *, page: int, page_size: int) -> Answer:
        """Return one page of the refund list as it came."""
        window = {f"{field}Start": format_time(start), f"{field}End": format_time(end)}
        return self.read(LIST, **window, pageIndex=page, pageSize=page_size)

    def _sweep(self, marks: dict[str, str], now: datetime) -> Iterator[RefundPage]:
        """Read again what was asked for in the last 30 days; a sweep that was broken off goes on."""
        with marks_readable():
            rules, mark = _rules(self.settings.page_size), marks.get("sweep")
            window = ShrinkingWindow.restore(rules, mark) if mark else ShrinkingWindow.over(rules, now - SWEEP, now)
        for page in self._refund_rows("applyTime", window):
            marks["sweep"] = page.mark
            if window.done:
                del marks["sweep"]
                marks["swept"] = format_time(now)
            yield _page(page, marks)

    def _window_pages(
        self, marks: dict[str, str], name: str, field: str, window: ShrinkingWindow
    ) -> Iterator[RefundPage]:
        for page in self._refund_rows(field, window):
            marks[name] = page.mark
            yield _page(page, marks)

    def _refund_rows(self, field: str, window: ShrinkingWindow) -> Iterator[Page]:
        def ask_for(ask: Ask) -> Found:
            size = window.rules.page_size
            answer = self.list_refunds(field, ask.start, ask.end, page=ask.page, page_size=size)
            result = result_of(answer, "queryResult")
            rows = rows_of(result, "result", path="$.queryResult")
            return Found(rows=rows, total=total_of(result, "totalCount"), answer=answer)

        yield from read_pages(f"{LIST} {field}", None, window, ask_for)


def _rules(page_size: int) -> WindowRules:
    """Return how the list is paged; by which time it is sorted is not documented, nor whether its ends belong to it."""
    second = timedelta(seconds=1)
    return WindowRules(page_size=min(PAGE_SIZE, page_size), max_span=SPAN, min_span=second, end_slack=second)


def _page(page: Page, marks: Mapping[str, Any]) -> RefundPage:
    return RefundPage(heads=heads_of(page, "id", VERSIONS), mark=json.dumps(marks, separators=(",", ":")))
