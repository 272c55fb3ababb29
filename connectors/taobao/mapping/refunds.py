"""Refunds in normal form.

Why units are named only where the money covers them: a granted refund of a few yuan also carries the number of units
of its line, and cancelling those would leave a buyer without goods they paid for. Units that the platform closes
arrive with the order itself as well.
"""

from collections.abc import Mapping

from connectors.taobao.mapping.values import Fields
from erpsync.sdk.types import Refund, RefundLine, RefundState

REFUND_FIELDS = (
    "refund_id,tid,oid,status,order_status,good_status,has_good_return,refund_phase,dispute_type,total_fee,refund_fee,"
    "payment,reason,num,num_iid,outer_id,sku,created,modified"
)

STATES: Mapping[str, RefundState] = {
    "WAIT_SELLER_AGREE": RefundState.OPEN,
    "WAIT_BUYER_RETURN_GOODS": RefundState.OPEN,
    "WAIT_SELLER_CONFIRM_GOODS": RefundState.OPEN,
    "SELLER_REFUSE_BUYER": RefundState.OPEN,
    "EXCHANGE_TRANSFORM_TO_REFUND": RefundState.CLOSED,
    "SUCCESS": RefundState.GRANTED,
    "CLOSED": RefundState.CLOSED,
}
"""Source: protocol note taobao.md section 6. A status that is not listed counts as open: the note says to accept
unknown values, and only an open refund keeps the goods here until a person has looked. A refused refund is open too,
the buyer may still insist; an exchange that became a refund goes on as that refund."""

MONEY_DISPUTES = frozenset({"REFUND", "REFUND_AND_RETURN"})
"""Types that give money back when they succeed; exchange, repair and the like end without. Source: section 6 [MCP]."""

CLOSED_TRADES = frozenset({"TRADE_CLOSED", "TRADE_CLOSED_BY_TAOBAO"})


def refund_of(row: Mapping[str, object]) -> Refund:
    """Return the refund in normal form. Raises `PayloadError` naming the field."""
    fields = Fields(row, "$.refund")
    dispute = fields.text_or_none("dispute_type") or "REFUND"
    gives_money = dispute in MONEY_DISPUTES
    state = STATES.get(fields.text("status"), RefundState.OPEN)
    if state is RefundState.GRANTED and not gives_money:
        state = RefundState.CLOSED
    reason = fields.text_or_none("reason") or ""
    return Refund(
        external_id=fields.id("refund_id"),
        order_external_id=fields.id("tid"),
        version_at=fields.at("modified"),
        state=state,
        amount_minor=fields.fen("refund_fee") if gives_money else 0,
        currency="CNY",
        lines=_lines(fields, state),
        reason=reason if gives_money else f"{dispute} {reason}".strip(),
    )


def _lines(fields: Fields, state: RefundState) -> tuple[RefundLine, ...]:
    """Return the units the refund names; none when it granted money only."""
    oid = fields.id_or_none("oid")
    if oid is None or fields.raw("num") is None or (state is RefundState.GRANTED and not _covers_units(fields)):
        return ()
    qty = fields.count("num", least=0)
    return (RefundLine(line_external_id=oid, qty=qty),) if qty else ()


def _covers_units(fields: Fields) -> bool:
    """Return whether the line is closed by this refund: the platform says so, or nothing is left for the seller."""
    return fields.raw("order_status") in CLOSED_TRADES or fields.fen_or_none("payment") == 0
