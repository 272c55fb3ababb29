"""The catalogue: items and their SKUs as listings, and references between the two worlds."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.taobao.mapping.values import Fields
from erpsync.sdk.errors import RejectedError
from erpsync.sdk.types import ListingRow

_REF = re.compile(r"[0-9]+(:[0-9]+)?")


def item_ref_of(num_iid: str, sku_id: str | None) -> str:
    """Return how we name what is sold: `NUM_IID:SKU_ID`, or `NUM_IID` for an item without SKUs."""
    return f"{num_iid}:{sku_id}" if sku_id else num_iid


def split_ref(item_ref: str) -> tuple[str, str]:
    """Return num_iid and sku_id (empty when the item has no SKUs) of an `item_ref`."""
    num_iid, _, sku_id = item_ref.partition(":")
    if not _REF.fullmatch(item_ref):
        raise RejectedError(f"item_ref {item_ref!r} is not NUM_IID or NUM_IID:SKU_ID", code="item_ref")
    return num_iid, sku_id


def listing_rows(
    items: Iterable[Mapping[str, Any]], skus: Iterable[Mapping[str, Any]], *, path: str = "$"
) -> tuple[ListingRow, ...]:
    """Return one row per SKU, and one per item that has none, in the order of `items`.

    A seller code on the SKU goes before one on the item; without either the platform's ids stand for it, as in orders.
    """
    by_item: dict[str, list[Fields]] = {}
    for index, sku in enumerate(skus):
        fields = Fields(sku, f"{path}.skus.sku[{index}]")
        by_item.setdefault(fields.id("num_iid"), []).append(fields)
    rows: list[ListingRow] = []
    for index, item in enumerate(items):
        fields = Fields(item, f"{path}.items.item[{index}]")
        own = by_item.get(fields.id("num_iid"), [])
        rows += [_sku_row(fields, sku) for sku in own] or [_item_row(fields)]
    return tuple(rows)


def _item_row(item: Fields) -> ListingRow:
    ref = item.id("num_iid")
    return ListingRow(
        channel_sku=item.text_or_none("outer_id") or ref,
        item_ref=ref,
        title=item.text_or_none("title") or "",
        shown_qty=_shown(item, "num"),
    )


def _sku_row(item: Fields, sku: Fields) -> ListingRow:
    ref = item_ref_of(item.id("num_iid"), sku.id("sku_id"))
    return ListingRow(
        channel_sku=sku.text_or_none("outer_id") or item.text_or_none("outer_id") or ref,
        item_ref=ref,
        title=item.text_or_none("title") or "",
        shown_qty=_shown(sku, "quantity"),
    )


def _shown(fields: Fields, name: str) -> int | None:
    return None if fields.raw(name) is None else fields.count(name, least=0)
