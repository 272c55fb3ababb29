"""Calls to a Karrio server, and what its refusals mean."""

import json
from collections.abc import Mapping
from typing import Any

from erpsync.sdk.errors import refusal
from erpsync.sdk.http import HttpClient, HttpResponse, lost
from erpsync.sdk.text import read_json
from erpsync_karrio.settings import KarrioSettings


class KarrioClient:
    """Calls one account. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: KarrioSettings, http: HttpClient) -> None:
        self._url = settings.url.rstrip("/")
        self._headers = {"authorization": f"Token {settings.token.get_secret_value()}"}
        self._http = http

    def get(self, path: str, **query: str) -> Mapping[str, Any]:
        """Return what is there."""
        url = f"{self._url}{path}"
        response = self._http.request("GET", url, params=query, headers=self._headers, repeatable=True)
        return _object(response, f"GET {path}")

    def post(self, path: str, body: Mapping[str, Any], *, repeatable: bool) -> Mapping[str, Any]:
        """Return what became of a wish."""
        headers = {**self._headers, "content-type": "application/json"}
        data = json.dumps(body).encode()
        response = self._http.request("POST", f"{self._url}{path}", data=data, headers=headers, repeatable=repeatable)
        return _object(response, f"POST {path}")


def _object(response: HttpResponse, call: str) -> Mapping[str, Any]:
    """Return an answer. Raises by its status, with Karrio's own words."""
    if response.status >= 300:
        raise refusal(response.status, f"Karrio answered {call} with", _words(response.body))
    answer = response.json()
    if not isinstance(answer, dict):
        raise lost(f"Karrio answered {call} with no object", repeatable=response.repeatable)
    return answer


def _words(body: bytes) -> str | None:
    try:
        answer = read_json(body)
    except (ValueError, RecursionError):
        return None
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return first.get("message") if isinstance(first, dict) else None
