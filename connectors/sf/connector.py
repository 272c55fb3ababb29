"""An account with SF Express: bookings, labels, routes asked and pushed.

Why a second booking of one key is no danger: SF refuses it with 8016, and the first one is then asked for.
"""

import hmac
from collections.abc import Iterator, Sequence
from itertools import groupby

from connectors.sf.client import SfClient
from connectors.sf.client.errors import CANCELLED, CONFIRMED, NOT_FOUND, ORDER_EXISTS
from connectors.sf.mapping import (
    accepted_of,
    label_data,
    label_files,
    order_data,
    personal,
    pushed_rows,
    raw_track,
    track_page,
)
from connectors.sf.settings import SfSettings
from erpsync.sdk.bookings import demand_bookable
from erpsync.sdk.clock import Clock
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import AuthError, ConnectorError, PayloadError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient, lost
from erpsync.sdk.labels import demand_label
from erpsync.sdk.read import Fields
from erpsync.sdk.roles import Connector, CourierSink, TrackSource, WebhookSource
from erpsync.sdk.text import read_json
from erpsync.sdk.types import (
    Booking,
    BookingRequest,
    CheckReport,
    LabelKind,
    Raw,
    Repeat,
    TrackedParcel,
    TrackPage,
    UnknownMessage,
    Waybill,
    WebhookRecord,
    WebhookReply,
    WebhookRequest,
    WebhookResult,
)

CREATE = "EXP_RECE_CREATE_ORDER"
SEARCH = "EXP_RECE_SEARCH_ORDER_RESP"
UPDATE = "EXP_RECE_UPDATE_ORDER"
ROUTES = "EXP_RECE_SEARCH_ROUTES"
PRINT = "COM_RECE_CLOUD_PRINT_WAYBILLS"
MOST_PARCELS = 300
ASKED_AT_ONCE = 10
PROBE_KEY = "erpsync-check"
STORED = '{"return_code":"0000","return_msg":"成功"}'
CANCEL = 2
DONE = "2"


