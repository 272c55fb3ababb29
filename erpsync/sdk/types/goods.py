"""What a channel sells and the numbers it is told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """One sellable thing of the channel's catalogue. `shown_qty` is the number the channel shows now, if it says."""

    channel_sku: str
    item_ref: str
    title: str = ""
    shown_qty: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPage:
    """Catalogue rows and the mark that is valid once they are committed."""

    rows: tuple[ListingRow, ...]
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """An absolute quantity for one listing, in the channel's units. `key` names it in the answer."""

    key: str
    channel_sku: str
    item_ref: str
    qty: int
