"""Calls to Kuaidi100: waybills, tracks, subscriptions and pictures of labels; and what its codes mean.

Why a call for a waybill is never repeated in here: its key counts for 48 hours only, and how old a booking is the
daemon knows.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin, urlsplit

from connectors.kuaidi100.settings import Kuaidi100Settings
from connectors.kuaidi100.signing import sign
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    PayloadError,
    RateLimitedError,
    RejectedError,
    TransientError,
    refusal,
)
from erpsync.sdk.http import HttpClient, HttpResponse, lost

MAX_TEXT = 200
MAX_HOPS = 3
"""A label's link is a short one: it leads on to the picture."""
HOME = "kuaidi100.com"
BUSY_S = 60

LABEL_CODES: Mapping[str, type[ConnectorError]] = {"30002": AuthError, "30003": AuthError, "30004": AuthError}
"""Codes of waybill calls: signature, key, no units left. Source: protocol note couriers.md section 2.4.

Any other is a refusal; what a courier refuses has no code of its own, but a text.
"""
SERVER = "-1"
NOT_FOUND = "30009"
OURS = frozenset({"30001", NOT_FOUND, *LABEL_CODES})
"""Codes that are Kuaidi100's own; any other refusal is the courier's."""
_UNSURE = re.compile("超时|系统繁忙|系统异常|稍后再试|稍后重试")
"""What a refusal says when the courier itself did not answer: then nobody knows whether it made a number. Uncertain."""

QUERY_CODES: Mapping[str, type[ConnectorError]] = {
    "501": TransientError,
    "503": AuthError,
    "600": AuthError,
    "601": AuthError,
}
"""Codes of queries: server, signature, key, nothing left. All uncertain, section 2.1; any other is a refusal."""
NOTHING_YET, BUSY = "500", "502"

SUBSCRIBE_CODES: Mapping[str, type[ConnectorError]] = {
    "500": TransientError,
    "503": AuthError,
    "600": AuthError,
    "601": AuthError,
}
SUBSCRIBED = ("200", "501")
"""501 says that the number was subscribed before. Source: section 2.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What Kuaidi100 answered, and between which two instants of our clock it was read."""

    body: Mapping[str, Any]
    sent_at: datetime
    received_at: datetime


class Kuaidi100Client:
    """Calls Kuaidi100 for one account. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: Kuaidi100Settings, http: HttpClient, clock: Clock) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock

    def label(
        self, method: str, param: Mapping[str, Any], *, repeatable: bool, hidden: Collection[str] = ()
    ) -> Mapping[str, Any]:
        """Return the data of a waybill call: `order`, `cancel` or `printOld`.

        Args:
            hidden: what no error may quote; a courier likes to say whose phone it does not like.

        Raises:
            RejectedError: refused, with Kuaidi100's or the courier's words; by the latter if the code is not in `OURS`.
        """
        key = self._settings.key.get_secret_value()
        secret = self._settings.secret.get_secret_value() if self._settings.secret else ""
        text, t = _text(param), str(int(self._clock.now().timestamp() * 1000))
        form = {"method": method, "key": key, "t": t, "sign": sign(text, t, key, secret), "param": text}
        body = self._post(self._settings.label_url, form, repeatable=repeatable).body
        code, said = str(body.get("code")), self._said(body, hidden)
        if body.get("success") is True and code == "200":
            data = body.get("data")
            return data if isinstance(data, dict) else {}
        if body.get("success") is not False or code == SERVER or (code not in OURS and _UNSURE.search(said)):
            raise lost(f"Kuaidi100 answered {method} with: {said}", repeatable=repeatable, code=code)
        raise LABEL_CODES.get(code, RejectedError)(f"Kuaidi100 refuses {method}: {said}", code=code)

    def query(self, param: Mapping[str, str]) -> Answer | None:
        """Return where a parcel was seen, None where nothing is known of it yet."""
        key, number = self._settings.key.get_secret_value(), param["num"]
        text = _text(param)
        form = {"customer": self._settings.customer, "sign": sign(text, key, self._settings.customer), "param": text}
        answer = self._post(self._settings.query_url, form, repeatable=True)
        if answer.body.get("result") is not False:
            if str(answer.body.get("status")) != "200" or str(answer.body.get("nu", "")).upper() != number.upper():
                raise lost("Kuaidi100 answered a query with something else", repeatable=True)
            return answer
        code, said = str(answer.body.get("returnCode")), self._said(answer.body)
        if code == NOTHING_YET:
            return None
        if code == BUSY:
            raise RateLimitedError(f"Kuaidi100 is busy: {said}", retry_after_s=BUSY_S, code=code)
        raise QUERY_CODES.get(code, RejectedError)(f"Kuaidi100 refuses a query: {said}", code=code)

    def subscribe(self, param: Mapping[str, Any]) -> None:
        """Ask to be called when a parcel moves; once more for the same number is no mistake."""
        form = {"schema": "json", "param": _text({**param, "key": self._settings.key.get_secret_value()})}
        body = self._post(self._settings.subscribe_url, form, repeatable=True).body
        code = str(body.get("returnCode"))
        if code not in SUBSCRIBED:
            said = self._said(body)
            raise SUBSCRIBE_CODES.get(code, RejectedError)(f"Kuaidi100 refuses a subscription: {said}", code=code)

    def picture(self, link: str) -> bytes | None:
        """Return what a label's link leads to, None while it is not made yet.

        No error names the link: whoever has it sees name, phone and address.
        """
        at = self._settings.label_url
        for _ in range(MAX_HOPS):
            at = urljoin(at, link)
            self._demand_ours(at)
            response = self._http.request("GET", at, repeatable=True, secret_path=True)
            if 300 <= response.status < 400:
                link = response.headers.get("location", "")
                continue
            if response.status == 404 or response.body.startswith(b"{"):
                return None
            if response.status >= 400:
                raise refusal(response.status, "Kuaidi100 answered for a label with", None)
            return response.body
        raise PayloadError("a label's link leads on and on", path="$.label")

    def _demand_ours(self, link: str) -> None:
        """Refuse a link to anywhere else than Kuaidi100: what is behind it is printed and stuck on a parcel."""
        host = urlsplit(link).hostname or ""
        if host not in (HOME, urlsplit(self._settings.label_url).hostname) and not host.endswith(f".{HOME}"):
            raise PayloadError("a label's link leads away from Kuaidi100", path="$.label")

    def _post(self, url: str, form: Mapping[str, str], *, repeatable: bool) -> Answer:
        def inside(response: HttpResponse) -> Answer:
            if response.status >= 300:
                raise refusal(response.status, "Kuaidi100 answered with", None)
            body = response.json()
            if not isinstance(body, dict):
                raise lost("Kuaidi100's answer is no object", repeatable=repeatable)
            return Answer(body=body, sent_at=response.sent_at, received_at=response.received_at)

        return self._http.read("POST", url, data=form, repeatable=repeatable, into=inside)

    def _said(self, answer: Mapping[str, Any], hidden: Collection[str] = ()) -> str:
        """Return Kuaidi100's words, or the courier's, without secrets and what else is hidden."""
        message = answer.get("message")
        said = message if isinstance(message, str) and message else "no reason"
        secrets = [each.get_secret_value() for each in (self._settings.key, self._settings.secret) if each]
        for private in filter(None, (*secrets, *hidden)):
            said = said.replace(private, "***")
        return said[:MAX_TEXT]


def _text(param: Mapping[str, Any]) -> str:
    """Return a parameter as it is signed and sent, which must be byte for byte the same."""
    return json.dumps(param, ensure_ascii=False, separators=(",", ":"))
