"""Telling a channel numbers in one call, and finding out which of them it does not like."""

from collections.abc import Callable, Sequence

from erpsync.flows.blame import is_of_record
from erpsync.sdk.errors import TooLateError
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
        error = TooLateError("not sent: its lease ran out before it could be")
        return dict.fromkeys([level.key for level in levels], error)
    try:
        return dict(sink.push_stock(levels))
    except Exception as error:
        if not is_of_record(error):
            raise
        if len(levels) == 1:
            return {levels[0].key: error}
        half = len(levels) // 2
        return tell(sink, levels[:half], leased=leased) | tell(sink, levels[half:], leased=leased)
