"""The roles a connector can play, asked of its class: a command must know them where no secret is.

Why small classes: a platform that only takes orders implements one method pair, and nobody reads 40 optional hooks.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles.couriers import COURIERS as COURIERS
from erpsync.sdk.roles.couriers import CourierSink as CourierSink
from erpsync.sdk.roles.couriers import TrackSource as TrackSource
from erpsync.sdk.roles.couriers import WaybillSource as WaybillSource
from erpsync.sdk.tokens import TokenBox, TokenPair
from erpsync.sdk.types import (
    CheckReport,
    Cursor,
    Head,
    ListingPage,
    Message,
    Order,
    OrderPage,
    Raw,
    Recipient,
    Refund,
    RefundPage,
    Release,
    Repeat,
    Shipment,
    ShipmentReportPage,
    StockLevel,
    WarehousePage,
    WebhookReply,
    WebhookRequest,
    WebhookResult,
)

Role = TypeVar("Role")
MAX_LINES = 5_000


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
"""A setting that names a time zone, such as Asia/Shanghai."""


class ConnectorSettings(BaseModel):
    """Base of every connector's `settings` block: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_lines: int = Field(
        default=MAX_LINES,
        ge=1,
        le=20_000,
        description="lines that one order, refund or parcel may have; one with more is a dead letter",
    )

    def unread_files(self) -> str:
        """Return what `status` says of files that lie where files come in and that nobody reads; usually nothing."""
        return ""

    def notes(self) -> Mapping[str, str]:
        """Return what `check` is to say of these settings, by key; none of it refuses them."""
        return {}


class Connector(ABC):
    """Code for one platform. A configured shop using it is a channel.

    `__init__` does no I/O. `http` is shared by all threads that use the connector; `clock` is the database's clock.
    `sdk` is the version of `erpsync.sdk` it was written for, such as 1.0; an erpsync that does not have it refuses it.
    """

    Settings: ClassVar[type[ConnectorSettings]]
    sdk: ClassVar[str] = ""

    @classmethod
    def played_by(cls, settings: Any) -> type["Connector"]:
        """Return the class that an object made of `settings` will have; asked where secrets are only placeholders.

        Another one than this only where settings decide about roles; then `__new__` makes an object of that class.
        """
        del settings
        return cls

    def __init__(self, settings: Any, http: HttpClient, clock: Clock) -> None:
        self.settings = settings
        self.http = http
        self.clock = clock

    @abstractmethod
    def check(self) -> CheckReport:
        """Prove address and credentials and change nothing. Raises a `ConnectorError` when they do not work."""

    def close(self) -> None:
        """Release what the connector holds; may be called twice."""
        self.http.close()

    def token_expires_at(self) -> datetime | None:
        """Return when the credentials end, if that is known."""
        return None


def playing(connector: object, role: type[Role]) -> Role | None:
    """Return the connector as this role, None when it does not play it."""
    return connector if isinstance(connector, role) else None


class OrderReader(ABC):
    """A channel whose raw orders can be read, whether we ask for them (`OrderSource`) or they are sent to us.

    `carries_recipients`: whether orders of this channel hold a recipient at all.
    `nets_refunds`: whether a granted refund lowers `Order.total_minor`; nothing is left of it when all was given back.
    """

    carries_recipients: bool = True
    nets_refunds: bool = False

    @abstractmethod
    def normalise(self, raw: Raw) -> Order:
        """Return the order in normal form. Pure; raises `PayloadError` naming the field."""

    def same_recipient(self, recipient: Recipient, placed_at: datetime) -> str:
        """Return what is equal for orders of this channel that go to one hidden recipient, and for no others. Pure.

        Asked only where the recipient has a `ciphertext`. Empty where the platform does not say; such orders are never
        merged.
        """
        del recipient, placed_at
        return ""


class RefundReader(ABC):
    """A channel whose raw refunds can be read, whether we ask for them (`RefundSource`) or they are sent to us."""

    @abstractmethod
    def normalise_refund(self, raw: Raw) -> Refund:
        """Return the refund in normal form. Pure; raises `PayloadError` naming the field."""


class OrderSource(OrderReader):
    """A channel whose orders are read by asking.

    `rereads`: whether one order can be read again by `complete` with nothing but its id.
    """

    rereads: bool = False

    @abstractmethod
    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield pages of changed orders from `cursor` up to now; the end of the iterator is the end of a pass.

        Code after a `yield` runs only when that page is committed. With `cursor.mark` None the stream begins now,
        less the overlap; what lies before is `backfill_orders`' work.
        """

    def backfill_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield pages of the orders created since `cursor.since` and of all that still wait to be shipped."""
        del cursor
        return iter(())

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        """Return the whole records of `heads`; without a detail call a list row is the whole record."""
        return [Raw(head=head, payload=head.row, read_from=head.read_from, read_to=head.read_to) for head in heads]


class OrderScan(ABC):
    """A channel that lists orders by when they were placed, so that its past can be proven to be read whole."""

    @abstractmethod
    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        """Yield the heads of all orders placed in [start, end), page by page; `Order.placed_at` is what counts.

        An order may come twice. Reading forward is safe: when an order was placed never changes.
        """


