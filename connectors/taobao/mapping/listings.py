"""The catalogue: items and their SKUs as listings, and references between the two worlds."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from connectors.taobao.mapping.values import Fields
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.types import BadLine, ListingRow

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
    items: Iterable[Mapping[str, Any]], skus: Iterable[Mapping[str, Any]], *, source: str = ""
) -> tuple[tuple[ListingRow, ...], tuple[BadLine, ...]]:
    """Return one row per SKU, and one per item that has none, in the order of `items`; and what cannot be read.

    A seller code on the SKU goes before one on the item; without either the platform's ids stand for it, as in orders.
    """
    bad: list[BadLine] = []
    by_item: dict[str, list[Fields]] = {}
    for index, sku in enumerate(skus):
        fields = Fields(sku, f"$.skus.sku[{index}]")
        try:
            by_item.setdefault(fields.id("num_iid"), []).append(fields)
        except PayloadError as error:
            bad.append(_bad(fields, error, source))
    rows: list[ListingRow] = []
    for index, item in enumerate(items):
        fields = Fields(item, f"$.items.item[{index}]")
        try:
            own = by_item.get(fields.id("num_iid"))
        except PayloadError as error:
            bad.append(_bad(fields, error, source))
            continue
        for part in own or [fields]:
            try:
                rows.append(_sku_row(fields, part) if own else _item_row(fields))
            except PayloadError as error:
                bad.append(_bad(part, error, source))
    return tuple(rows), tuple(bad)


def _bad(fields: Fields, error: PayloadError, source: str) -> BadLine:
    """Return a row that cannot be read, under its `item_ref` where it has one."""
    try:
        key = item_ref_of(fields.id("num_iid"), fields.id_or_none("sku_id"))
    except PayloadError:
        key = f"unreadable-{digest_of(fields.row)}"
    return BadLine(key=key, error=PayloadError(error.problem, path=error.path, source=source), row=fields.row)


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
    """Return the number shown; one that is none of zero or more says nothing, and costs no listing."""
    try:
        return fields.count(name, least=0)
    except PayloadError:
        return None
