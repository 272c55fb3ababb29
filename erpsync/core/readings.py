"""Which reading of a record counts.

Why readings and not messages: channels deliver late, twice and out of order, so what we know is always "the newest
view", decided by the channel's own version and, where that cannot tell, by when each view was read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from erpsync.sdk.types import Head, OrderState, RefundState

# Which channel states may follow which. Where two views of one version cannot be told apart, the later one in this
# order wins; a channel that lists an earlier state under a newer version is believed (orders are re-opened).
TRANSITIONS: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.UNPAID: frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED, OrderState.CANCELLED}),
    OrderState.PAID: frozenset({OrderState.SHIPPED, OrderState.COMPLETED, OrderState.CANCELLED}),
    OrderState.SHIPPED: frozenset({OrderState.COMPLETED, OrderState.CANCELLED}),
    OrderState.COMPLETED: frozenset({OrderState.CANCELLED}),
    OrderState.CANCELLED: frozenset(),
}

# As TRANSITIONS, of refunds: what was granted stays so, what was closed may still be granted.
_REFUND_TRANSITIONS: Mapping[RefundState, frozenset[RefundState]] = {
    RefundState.OPEN: frozenset({RefundState.GRANTED, RefundState.CLOSED}),
    RefundState.CLOSED: frozenset({RefundState.GRANTED}),
    RefundState.GRANTED: frozenset(),
}


AHEAD = timedelta(days=1)
"""A version further ahead of when it first came is no version: clocks and zones differ by less than that."""


class Verdict(StrEnum):
    """What a reading of a record is worth."""

    NEW = "new"
    NEWER = "newer"
    SAME = "same"
    OLDER = "older"
    READ_AGAIN = "read_again"
    DISPUTED = "disputed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Which version of a record was read, and when."""

    version_at: datetime
    digest: str
    read_from: datetime
    read_to: datetime


def judge(stored: Reading | None, new: Reading, *, further: bool, rereads: bool, back: bool = False) -> Verdict:
    """Return what `new` is worth beside what is known.

    Of a sender that cannot be asked again, the view that arrived later counts; one that would take the state back is
    `DISPUTED`: it changes nothing, and a person has to be told of both.

    Args:
        further: whether the new view's state is further along the transition table.
        rereads: whether the channel can be asked for this one record again.
        back: whether the known state is further along than the new one.
    """
    if stored is None:
        return Verdict.NEW
    if new.version_at != stored.version_at:
        return Verdict.NEWER if new.version_at > stored.version_at else Verdict.OLDER
    if new.digest == stored.digest:
        return Verdict.SAME
    if stored.read_from > new.read_to:
        return Verdict.OLDER
    if rereads:
        return Verdict.NEWER if new.read_from > stored.read_to else Verdict.READ_AGAIN
    if further:
        return Verdict.NEWER
    if new.read_to < stored.read_to:
        return Verdict.OLDER
    return Verdict.DISPUTED if back else Verdict.NEWER


def is_settled(version_at: datetime | None, received_at: datetime | None, by: Reading) -> bool:
    """Whether a view that could not be read is no news any more beside one that was.

    Args:
        version_at: the version of the unread view; None where that could not be read either, then arrival counts.
        received_at: when the unread view came.
    """
    if version_at is not None:
        return by.version_at >= version_at
    return received_at is None or by.read_to > received_at


def is_old_news(version_at: datetime | None, digest: str, beside: Reading) -> bool:
    """Whether a view that cannot be read is older than what is known, or that very view."""
    if version_at is None or version_at > beside.version_at:
        return False
    return version_at < beside.version_at or bool(digest and digest == beside.digest)


def is_ahead(version_at: datetime, received_at: datetime) -> bool:
    """Whether a record claims to have changed long after it was received."""
    return version_at - received_at > AHEAD


def is_further(new: OrderState, stored: OrderState) -> bool:
    """Whether `new` may follow `stored`."""
    return new in TRANSITIONS[stored]


def is_refund_further(new: RefundState, stored: RefundState) -> bool:
    """Whether a refund may come from `stored` to `new`."""
    return new in _REFUND_TRANSITIONS[stored]


def reading_of(head: Head, *, version_at: datetime | None = None) -> Reading:
    """Return the reading a head stands for."""
    return Reading(
        version_at=version_at or head.version_at, digest=head.digest, read_from=head.read_from, read_to=head.read_to
    )
