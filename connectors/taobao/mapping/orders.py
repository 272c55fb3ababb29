"""Orders (trades) in normal form.

Why a bad line does not spoil the order: the rest of the order is real and its stock must be held; the order waits until
the line can be read.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.taobao.mapping.listings import item_ref_of
from connectors.taobao.mapping.refunds import STATES as REFUND_STATES
from connectors.taobao.mapping.values import Fields
from erpsync.sdk.bad_lines import no_line
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.types import BadLine, Line, Order, OrderState, Recipient, RefundState

_RECEIVER = (
    "receiver_name,receiver_state,receiver_city,receiver_district,receiver_town,receiver_address,receiver_mobile,"
    "receiver_phone,oaid"
)
LIST_FIELDS = (
    "tid,status,type,step_trade_status,step_paid_fee,created,pay_time,modified,payment,total_fee,post_fee,discount_fee,"
    f"top_hold,team_buy_hold,forbid_consign,buyer_nick,buyer_open_uid,seller_flag,has_buyer_message,{_RECEIVER},orders"
)
"""What list calls ask for: all that normal form needs, so that a row whose detail call is refused is still an order.
The five fields without which the platform leaves out `oaid` are among them. Source: section 3.6."""

NOTES = ("buyer_message", "seller_memo")
"""Shown by the detail call alone, which leaves out those that are empty."""

WHOLE_FIELDS = ",".join((LIST_FIELDS, *NOTES))

STATES: Mapping[str, OrderState] = {
    "TRADE_NO_CREATE_PAY": OrderState.UNPAID,
    "WAIT_BUYER_PAY": OrderState.UNPAID,
    "PAY_PENDING": OrderState.UNPAID,
    "WAIT_PRE_AUTH_CONFIRM": OrderState.UNPAID,
    "PAID_FORBID_CONSIGN": OrderState.PAID,
    "WAIT_SELLER_SEND_GOODS": OrderState.PAID,
    "SELLER_CONSIGNED_PART": OrderState.PAID,
    "WAIT_BUYER_CONFIRM_GOODS": OrderState.SHIPPED,
    "TRADE_BUYER_SIGNED": OrderState.SHIPPED,
    "TRADE_FINISHED": OrderState.COMPLETED,
    "TRADE_CLOSED": OrderState.CANCELLED,
    "TRADE_CLOSED_BY_TAOBAO": OrderState.CANCELLED,
}
"""Source: protocol note taobao.md section 3.8."""

HOLDS = ("top_hold", "team_buy_hold", "forbid_consign")
COD_TYPES = frozenset({"cod", "b2c_cod", "super_market_cod_trade"})
DUE = frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED})
GONE = frozenset({OrderState.SHIPPED, OrderState.COMPLETED})
NO_REFUND = "NO_REFUND"
ALL_PAID = "FRONT_PAID_FINAL_PAID"


def order_of(trade: Mapping[str, Any]) -> Order:
    """Return the order in normal form. Raises `PayloadError` naming the field.

    `paid_minor` is the payment while nothing was refunded: the platform lowers `payment` after a refund, so then it is
    left unknown and the value known from before stays. `ready_at` is the pay time; for cash on delivery, and for what
    the platform wants shipped before it is paid, the time of the order; for a pre-sale only once all of it is paid.
    """
    fields = Fields(trade, "$.trade")
    state = _state(fields)
    lines, bad_lines = _lines(fields, state)
    return Order(
        external_id=fields.id("tid"),
        version_at=fields.at("modified"),
        state=state,
        placed_at=fields.at("created"),
        paid_at=None if _deposit_only(fields) else fields.at_or_none("pay_time"),
        ready_at=_ready_at(fields, state),
        currency="CNY",
        total_minor=fields.fen("payment"),
        paid_minor=_paid_minor(fields, state),
        goods_minor=fields.side_minor("total_fee"),
        freight_minor=fields.side_minor("post_fee"),
        discount_minor=_discount_minor(fields),
        lines=lines,
        bad_lines=bad_lines,
        recipient=_recipient(fields),
        buyer=fields.side_text("buyer_open_uid") or fields.side_text("buyer_nick"),
        buyer_note=_buyer_note(fields),
        seller_note=fields.note("seller_memo"),
        seller_flag=fields.seller_flag("seller_flag"),
        do_not_ship=_do_not_ship(fields),
        refund_asked=_refund_asked(fields),
    )


def is_open(line: Mapping[str, Any]) -> bool:
    """Return whether a sub-order is neither shipped nor closed; one of a status we do not know is."""
    return STATES.get(str(line.get("status")), OrderState.PAID) not in (*GONE, OrderState.CANCELLED)


def _status(fields: Fields) -> OrderState:
    status = fields.text("status")
    if status not in STATES:
        problem = f"unknown status {status[:40]!r}"
        raise PayloadError(problem, path=f"{fields.path}.status", unknown_status=status[:40])
    return STATES[status]


def _deposit_only(fields: Fields) -> bool:
    """Return whether this is a pre-sale of which at most the deposit is paid."""
    step = fields.text_or_none("step_trade_status")
    return step is not None and step != ALL_PAID


def _state(fields: Fields) -> OrderState:
    state = _status(fields)
    return OrderState.UNPAID if state is OrderState.PAID and _deposit_only(fields) else state


def _ready_at(fields: Fields, state: OrderState) -> Any:
    if state not in DUE:
        return None
    if fields.text_or_none("type") in COD_TYPES:
        return fields.at("created")
    return fields.at_or_none("pay_time") or fields.at("created")


def _paid_minor(fields: Fields, state: OrderState) -> int | None:
    if _deposit_only(fields):
        return fields.side_minor("step_paid_fee") or 0
    if fields.raw("pay_time") is None:
        return 0
    refunded = any(row.get("refund_status") == "SUCCESS" for row in _rows(fields) if isinstance(row, dict))
    return None if refunded or state is OrderState.CANCELLED else fields.fen("payment")


def _discount_minor(fields: Fields) -> int | None:
    """Return the order's own discount and those of its lines; None when the view leaves out the former.

    One that makes no sense counts as left out; the residual shows what is missing then.
    """
    own = fields.side_minor("discount_fee")
    if own is None:
        return None
    rows = [Fields(row, f"$.trade.orders.order[{index}]") for index, row in enumerate(_rows(fields))]
    return own + sum(_readable_discount(row) for row in rows)


def _readable_discount(line: Fields) -> int:
    """Return a line's discount; a line that cannot be read is reported as such elsewhere."""
    try:
        return line.fen_or_none("discount_fee") or 0
    except (PayloadError, AttributeError):
        return 0


