"""Refunds, a stream of their own by modified time. The list row is the whole record."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from connectors.taobao.connector.base import TaobaoBase
from connectors.taobao.connector.streams import Listing, heads_of, read_pages, resumed
from connectors.taobao.mapping import REFUND_FIELDS, refund_of
from erpsync.sdk.roles import RefundSource
from erpsync.sdk.types import Cursor, Raw, Refund, RefundPage

RECEIVED = Listing(
    method="taobao.refunds.receive.get",
    plural="refunds",
    singular="refund",
    id_field="refund_id",
    fields=REFUND_FIELDS,
    time_field="modified",
    max_span=timedelta(days=1),
    extra={},
    in_order=False,
)
"""Neither the longest window nor the order is documented: one day is what the order list takes, and pages are counted,
for which the list has to say how many rows there are. Source: note section 6."""


class TaobaoRefunds(TaobaoBase, RefundSource):
    """The refunds that buyers of the shop ask for."""

    def pull_refunds(self, cursor: Cursor) -> Iterator[RefundPage]:
        """Yield pages of refunds by modified time up to the platform's present second."""
        now = self.client.server_now()
        times = {"now": now, "overlap": cursor.overlap, "begin": cursor.since}
        window = resumed(RECEIVED, self.settings.page_size, cursor.mark, **times)
        listing = replace(RECEIVED, extra={"type": ",".join(self.settings.trade_types)})
        for page in read_pages(self, listing, window):
            yield RefundPage(heads=heads_of(page, "refund_id"), mark=page.mark)

    def normalise_refund(self, raw: Raw) -> Refund:
        """Return the refund in normal form. Raises `PayloadError` naming the field."""
        return refund_of(raw.payload)
