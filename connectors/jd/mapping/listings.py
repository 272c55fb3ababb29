"""The catalogue: SKUs as listings."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.jd.mapping.values import Fields
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.types import ListingRow

SKU_FIELDS = "wareId,skuId,status,outerId,stockNum,skuName,wareTitle,modified"


def listing_rows(skus: Sequence[Mapping[str, Any]]) -> tuple[ListingRow, ...]:
    """Return one row per SKU: seller code, else the skuId, as in orders. Raises `PayloadError`."""
    return tuple(_row(Fields(sku, f"$.page.data[{index}]")) for index, sku in enumerate(skus))


def _row(sku: Fields) -> ListingRow:
    sku_id = sku.id("skuId")
    return ListingRow(
        channel_sku=sku.text_or_none("outerId") or sku_id,
        item_ref=sku_id,
        title=sku.text_or_none("skuName") or sku.text_or_none("wareTitle") or "",
        shown_qty=None if sku.raw("stockNum") is None else sku.count("stockNum", least=0),
    )


def sku_number(item_ref: str) -> int:
    """Return the skuId as the number that calls want. Raises `RejectedError` when it is none."""
    if not (item_ref.isascii() and item_ref.isdigit()):
        raise RejectedError(f"item_ref {item_ref[:40]!r} is not a skuId", code="item_ref")
    return int(item_ref)