def _buyer_note(fields: Fields) -> str | None:
    """Return what the buyer wrote; only the detail call shows it, a list says whether there is anything."""
    return "" if fields.row.get("has_buyer_message") is False else fields.note("buyer_message")


def _do_not_ship(fields: Fields) -> str:
    reasons = [name for name in HOLDS if fields.flag(name)]
    if fields.raw("status") == "PAID_FORBID_CONSIGN":
        reasons.insert(0, "PAID_FORBID_CONSIGN")
    return f"the platform forbids shipping: {', '.join(reasons)}" if reasons else ""


def _refund_asked(fields: Fields) -> str | None:
    """Return the refunds that the sub-orders call asked for and not decided; None when none of them says anything.

    A status that is not listed counts as asked for, as in the list of refunds. Source: section 3.7.
    """
    rows = [row for row in _rows(fields) if isinstance(row, dict) and row.get("refund_status")]
    asked = [row for row in rows if _is_asked(str(row["refund_status"]))]
    return ", ".join(dict.fromkeys(map(_refund_name, asked))) if rows else None


def _is_asked(status: str) -> bool:
    return status != NO_REFUND and REFUND_STATES.get(status, RefundState.OPEN) is RefundState.OPEN


def _refund_name(row: Mapping[str, Any]) -> str:
    refund_id = row.get("refund_id")
    return str(refund_id) if refund_id else f"sub-order {row.get('oid_str') or row.get('oid') or 'without a number'}"


