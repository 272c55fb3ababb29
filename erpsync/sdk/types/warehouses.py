"""What crosses the border to a warehouse: orders released to it, cancels, counts, answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from erpsync.sdk.types.orders import BadLine, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseLine:
    """Units of one of our SKUs for one order line; `line` is the line's id on its channel.

    Args:
        order: our number of the line's order, given where a release holds lines of several. A report may leave it out
            where only one of them has such a line.
    """

    line: str
    sku: str
    qty: int
    title: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What a warehouse is to send.

    Args:
        number: our own, unique; a release that was taken back comes again under another one.
        order: our number of the order, for people; two warehouses may send parts of it. Of a release that holds lines
            of several orders, which all go to the recipient in one parcel, it is all their numbers, with `, ` between.
        warehouse: our code of the warehouse.
        carrier, waybills: the courier, and his numbers for its parcels, where we got them: they are to leave with these
            and no others. Empty where the warehouse gets its own.
    """

    number: str
    order: str
    warehouse: str
    lines: tuple[ReleaseLine, ...]
    recipient: Recipient
    placed_at: datetime
    paid_at: datetime | None = None
    carrier: str = ""
    waybills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """A parcel that a warehouse reports as having left.

    Args:
        key: names the report for people and dead letters; one that is read again has the same.
        release: number of the release it belongs to.
        lines: what is in it, in our units; empty means all of the release that has not left yet.
        left_at: when it left, if the warehouse says so; a count of that time or later has it off already.
    """

    key: str
    release: str
    carrier: str
    tracking: str
    lines: tuple[ReleaseLine, ...] = ()
    left_at: datetime | None = None
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StockCount:
    """What a warehouse counted of a SKU. `warehouse` may be empty where the channel runs a single one."""

    key: str
    sku: str
    on_hand: int
    as_of: datetime
    warehouse: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAnswer:
    """Whether a release was stopped. Also what a warehouse says that gives one back without being asked."""

    key: str
    release: str
    stopped: bool
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehousePage:
    """What a warehouse reports, and what of it could not be read, with the mark that is valid once committed.

    Args:
        begins: name of the file of which this is the first page: it takes the place of an earlier one of that name.
    """

    dispatches: tuple[Dispatch, ...] = ()
    counts: tuple[StockCount, ...] = ()
    answers: tuple[CancelAnswer, ...] = ()
    bad: tuple[BadLine, ...] = ()
    mark: str
    begins: str = ""

    @classmethod
    def of(
        cls, reports: Iterable[Dispatch | StockCount | CancelAnswer | BadLine], *, mark: str, begins: str = ""
    ) -> "WarehousePage":
        """Return a page of reports of any kind."""
        read = list(reports)
        return cls(
            dispatches=tuple(report for report in read if isinstance(report, Dispatch)),
            counts=tuple(report for report in read if isinstance(report, StockCount)),
            answers=tuple(report for report in read if isinstance(report, CancelAnswer)),
            bad=tuple(report for report in read if isinstance(report, BadLine)),
            mark=mark,
            begins=begins,
        )
