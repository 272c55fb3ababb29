"""The catalogue: SKUs as listings."""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.jd.mapping.values import Fields
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.types import BadLine, ListingRow

SKU_FIELDS = "wareId,skuId,status,outerId,stockNum,skuName,wareTitle,modified"


def listing_rows(
    skus: Sequence[Mapping[str, Any]], *, source: str = ""
) -> tuple[tuple[ListingRow, ...], tuple[BadLine, ...]]:
    """Return one row per SKU (seller code, else the skuId, as in orders), and what cannot be read."""
    rows: list[ListingRow] = []
    bad: list[BadLine] = []
    for index, sku in enumerate(skus):
        fields = Fields(sku, f"$.page.data[{index}]")
        try:
            rows.append(_row(fields))
        except PayloadError as error:
            told = PayloadError(error.problem, path=error.path, source=source)
            bad.append(BadLine(key=_key(fields), error=told, row=sku))
    return tuple(rows), tuple(bad)


def _key(sku: Fields) -> str:
    try:
        return sku.id("skuId")
    except PayloadError:
        return f"unreadable-{digest_of(sku.row)}"


def _row(sku: Fields) -> ListingRow:
    sku_id = sku.id("skuId")
    return ListingRow(
        channel_sku=sku.text_or_none("outerId") or sku_id,
        item_ref=sku_id,
        title=sku.text_or_none("skuName") or sku.text_or_none("wareTitle") or "",
        shown_qty=_shown(sku),
    )


def _shown(sku: Fields) -> int | None:
    """Return the number shown; one that is none of zero or more says nothing, and costs no listing."""
    try:
        return sku.count("stockNum", least=0)
    except PayloadError:
        return None


def sku_number(item_ref: str) -> int:
    """Return the skuId as the number that calls want. Raises `RejectedError` when it is none."""
    if not (item_ref.isascii() and item_ref.isdigit()):
        raise RejectedError(f"item_ref {item_ref[:40]!r} is not a skuId", code="item_ref")
    return int(item_ref)
