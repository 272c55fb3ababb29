"""The catalogue: the shop's SKUs by skuId.

Why from the last page back to the first: the list is paged by counting, and a SKU that is deleted meanwhile moves the
ones behind it up by one, which forward paging would step over. New SKUs have higher ids and come with the next reading.

Source: protocol note jd.md section 5; parameters and envelope of the list are uncertain there and follow public SDKs
(PHP: orderFiled, orderType, pageNo, page_size; C#: page{data, totalItem}).
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from connectors.jd.client import rows_of, total_of
from connectors.jd.connector.base import JdBase
from connectors.jd.mapping import SKU_FIELDS, listing_rows
from erpsync.sdk.errors import TransientError
from erpsync.sdk.lists import marks_readable
from erpsync.sdk.roles import ListingSource
from erpsync.sdk.types import Cursor, ListingPage

LIST = "jingdong.sku.read.searchSkuList"
PAGE_SIZE = 50
LIVE = "1,2"
"""On sale and off sale; 4 is deleted."""


class JdListings(JdBase, ListingSource):
    """The shop's SKUs."""

    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        """Yield the whole catalogue; the mark of its last page begins anew."""
        with marks_readable():
            number = int(json.loads(cursor.mark)["page"]) if cursor.mark else 0
        if number < 1:
            number = self._last_sku_page()
        while number >= 1:
            listed = rows_of(self.list_skus(number, self._sku_page_size()), "data", path="$.page")
            rows, bad = listing_rows(listed, source=f"{LIST} page {number}")
            number -= 1
            yield ListingPage(rows=rows, bad=bad, mark=json.dumps({"page": number}))

    def list_skus(self, page: int, size: int) -> Mapping[str, Any]:
        """Return one page of the SKU list as it came."""
        answer = self.read(
            LIST,
            skuStatuValue=LIVE,
            field=SKU_FIELDS,
            orderFiled="skuId",
            orderType="asc",
            pageNo=page,
            page_size=size,
        )
        listed = answer.body.get("page")
        if not isinstance(listed, dict):
            raise TransientError("the answer to the SKU list holds no page")
        return listed

    def _sku_page_size(self) -> int:
        return min(PAGE_SIZE, self.settings.page_size)

    def _last_sku_page(self) -> int:
        total = total_of(self.list_skus(1, self._sku_page_size()), "totalItem")
        if total is None:
            raise TransientError("the SKU list does not say how many there are")
        return -(-total // self._sku_page_size())
