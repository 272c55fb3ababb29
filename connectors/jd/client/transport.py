"""How a call travels. `routerjson` is the way of today; the platform is moving to another one.

Why a seam: the successor (SP-API) signs headers, has paths instead of methods and another envelope, while methods,
fields and codes above this line stay. A new way is one class and one line in `TRANSPORTS`.

Source: protocol note jd.md section 1 and "State of the platform".
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from pydantic import SecretStr

from connectors.jd.client.answers import body_of
from connectors.jd.client.signing import sign
from connectors.jd.mapping.values import format_time
from connectors.jd.settings import JdSettings
from erpsync.sdk.http import HttpClient, HttpResponse

HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}
BUSINESS = "360buy_param_json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A refusal by the gateway itself."""

    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: the inside of the envelope, or a refusal, or neither."""

    response: HttpResponse
    body: Mapping[str, Any] | None = None
    failure: Failure | None = None


class Transport(Protocol):
    """Carries one call to the platform."""

    def send(
        self, method: str, params: Mapping[str, Any], *, token: SecretStr, at: datetime, repeatable: bool
    ) -> Reply:
        """Send a call stamped `at` and return what came back."""
        ...


class RouterJson:
    """Form post to one address: public parameters, and all business parameters as one JSON text, signed as sent."""

    def __init__(self, settings: JdSettings, http: HttpClient) -> None:
        self._settings = settings
        self._http = http

    def send(
        self, method: str, params: Mapping[str, Any], *, token: SecretStr, at: datetime, repeatable: bool
    ) -> Reply:
        """Send a call stamped `at` and return what came back."""
        form = self._signed(method, params, token, at)
        response = self._http.request("POST", self._settings.gateway, data=form, headers=HEADERS, repeatable=repeatable)
        document = response.json()
        failure = _failure(document)
        return Reply(response=response, body=None if failure else body_of(method, document), failure=failure)

    def _signed(self, method: str, params: Mapping[str, Any], token: SecretStr, at: datetime) -> dict[str, str]:
        form = {
            "method": method,
            "app_key": self._settings.app_key,
            "access_token": token.get_secret_value(),
            "timestamp": format_time(at),
            "v": "2.0",
            "format": "json",
            BUSINESS: json.dumps(params, ensure_ascii=False, sort_keys=True, separators=(",", ":")),
        }
        if self._settings.sign_method != "md5":
            form["sign_method"] = self._settings.sign_method
        form["sign"] = sign(form, self._settings.app_secret, self._settings.sign_method)
        return form


def _failure(document: object) -> Failure | None:
    """Return the gateway's refusal; its code is text, its words stand in zh_desc or en_desc. Source: section 8."""
    refusal = document.get("error_response") if isinstance(document, dict) else None
    if not isinstance(refusal, dict):
        return None
    text = refusal.get("zh_desc") or refusal.get("en_desc") or refusal.get("msg") or ""
    return Failure(code=str(refusal.get("code", "")), text=str(text))


TRANSPORTS: Mapping[str, Callable[[JdSettings, HttpClient], Transport]] = {"routerjson": RouterJson}