class RefundSource(RefundReader):
    """A channel whose refunds are a stream of their own."""

    @abstractmethod
    def pull_refunds(self, cursor: Cursor) -> Iterator[RefundPage]:
        """As `OrderSource.pull_orders`; with `cursor.mark` None it begins at `cursor.since`."""


class HintSource(ABC):
    """A channel that says when it is worth polling (a message queue)."""

    @abstractmethod
    def pull_hints(self) -> Iterator[tuple[str, ...]]:
        """Yield names of streams to poll now; code after a `yield` runs only when the wish is committed."""


class WebhookSource(ABC):
    """A channel that calls us. Records that its calls carry need `OrderReader` and `RefundReader` as well."""

    @abstractmethod
    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        """Check the signature over the raw bytes (`AuthError` if it is wrong) and return what the call says."""

    def webhook_reply(self, result: WebhookResult) -> WebhookReply:
        """Return the body that the platform wants to see once the delivery is stored."""
        del result
        return WebhookReply()


class ShipmentSink(ABC):
    """A channel that is told which parcels left. `repeat` says what may follow an unknown outcome."""

    repeat: Repeat

    @abstractmethod
    def push_shipment(self, shipment: Shipment) -> None:
        """Report one parcel; returns only when the channel has accepted it."""

    def find_shipment(self, shipment: Shipment) -> bool:
        """Return whether the channel already has this parcel; needed for `Repeat.LOOK_FIRST`."""
        raise TypeError(f"{type(self).__name__} cannot look for shipments; {shipment.number} needs a person")


class ShipmentCorrector(ABC):
    """A channel that can be told another carrier or number of a parcel it knows.

    `correction_repeat` says what may follow an unknown outcome; for `Repeat.LOOK_FIRST` it is asked by
    `ShipmentSink.find_shipment`.
    """

    correction_repeat: Repeat = Repeat.LOOK_FIRST

    @abstractmethod
    def correct_shipment(self, shipment: Shipment) -> None:
        """Report how a parcel that was reported before really travels; returns only when the channel has accepted."""


class StockSink(ABC):
    """A channel that is told how many units it may sell. `stock_batch` levels go into one call of `push_stock`.

    `needs_item_ref`: whether a listing can only be addressed by the platform's own ids.
    """

    stock_batch: int = 20
    needs_item_ref: bool = False

    @abstractmethod
    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Set absolute quantities and return what was not accepted, by `StockLevel.key`.

        One refused level never blocks the others. An error raised concerns all levels of the call.
        """


class ListingSource(ABC):
    """A channel whose catalogue can be read."""

    @abstractmethod
    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        """Yield the whole catalogue page by page; `cursor.mark` continues an interrupted reading."""


class ShipmentSource(ABC):
    """A place that reports parcels that have left: a drop folder, a warehouse system."""

    @abstractmethod
    def pull_shipments(self, cursor: Cursor) -> Iterator[ShipmentReportPage]:
        """Yield reports; code after a `yield` runs only when that page is committed."""


class TokenHolder(ABC):
    """A channel whose access token can be renewed. The connector takes its pair from `tokens` before every call.

    The daemon puts the stored pair into `tokens`, decides when to renew, and stores what `renew` returns.
    """

    tokens: TokenBox

    @classmethod
    def renews(cls, settings: Any) -> bool:
        """Return whether a pair configured by `settings` can be renewed; asked where secrets are only placeholders."""
        return getattr(settings, "refresh_token", None) is not None

    @abstractmethod
    def may_renew(self, pair: TokenPair) -> bool:
        """Return whether the platform would renew this pair now."""

    @abstractmethod
    def renew(self, pair: TokenPair) -> TokenPair:
        """Return the pair that follows; changes nothing here. Both tokens of the old one may be void afterwards.

        Raises:
            AuthError: the platform refuses; a person has to authorise again.
            OutcomeUnknownError: no answer; the refresh token may be used up.
        """


class WarehouseSink(ABC):
    """A warehouse that is told what to send. `repeat` says what may follow an unknown outcome of `release`."""

    repeat: Repeat

    @abstractmethod
    def release(self, order: Release) -> None:
        """Hand a release over; returns only when the warehouse has it."""

    def find_release(self, number: str) -> bool:
        """Return whether the warehouse already has this release; needed for `Repeat.LOOK_FIRST`."""
        raise TypeError(f"{type(self).__name__} cannot look for releases; {number} needs a person")

    @abstractmethod
    def cancel(self, number: str) -> bool | None:
        """Ask to stop a release; may be repeated, also for one that the warehouse may never have got.

        Returns True when it will not be sent (now or when it arrives late), False when it leaves or has left, None
        when the answer comes later, through `WarehouseSource`.
        """


class WarehouseSource(ABC):
    """A warehouse that reports what left, what it counted and which releases it stopped."""

    @abstractmethod
    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        """Yield reports, oldest first; code after a `yield` runs only when that page is committed.

        A report that is read twice changes nothing the second time.
        """


class MessageSink(ABC):
    """Tells people: a chat group's robot, a mailbox, a program that passes it on.

    A message may come twice, after an answer that was lost; its id is the same then. It says whose message it is, for a
    person or for the receiving program.
    """

    @abstractmethod
    def push_message(self, message: Message) -> None:
        """Send one message; returns only when the platform has accepted it, whatever the HTTP status says.

        What is longer than the platform takes is cut on a character, never refused for it; the id stays in it.
        """
