"""What an own order is made of, as people and programs write it: the order of `webhook_json` without its ids.

Why unknown keys are refused here and not there: a shop says more than we ask for, but a person who writes `ship_by` for
`ship_by_at` meant something, and it must not be lost without a word.
"""

import re
from datetime import datetime
from typing import Annotated, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    field_validator,
)

from erpsync.core.orders import OrderKind
from erpsync.core.phones import whole_digits
from erpsync.flows.errors import FieldRefused
from erpsync.flows.own_orders.wrong import first_wrong
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.money import require_currency
from erpsync.sdk.read import FLAGS, MAX_MINOR, iso
from erpsync.sdk.types import Recipient

_Model = TypeVar("_Model", bound=BaseModel)
MOST_QTY = 10**6
MOST_LINES = 1000
MOST_KEY_CHARS = 100
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffd-\uffff]")
"""What no line of text holds: control signs, turns of the direction of writing, what stands for lost signs."""
_BREAKS = str.maketrans("", "", "\t\r\n")


def _currency(code: str) -> str:
    try:
        require_currency(code)
    except PayloadError:
        raise ValueError("is no currency: write its code, for example CNY") from None
    return code


def _key(key: str) -> str:
    if not 0 < len(key) <= MOST_KEY_CHARS or key != key.strip() or _UNREADABLE.search(key):
        raise ValueError("must be 1 to 100 characters in one line")
    return key


def _line(text: str) -> str:
    if _UNREADABLE.search(text):
        raise ValueError("must be one line of readable text")
    return text


def _note(text: str) -> str:
    if _UNREADABLE.search(text.translate(_BREAKS)):
        raise ValueError("must be readable text")
    return text


def _phone(phone: str) -> str:
    if not whole_digits(phone):
        raise ValueError("must be a whole phone number, 7 digits at least and none of them starred out")
    return phone


Instant = Annotated[
    datetime,
    BeforeValidator(iso),
    WithJsonSchema({"type": "string", "format": "date-time", "description": "ISO 8601 with offset"}),
]
_Short = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), AfterValidator(_line)]
_Long = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), AfterValidator(_note)]
_Needed = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), AfterValidator(_line)]
_Minor = Annotated[int, Field(strict=True, ge=0, le=MAX_MINOR)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OwnRecipient(_Part):
    """Who gets the parcel. Without name or address the order is held; without a phone number it is not taken."""

    name: _Short = ""
    phone: Annotated[_Needed, AfterValidator(_phone)]
    province: _Short = ""
    city: _Short = ""
    district: _Short = ""
    address: _Short = ""

    def plain(self) -> Recipient:
        """Return it as orders hold it."""
        return Recipient(**self.model_dump())


class OwnLine(_Part):
    """Units of one SKU of ours, or of a bundle."""

    sku: Annotated[_Needed, Field(description="our code of it")]
    qty: Annotated[int, Field(strict=True, ge=1, le=MOST_QTY)]
    price_minor: Annotated[_Minor, Field(description="price of one unit, in minor units (fen, cents)")]
    title: _Short = ""


class OwnOrder(_Part):
    """An order that is made here. Without a total, goods and postage less the discount are to pay."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "key": "phone-2026-0117",
                    "kind": "phone",
                    "currency": "CNY",
                    "recipient": {"name": "王小明", "phone": "13800001111", "address": "解放路 1 号"},
                    "lines": [{"sku": "LINEN-W-L", "qty": 1, "price_minor": 12900}],
                }
            ]
        },
    )

    key: Annotated[
        Annotated[str, AfterValidator(_key)] | None,
        Field(description="your own name of it: the same key again is the same order"),
    ] = None
    kind: Annotated[
        Literal["phone", "b2b", "cod"], Field(description="cod is paid on delivery, b2b by invoice, phone is paid")
    ] = "phone"
    placed_at: Annotated[Instant | None, Field(description="now if absent")] = None
    paid_at: Annotated[Instant | None, Field(description="when it was placed, for a phone order that says none")] = None
    ship_by_at: Annotated[Instant | None, Field(description="when it has to have left")] = None
    currency: Annotated[str, AfterValidator(_currency), Field(description="ISO 4217")]
    total_minor: Annotated[_Minor | None, Field(description="what is to pay in all; the sum if absent")] = None
    freight_minor: _Minor | None = None
    discount_minor: _Minor | None = None
    recipient: OwnRecipient
    buyer: _Short = ""
    buyer_note: _Long = ""
    seller_note: _Long = ""
    invoice_note: Annotated[_Long, Field(description="of a b2b order: on whom the invoice is made out")] = ""
    seller_flag: Annotated[int | None, Field(strict=True, ge=0, le=FLAGS[-1])] = None
    lines: Annotated[list[OwnLine], Field(min_length=1, max_length=MOST_LINES)]

    @field_validator("paid_at")
    @classmethod
    def _not_paid_twice(cls, paid_at: datetime | None, info: ValidationInfo) -> datetime | None:
        if paid_at is not None and info.data.get("kind") == OrderKind.COD:
            raise ValueError("must be left out: a cod order is paid on delivery")
        return paid_at

    @field_validator("invoice_note")
    @classmethod
    def _of_business(cls, note: str, info: ValidationInfo) -> str:
        if note and info.data.get("kind") not in (OrderKind.B2B, None):
            raise ValueError("is for b2b orders only")
        return note

    @property
    def goods_minor(self) -> int:
        """What its lines cost."""
        return sum(line.qty * line.price_minor for line in self.lines)

    @property
    def to_pay_minor(self) -> int:
        """What is to pay in all; below 0 where the discount is higher than all else."""
        if self.total_minor is not None:
            return self.total_minor
        return self.goods_minor + (self.freight_minor or 0) - (self.discount_minor or 0)

    @classmethod
    def read(cls, document: object) -> Self:
        """Return the order that a JSON value holds; raises `FieldRefused` naming the first wrong field, by its path."""
        return _read(cls, document)


def read_recipient(document: object) -> OwnRecipient:
    """Return the recipient that a JSON value holds; raises `FieldRefused` naming the first wrong field, by its path."""
    return _read(OwnRecipient, document)


def _read(model: type[_Model], document: object) -> _Model:
    if not isinstance(document, dict):
        raise FieldRefused('it must be a JSON object: {"name": value, …}')
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise FieldRefused(first_wrong(error)) from None
