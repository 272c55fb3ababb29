"""Orders: changes by modified time, the back-fill by created time, the detail call for single ones.

Why a list row is the whole record: search and get return the same fields, so a detail call per order would only cost
quota; `complete` asks for an order only where there is no row (it is read again by its id).

Why the back-fill reads what waits to be shipped on its own: an order that was placed long before the back-fill begins
may still wait, and the shop must not sell its goods twice.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.jd.client import Answer, result_of, rows_of, total_of
from connectors.jd.connector.base import JdBase
from connectors.jd.connector.streams import Found, heads_of, read_pages
from connectors.jd.mapping import OPTIONAL_FIELDS, Fields, format_time, order_of, parse_time
from erpsync.sdk.errors import TransientError
from erpsync.sdk.lists import Page, marks_readable, within
from erpsync.sdk.roles import OrderScan, OrderSource
from erpsync.sdk.types import Cursor, Head, Order, OrderPage, Raw
from erpsync.sdk.windows import Ask, ShrinkingWindow, WindowRules

SEARCH: Mapping[str, str] = {"encrypted": "jingdong.pop.order.enSearch", "plain": "jingdong.pop.order.search"}
GET: Mapping[str, str] = {"encrypted": "jingdong.pop.order.enGet", "plain": "jingdong.pop.order.get"}
OLDEST = timedelta(days=89)
"""How far back the list by modified time reaches: three months. Source: protocol note jd.md section 3."""

SPAN = timedelta(days=28)
SECOND = timedelta(seconds=1)
BY_CREATED, BY_MODIFIED = 1, 0
ASCENDING = 0
STEPS: Mapping[str, str] = {
    "waiting": "WAIT_SELLER_STOCK_OUT",
    "stopped": "LOCKED,POP_ORDER_PAUSE,WAIT_SELLER_DELIVERY,WAIT_SEND_CODE",
    "all": "ALL",
}
"""States that the back-fill asks for, one step after the other: what waits to be shipped, what waits but is stopped or
not ours to send yet, and everything young. Source: section 3; `ALL` stands alone."""

WHOLE = ("itemInfoList", "consigneeInfo")
"""What a row must hold to be taken as the whole order."""


class JdOrders(JdBase, OrderSource, OrderScan):
    """The shop's orders."""

    rereads = True

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield pages of orders by modified time up to the platform's present second."""
        now = self.client.server_now()
        window = self._resumed(cursor, now)
        for page in self._pages(window, BY_MODIFIED, "ALL"):
            yield OrderPage(heads=_heads(page), mark=page.mark)

    def backfill_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield orders that wait to be shipped, then all created since `cursor.since`.

        Ends at the instant at which the back-fill began: what changes later is in the modified stream.
        """
        step, until, inner = self._stand(cursor)
        names = list(STEPS)
        for name in names[names.index(step) :]:
            start = max(cursor.since or until, until - OLDEST) if name == "all" else until - OLDEST
            with marks_readable():
                rules = self._rules()
                window = ShrinkingWindow.restore(rules, inner) if inner else ShrinkingWindow.over(rules, start, until)
            inner = ""
            for page in self._pages(window, BY_CREATED, STEPS[name]):
                yield OrderPage(heads=_heads(page), mark=_backfill_mark(name, until, page.mark))

    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        """Yield the heads of all orders created in [start, end).

        An unpaid order is not listed before it is paid, so it may come late. Source: protocol note jd.md section 3.
        """
        window = ShrinkingWindow.over(self._rules(), start, end)
        for page in self._pages(window, BY_CREATED, "ALL"):
            yield _heads(within(page, Fields, "orderStartTime", start, end))

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        """Return the whole order of each head, by a call of its own only where the list row is not whole."""
        return [self._whole(head) for head in heads]

    def normalise(self, raw: Raw) -> Order:
        """Return the order in normal form. Raises `PayloadError` naming the field."""
        return order_of(raw.payload, encrypted=self.settings.orders == "encrypted")

    def order_info(self, external_id: str) -> tuple[Mapping[str, Any], Answer]:
        """Return one order as the detail call shows it. Raises `RejectedError` when there is none."""
        method = GET[self.settings.orders]
        number: int | str = int(external_id) if external_id.isdigit() else external_id
        answer = self.read(method, order_id=number, optional_fields=OPTIONAL_FIELDS)
        info = result_of(answer, "orderDetailInfo", flags="apiResult").get("orderInfo")
        if not isinstance(info, dict):
            raise TransientError(f"the answer to the detail call for {external_id} holds no order")
        return info, answer

    def _whole(self, head: Head) -> Raw:
        if all(name in head.row for name in WHOLE) or not head.external_id.isdigit():
            return Raw(head=head, payload=head.row, read_from=head.read_from, read_to=head.read_to)
        info, answer = self.order_info(head.external_id)
        return Raw(head=head, payload=info, read_from=answer.sent_at, read_to=answer.received_at)

    def _rules(self) -> WindowRules:
        """Return how the list is paged: oldest first.

        Nobody knows whether the right end of a window belongs to it. Rising windows need not know: what is read anew
        begins at the newest instant seen, and the least span keeps one second readable by itself.
        """
        return WindowRules(page_size=self.settings.page_size, newest_first=False, max_span=SPAN, min_span=SECOND)

    def _resumed(self, cursor: Cursor, now: datetime) -> ShrinkingWindow:
        """Return a pass that continues at the mark, or begins at the oldest instant the platform still lists."""
        rules = self._rules()
        with marks_readable():
            window = ShrinkingWindow.resume(rules, cursor.mark, now=now, overlap=cursor.overlap)
        if not window.done and window.request().start < now - OLDEST:
            return ShrinkingWindow.resume(rules, None, now=now, overlap=cursor.overlap, begin=now - OLDEST)
        return window

    def _pages(self, window: ShrinkingWindow, date_type: int, states: str) -> Iterator[Page]:
        method = SEARCH[self.settings.orders]

        def ask_for(ask: Ask) -> Found:
            answer = self.search(ask.start, ask.end, page=ask.page, date_type=date_type, states=states)
            result = result_of(answer, "searchorderinfo_result", flags="apiResult")
            rows = rows_of(result, "orderInfoList", path="$.searchorderinfo_result")
            return Found(rows=rows, total=total_of(result, "orderTotal"), answer=answer)

        yield from read_pages(method, "orderStartTime" if date_type == BY_CREATED else "modified", window, ask_for)

    def search(
        self, start: datetime, end: datetime, *, page: int, date_type: int, states: str, page_size: int | None = None
    ) -> Answer:
        """Return one page of the order list as it came."""
        return self.read(
            SEARCH[self.settings.orders],
            start_date=format_time(start),
            end_date=format_time(end),
            order_state=states,
            optional_fields=OPTIONAL_FIELDS,
            page=str(page),
            page_size=str(page_size or self.settings.page_size),
            sortType=ASCENDING,
            dateType=date_type,
            source_id="JOS",
        )

    def _stand(self, cursor: Cursor) -> tuple[str, datetime, str]:
        """Return the step the back-fill is in, its end, and the mark of the step's window."""
        if cursor.mark is None:
            return next(iter(STEPS)), self.client.server_now(), ""
        with marks_readable():
            mark = json.loads(cursor.mark)
            return _known(mark["step"]), parse_time(mark["until"], path="$.mark.until"), mark["window"]


def _heads(page: Page) -> tuple[Head, ...]:
    return heads_of(page, "orderId", ("modified",))


def _known(step: str) -> str:
    if step not in STEPS:
        raise ValueError(step)
    return step


def _backfill_mark(step: str, until: datetime, window: str) -> str:
    return json.dumps({"step": step, "until": format_time(until), "window": window}, separators=(",", ":"))
