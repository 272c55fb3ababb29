"""What a connector author supplies so that the suite can play the platform against the connector.

Why the suite makes the HTTP client: it has to stand between connector and sandbox, to count requests and to move rows
between any two of them.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import NoReturn

from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector
from erpsync.sdk.sandbox import COURIER_FAULTS, Fault, FaultPlan, Sandbox, SandboxRequest, SandboxResponse
from erpsync.sdk.testing.findings import Finding, fail
from erpsync.sdk.types import (
    BookingRequest,
    Release,
    Shipment,
    StockLevel,
    TrackedParcel,
    TrackState,
    WebhookRequest,
)


class Harness(ABC):
    """One fresh platform with a clock, and connectors that talk to it.

    Attributes:
        clock: the only clock; give it to connector and sandbox.
        sandbox: the platform's side; None for a connector without HTTP.
        page_size: how many rows one list call brings at most.
        personal_data: texts that stand in every order and must never stand in an error.
        version_is_change_time: whether heads carry the change time given to `add_order`; False where the channel has
            none (a file without such a column).
        field_names: what a PayloadError calls a field whose key in the payload is another one.
        message_bytes: most bytes, in UTF-8, of one text that `messages` returns; None where there is no limit.
        secrets: credentials that must never stand in an error.
        webhooks_signed: whether the platform signs what it sends; otherwise its address holds a secret (`path`).
        courier_faults: which of `COURIER_FAULTS` the sandbox plays; it has to play those named.
        track_states: states that the courier has a code for.
        late_s: how many seconds after its change time a row may become visible; less than the overlap of 300.
    """

    page_size: int = 5
    personal_data: Sequence[str] = ()
    version_is_change_time: bool = True
    field_names: Mapping[str, str] = {}
    late_s: int = 60
    message_bytes: int | None = None
    secrets: Sequence[str] = ()
    webhooks_signed: bool = True
    courier_faults: Collection[Fault] = COURIER_FAULTS
    track_states: Collection[TrackState] = tuple(TrackState)

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.sandbox: Sandbox | None = None
        self.requests = 0
        self.before_request: Callable[[], None] | None = None

    # ---- every connector -------------------------------------------------------------------------------------------

    @abstractmethod
    def connector(self) -> Connector:
        """Return a new connector on this platform, made with `self.http()` and `self.clock`."""

    def http(self) -> HttpClient:
        """Return a client whose requests go to the sandbox and are seen by the suite."""
        return HttpClient(clock=self.clock, mount=self.answer, rng=random.Random(0))  # noqa: S311 - no secrets

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        """Give one request to the sandbox; the suite moves rows just before."""
        if self.sandbox is None:
            raise TypeError("this harness has no sandbox, so its connector must not use HTTP")
        self.requests += 1
        if self.before_request is not None:
            self.before_request()
        return self.sandbox.handle(request)

    @property
    def faults(self) -> FaultPlan:
        """The sandbox's fault plan; without a sandbox one that plays nothing."""
        return FaultPlan() if self.sandbox is None else self.sandbox.faults

    def state(self) -> object:
        """Return all that the platform holds, in a form that can be compared: `check` must not change it."""
        return None

    def set_platform_ahead(self, seconds: float) -> bool:
        """Let the platform's clock run ahead of `self.clock` (behind: negative); False when that cannot be played."""
        del seconds
        return False

    # ---- OrderSource -----------------------------------------------------------------------------------------------

    def add_order(self, changed_at: datetime, *, total_minor: int) -> str:
        """Let a paid order of `total_minor` appear whose change time is `changed_at`; return its external id.

        Instants have whole seconds and may lie in the past. The order was placed at `changed_at` or up to a minute
        before, waits to be shipped, and holds `personal_data`.
        """
        del changed_at, total_minor
        missing(self, "add_order")

    def touch_order(self, external_id: str, changed_at: datetime) -> None:
        """Change something about the order, so that its change time becomes `changed_at`."""
        del external_id, changed_at
        missing(self, "touch_order")

    def orders(self) -> Mapping[str, datetime]:
        """Return the change time of every order, by external id."""
        missing(self, "orders")

    # ---- RefundSource ----------------------------------------------------------------------------------------------

    def add_refund(self, changed_at: datetime, *, amount_minor: int) -> str:
        """As `add_order`, of a refund for some order; return its external id."""
        del changed_at, amount_minor
        missing(self, "add_refund")

    def touch_refund(self, external_id: str, changed_at: datetime) -> None:
        """As `touch_order`, of a refund."""
        del external_id, changed_at
        missing(self, "touch_refund")

    def refunds(self) -> Mapping[str, datetime]:
        """Return the change time of every refund, by external id."""
        missing(self, "refunds")

    # ---- sinks -----------------------------------------------------------------------------------------------------

    def new_shipment(self) -> Shipment:
        """Let a paid order appear and return a parcel for it, with a tracking number of its own."""
        missing(self, "new_shipment")

    def refused_shipment(self) -> Shipment | None:
        """Return a parcel that the platform refuses for good; None when there is no such thing."""
        return None

    def shipments(self) -> Sequence[str]:
        """Return the tracking numbers the platform has accepted; one that it took twice stands there twice."""
        missing(self, "shipments")

    def shipment_attempts(self) -> Sequence[str]:
        """Return the tracking number of every call that asked the platform to ship, accepted or refused."""
        missing(self, "shipment_attempts")

    def add_listing(self) -> StockLevel:
        """Let a new sellable thing appear and return a level of some units for it, its `key` unique."""
        missing(self, "add_listing")

    def bad_listing(self) -> StockLevel | None:
        """Return a level that the platform refuses (a deleted item); None when there is no such thing."""
        return None

    def shown(self, level: StockLevel) -> int | None:
        """Return the quantity the platform shows for this listing; None when it shows nothing."""
        del level
        missing(self, "shown")

    # ---- other sources ---------------------------------------------------------------------------------------------

    def webhook(self) -> WebhookRequest:
        """Return a genuine, signed delivery of an order or of a wish to poll."""
        missing(self, "webhook")

    def add_report(self) -> str:
        """Let a parcel be reported as having left; return its tracking number."""
        missing(self, "add_report")

    def add_hint(self) -> str:
        """Let something happen that the queue tells of; return the stream that is worth polling then."""
        missing(self, "add_hint")

    # ---- warehouses ------------------------------------------------------------------------------------------------

    def new_release(self) -> Release:
        """Return a release with a number of its own, for a recipient of `personal_data`."""
        missing(self, "new_release")

    def releases(self) -> Sequence[str]:
        """Return the numbers of the releases the warehouse has; one that it took twice stands there twice."""
        missing(self, "releases")

    def release_attempts(self) -> Sequence[str]:
        """Return the number of every call that handed a release over, accepted or refused."""
        missing(self, "release_attempts")

    def waybills_taken(self, number: str) -> Sequence[str] | None:
        """Return the couriers' numbers with which the warehouse sends a release; None where it takes none of ours."""
        del number
        return None

    def stopped(self) -> Sequence[str]:
        """Return the numbers of the releases that the warehouse will not send."""
        missing(self, "stopped")

    def add_count(self) -> str:
        """Let the warehouse report what it counted of a SKU; return the SKU, which no other report names."""
        missing(self, "add_count")

    # ---- couriers --------------------------------------------------------------------------------------------------

    def new_booking(self, *, parcels: int = 1) -> BookingRequest:
        """Return a request with a key of its own that the courier accepts, for a recipient of `personal_data`."""
        del parcels
        missing(self, "new_booking")

    def refused_booking(self) -> tuple[BookingRequest, str] | None:
        """Return a request that the courier refuses, and what of its reason the error must say; None without such."""
        return None

    def unserved_booking(self) -> BookingRequest | None:
        """Return a request that the courier accepts and then says that it does not go there; None without such."""
        return None

    def bookings(self) -> Sequence[tuple[str, str]]:
        """Return key and number of each booking that the courier will charge for, thus of none that is void."""
        missing(self, "bookings")

    def booking_attempts(self) -> Sequence[str]:
        """Return the key of every call that asked the courier to book, accepted or refused."""
        missing(self, "booking_attempts")

    def use_booking(self, key: str) -> None:
        """Let the courier pick the parcel up, so that the booking cannot be voided any more."""
        del key
        missing(self, "use_booking")

    def give_numbers(self) -> None:
        """Let the courier give a number to what it accepted without one (`Fault.NO_NUMBER`), or tell one later."""
        missing(self, "give_numbers")

    def add_spare(self) -> str:
        """Let a waybill number be bought in advance; return it."""
        missing(self, "add_spare")

    def new_track(self) -> TrackedParcel:
        """Let a new parcel be with the courier; nothing has happened to it that is told."""
        missing(self, "new_track")

    def scan(self, parcel: TrackedParcel, at: datetime, state: TrackState | None) -> None:
        """Let something happen to a parcel, in whole seconds; None: with a code that stands in no table."""
        del parcel, at, state
        missing(self, "scan")

    def track_push(self, parcel: TrackedParcel) -> WebhookRequest:
        """Return the delivery of what happened to a parcel last, where tracks are pushed as well."""
        del parcel
        missing(self, "track_push")

    # ---- messages --------------------------------------------------------------------------------------------------

    def messages(self) -> Sequence[str]:
        """Return what people, or the receiving program, were shown of each accepted message: title, text and id."""
        missing(self, "messages")


def missing(harness: Harness, method: str) -> NoReturn:
    """Fail because a harness lacks what a role of its connector needs."""
    fail(Finding.NO_HARNESS, f"{type(harness).__name__}.{method} is not written")
