"""Kuaidi100: one platform that knows where the parcels of every courier are, and books them with one of them.

`Kuaidi100Connector(settings, http, clock)` returns a `Kuaidi100Account` where settings hold a secret, so that
`isinstance` tells the truth: many ask it for tracks alone.

Why a booking may be sent again for 47 hours and then never: `reorder: false` makes one key one waybill for 48, counted
by a clock that is not ours, and a call may be under way for a while. Source: protocol note couriers.md section 2.
"""

import hmac
import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from urllib.parse import parse_qsl

from connectors.kuaidi100.client import NOT_FOUND, OURS, Kuaidi100Client
from connectors.kuaidi100.mapping import (
    LENT_BY_TAOBAO,
    booking_param,
    cancel_param,
    company_codes,
    label_link,
    newest_at,
    page_of,
    private_texts,
    query_param,
    waybill_of,
)
from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.kuaidi100.signing import sign
from erpsync.sdk.bookings import demand_bookable
from erpsync.sdk.carriers import map_carrier
from erpsync.sdk.clock import Clock
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import AuthError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.labels import demand_label
from erpsync.sdk.read import Fields
from erpsync.sdk.roles import Connector, CourierSink, TrackSource, WebhookSource
from erpsync.sdk.text import read_json
from erpsync.sdk.types import (
    Booking,
    BookingRequest,
    CheckReport,
    Head,
    LabelKind,
    Payload,
    Raw,
    Repeat,
    TrackedParcel,
    TrackPage,
    Waybill,
    WebhookRecord,
    WebhookReply,
    WebhookRequest,
    WebhookResult,
)

MOST_FIELDS = 20
"""A call to us has two."""
_SAID = ((re.compile("已(经|被)?取消(?!失败)"), True), (re.compile("揽收|揽件|取件|派送|派件|签收"), False))
"""What a refusal to void says of a booking that is void already, and of one that is used. Uncertain."""


