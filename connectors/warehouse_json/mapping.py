"""Our JSON for warehouse systems: releases out, reports in. All quantities are pieces of our SKUs.

    {"type": "dispatch", "data": {id, release, carrier, tracking, lines: [{line, sku, qty, order}], left_at}}
    {"type": "count", "data": {id, sku, on_hand, as_of, warehouse}}
    {"type": "cancel_answer", "data": {id, release, stopped, reason}}

Instants are ISO 8601 with offset; unknown keys are ignored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError

from erpsync.sdk.digest import digest_of
from erpsync.sdk.read import iso, problem_of
from erpsync.sdk.types import BadLine, CancelAnswer, Dispatch, Release, ReleaseLine, StockCount

Report = Dispatch | StockCount | CancelAnswer
Text = Annotated[str, Field(min_length=1, max_length=200)]
MAX_QTY = 10**12
"""More than that is no count of pieces, and beyond a few more digits no database holds it."""


Instant = Annotated[datetime, BeforeValidator(iso)]


def _text(value: object) -> str:
    """Return a text; systems that were built before it meant anything may send what they like in its place."""
    return value if isinstance(value, str) else ""


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, hide_input_in_errors=True)


class PieceData(_Message):
    """Pieces of one SKU for one order line."""

    line: Text
    sku: str = ""
    qty: int = Field(ge=1, le=MAX_QTY)
    order: Annotated[str, BeforeValidator(_text)] = ""


class DispatchData(_Message):
    """A parcel that left; no lines means all of the release that has not left yet."""

    id: Text
    release: Text
    carrier: Text
    tracking: Text
    lines: list[PieceData] = Field(default_factory=list, max_length=1000)
    left_at: Instant | None = None


class CountData(_Message):
    """What was counted of a SKU at an instant."""

    id: Text
    sku: Text
    on_hand: int = Field(ge=0, le=MAX_QTY)
    as_of: Instant
    warehouse: str = ""


class AnswerData(_Message):
    """Whether a release was stopped."""

    id: Text
    release: Text
    stopped: bool
    reason: str = ""


class DispatchMessage(_Message):
    """A parcel's envelope."""

    type: Literal["dispatch"]
    data: DispatchData


class CountMessage(_Message):
    """A count's envelope."""

    type: Literal["count"]
    data: CountData


class AnswerMessage(_Message):
    """An answer's envelope."""

    type: Literal["cancel_answer"]
    data: AnswerData


_TAGS = ("dispatch", "count", "cancel_answer")
ReportMessage = Annotated[DispatchMessage | CountMessage | AnswerMessage, Field(discriminator="type")]
_REPORT: TypeAdapter[DispatchMessage | CountMessage | AnswerMessage] = TypeAdapter(ReportMessage)


def report_of(row: Any) -> Report | BadLine:
    """Return the report in a row of the feed; what cannot be read is a bad line named after its id or its digest."""
    try:
        message = _REPORT.validate_python(row)
    except ValidationError as error:
        kept = row if isinstance(row, dict) else {"row": row}
        return BadLine(key=_key(kept), error=problem_of(error, leave_out=_TAGS), row=kept)
    if isinstance(message, DispatchMessage):
        return _dispatch(message.data)
    if isinstance(message, CountMessage):
        data = message.data
        return StockCount(
            key=f"count-{data.id}", sku=data.sku, on_hand=data.on_hand, as_of=data.as_of, warehouse=data.warehouse
        )
    answer = message.data
    return CancelAnswer(
        key=f"answer-{answer.id}", release=answer.release, stopped=answer.stopped, reason=answer.reason[:200]
    )


def _dispatch(data: DispatchData) -> Dispatch:
    return Dispatch(
        key=f"dispatch-{data.id}",
        release=data.release,
        carrier=data.carrier,
        tracking=data.tracking,
        lines=tuple(ReleaseLine(line=line.line, sku=line.sku, qty=line.qty, order=line.order) for line in data.lines),
        left_at=data.left_at,
    )


def _key(row: Mapping[str, Any]) -> str:
    data = row.get("data")
    own = data.get("id") if isinstance(data, dict) else None
    shown = own if isinstance(own, str) and own.isprintable() and len(own) <= 100 else "report"
    return f"{shown}#{digest_of(row)[:8]}"


def release_data(order: Release) -> dict[str, Any]:
    """Return what a release call says; courier and numbers only where they are ours."""
    to = order.recipient
    ours = {"carrier": order.carrier, "waybills": list(order.waybills)} if order.waybills else {}
    return {
        "number": order.number,
        "order": order.order,
        "warehouse": order.warehouse,
        "lines": [
            {"line": e.line, "sku": e.sku, "qty": e.qty, "title": e.title} | ({"order": e.order} if e.order else {})
            for e in order.lines
        ],
        "recipient": {
            "name": to.name,
            "phone": to.phone,
            "province": to.province,
            "city": to.city,
            "district": to.district,
            "address": to.address,
            "ciphertext": to.ciphertext,
        },
        "placed_at": _iso(order.placed_at),
        "paid_at": _iso(order.paid_at),
        **ours,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
