"""Orders: changes by modified time, the back-fill by created time, the detail call.

Why the back-fill reads some statuses on their own: an order that was placed long before the back-fill begins may still
wait to be shipped, and the shop must not sell its goods twice.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors.taobao.connector.base import TaobaoBase
from connectors.taobao.connector.streams import (
    OLDEST,
    SECOND,
    Listing,
    heads_of,
    read_pages,
    resumed,
)
from connectors.taobao.mapping import LIST_FIELDS, NOTES, WHOLE_FIELDS, Fields, format_time, order_of, parse_time
from erpsync.sdk.errors import RejectedError, TransientError
from erpsync.sdk.lists import marks_readable, within
from erpsync.sdk.roles import OrderScan, OrderSource
from erpsync.sdk.top.times import BEIJING
from erpsync.sdk.types import Cursor, Head, Order, OrderPage, Raw, Recipient
from erpsync.sdk.windows import ShrinkingWindow

WAITING = ("WAIT_SELLER_SEND_GOODS", "SELLER_CONSIGNED_PART", "PAID_FORBID_CONSIGN")
"""Statuses of orders that still wait to be shipped. Source: protocol note taobao.md section 3.8."""

ALL = "all"
STEPS = (*WAITING, ALL)

CHANGED = Listing(
    method="taobao.trades.sold.increment.get",
    plural="trades",
    singular="trade",
    id_field="tid",
    fields=LIST_FIELDS,
    time_field="modified",
    max_span=timedelta(days=1),
    extra={"use_has_next": "true"},
)
CREATED = replace(CHANGED, method="taobao.trades.sold.get", time_field="created", max_span=timedelta(days=30))


class TaobaoOrders(TaobaoBase, OrderSource, OrderScan):
    """The shop's trades.

    `payment` is a current value: after a refund it is what is left. Source: protocol note taobao.md section 3.6.
    """

    rereads = True
    nets_refunds = True

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield pages of orders by modified time up to the platform's present second."""
        now = self.client.server_now()
        window = resumed(CHANGED, self.settings.page_size, cursor.mark, now=now, overlap=cursor.overlap)
        for page in read_pages(self, self._of_types(CHANGED), window):
            yield OrderPage(heads=heads_of(page, "tid"), mark=page.mark)

    def backfill_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield orders that wait to be shipped, one status after the other, then all created since `cursor.since`.

        Ends at the instant at which the back-fill began: what changes later is in the modified stream.
        """
        step, until, inner = self._stand(cursor)
        for name in STEPS[STEPS.index(step) :]:
            listing = self._of_types(CREATED)
            if name != ALL:
                listing = replace(listing, extra={**listing.extra, "status": name})
            start = until - OLDEST if name != ALL else max(cursor.since or until, until - OLDEST)
            rules = listing.rules(self.settings.page_size)
            with marks_readable():
                window = ShrinkingWindow.restore(rules, inner) if inner else ShrinkingWindow.over(rules, start, until)
            inner = ""
            for page in read_pages(self, listing, window):
                yield OrderPage(heads=heads_of(page, "tid"), mark=_backfill_mark(name, until, page.mark))

    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        """Yield the heads of all orders created in [start, end). Source: protocol note taobao.md section 3.4."""
        listing = self._of_types(CREATED)
        window = ShrinkingWindow.over(listing.rules(self.settings.page_size), start, end - SECOND)
        for page in read_pages(self, listing, window):
            yield heads_of(within(page, Fields, listing.time_field, start, end), "tid")

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        """Return the whole trade of each head, one call each.

        A trade whose detail is refused (older than three months, for instance) is taken as the list row shows it.
        """
        return [self._whole(head) for head in heads]

    def normalise(self, raw: Raw) -> Order:
        """Return the order in normal form. Raises `PayloadError` naming the field."""
        return order_of(raw.payload)

    def same_recipient(self, recipient: Recipient, placed_at: datetime) -> str:
        """Return the `oaid` and its week: within one, equal ones are one receiver.

        Source: protocol note taobao.md section 10. The week is that of China's clock, by when the trade was created.
        """
        year, week, _ = placed_at.astimezone(BEIJING).isocalendar()
        return f"{year}-{week}:{recipient.ciphertext}"

    def _of_types(self, listing: Listing) -> Listing:
        return replace(listing, extra={**listing.extra, "type": ",".join(self.settings.trade_types)})

    def _stand(self, cursor: Cursor) -> tuple[str, datetime, str]:
        """Return the step the back-fill is in, its end, and the mark of the step's window."""
        if cursor.mark is None:
            return STEPS[0], self.client.server_now(), ""
        with marks_readable():
            mark = json.loads(cursor.mark)
            STEPS.index(mark["step"])
            return mark["step"], parse_time(mark["until"], path="$.mark.until"), mark["window"]

    def _whole(self, head: Head) -> Raw:
        as_listed = Raw(head=head, payload=head.row, read_from=head.read_from, read_to=head.read_to)
        if not head.external_id.isdigit():
            return as_listed
        try:
            answer = self.read(
                "taobao.trade.fullinfo.get", tid=head.external_id, fields=WHOLE_FIELDS, include_oaid="true"
            )
        except RejectedError:
            if not head.row:
                raise
            return as_listed
        trade = answer.body.get("trade")
        if not isinstance(trade, dict):
            raise TransientError(f"answer to the detail call for {head.external_id} holds no trade")
        payload = {**dict.fromkeys(NOTES, ""), **trade}
        return Raw(head=head, payload=payload, read_from=answer.sent_at, read_to=answer.received_at)


def _backfill_mark(step: str, until: datetime, window: str) -> str:
    return json.dumps({"step": step, "until": format_time(until), "window": window}, separators=(",", ":"))
