"""Signed calls to the warehouse system.

Why every call is a POST of one signed body: the signature then covers all that is asked, and an operator opens one
address. It is that of Standard Webhooks.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from connectors.warehouse_json.settings import WarehouseJsonSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import refusal
from erpsync.sdk.http import HttpClient, HttpResponse, lost
from erpsync.sdk.signing import decode_key, signed_headers
from erpsync.sdk.text import read_json


class WarehouseClient:
    """Calls one warehouse system. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: WarehouseJsonSettings, http: HttpClient, clock: Clock) -> None:
        self._url = settings.url
        self._key = decode_key(settings.secret.get_secret_value())
        self._http = http
        self._clock = clock

    def call(self, type: str, data: Mapping[str, Any], *, repeatable: bool) -> Mapping[str, Any]:
        """Return the system's answer, a JSON object. Other 2xx answers are lost ones: a proxy spoke in its place."""
        body = json.dumps({"type": type, "data": data}, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
        id = f"{type}-{hashlib.sha256(body).hexdigest()[:16]}"
        signed = signed_headers(self._key, body, id=id, at=self._clock.now())
        headers = {"content-type": "application/json", **signed}
        response = self._http.request("POST", self._url, data=body, headers=headers, repeatable=repeatable)
        answer = _answer(response)
        if 200 <= response.status < 300:
            if answer is None:
                raise lost(f"the warehouse answered {type} with no JSON object", repeatable=repeatable)
            return answer
        raise refusal(response.status, f"the warehouse answered {type} with", (answer or {}).get("error"))


def _answer(response: HttpResponse) -> Mapping[str, Any] | None:
    """Return the answer if it is a JSON object, its text such as every database takes."""
    try:
        answer = read_json(response.body)
    except (ValueError, RecursionError):
        return None
    return answer if isinstance(answer, dict) else None
