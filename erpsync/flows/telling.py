"""Telling a channel numbers in one call, and finding out which of them it does not like."""

from collections.abc import Callable, Sequence

from erpsync.sdk.errors import AuthError, OutcomeUnknownError, RateLimitedError, TransientError
from erpsync.sdk.roles import StockSink
from erpsync.sdk.types import StockLevel


def tell(sink: StockSink, levels: Sequence[StockLevel], *, leased: Callable[[], bool]) -> dict[str, Exception]:
    """Tell the levels and return what was not accepted; a call that is refused whole is halved until one is at fault.

    Only errors that another call may not share are narrowed down; the numbers are absolute, so telling some twice is
    harmless.

    Args:
        leased: whether the rows of these numbers are still leased; once they are not, nothing more is sent, for another
            node may have told newer ones.
    """
    if not leased():
        error = TransientError("not sent, its lease ran out before")
        return dict.fromkeys([level.key for level in levels], error)
    try:
        return dict(sink.push_stock(levels))
    except (TransientError, RateLimitedError, OutcomeUnknownError, AuthError):
        raise
    except Exception as error:  # noqa: BLE001 narrowed down to the level at fault, which becomes a dead letter
        if len(levels) == 1:
            return {levels[0].key: error}
        half = len(levels) // 2
        return tell(sink, levels[:half], leased=leased) | tell(sink, levels[half:], leased=leased)
