"""The messages that go to and fro, field by field; `schema.json` beside this connector is made from these classes.

`python -m connectors.webhook_json.mapping.messages` prints it.

Why whole numbers are strict and unknown keys are not: a shop may say more than we ask for, but an amount written as
12.5 or "1250" is a misunderstanding that must not become money.
"""

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema

from erpsync.sdk.read import FLAGS, MAX_MINOR, iso

MAX_ID_CHARS = 200
MAX_QTY = 10**6


def _clean(value: str) -> str:
    if "\x00" in value:
        raise ValueError("the character U+0000 cannot be kept")
    return value


def _text(value: Any) -> Any:
    return "" if value is None else value


def _id(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _side(value: Any) -> int | None:
    """Return an amount that decides nothing; one that makes no sense is left out."""
    is_amount = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_MINOR
    return value if is_amount else None


def _side_text(value: Any) -> str | None:
    """Return a text that decides nothing; what is none is left out."""
    return value.replace("\x00", "\ufffd") if isinstance(value, str) else None


def _side_flag(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value in FLAGS else None


Instant = Annotated[
    datetime,
    BeforeValidator(iso),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "ISO 8601 with offset"}),
]
Text = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_clean),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]}),
]
Id = Annotated[
    str,
    BeforeValidator(_id),
    Field(min_length=1, max_length=MAX_ID_CHARS),
    AfterValidator(_clean),
    WithJsonSchema({"anyOf": [{"type": "string", "minLength": 1, "maxLength": MAX_ID_CHARS}, {"type": "integer"}]}),
]
Minor = Annotated[int, Field(strict=True, ge=0, le=MAX_MINOR)]
Qty = Annotated[int, Field(strict=True, ge=1, le=MAX_QTY)]
LineQty = Annotated[int, Field(strict=True, ge=0, le=MAX_QTY)]
SideMinor = Annotated[
    int | None,
    BeforeValidator(_side),
    WithJsonSchema({"anyOf": [{"maximum": MAX_MINOR, "minimum": 0, "type": "integer"}, {"type": "null"}]}),
]
SideText = Annotated[
    str | None, BeforeValidator(_side_text), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "null"}]})
]
SideFlag = Annotated[
    int | None,
    BeforeValidator(_side_flag),
    WithJsonSchema({"anyOf": [{"maximum": FLAGS[-1], "minimum": 0, "type": "integer"}, {"type": "null"}]}),
]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class Part(BaseModel):
    """Part of a message; keys that are not named here are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class RecipientData(Part):
    """Who gets the parcel. Without name, phone and address the order is held."""

    name: Text = ""
    phone: Text = ""
    province: Text = ""
    city: Text = ""
    district: Text = ""
    address: Text = ""


class PropertyData(Part):
    """What was chosen or written for a line: a colour, a size, an engraving."""

    name: Text = ""
    value: Text = ""


def _properties(value: Any) -> Any:
    """Return properties that decide nothing: what cannot be read of them is left out."""
    rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else None
    return None if rows is None else [{key: _side_text(row.get(key)) for key in ("name", "value")} for row in rows]


Properties = Annotated[list[PropertyData] | None, BeforeValidator(_properties)]


class LineData(Part):
    """One thing that was bought. A line that a later message leaves out, or sets to 0, counts as cancelled."""

    external_id: Id = Field(description="unique within the order, the same in every message about it")
    channel_sku: Id = Field(description="the seller code")
    title: Text = ""
    qty: LineQty = Field(description="0 says that the line was taken out")
    price_minor: Minor = Field(description="price of one unit, in minor units (fen, cents)")
    properties: Properties = Field(
        default=None,
        description="what was chosen or written for it; left out it says nothing, [] that there is none",
    )


class OrderHead(Part):
    """An order without its lines."""

    external_id: Id = Field(description="the shop's own order number")
    updated_at: Instant = Field(description="when this view was true: of two messages the later instant counts")
    status: Literal["unpaid", "paid", "shipped", "completed", "cancelled"] = Field(
        description="paid means due to be sent; cash on delivery is paid without paid_at"
    )
    placed_at: Instant
    paid_at: Instant | None = None
    currency: Currency = Field(description="ISO 4217")
    total_minor: Minor = Field(description="what the buyer has to pay in all: postage in, discounts out")
    freight_minor: SideMinor = Field(default=None, description="decides nothing: what makes no sense is left out")
    discount_minor: SideMinor = Field(default=None, description="as freight_minor")
    recipient: RecipientData | None = None
    buyer: SideText = Field(default=None, description="who bought, by the same text in every order of theirs")
    buyer_note: SideText = Field(
        default=None,
        description="what the buyer wrote; left out it says nothing, empty that there is none",
    )
    seller_note: SideText = Field(default=None, description="what your people wrote; as buyer_note")
    seller_flag: SideFlag = Field(
        default=None, description="colour of your flag: 0 none, 1 red, 2 yellow, 3 green, 4 blue, 5 purple"
    )
    refund_status: Literal["none", "open"] | None = Field(
        default=None, description="open: the buyer asked for a refund that is not decided, so nothing is sent"
    )


class OrderData(OrderHead):
    """An order as it stands now, whole."""

    lines: list[LineData] = Field(min_length=1)


class RefundLineData(Part):
    """Units that a refund names."""

    external_id: Id = Field(description="external_id of the order's line")
    qty: Qty


class RefundData(Part):
    """A refund as it stands now."""

    external_id: Id = Field(description="the refund's own number")
    order_external_id: Id
    updated_at: Instant = Field(description="as in an order")
    status: Literal["open", "granted", "closed"] = Field(
        description="open: asked for, nothing is sent; granted: the units are cancelled; closed: it was withdrawn"
    )
    amount_minor: Minor
    lines: list[RefundLineData] = Field(default_factory=list, description="leave out when only money goes back")


class OrderMessage(Part):
    """To erpsync: an order is new or has changed."""

    type: Literal["order"]
    data: OrderData


class RefundMessage(Part):
    """To erpsync: a refund is new or has changed."""

    type: Literal["refund"]
    data: RefundData


class Level(Part):
    """How many units of one seller code may be sold now, in all."""

    channel_sku: str
    qty: int = Field(ge=0)


class StockData(Part):
    """Absolute quantities. `as_of` grows from call to call: of two numbers the later one counts."""

    as_of: datetime
    levels: list[Level]


class StockMessage(Part):
    """From erpsync. The answer may name what was not taken: {"refused": [{"channel_sku": …, "error": …}]}."""

    type: Literal["stock"] = "stock"
    data: StockData


class ShippedLine(Part):
    """Units of one order line in a parcel."""

    external_id: str
    qty: int = Field(ge=1)


class ShipmentData(Part):
    """One parcel. `number` is unique: a call that comes again with it is the same parcel."""

    number: str
    order_external_id: str
    carrier: str = Field(description="our courier code, such as SF")
    carrier_name: str
    tracking: str
    lines: list[ShippedLine]
    whole: bool = Field(description="this parcel holds all that the order ever ships")
    shipped_at: datetime | None = None


class ShipmentMessage(Part):
    """From erpsync: a parcel has left."""

    type: Literal["shipment"] = "shipment"
    data: ShipmentData


class PingData(Part):
    """Nothing."""


class PingMessage(Part):
    """From erpsync: a trial of address and secret; answer 200 and do nothing."""

    type: Literal["ping"] = "ping"
    data: PingData = PingData()


Message = OrderMessage | RefundMessage | StockMessage | ShipmentMessage | PingMessage


def body_of(message: BaseModel) -> bytes:
    """Return the body that carries a message, UTF-8."""
    return message.model_dump_json().encode("utf-8")


def schema() -> dict[str, Any]:
    """Return the JSON Schema of all messages."""
    made = TypeAdapter(Annotated[Message, Field(discriminator="type")]).json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "webhook_json messages", **made}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, ensure_ascii=False))  # noqa: T201 - this is what it is for