class SfConnector(Connector, CourierSink, TrackSource, WebhookSource):
    """One monthly account with SF Express."""

    Settings = SfSettings
    settings: SfSettings
    sdk = "1.2"
    repeat = Repeat.LOOK_FIRST
    idempotent = True
    settle_s = 30
    most_parcels = MOST_PARCELS
    track_batch = ASKED_AT_ONCE

    def __init__(self, settings: SfSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._client = SfClient(settings, http, clock)

    def check(self) -> CheckReport:
        """Ask for a booking that nobody made: address, customer code, check word and permission are proven by that."""
        try:
            self._client.call(SEARCH, _search(PROBE_KEY))
        except RejectedError as error:
            if error.code not in NOT_FOUND:
                raise
        return CheckReport(notes=tuple(self._notes()))

    def _notes(self) -> Iterator[str]:
        if self.settings.push_secret is None:
            yield "push_secret is not set: what happens to parcels is asked for, never pushed"
        if not self.settings.cod_account:
            yield "cod_account is not set: parcels with cash on delivery are refused"

    # ---- bookings

    def carriers(self) -> frozenset[str]:
        """Return SF alone."""
        return frozenset({"SF"})

    def book(self, request: BookingRequest) -> Waybill:
        """Book once; a key that SF has already is asked for, as its answer must have been lost."""
        demand_bookable(self, request)
        data = order_data(request, self.settings)
        try:
            answer = self._client.call(CREATE, data, repeatable=False, hidden=personal(request))
        except RejectedError as error:
            if error.code != ORDER_EXISTS:
                raise
            return self._booked_before(request)
        try:
            accepted = accepted_of(answer.data, request)
        except PayloadError as error:
            raise lost(f"SF's answer cannot be read: {error}", repeatable=False) from error
        if accepted.waybill is None:
            code = f"filterResult={accepted.filter_result}"
            raise lost("SF has taken the booking and given no number yet", repeatable=False, code=code)
        return accepted.waybill

    def _booked_before(self, request: BookingRequest) -> Waybill:
        """Return what SF has of a key that it refuses to take twice; no error may say that it has nothing."""
        try:
            found = self.find_booking(request)
        except RejectedError:
            raise
        except ConnectorError as error:
            problem = f"SF has the key, and asking for its number failed: {error.problem}"
            raise lost(problem, repeatable=False, code=ORDER_EXISTS) from error
        if found is None:
            raise lost("SF has the key and does not find it", repeatable=False, code=ORDER_EXISTS)
        return found

    def find_booking(self, request: BookingRequest) -> Waybill | None:
        """Return what SF has of this key."""
        try:
            answer = self._client.call(SEARCH, _search(request.key), hidden=personal(request))
        except RejectedError as error:
            if error.code in NOT_FOUND:
                return None
            raise
        accepted = accepted_of(answer.data, request)
        if accepted.waybill is None:
            code = f"filterResult={accepted.filter_result}"
            raise TransientError("SF has the booking and has given no number yet", code=code)
        return accepted.waybill

    def cancel_booking(self, booking: Booking) -> bool | None:
        """Cancel by key; what SF cancelled before is cancelled, what it confirmed is on its way."""
        numbers = [{"waybillType": 1, "waybillNo": booking.number}] if booking.number else []
        data = {"language": "zh-CN", "orderId": booking.key, "dealType": CANCEL, "waybillNoInfoList": numbers}
        try:
            answer = self._client.call(UPDATE, data)
        except RejectedError as error:
            if error.code in NOT_FOUND:
                return None
            said = {CANCELLED: True, CONFIRMED: False}.get(error.code)
            if said is None:
                raise
            return said
        status = str(answer.data.get("resStatus") or "")
        if status != DONE:
            raise RejectedError("SF says that key and waybill do not belong together", code=f"resStatus={status}")
        return True

    def label(self, booking: Booking) -> bytes:
        """Have SF make the labels of all parcels, in one PDF, and fetch it."""
        answer = self._client.call(PRINT, label_data(booking, self.settings.template))
        files = label_files(answer.result)
        if not files:
            raise TransientError("SF has not made the label yet")
        if len(files) > 1:
            raise PayloadError(f"expected one file, found {len(files)}", path="$.obj.files")
        return demand_label(self._client.fetch(files[0].url, files[0].token), LabelKind.PDF, path="$.obj.files[0]")

    # ---- routes

    def pull_tracks(self, parcels: Sequence[TrackedParcel]) -> list[Raw]:
        """Ask for routes, at most ten numbers at once; parcels of others need the end of a phone number."""
        found: list[Raw] = []
        for end, group in groupby(sorted(parcels, key=_phone_end), _phone_end):
            numbers = [parcel.number for parcel in group]
            for first in range(0, len(numbers), ASKED_AT_ONCE):
                found += self._routes(numbers[first : first + ASKED_AT_ONCE], end)
        return found

    def _routes(self, numbers: Sequence[str], phone_end: str) -> list[Raw]:
        data = {"language": "zh-CN", "trackingType": "1", "trackingNumber": list(numbers), "methodType": "1"}
        answer = self._client.call(ROUTES, data | ({"checkPhoneNo": phone_end} if phone_end else {}))
        rows = Fields(answer.data).parts("routeResps")
        return [
            raw_track(row.row, number=row.text("mailNo"), read_from=answer.sent_at, read_to=answer.received_at)
            for row in rows
        ]

    def normalise_track(self, raw: Raw) -> TrackPage:
        """Return one parcel's nodes, whether asked for or pushed."""
        return track_page(raw.payload)

    def tracks(self, carrier: str) -> bool:
        """Return whether it is SF: parcels of other accounts are told to who knows a phone of theirs."""
        return carrier in self.carriers()

    def watch_track(self, parcel: TrackedParcel) -> bool:
        """Return whether SF pushes; it does so for all that is booked here, once the address is entered there."""
        del parcel
        return self.settings.push_secret is not None

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        """Return the routes of a push, one record per parcel. SF signs nothing: only the address proves who calls."""
        secret = self.settings.push_secret
        if secret is None or not hmac.compare_digest(request.path.encode(), secret.get_secret_value().encode()):
            raise AuthError("the secret in the address is wrong", code="path")
        document = _document(request.body)
        rows, at = pushed_rows(document), request.received_at
        if rows is None:
            unknown = UnknownMessage(type="no route", payload=document if isinstance(document, dict) else {})
            return WebhookResult(key=digest_of({"body": request.body.hex()}), unknown=(unknown,))
        raws = [
            raw_track({"mailNo": number, "WaybillRoute": nodes}, number=number, read_from=at, read_to=at)
            for number, nodes in rows.items()
        ]
        return WebhookResult(
            key=digest_of({"Body": rows}), records=tuple(WebhookRecord(kind="track", raw=raw) for raw in raws)
        )

    def webhook_reply(self, result: WebhookResult) -> WebhookReply:
        """Return the words after which SF does not push the same again."""
        del result
        return WebhookReply(body=STORED.encode())


def _search(key: str) -> dict[str, str]:
    return {"orderId": key, "searchType": "1", "language": "zh-CN"}


def _phone_end(parcel: TrackedParcel) -> str:
    return "".join(filter(str.isdigit, parcel.phone))[-4:]


def _document(body: bytes) -> object:
    try:
        document: object = read_json(body)
    except (ValueError, RecursionError):
        return None
    return document
