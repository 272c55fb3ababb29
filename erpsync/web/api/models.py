"""What requests carry. Unknown keys are refused, so that a mistyped one is not silently ignored."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from erpsync.flows.channels.streams import STREAMS

MOST_COUNTS = 5000
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Word = Annotated[_Text, Field(min_length=1, max_length=200)]
Reason = Annotated[_Text, Field(max_length=1000, description="why, for whoever asks later")]


def _as_text(value: object) -> object:
    """Refuse numbers, which pydantic takes for seconds since 1970."""
    if not isinstance(value, datetime) and not (isinstance(value, str) and _DATE.match(value)):
        raise ValueError("must be an instant like 2026-03-02T16:30:00+08:00")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_as_text)]


def _stream(name: str) -> str:
    if name not in STREAMS:
        raise ValueError(f"there is no stream of that name; there are {', '.join(STREAMS)}")
    return name


StreamName = Annotated[str, AfterValidator(_stream), Field(json_schema_extra={"enum": list(STREAMS)})]


def _shown(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Why(BaseModel):
    """A decision needs a reason."""

    model_config = _shown(reason="the buyer asked to wait until Friday")

    reason: Annotated[Reason, Field(min_length=1)]


class Wish(BaseModel):
    """How a line is to be made: values by parameter."""

    model_config = _shown(values={"text": "Anna", "size": "L"})

    values: Annotated[dict[str, Annotated[str, Field(max_length=1000)]], Field(min_length=1, max_length=50)]


class NewWave(BaseModel):
    """Which releases are to be picked together; none named are those that are due first."""

    model_config = _shown(warehouse="SH", most=30)

    warehouse: Annotated[Word, Field(description="the desk")]
    releases: Annotated[list[Word], Field(max_length=500, description="only these, by their numbers")] = []
    most: Annotated[int | None, Field(ge=1, le=500, description="how many at most; wave_size if absent")] = None


class Stopped(BaseModel):
    """What somebody at the desk says of a release that must not leave."""

    model_config = _shown(reason="the glass is broken", left=False)

    reason: Reason = ""
    left: Annotated[bool, Field(description="it was too late: it has left")] = False


class Scan(BaseModel):
    """What a scanner read."""

    model_config = _shown(code="R20260302000007", leave=True, carrier="SF", tracking="SF1400022331")

    code: Annotated[Word, Field(description="number of a release, a wave, or a courier's")]
    leave: Annotated[bool, Field(description="its parcel leaves now; else it is only looked up")] = False
    carrier: Annotated[_Text, Field(max_length=200, description="who takes it, where it has no waybill")] = ""
    tracking: Annotated[_Text, Field(max_length=200, description="the label that was put on, where it has none")] = ""


class ParcelLine(BaseModel):
    """Units of a line in a parcel."""

    model_config = ConfigDict(extra="forbid")

    line: Annotated[Word, Field(description="the line's external_id")]
    qty: Annotated[
        int | None, Field(ge=1, lt=2**31, description="units of the channel; all that is open if absent")
    ] = None


class Approval(BaseModel):
    """What is approved of an order."""

    model_config = _shown(rules=["night-big"], reason="an old customer", seen={"night-big": "5f1d…"})

    rules: Annotated[list[Word], Field(max_length=100, description="ids of rules that ask")] = []
    reason: Reason = ""
    seen: Annotated[dict[Word, Word], Field(max_length=100, description="by rule, the digest of what was seen")] = {}


class PrintWish(BaseModel):
    """How something is printed."""

    model_config = _shown(copy=True, reason="it was torn")

    another: Annotated[bool, Field(alias="copy", description="also what was printed before, as a copy of it")] = False
    reason: Annotated[Reason, Field(description="why a copy is wanted; a second label needs one")] = ""


class Seal(BaseModel):
    """What an order is kept from."""

    model_config = _shown(kept_from=["split"])

    kept_from: Annotated[list[Literal["merge", "split"]], Field(min_length=1, max_length=2)] = ["merge", "split"]


class Parcel(BaseModel):
    """A parcel that has left. Without lines it holds everything that is open."""

    model_config = _shown(carrier="SF", tracking="SF1400022331", lines=[{"line": "1", "qty": 2}])

    carrier: Annotated[Word, Field(description="our carrier code, for example SF, YTO, ZTO")]
    tracking: Word
    lines: Annotated[list[ParcelLine], Field(max_length=1000)] = []
    force: Annotated[bool, Field(description="ship although a refund is open or it is not paid; needs a reason")] = (
        False
    )
    reason: Reason = ""


class Correction(BaseModel):
    """How a parcel really travels."""

    model_config = _shown(tracking="SF1400022332")

    tracking: Word
    carrier: Annotated[str, Field(max_length=200, description="our carrier code, if that was wrong too")] = ""


class Adjustment(BaseModel):
    """A change of stock by hand."""

    model_config = _shown(warehouse="SH", sku="LINEN-W-L", qty=-2, reason="two were damaged")

    warehouse: Word
    sku: Word
    qty: Annotated[int, Field(gt=-(2**31), lt=2**31, description="units to add; below zero takes away")]
    reason: Annotated[Reason, Field(min_length=1)]


class Booked(BaseModel):
    """Which release is to have a number, and the number where somebody knows it."""

    model_config = _shown(release="R20260302000017")

    release: Annotated[Word, Field(description="its number")]
    number: Annotated[Word | None, Field(description="the courier's number; the courier is asked if absent")] = None


class CountRow(BaseModel):
    """What somebody counted."""

    model_config = ConfigDict(extra="forbid")

    warehouse: Word
    sku: Word
    on_hand: Annotated[int, Field(ge=0, lt=2**31)]
    as_of: Annotated[Instant | None, Field(description="when it was counted; now if absent")] = None


class Counts(BaseModel):
    """Counts of stock."""

    model_config = _shown(counts=[{"warehouse": "SH", "sku": "LINEN-W-L", "on_hand": 40}])

    counts: Annotated[list[CountRow], Field(min_length=1, max_length=MOST_COUNTS)]
    reason: Annotated[Reason, Field(description="why it was counted, for whoever asks later")] = ""


class Phone(BaseModel):
    """Whose orders are looked for."""

    model_config = _shown(phone="138 0000 1111")

    phone: Annotated[_Text, Field(min_length=1, max_length=40, description="a whole number, with or without +86")]


class Pause(BaseModel):
    """Why a channel is paused."""

    model_config = _shown(reason="the shop is being rebuilt")

    reason: Reason = ""


class Drop(BaseModel):
    """Why a dead letter is given up."""

    model_config = _shown(reason="a test order of the platform")

    reason: Reason = ""


class Poll(BaseModel):
    """Which streams are read."""

    model_config = _shown(streams=["orders", "refunds"])

    streams: Annotated[list[StreamName] | None, Field(min_length=1)] = None


class Backfill(BaseModel):
    """How far back is read."""

    model_config = _shown(days=14)

    days: Annotated[int | None, Field(ge=0, le=3650, description="as the channel is configured if absent")] = None


class Subscription(BaseModel):
    """Who wants to be told of what."""

    model_config = _shown(url="https://erp.example.com/events", kinds=["order.", "stock.confirmed"])

    url: Annotated[str, Field(max_length=2000)]
    kinds: Annotated[
        list[Word], Field(max_length=50, description="one that ends in a dot means all that begin so; none means all")
    ] = []
    after: Annotated[str | None, Field(description="a cursor to go on after; from now on if absent")] = None


class GoBack(BaseModel):
    """The event to go on after."""

    model_config = _shown(after="4711")

    after: str