def _rows(fields: Fields) -> Sequence[Any]:
    """Return the sub-orders, in either envelope; an order without any cannot be read."""
    value = fields.raw("orders")
    rows = value.get("order") if isinstance(value, dict) else value
    if not isinstance(rows, list) or not rows:
        raise fields.error("orders", "expected a list of sub-orders, found none")
    return rows


def _lines(fields: Fields, state: OrderState) -> tuple[tuple[Line, ...], tuple[BadLine, ...]]:
    good: list[Line] = []
    bad: list[BadLine] = []
    for index, row in enumerate(_rows(fields)):
        path = f"$.trade.orders.order[{index}]"
        try:
            if not isinstance(row, dict):
                raise PayloadError(f"expected an object, found {type(row).__name__}", path=path)
            good.append(_line(Fields(row, path), state))
        except PayloadError as error:
            shown = row if isinstance(row, dict) else {}
            bad.append(BadLine(key=str(shown.get("oid") or shown.get("oid_str") or index), error=error, row=shown))
    if not good:
        raise no_line(bad)
    return tuple(good), tuple(bad)


def _line(fields: Fields, order_state: OrderState) -> Line:
    """Return one sub-order. Seller code: SKU's, else item's, else the platform's ids."""
    qty = fields.count("num", least=0)
    num_iid, sku_id = fields.id_or_none("num_iid"), fields.id_or_none("sku_id")
    item_ref = item_ref_of(num_iid, sku_id) if num_iid else ""
    channel_sku = fields.text_or_none("outer_sku_id") or fields.text_or_none("outer_iid") or item_ref
    if not channel_sku:
        raise fields.error("num_iid", "expected a seller code or an item id, found neither")
    shipped_qty = qty if _has_left(fields, order_state) else 0
    return Line(
        external_id=fields.id("oid"),
        channel_sku=channel_sku,
        qty=qty,
        price_minor=fields.fen("price"),
        item_ref=item_ref,
        title=fields.side_text("title") or "",
        cancelled_qty=0 if shipped_qty else _cancelled_qty(fields, order_state, qty),
        shipped_qty=shipped_qty,
        properties=fields.properties("sku_properties_name"),
    )


def _line_state(fields: Fields, order_state: OrderState) -> OrderState:
    return order_state if fields.raw("status") is None else _status(fields)


def _has_left(fields: Fields, order_state: OrderState) -> bool:
    """Return whether the line's goods left; a closed line that carries a parcel left before it was refunded."""
    state = _line_state(fields, order_state)
    if state is OrderState.CANCELLED:
        return fields.raw("consign_time") is not None
    return state in GONE


def _cancelled_qty(fields: Fields, order_state: OrderState, qty: int) -> int:
    """Return the units that must never be shipped, whatever the order as a whole says. Source: section 3.8."""
    closed = OrderState.CANCELLED in (order_state, _line_state(fields, order_state))
    return qty if closed else 0


def _recipient(fields: Fields) -> Recipient | None:
    """Return the receiver as the platform shows it, masks and all; None when the view carries none.

    The town stands before the street. A county-level city directly under a province stays where the platform puts it,
    in the district, with an empty city: waybills by `oaid` must name the same parts. A masked field without an `oaid`
    addresses nobody and is left out, so that the order counts as incomplete. Source: sections 3.6 and 10.
    """
    if not any(name in fields.row for name in _RECEIVER.split(",")):
        return None
    ciphertext = fields.text_or_none("oaid") or ""

    def shown(name: str) -> str:
        value = fields.text_or_none(name) or ""
        return "" if "*" in value and not ciphertext else value

    town, street = shown("receiver_town"), shown("receiver_address")
    return Recipient(
        name=shown("receiver_name"),
        phone=shown("receiver_mobile") or shown("receiver_phone"),
        province=shown("receiver_state"),
        city=shown("receiver_city"),
        district=shown("receiver_district"),
        address=f"{town} {street}" if town and street else street,
        ciphertext=ciphertext,
    )
