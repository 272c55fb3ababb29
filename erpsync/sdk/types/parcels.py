"""Parcels that left: what we tell channels, and what files and warehouses report."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from erpsync.sdk.types.orders import BadLine, RefundLine


class Repeat(StrEnum):
    """What may be done with an effect whose outcome is unknown."""

    SAFE = "safe"
    LOOK_FIRST = "look_first"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentLine:
    """Units of one order line in a parcel, in the channel's units; `earlier_qty` of them left in earlier parcels."""

    external_id: str
    qty: int
    ordered_qty: int
    earlier_qty: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """One parcel to report.

    Args:
        number: our own, unique; the idempotency key where a channel takes one.
        carrier: our code, see `erpsync.sdk.carriers`.
        whole: this parcel holds all that the order ever ships; otherwise the order is split.
    """

    number: str
    order_external_id: str
    carrier: str
    tracking: str
    lines: tuple[ShipmentLine, ...]
    whole: bool = True
    shipped_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentReport:
    """A parcel that a warehouse or a file reports as having left. `order` is our number or the channel's id."""

    key: str
    order: str
    carrier: str
    tracking: str
    lines: tuple[RefundLine, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShipmentReportPage:
    """Shipment reports and what could not be read, with the mark that is valid once they are committed.

    Args:
        begins: name of the file of which this is the first page: it takes the place of an earlier one of that name.
    """

    reports: tuple[ShipmentReport, ...]
    bad: tuple[BadLine, ...] = ()
    mark: str
    begins: str = ""
