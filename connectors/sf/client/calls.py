"""One call to SF, from data to the inside of the answer.

Why the digest is made of the very text that is posted: the gateway signs bytes, and JSON can be written in many ways.
"""

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urljoin

from connectors.sf.client.errors import BUSINESS, GATEWAY, error_of
from connectors.sf.client.signing import digest
from connectors.sf.settings import SfSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import refusal
from erpsync.sdk.http import HttpClient, HttpResponse, lost
from erpsync.sdk.text import read_json

HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=UTF-8"}
PASSED = "A1000"
LANGUAGE = "zh-CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the service answered (`apiResultData`), and when the call began and ended, on our clock."""

    result: Mapping[str, Any]
    sent_at: datetime
    received_at: datetime

    @property
    def data(self) -> Mapping[str, Any]:
        """Its `msgData`; empty where there is none."""
        data = self.result.get("msgData")
        return data if isinstance(data, dict) else {}


class SfClient:
    """Calls services for one account. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: SfSettings, http: HttpClient, clock: Clock) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock

    def call(
        self, service: str, data: Mapping[str, Any], *, repeatable: bool = True, hidden: Iterable[str] = ()
    ) -> Answer:
        """Return what a service answers that did what it was asked for.

        Args:
            service: its code, such as EXP_RECE_SEARCH_ROUTES.
            data: what it is asked, as JSON takes it.
            repeatable: doing the call twice is the same as doing it once.
            hidden: values of `data` that no error may quote.

        Raises:
            ConnectorError: by `GATEWAY` and `BUSINESS` for refusals, else as `HttpClient.request` does.
        """
        unsaid = (*hidden, self._settings.checkword.get_secret_value())
        return self._http.read(
            "POST",
            self._settings.gateway,
            data=self._signed(service, data),
            headers=HEADERS,
            repeatable=repeatable,
            into=lambda response: _answer(response, unsaid),
        )

    def fetch(self, url: str, token: str) -> bytes:
        """Return a file that SF made; its address holds a credential, and may be relative to the gateway."""
        address = urljoin(self._settings.gateway, url)
        headers = {"X-Auth-token": token} if token else {}
        response = self._http.request("GET", address, headers=headers, repeatable=True, secret_path=True)
        if response.status != 200:
            raise refusal(response.status, "SF's file server answered", None)
        return response.body

    def _signed(self, service: str, data: Mapping[str, Any]) -> dict[str, str]:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        timestamp_ms = str(int(self._clock.now().timestamp() * 1000))
        settings = self._settings
        return {
            "partnerID": settings.partner_id,
            "requestID": str(uuid.uuid4()),
            "serviceCode": service,
            "timestamp": timestamp_ms,
            "msgDigest": digest(text, timestamp_ms, settings.checkword.get_secret_value(), settings.digest),
            "msgData": text,
        }


def _answer(response: HttpResponse, hidden: Iterable[str]) -> Answer:
    document, repeatable = response.json(), response.repeatable
    code = document.get("apiResultCode") if isinstance(document, dict) else None
    if not isinstance(code, str):
        raise lost(f"answer with status {response.status} is none of SF's gateway", repeatable=repeatable)
    if code != PASSED:
        raise error_of(code, document.get("apiErrorMsg"), GATEWAY, repeatable=repeatable, hidden=hidden)
    result = _object(document.get("apiResultData"))
    if result is None or str(result.get("success")).lower() not in ("true", "false"):
        raise lost("SF's answer does not say whether the service did it", repeatable=repeatable)
    if str(result["success"]).lower() == "false":
        raise error_of(
            str(result.get("errorCode") or ""), _reason(result), BUSINESS, repeatable=repeatable, hidden=hidden
        )
    return Answer(result=result, sent_at=response.sent_at, received_at=response.received_at)


def _object(value: object) -> dict[str, Any] | None:
    """Return an object that SF writes as a text holding JSON, or as it is; None where it is neither."""
    if isinstance(value, str):
        try:
            value = read_json(value.encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _reason(result: Mapping[str, Any]) -> object:
    return result.get("errorMsg") or result.get("errorMessage")
