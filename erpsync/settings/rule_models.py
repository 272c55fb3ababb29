"""The keys that rules.yaml may hold, less the conditions, with type, bounds, default and a one-line description.

Why conditions are not among them: what one takes hangs on its fact (`erpsync.settings.conditions`).
"""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from erpsync.core.facts import plain
from erpsync.sdk.carriers import UnknownCarrierError, carrier
from erpsync.settings.warehouses import WarehouseId

_MOST_UNITS = 1_000_000


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def _code(code: str) -> str:
    try:
        return carrier(code).code
    except UnknownCarrierError as error:
        raise ValueError(error.unquoted) from None


def _text(text: str) -> str:
    if re.search(r"[{}]|%[(a-z]", text):
        raise ValueError("must hold no placeholder: it is shown as it stands, and nothing of the order is put into it")
    return _word(text)


def _word(text: str) -> str:
    word = plain(text).strip()
    if not word:
        raise ValueError("is empty")
    return word


def _sku(text: str) -> str:
    """Return a SKU as it is written: one that is given is looked for among those that are there, not compared."""
    if "*" in text:
        raise ValueError("must be one SKU, without `*`")
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


Words = Annotated[list[Annotated[str, AfterValidator(_word)]], Field(min_length=1)]
Text = Annotated[str, AfterValidator(_text), Field(max_length=200)]
Sku = Annotated[str, AfterValidator(_sku), Field(max_length=300)]
Tag = Annotated[str, AfterValidator(_word), Field(max_length=32, pattern="^[^,*:]+$")]


class GiftKeys(_Keys):
    """A gift that is added to an order as long as its rule matches."""

    sku: Sku = Field(description="The SKU that is given.")
    qty: int = Field(1, ge=1, le=_MOST_UNITS, description="How many units of it.")
    once: Literal["buyer"] | None = Field(None, description="`buyer`: one gift of this rule for each buyer.")
    most: int | None = Field(None, ge=1, le=1_000_000_000, description="How many orders get it in all.")
    short: Sku = Field("wait", description="Without stock: `wait`, `drop`, or the SKU that is given instead.")


class PartKeys(_Keys):
    """Which units leave in a parcel of their own."""

    sku: Words | None = Field(None, description="SKUs, or their beginnings with a `*`.")
    sku_tag: Words | None = Field(None, description="Tags of SKUs.")


class ByKeys(_Keys):
    """What a warehouse is chosen by."""

    by: Literal["zone", "freight"] = Field(description="The nearest by zone, or the cheapest by freight.")


class ThenKeys(_Keys):
    """How what a rule matches should be."""

    hold: Text | None = Field(None, description="Why it must not leave; ends when the rule matches no more.")
    ask: bool | None = Field(None, description="Whether the hold stays until a person approves.")
    tag: Annotated[list[Tag], Field(min_length=1)] | None = Field(None, description="Tags it gets.")
    seal: Annotated[list[Literal["merge", "split"]], Field(min_length=1)] | None = Field(
        None, description="That it is not merged with other orders, or not split."
    )
    gift: GiftKeys | None = Field(None, description="What is added to it for nothing.")
    carrier: Annotated[list[Annotated[str, AfterValidator(_code)]], Field(min_length=1)] | None = Field(
        None, description="Couriers, the preferred first."
    )
    warehouse: Annotated[list[WarehouseId], Field(min_length=1)] | ByKeys | None = Field(
        None, description="Warehouses, the preferred first; or `{by: zone}` or `{by: freight}`."
    )
    part: dict[Tag, PartKeys] | None = Field(None, description="Units that leave in parcels of their own, by a name.")
    void: Text | None = Field(None, description="Why it is no real order; it is held until a person decides.")
    tell: Literal["left", "scan"] | None = Field(
        None, description="When the shop is told: when the parcel left, or at the courier's first scan."
    )


class RuleKeys(_Keys):
    """One rule, less its conditions."""

    id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$", description="Its name, which approvals are kept by.")
    on: Literal["order", "parcel"] = Field("order", description="What it is about.")
    from_: str | None = Field(None, alias="from", description="From when on it counts.")
    until: str | None = Field(None, description="Until before when it counts.")
    when: dict[str, Any] = Field(default_factory=dict, description="Its conditions, all of which have to hold.")
    then: ThenKeys = Field(description="What comes of it.")


class RulesFile(_Keys):
    """rules.yaml."""

    zones: dict[Tag, Words] = Field(
        default_factory=dict, description="Lists of provinces, or PROVINCE/CITY, by a name."
    )
    rules: list[Any] = Field(default_factory=list, description="The rules, judged from top to bottom.")
