"""Orders and refunds in normal form.

Why a bad line does not spoil the order: the rest of the order is real and its stock must be held; the order waits until
the line can be read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from connectors.webhook_json.mapping.bodies import BODY
from connectors.webhook_json.mapping.messages import Id, Instant, LineData, OrderHead, RefundData
from erpsync.sdk.bad_lines import no_line
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.read import problem_of
from erpsync.sdk.types import BadLine, Line, Order, OrderState, Payload, Recipient, Refund, RefundLine, RefundState

_Model = TypeVar("_Model", bound=BaseModel)
_T = TypeVar("_T")
_ID: TypeAdapter[str] = TypeAdapter(Id)
_INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
_DUE = frozenset({OrderState.PAID, OrderState.SHIPPED, OrderState.COMPLETED})
ASKED = {"none": "", "open": "a refund"}
"""Words with a blank: the message about the order names no refund by its id."""

NO_CURRENCY = "XXX"
"""ISO 4217's code where no currency is meant: a refund's amount is in the currency of its order."""


def order_of(payload: Payload) -> Order:
    """Return the order in normal form. Raises `PayloadError` naming the field.

    `ready_at` follows the status, not the payment: cash on delivery has status paid and no `paid_at`.
    """
    data = _data(payload, "order")
    head = _read(OrderHead, data, "$.data")
    lines, bad_lines = _lines(head.external_id, data.get("lines"))
    state = OrderState(head.status)
    return Order(
        external_id=head.external_id,
        version_at=head.updated_at,
        state=state,
        placed_at=head.placed_at,
        paid_at=head.paid_at,
        ready_at=(head.paid_at or head.placed_at) if state in _DUE else None,
        currency=head.currency,
        total_minor=head.total_minor,
        paid_minor=head.total_minor if head.paid_at else 0,
        freight_minor=head.freight_minor,
        discount_minor=head.discount_minor,
        lines=lines,
        bad_lines=bad_lines,
        recipient=Recipient(**head.recipient.model_dump()) if head.recipient else None,
        buyer=head.buyer or None,
        buyer_note=head.buyer_note,
        seller_note=head.seller_note,
        seller_flag=head.seller_flag,
        refund_asked=None if head.refund_status is None else ASKED[head.refund_status],
    )


def refund_of(payload: Payload) -> Refund:
    """Return the refund in normal form. Raises `PayloadError` naming the field."""
    data = _read(RefundData, _data(payload, "refund"), "$.data")
    named: dict[str, int] = {}
    for line in data.lines:
        named[line.external_id] = named.get(line.external_id, 0) + line.qty
    return Refund(
        external_id=data.external_id,
        order_external_id=data.order_external_id,
        version_at=data.updated_at,
        state=RefundState(data.status),
        amount_minor=data.amount_minor,
        currency=NO_CURRENCY,
        lines=tuple(RefundLine(line_external_id=id, qty=qty) for id, qty in named.items()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a message says of itself, whether the rest of it can be read or not."""

    external_id: str = ""
    order_external_id: str = ""
    version_at: datetime | None = None


def named_in(payload: Payload) -> Named:
    """Return whom an order or refund is about, and of which version, as far as that can be read."""
    data = payload.get("data")
    if not isinstance(data, Mapping):
        return Named()
    own = _alone(_ID, data.get("external_id")) or ""
    order = _alone(_ID, data.get("order_external_id")) or "" if payload.get("type") == "refund" else own
    return Named(external_id=own, order_external_id=order, version_at=_alone(_INSTANT, data.get("updated_at")))


def _alone(read: TypeAdapter[_T], value: Any) -> _T | None:
    try:
        return read.validate_python(value)
    except ValidationError:
        return None


def _data(payload: Payload, type: str) -> Mapping[str, Any]:
    if BODY in payload:
        raise PayloadError("the body is no JSON object that can be kept", path="$")
    if payload.get("type") != type:
        raise PayloadError("expected the type order or refund", path="$.type")
    data = payload.get("data")
    if not isinstance(data, Mapping):
        raise PayloadError("expected an object", path="$.data")
    return data


def _lines(order: str, rows: Any) -> tuple[tuple[Line, ...], tuple[BadLine, ...]]:
    """Return the lines that can be read and those that cannot; an order without any good line cannot be read."""
    if not isinstance(rows, Sequence) or isinstance(rows, str) or not rows:
        raise PayloadError("expected a list of lines", path="$.data.lines")
    good: dict[str, Line] = {}
    bad: list[BadLine] = []
    for index, row in enumerate(rows):
        path = f"$.data.lines[{index}]"
        try:
            line = _line(row, path)
            if line.external_id in good:
                raise PayloadError("stands twice in one order", path=f"{path}.external_id")
            good[line.external_id] = line
        except PayloadError as error:
            bad.append(_bad_line(order, index, row, error))
    if not good:
        raise no_line(bad)
    return tuple(good.values()), tuple(bad)


def _line(row: Any, path: str) -> Line:
    data = _read(LineData, row, path)
    return Line(
        external_id=data.external_id,
        channel_sku=data.channel_sku,
        qty=data.qty,
        price_minor=data.price_minor,
        title=data.title,
        properties=None if data.properties is None else tuple((pair.name, pair.value) for pair in data.properties),
    )


def _bad_line(order: str, index: int, row: Any, error: PayloadError) -> BadLine:
    """Return a bad line; `line_id` in its row names it where that much can be read."""
    fields = dict(row) if isinstance(row, Mapping) else {}
    own = fields.get("external_id")
    named = {"line_id": str(own)} if isinstance(own, str | int) and own else {}
    return BadLine(key=f"{order}@{index}", error=error, row={**fields, **named})


def _read(model: type[_Model], data: Any, path: str) -> _Model:
    """Return `data` as `model`. The error never quotes a value, it may be personal."""
    try:
        return model.model_validate(data)
    except ValidationError as refused:
        errors = refused.errors(include_url=False, include_input=False, include_context=False)
        alone = len(errors) == 1 and errors[0]["loc"] == ("status",) and isinstance(data, Mapping)
        told = data.get("status") if alone else None
        unknown = told[:40] if isinstance(told, str) and told.isprintable() else ""
        raise problem_of(refused, path=path, unknown_status=unknown) from None
