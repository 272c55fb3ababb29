"""What is to be done with a listing's number: whoever sends it and whoever says why it waits ask the same."""

from enum import Enum, auto

from erpsync.flows.availability.freshness import Freshness, Marked
from erpsync.flows.availability.levels import Listed


class Verdict(Enum):
    """What becomes of a number that is due."""

    TOLD = auto()
    """The channel shows it already, surely."""
    NOT_FRESH = auto()
    """It waits until the channel's orders were read once more."""
    ZERO = auto()
    """It is a zero that neither a sale nor a hold explains: the brake has a say."""
    SEND = auto()


def verdict(item: Listed, qty: int, mark: Marked, fresh: Freshness) -> Verdict:
    """Return what is to be done with the number of a listing.

    Args:
        qty: the number that it should show.
        mark: the row of the outbox by which it is due.
    """
    if not item.told.needs(qty):
        return Verdict.TOLD
    if not fresh.covers(mark) and not fresh.lets_down(item.told, qty):
        return Verdict.NOT_FRESH
    if item.unexplained_zero and not mark.confirmed:
        return Verdict.ZERO
    return Verdict.SEND
