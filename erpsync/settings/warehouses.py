"""The keys of a warehouse in erpsync.yaml."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from erpsync.core.phones import spellings
from erpsync.core.policy import WarehousePolicy
from erpsync.sdk.types import Sender
from erpsync.settings.hints import did_you_mean
from erpsync.settings.keys import Keys

MOST = 1_000_000_000
WarehouseId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")]
_USUAL = WarehousePolicy(id="")


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty")
    return text.strip()


def _province(name: str) -> str:
    from erpsync.core.rules.places import PROVINCES, short_place  # what judges rules costs each start

    if short_place(name) not in PROVINCES:
        raise ValueError(f"'{name}' is no province of China{did_you_mean(name, PROVINCES)}")
    return name.strip()


def _phone(text: str) -> str:
    if not spellings(text):
        raise ValueError("must be a whole telephone number")
    return text.strip()


_Said = Annotated[str, Field(max_length=100), AfterValidator(_said)]


class SenderKeys(Keys):
    """Who sends what leaves a warehouse, and where it comes back to; on papers, and told to couriers."""

    name: _Said = Field(description="Person at the warehouse.")
    phone: Annotated[str, Field(max_length=40), AfterValidator(_phone)] = Field(
        description="Telephone number, in quotes."
    )
    company: str = Field("", max_length=100, description="Company or shop.")
    province: Annotated[str, AfterValidator(_province)] = Field(description="Province, or 上海市 and the like.")
    city: _Said = Field(description="City.")
    district: str = Field("", max_length=100, description="District or county.")
    address: Annotated[str, Field(max_length=200), AfterValidator(_said)] = Field(description="Street and number.")


class Desk(Keys):
    """How work at a desk is cut into waves."""

    wave_min: int | None = Field(
        None, ge=1, le=10_000, description="So many releases make a wave by themselves; empty leaves it to people."
    )
    wave_size: int = Field(_USUAL.wave_size, ge=1, le=10_000, description="Releases in one wave at most.")


class Warehouse(Keys):
    """A place that holds stock."""

    id: WarehouseId = Field(description="Its name: up to 32 letters, digits, hyphens or underscores.")
    priority: int = Field(1, ge=-MOST, le=MOST, description="Lower numbers are allocated from first.")
    safety_stock: int = Field(0, ge=0, le=MOST, description="Units of each SKU that are never promised.")
    sellable: bool = Field(True, description="Whether its stock may be sold; false for quarantine or damaged goods.")
    channel: str | None = Field(
        None, description="Channel of the system that runs it; orders are released there and what left is read there."
    )
    desk: bool | Desk = Field(
        False, description="Whether people pick, pack and send there by the papers that erpsync prints, and in waves."
    )
    sender: SenderKeys | None = Field(None, description="Who sends what leaves there, and where it comes back to.")

    waybill: Literal["ours", "theirs"] = Field(
        _USUAL.waybill,
        description="Whose waybills its system's parcels bear; with `ours` a release waits for one and takes it along.",
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Warehouse":
        if self.desk and self.channel is not None:
            raise ValueError("has a desk and a channel: either people send what lies there, or a system does")
        if self.waybill == "ours" and self.channel is None:
            raise ValueError("has our waybills without a channel: what leaves a desk has them anyway")
        if self.waybill == "ours" and self.sender is None:
            raise ValueError("has our waybills without a sender, whom each courier wants to know")
        return self


def warehouse_policy(warehouse: Warehouse) -> WarehousePolicy:
    """Return a place that holds stock, as decisions take it."""
    desk = warehouse.desk if isinstance(warehouse.desk, Desk) else Desk()
    sender = warehouse.sender
    return WarehousePolicy(
        id=warehouse.id,
        priority=warehouse.priority,
        safety_stock=warehouse.safety_stock,
        sellable=warehouse.sellable,
        channel=warehouse.channel,
        desk=bool(warehouse.desk),
        wave_min=desk.wave_min,
        wave_size=desk.wave_size,
        sender=None if sender is None else Sender(**sender.model_dump()),
        waybill=warehouse.waybill,
    )
