"""One courier at Cainiao: waybills, print data, what is left.

Why nothing is sent again: that one package gets one number however often it is asked for is said by integrators and
stands in no document. What is not found is looked for twice, and then a person decides.
"""

import json
from collections.abc import Iterator, Sequence

from connectors.cainiao.mapping import (
    LOOKING,
    Found,
    apply_data,
    booked,
    left_of,
    looked_up,
    personal,
    trade_codes,
    waybill_of,
)
from connectors.cainiao.settings import CainiaoSettings
from erpsync.sdk.bookings import demand_bookable
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import OutcomeUnknownError, PayloadError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient, lost
from erpsync.sdk.labels import demand_label
from erpsync.sdk.roles import Connector, CourierSink
from erpsync.sdk.top import Answer, TopClient
from erpsync.sdk.top.notes import clock_notes, session_notes
from erpsync.sdk.types import Booking, BookingRequest, CheckReport, LabelKind, Repeat, Waybill

GET = "cainiao.waybill.ii.get"
CANCEL = "cainiao.waybill.ii.cancel"
SEARCH = "cainiao.waybill.ii.search"
BY_TRADE = "cainiao.waybill.ii.query.by.tradecode"
BY_NUMBER = "cainiao.waybill.ii.query.by.waybillcode"
PARAMETER = "param_waybill_cloud_print_apply_new_request"


class CainiaoConnector(Connector, CourierSink):
    """The account of one seller with one courier."""

    Settings = CainiaoSettings
    settings: CainiaoSettings
    sdk = "1.2"
    repeat = Repeat.LOOK_FIRST
    settle_s = 60
    ciphertexts_of = frozenset({"taobao"})

    def __init__(self, settings: CainiaoSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._client = TopClient(settings, http, clock)

    def check(self) -> CheckReport:
        """Read the clock and what the account has with the courier. Raises where it has none."""
        self._client.server_now()
        left, addresses = left_of(self._search().body, self.settings.cp_code)
        if not addresses:
            raise RejectedError(
                f"Cainiao knows no place that this account sends from with {self.settings.cp_code}", code="cp_code"
            )
        return CheckReport(
            notes=tuple(self._notes(left, addresses)),
            clock_ahead_s=self._client.ahead_s(),
            token_expires_at=self.settings.session_expires_at,
        )

    def _notes(self, left: int | None, addresses: int) -> Iterator[str]:
        yield from clock_notes(self._client.ahead_s())
        yield f"places that parcels may be sent from, as Cainiao knows them: {addresses}"
        if left is not None:
            yield f"waybills that are left: {left}"
        yield from session_notes(self.settings.session_expires_at, self.clock.now())

    def _search(self) -> Answer:
        return self._client.call(SEARCH, {"cp_code": self.settings.cp_code})

    def carriers(self) -> frozenset[str]:
        """Return the one courier of the settings."""
        return frozenset({self.settings.carrier})

    def balance(self) -> int | None:
        """Return how many waybills are left; None for couriers that bill by month."""
        return left_of(self._search().body, self.settings.cp_code)[0]

    def book(self, request: BookingRequest) -> Waybill:
        """Book once; the print data come with the number."""
        demand_bookable(self, request)
        text = _json(apply_data(request, self.settings))
        answer = self._client.call(GET, {PARAMETER: text}, repeatable=False, hidden=personal(request))
        try:
            found = booked(answer.body)
        except PayloadError as error:
            raise lost(f"Cainiao's answer cannot be read: {error}", repeatable=False) from error
        if len(found) != 1 or not found[0].number:
            raise lost("Cainiao has taken the booking and given no number yet", repeatable=False)
        self._demand_courier(found[0])
        return waybill_of(found[0], request)

    def find_booking(self, request: BookingRequest) -> Waybill | None:
        """Return what Cainiao has of this key among the waybills of its order.

        Raises:
            OutcomeUnknownError: the order has waybills, and nothing says which of them were made for this key.
        """
        code = trade_codes(request)[0]
        ask = [{"biz_sub_code": code, "object_id": LOOKING}]
        answer = self._client.call(BY_TRADE, {"param_list": _json(ask)}, hidden=personal(request))
        shown = list(looked_up(answer.body))
        ours = shown if code == request.key else [found for found in shown if found.object_id == request.key]
        unnamed = [found for found in shown if found.object_id in ("", LOOKING)]
        if not ours and unnamed:
            raise OutcomeUnknownError(f"one of these waybills may be that of {request.key}: {_numbers(unnamed)}")
        if len({found.number for found in ours}) > 1:
            raise OutcomeUnknownError(f"Cainiao has several waybills of {request.key}: {_numbers(ours)}")
        if not ours:
            return None
        if not ours[0].number:
            raise TransientError("Cainiao has the booking and has given no number yet")
        self._demand_courier(ours[0])
        return waybill_of(ours[0], request)

    def _demand_courier(self, found: Found) -> None:
        """Raise where another courier than ours got the parcel: our code for it is not known."""
        if found.real_cp_code not in ("", self.settings.cp_code):
            raise OutcomeUnknownError(f"{found.number} was given to another courier, {found.real_cp_code}")

    def cancel_booking(self, booking: Booking) -> bool | None:
        """Void a number; without one there is nothing that Cainiao could be asked to void."""
        if not booking.number:
            return None
        answer = self._client.call(CANCEL, {"cp_code": self.settings.cp_code, "waybill_code": booking.number})
        return True if answer.body.get("cancel_result") is True else None

    def label(self, booking: Booking) -> bytes:
        """Return the print data, for Cainiao's own print component."""
        ask = [{"cp_code": self.settings.cp_code, "waybill_code": booking.number, "object_id": LOOKING}]
        answer = self._client.call(BY_NUMBER, {"param_list": _json(ask)})
        data = [found.print_data for found in looked_up(answer.body) if found.number == booking.number]
        if not data or not data[0]:
            raise TransientError("Cainiao shows no print data of this waybill yet")
        return demand_label(data[0].encode(), LabelKind.PRINT_DATA, path="$.modules[0].print_data")


def _numbers(waybills: Sequence[Found]) -> str:
    return ", ".join(sorted({found.number or "?" for found in waybills}))


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
