"""The catalogue: items on sale, then items in the seller's store room, each with its SKUs.

Why by modified time: the platform cuts page numbers off at 20,000 rows, and a window never steps over an item that is
edited meanwhile. An item that goes on sale between the two readings is found by the next reading.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from connectors.taobao.connector.base import TaobaoBase
from connectors.taobao.connector.streams import Listing, read_pages
from connectors.taobao.mapping import listing_rows
from erpsync.sdk.lists import Page, marks_readable
from erpsync.sdk.roles import ListingSource
from erpsync.sdk.top import rows_of
from erpsync.sdk.types import BadLine, Cursor, ListingPage, ListingRow
from erpsync.sdk.windows import ShrinkingWindow

BEGINNING = datetime(2003, 1, 1, tzinfo=UTC)
"""The platform opened in May 2003; no item was changed before."""

SKUS_PER_CALL = 40
SKU_FIELDS = "sku_id,num_iid,outer_id,quantity"

ON_SALE = Listing(
    method="taobao.items.onsale.get",
    plural="items",
    singular="item",
    id_field="num_iid",
    fields="num_iid,title,outer_id,num,modified",
    time_field="modified",
    max_span=timedelta(days=36500),
    extra={"order_by": "modified:desc"},
)
"""Source: protocol note taobao.md section 5.1. These lists count with `total_results`, they have no `has_next`."""

STORED = replace(ON_SALE, method="taobao.items.inventory.get")
STEPS: Mapping[str, Listing] = {"onsale": ON_SALE, "inventory": STORED}
START = '{"step":"onsale"}'


class TaobaoListings(TaobaoBase, ListingSource):
    """The shop's items and SKUs."""

    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        """Yield the whole catalogue; the mark of its last page begins anew."""
        names = list(STEPS)
        with marks_readable():
            mark = json.loads(cursor.mark or START)
            first = names.index(mark["step"])
        for name in names[first:]:
            yield from self._step(name, mark.get("window"))
            mark = {}

    def _step(self, name: str, mark: str | None) -> Iterator[ListingPage]:
        listing = STEPS[name]
        rules = listing.rules(self.settings.page_size)
        if mark:
            with marks_readable():
                window = ShrinkingWindow.restore(rules, mark)
        else:
            window = ShrinkingWindow.over(rules, BEGINNING, self.client.server_now())
        for page in read_pages(self, listing, window):
            rows, bad = self._with_skus(page)
            yield ListingPage(rows=rows, bad=bad, mark=_mark(name, page.mark, window.done))

    def _with_skus(self, page: Page) -> tuple[tuple[ListingRow, ...], tuple[BadLine, ...]]:
        ids = [num_iid for row in page.rows if (num_iid := str(row.get("num_iid"))).isdigit()]
        skus: list[Mapping[str, Any]] = []
        for first in range(0, len(ids), SKUS_PER_CALL):
            skus += self._skus(ids[first : first + SKUS_PER_CALL])
        return listing_rows(page.rows, skus, source=page.source)

    def _skus(self, num_iids: Sequence[str]) -> list[Mapping[str, Any]]:
        answer = self.read("taobao.item.skus.get", fields=SKU_FIELDS, num_iids=",".join(num_iids))
        return rows_of(answer.body, "skus", "sku")


def _mark(step: str, window: str, done: bool) -> str:
    """Return where to go on: in this list, at the next one, or from the beginning."""
    if not done:
        return json.dumps({"step": step, "window": window}, separators=(",", ":"))
    names = list(STEPS)
    following = names[(names.index(step) + 1) % len(names)]
    return json.dumps({"step": following}, separators=(",", ":"))
