"""What crosses the border to a courier: bookings, their waybills and labels, and what happens to the parcels.

Why a booking is named by our key and not by its number: a call that got no answer has no number, and the key, written
down before the call, is then all that leads to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from erpsync.sdk.types.orders import BadLine, Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """A place that a courier serves or not, by the names an address has; empty ones are not known."""

    province: str
    city: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Where a parcel is fetched and goes back to, as the warehouse's settings say."""

    name: str
    phone: str
    province: str
    city: str
    district: str = ""
    address: str
    company: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelGoods:
    """Something in a parcel. `name` is what the courier may read on it."""

    name: str
    qty: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedParcel:
    """One parcel of a booking; weight and volume are None where nobody knows them."""

    goods: tuple[ParcelGoods, ...]
    weight_g: int | None = None
    volume_cm3: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequest:
    """What a courier is to carry.

    Args:
        key: our own, unique, the same at each try: release, parcel and attempt. All parcels of the booking share it.
        carrier: our code of the courier, see `erpsync.sdk.carriers`.
        service: the courier's own word for the product; empty for that of the settings.
        account: the courier's monthly account that pays; empty for that of the settings.
        recipient: `ciphertext` stands for the person where the platform of the order hides who it is.
        platform: name of the connector whose orders these are; empty where no platform knows them.
        orders: ids of the orders on that platform.
        parcels: one or more; the first one gets the booking's number, the others its children.
        cod_minor: what the courier is to collect from the recipient, None for nothing.
        currency: of `cod_minor`.
    """

    key: str
    carrier: str
    service: str = ""
    account: str = ""
    sender: Sender
    recipient: Recipient
    platform: str = ""
    orders: tuple[str, ...] = ()
    parcels: tuple[BookedParcel, ...]
    cod_minor: int | None = None
    currency: str = "CNY"


class LabelKind(StrEnum):
    """What the bytes of a label are.

    Nothing, as the courier makes none; a PDF; a picture, as PNG or JPEG; or JSON for the courier's print program.
    """

    NONE = "none"
    PDF = "pdf"
    PICTURE = "picture"
    PRINT_DATA = "print_data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """What leads to a booking.

    Args:
        key: of the request.
        carrier: our code of the courier.
        number: the courier's; empty where none is known, as of a booking whose outcome is unknown.
        children: numbers of the further parcels, in their order.
        handle: what else the courier wants to hear when asked about it, in its own words; opaque, empty if nothing.
    """

    key: str
    carrier: str
    number: str = ""
    children: tuple[str, ...] = ()
    handle: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waybill(Booking):
    """A booking that the courier has accepted; `number` is not empty.

    Args:
        carrier: our code of who really carries it.
        label: the label's bytes where the answer held them; else empty, and `CourierSink.label` gets them.
        sort_code: what sorts the parcel on its way, to be printed large.
        cost_minor: what the courier says it costs, in `currency`; None where it does not say.
    """

    label_kind: LabelKind
    label: bytes = b""
    sort_code: str = ""
    cost_minor: int | None = None
    currency: str = "CNY"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedNumber:
    """The number of a booking, told after it was handed over.

    Args:
        key: names the report for people and dead letters; one that is read again has the same.
        source: where it stands, for people: file and line.
    """

    key: str
    waybill: Waybill
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpareNumber:
    """A waybill number that was bought in advance and is of no parcel yet.

    Args:
        key, source: as of `BookedNumber`.
        carrier: our code of the courier.
        service: the courier's own word for the product that it is good for; empty where it is good for any.
        cost_minor: what was paid for it, in `currency`; None where nobody says.
    """

    key: str
    carrier: str
    number: str
    service: str = ""
    cost_minor: int | None = None
    currency: str = "CNY"
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaybillPage:
    """Numbers that a courier tells by itself, and what could not be read, with the mark that is valid once committed.

    Args:
        begins: name of the file of which this is the first page: it takes the place of an earlier one of that name.
    """

    booked: tuple[BookedNumber, ...] = ()
    spare: tuple[SpareNumber, ...] = ()
    bad: tuple[BadLine, ...] = ()
    mark: str
    begins: str = ""

    @classmethod
    def of(cls, rows: Iterable[BookedNumber | SpareNumber | BadLine], *, mark: str, begins: str = "") -> "WaybillPage":
        """Return a page of rows of any kind."""
        read = list(rows)
        return cls(
            booked=tuple(row for row in read if isinstance(row, BookedNumber)),
            spare=tuple(row for row in read if isinstance(row, SpareNumber)),
            bad=tuple(row for row in read if isinstance(row, BadLine)),
            mark=mark,
            begins=begins,
        )


class TrackState(StrEnum):
    """Where a parcel is. A code that nobody knows counts as `IN_TRANSIT`."""

    ANNOUNCED = "announced"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    DELIVERING = "delivering"
    PROBLEM = "problem"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"

    @property
    def scanned(self) -> bool:
        """Whether the courier has, or had, the parcel in hand."""
        return self is not TrackState.ANNOUNCED


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackNode:
    """Something that happened to a parcel.

    Args:
        key: the same whenever and however the same thing is told, asked for or pushed.
        text: what the courier says, for people; may name a person, so it is kept as recipients are.
        code: the courier's own.
    """

    key: str
    at: datetime
    state: TrackState
    text: str = ""
    place: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedParcel:
    """A parcel to ask about. `phone` is the recipient's or the sender's, where a courier tells only who knows it."""

    carrier: str
    number: str
    phone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPage:
    """What is known of one parcel.

    Args:
        carrier: our code of who really carries it.
        nodes: by their instant, none of them twice.
        bad: what of it could not be read.
        whole: these are all nodes there are: they take the place of what was told before.
        over: the courier will tell no more of this parcel.
        watch_again: the courier has stopped to push although nothing is over: `TrackSource.watch_track` may be asked
            once more, after `ask_every_s`.
    """

    carrier: str
    number: str
    nodes: tuple[TrackNode, ...]
    bad: tuple[BadLine, ...] = ()
    whole: bool = False
    over: bool = False
    watch_again: bool = False