class Kuaidi100Connector(Connector, TrackSource, WebhookSource):
    """Asks where parcels are, and is called when they move."""

    Settings = Kuaidi100Settings
    settings: Kuaidi100Settings
    sdk = "1.2"
    track_batch = 1
    ask_every_s = 1800

    @classmethod
    def played_by(cls, settings: Kuaidi100Settings) -> type["Kuaidi100Connector"]:
        """Return the class that plays what `settings` say."""
        return Kuaidi100Account if cls is Kuaidi100Connector and settings.secret is not None else cls

    def __new__(cls, settings: Kuaidi100Settings, http: HttpClient, clock: Clock) -> "Kuaidi100Connector":
        """Return an object of that class."""
        del http, clock
        return object.__new__(cls.played_by(settings))

    def __init__(self, settings: Kuaidi100Settings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self.client = Kuaidi100Client(settings, http, clock)

    def check(self) -> CheckReport:
        """Prove key and customer by asking for a number that is none, which is refused for that alone."""
        with suppress(RejectedError):
            self.client.query({"com": "shunfeng", "num": "0"})
        if self.settings.callback_url is None:
            return CheckReport(notes=("callback_url is not set: parcels are asked about, nobody calls when they move",))
        return CheckReport()

    def pull_tracks(self, parcels: Sequence[TrackedParcel]) -> Sequence[Raw]:
        """Return what is known of each parcel that anything is known of."""
        raws = []
        for parcel in parcels:
            answer = self.client.query(query_param(parcel, self.settings))
            if answer is not None:
                raws.append(self._raw(parcel.number, answer.body, answer.sent_at, answer.received_at))
        return raws

    def normalise_track(self, raw: Raw) -> TrackPage:
        """Return the parcel's nodes. Raises `PayloadError` naming the field."""
        return page_of(raw.payload, self.settings)

    def tracks(self, carrier: str) -> bool:
        """Return whether Kuaidi100's code of a courier is known: who booked a parcel does not matter."""
        return carrier in company_codes(self.settings)

    def watch_track(self, parcel: TrackedParcel) -> bool:
        """Ask to be called about a parcel; Kuaidi100 takes that at most four times a month for one number."""
        if self.settings.callback_url is None or self.settings.salt is None:
            return False
        wanted = {"callbackurl": self.settings.callback_url, "salt": self.settings.salt.get_secret_value()}
        phone = {"phone": parcel.phone} if parcel.phone else {}
        company = map_carrier(company_codes(self.settings), parcel.carrier)
        parameters = {**wanted, "resultv2": "4", **phone}
        self.client.subscribe({"company": company, "number": parcel.number, "parameters": parameters})
        return True

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        """Return the parcel of a signed call. What cannot be read is stored all the same. Raises `AuthError`."""
        payload = self._signed(request)
        last = payload.get("lastResult")
        number = Fields(last).side_text("nu") if isinstance(last, dict) else None
        digest = digest_of(payload)
        at = request.received_at
        raw = self._raw(number or f"unreadable-{digest}", payload, at, at)
        return WebhookResult(key=f"{raw.head.external_id}.{digest}", records=(WebhookRecord(kind="track", raw=raw),))

    def webhook_reply(self, result: WebhookResult) -> WebhookReply:
        """Return the only answer after which Kuaidi100 does not call again."""
        del result
        return WebhookReply(body='{"result":true,"returnCode":"200","message":"成功"}'.encode())

    def _signed(self, request: WebhookRequest) -> Payload:
        """Return the parameter of a call whose signature is right; hex is compared without case."""
        try:
            form = dict(parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
        except ValueError:
            form = {}
        text, said = form.get("param", ""), form.get("sign", "")
        salt = self.settings.salt.get_secret_value() if self.settings.salt else ""
        if not salt or not hmac.compare_digest(sign(text, salt).encode(), said.upper().encode()):
            raise AuthError("the signature is wrong", code="signature")
        try:
            read = read_json(text.encode())
        except (ValueError, RecursionError):
            read = None
        return read if isinstance(read, dict) else {}

    def _raw(self, number: str, payload: Payload, read_from: datetime, read_to: datetime) -> Raw:
        newest = newest_at(payload)
        head = Head(
            external_id=number,
            version_at=newest or read_from,
            dated=newest is not None,
            digest=digest_of(payload),
            read_from=read_from,
            read_to=read_to,
        )
        return Raw(head=head, payload=payload, read_from=read_from, read_to=read_to)


class Kuaidi100Account(Kuaidi100Connector, CourierSink):
    """Books parcels with one courier as well."""

    repeat = Repeat.SAFE
    idempotent = True
    remembers_s = 47 * 3600
    most_parcels = 20

    def __init__(self, settings: Kuaidi100Settings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        if settings.net in LENT_BY_TAOBAO:
            self.ciphertexts_of = frozenset({"taobao"})

    def check(self) -> CheckReport:
        """Prove key and secret as well, by asking to print a task that is none."""
        with suppress(RejectedError):
            self.client.label("printOld", {"taskId": "0"}, repeatable=True)
        return super().check()

    def carriers(self) -> frozenset[str]:
        """Return the one courier of this account."""
        return frozenset(filter(None, (self.settings.carrier,)))

    def book(self, request: BookingRequest) -> Waybill:
        """Book; the same key brings the same number, see `remembers_s`."""
        demand_bookable(self, request)
        param, hidden = booking_param(request, self.settings), private_texts(request)
        return waybill_of(self.client.label("order", param, repeatable=False, hidden=hidden), request)

    def cancel_booking(self, booking: Booking) -> bool | None:
        """Ask to void a booking; whatever else the courier refuses it for, a person has to read."""
        if not booking.number:
            return None
        try:
            self.client.label("cancel", cancel_param(booking, self.settings), repeatable=True)
        except RejectedError as error:
            if error.code == NOT_FOUND:
                return None
            for words, void in _SAID:
                if error.code not in OURS and words.search(error.problem):
                    return void
            raise
        return True

    def label(self, booking: Booking) -> bytes:
        """Return the picture, which is made a little after the booking."""
        picture = self.client.picture(label_link(booking))
        if picture is None:
            raise TransientError("the label is not made yet")
        return demand_label(picture, LabelKind.PICTURE, path="$.label")
