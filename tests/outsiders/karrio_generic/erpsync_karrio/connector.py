"""Karrio as a courier: books, looks for what it booked by its reference, voids it.

Why a booking is looked for and never sent again by itself: Karrio has no key that it takes once. What looking does not
find twice is a person's matter.
"""

from erpsync.sdk.bookings import demand_bookable
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.read import Fields
from erpsync.sdk.roles import Connector, CourierSink
from erpsync.sdk.types import Booking, BookingRequest, CheckReport, Region, Repeat, Waybill
from erpsync_karrio.client import KarrioClient
from erpsync_karrio.mapping import CANCELLED, DRAFT, label_of, rate_request, shipment_of, waybill_of
from erpsync_karrio.settings import KarrioSettings


class KarrioConnector(Connector, CourierSink):
    """One account on a Karrio server."""

    Settings = KarrioSettings
    settings: KarrioSettings
    sdk = "1.2"
    repeat = Repeat.LOOK_FIRST
    settle_s = 30
    most_parcels = 10

    def __init__(self, settings: KarrioSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._client = KarrioClient(settings, http)

    def check(self) -> CheckReport:
        """Prove address and token by listing nothing."""
        self._client.get("/v1/shipments", limit="0")
        return CheckReport()

    def carriers(self) -> frozenset[str]:
        """Return the one courier behind it."""
        return frozenset({self.settings.carrier})

    def book(self, request: BookingRequest) -> Waybill:
        """Buy a label; its number and its bytes come in one answer."""
        demand_bookable(self, request)
        body = shipment_of(request, self.settings.service)
        row = self._client.post("/v1/shipments", body, repeatable=False)
        if row.get("status") == DRAFT:
            raise OutcomeUnknownError("Karrio accepted the shipment and has not bought its label yet")
        return waybill_of(row, request, self.settings.carrier)

    def find_booking(self, request: BookingRequest) -> Waybill | None:
        """Return what was bought under the key, and nothing that was voided."""
        found = [row for row in self._named(request.key) if row.row.get("status") != CANCELLED]
        if len(found) > 1:
            raise OutcomeUnknownError(f"Karrio has {len(found)} shipments of this key")
        if not found:
            return None
        if found[0].row.get("status") == DRAFT:
            raise TransientError("Karrio has the shipment and has not bought its label yet")
        return waybill_of(found[0].row, request, self.settings.carrier)

    def cancel_booking(self, booking: Booking) -> bool | None:
        """Void a shipment; 409 says that the courier has the parcel."""
        ids = [booking.handle] if booking.handle else [row.text("id") for row in self._named(booking.key)]
        if not ids:
            return None
        try:
            answers = [self._client.post(f"/v1/shipments/{id}/cancel", {}, repeatable=True) for id in ids]
        except RejectedError as error:
            if error.code not in ("404", "409"):
                raise
            return False if error.code == "409" else None
        return all(answer.get("status") == CANCELLED for answer in answers) or None

    def label(self, booking: Booking) -> bytes:
        """Return the label again."""
        row = self._client.get(f"/v1/shipments/{booking.handle}")
        if "docs" not in row:
            raise TransientError("the label is not made yet")
        return label_of(row)

    def covers(self, region: Region) -> bool | None:
        """Ask what a parcel would cost there: no price, no service."""
        answer = self._client.post("/v1/rates", rate_request(region, self.settings.service), repeatable=True)
        return bool(answer.get("rates"))

    def _named(self, key: str) -> list[Fields]:
        """Return the shipments of a key; Karrio's filter finds every reference that holds it."""
        answer = self._client.get("/v1/shipments", reference=key)
        return [row for row in Fields(answer).parts("results") if row.row.get("reference") == key]
