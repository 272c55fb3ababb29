"""Why a channel shows another number than it was told."""

from collections.abc import Sequence
from enum import StrEnum


class Drift(StrEnum):
    """What a difference between shown and told means.

    ECHO: none, the channel shows what we told. SALE: it took off what buyers ordered since. LOST_PUSH: it still shows
    an earlier number of ours. HAND_EDIT: anything else; somebody changed it on the channel.
    """

    ECHO = "echo"
    SALE = "sale"
    LOST_PUSH = "lost_push"
    HAND_EDIT = "hand_edit"


def drift(shown_qty: int, *, told_qty: int, ordered_qty: int, earlier: Sequence[int]) -> Drift:
    """Return what the number a channel shows means.

    Args:
        ordered_qty: units of the listing that this channel's orders took since it was told; a channel takes them off
            when they are ordered or when they are paid, so any part of them explains a lower number.
        earlier: numbers told before.
    """
    if shown_qty == told_qty:
        return Drift.ECHO
    if max(0, told_qty - ordered_qty) <= shown_qty < told_qty:
        return Drift.SALE
    return Drift.LOST_PUSH if shown_qty in earlier else Drift.HAND_EDIT


def remembered(earlier: Sequence[int], told_qty: int | None, new_qty: int, *, most: int = 4) -> tuple[int, ...]:
    """Return the earlier numbers once `new_qty` was told after `told_qty`, the latest first."""
    if told_qty is None or told_qty == new_qty:
        return tuple(earlier)
    return (told_qty, *(qty for qty in earlier if qty not in (told_qty, new_qty)))[:most]
