"""What a channel sells and the numbers it is told."""

from dataclasses import dataclass

from erpsync.sdk.types.orders import BadLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingRow:
    """One sellable thing of the channel's catalogue.

    `shown_qty` is the number the channel shows now; None when it shows none, or none of zero or more.
    """

    channel_sku: str
    item_ref: str
    title: str = ""
    shown_qty: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListingPage:
    """Catalogue rows, those that cannot be read, and the mark that is valid once they are committed.

    The key of a bad row is the `item_ref` of its listing where that much can be read.
    """

    rows: tuple[ListingRow, ...]
    bad: tuple[BadLine, ...] = ()
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StockLevel:
    """An absolute quantity for one listing, in the channel's units. `key` names it in the answer."""

    key: str
    channel_sku: str
    item_ref: str
    qty: int
