"""Refunds that only an order's own view tells of: asked for, as long as no refund that we know says otherwise.

Why the view counts: the gate reads the order again, not the refunds, and what the platform writes beside a line is as
true as its list of refunds.
"""

from collections.abc import Iterable
from datetime import datetime

from erpsync.sdk.types import Refund, RefundState


def still_asked(told: str, viewed_at: datetime, refunds: Iterable[Refund]) -> list[str]:
    """Return what an order's view names as asked for and that is not decided since.

    Args:
        told: the refunds' ids, or words where the view names none, by commas.
        viewed_at: the version of the view. A refund that was decided before is told of as asked for again.
    """
    decided = [refund for refund in refunds if refund.state is not RefundState.OPEN and refund.version_at >= viewed_at]
    ids = {refund.external_id for refund in decided}
    names = [name for name in told.split(", ") if name]
    return [name for name in names if not (name in ids or (" " in name and decided))]
