"""Refunds before delivery in normal form.

Why "approved" is still open: after the merchant agrees JD's finance decides, and may refuse; the goods wait until the
money is on its way.
"""

from collections.abc import Mapping
from typing import Any

from connectors.jd.mapping.values import Fields
from erpsync.sdk.types import Refund, RefundState

STATES: Mapping[str, RefundState] = {
    "0": RefundState.OPEN,
    "1": RefundState.OPEN,
    "2": RefundState.CLOSED,
    "3": RefundState.GRANTED,
    "4": RefundState.CLOSED,
    "5": RefundState.OPEN,
    "6": RefundState.OPEN,
    "7": RefundState.OPEN,
    "8": RefundState.OPEN,
    "9": RefundState.GRANTED,
    "10": RefundState.OPEN,
    "11": RefundState.CLOSED,
    "16": RefundState.OPEN,
    "17": RefundState.OPEN,
    "18": RefundState.CLOSED,
    "19": RefundState.OPEN,
    "27": RefundState.OPEN,
}
"""Source: protocol note jd.md section 6. A status that is not listed counts as open: only an open refund keeps the
goods here until a person has looked."""


def refund_of(row: Mapping[str, Any]) -> Refund:
    """Return the refund in normal form. Raises `PayloadError` naming the field.

    The amount of this list is in fen, unlike all others. It names no units.
    """
    fields = Fields(row, "$.refund")
    return Refund(
        external_id=fields.id("id"),
        order_external_id=fields.id("orderId"),
        version_at=fields.at_or_none("modified") or fields.at_or_none("checkTime") or fields.at("applyTime"),
        state=STATES.get(fields.text("status"), RefundState.OPEN),
        amount_minor=fields.fen_as_given("applyRefundSum"),
        currency="CNY",
        reason=fields.text_or_none("reason") or "",
    )
