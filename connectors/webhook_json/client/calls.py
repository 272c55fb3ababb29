"""One call to the shop's `push_url`.

Why every call may be repeated: stock is absolute and says of when it is, a parcel has a number of its own, and both
carry an id by which the shop tells a repeat.
"""

from collections.abc import Mapping
from typing import Any

from connectors.webhook_json.client.signing import signature_of
from connectors.webhook_json.settings import WebhookJsonSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import TransientError, refusal
from erpsync.sdk.http import HttpClient, HttpResponse, lost


class ShopClient:
    """Calls one shop. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: WebhookJsonSettings, http: HttpClient, clock: Clock) -> None:
        self._url = settings.push_url or ""
        self._signature = signature_of(settings)
        self._http = http
        self._clock = clock

    def call(self, body: bytes, *, id: str) -> Mapping[str, Any]:
        """Return what the shop answers, empty when it answers nothing we can read.

        Any 2xx accepts the call, except for a page: that is a proxy or a log-in form speaking in the shop's place.
        Other statuses are as `refusal` says.
        """
        headers = {"content-type": "application/json", **self._signature.headers(body, id=id, at=self._clock.now())}
        response = self._http.request("POST", self._url, data=body, headers=headers, repeatable=True)
        answer = _answer(response)
        if 200 <= response.status < 300:
            if response.body.lstrip()[:1] == b"<":
                raise lost(f"push_url answered {response.status} with a page", repeatable=True)
            return answer
        raise refusal(response.status, "push_url answered", answer.get("error"))


def _answer(response: HttpResponse) -> Mapping[str, Any]:
    """Return the answer if it is a JSON object; shops may answer nothing, or a word, and mean yes."""
    try:
        answer = response.json()
    except TransientError:
        return {}
    return answer if isinstance(answer, dict) else {}
