"""Records on their way in: heads of list calls, whole raw records, pages with the mark that is valid with them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from erpsync.sdk.types.payload import Payload


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a stream stands and how it is to be read on.

    Args:
        mark: the opaque progress mark of the last committed page; None when nothing was read yet.
        overlap: how much of the time already read is read again.
        since: the oldest instant a back-fill (or a first refund pass) has to reach.
    """

    mark: str | None = None
    overlap: timedelta = timedelta(seconds=300)
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One row of a list call: enough to know whether the record is new or different.

    Args:
        version_at: the channel's own change time.
        digest: of the row as received, see `digest_of`.
        read_from: when the request that brought the row began.
        read_to: when its answer had arrived.
        row: the row itself; the whole record when the connector has no detail call.
        source: where it stands, for people: page, or file and line.
        order_external_id: of a refund the order it concerns, as far as the row tells: an order of which a refund cannot
            be read is held. Of an order its own id.
        dated: whether `version_at` is the channel's own; False where it could not be read and is when the row came.
    """

    external_id: str
    version_at: datetime
    digest: str
    read_from: datetime
    read_to: datetime
    row: Payload = field(default_factory=dict)
    source: str = ""
    order_external_id: str = ""
    dated: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """One whole record as the channel gave it, with the head that led to it and the time of its own reading."""

    head: Head
    payload: Payload
    read_from: datetime
    read_to: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPage:
    """Heads in any order and the mark that is valid once they are committed.

    Args:
        begins: name of the file of which this is the first page: it takes the place of an earlier one of that name.
    """

    heads: tuple[Head, ...]
    mark: str
    begins: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundPage:
    """As `OrderPage`, of the refund stream."""

    heads: tuple[Head, ...]
    mark: str
