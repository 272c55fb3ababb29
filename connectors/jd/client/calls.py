"""One call to the platform, from business parameters to the inside of the answer.

Why the clock is taken from the Date header: there is no call that tells the time, the platform refuses calls stamped
more than six minutes off, and time windows must never reach beyond the platform's own now.
"""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.jd.client.answers import Answer
from connectors.jd.client.errors import CLOCK_CODES, error_of
from connectors.jd.client.transport import TRANSPORTS, Reply
from connectors.jd.settings import JdSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.dates import http_date
from erpsync.sdk.http import HttpClient, HttpResponse, lost
from erpsync.sdk.tokens import TokenBox

SHOP = "jingdong.seller.vender.info.get"
"""A small call whose answer carries the platform's Date. Source: protocol note jd.md section 2."""


class JdClient:
    """Calls JOS methods for one shop. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: JdSettings, http: HttpClient, clock: Clock, tokens: TokenBox) -> None:
        self._settings = settings
        self._clock = clock
        self._tokens = tokens
        self._transport = TRANSPORTS[settings.transport](settings, http)
        self._ahead = timedelta(0)
        self._lock = threading.Lock()

    def call(self, method: str, params: Mapping[str, Any], *, repeatable: bool = True) -> Answer:
        """Return the inside of the answer to one call.

        Args:
            method: full name such as `jingdong.pop.order.enSearch`.
            params: business parameters as they stand in the JSON text.
            repeatable: doing the call twice is the same as doing it once.

        Raises:
            ConnectorError: by `GATEWAY` for refusals, else as `HttpClient.request` does.
        """
        reply = self._send(method, params, repeatable)
        if reply.failure is not None and reply.failure.code in CLOCK_CODES and _date(reply.response) is not None:
            reply = self._send(method, params, repeatable)
        if reply.failure is not None:
            raise self._error(reply.failure.code, reply.failure.text, repeatable)
        if reply.body is None:
            raise lost(f"answer with status {reply.response.status} is none of {method}", repeatable=repeatable)
        code = str(reply.body.get("code", "0"))
        if code != "0":
            raise self._error(code, f"{method} answered code {code}", repeatable)
        return Answer(
            body=reply.body,
            sent_at=reply.response.sent_at,
            received_at=reply.response.received_at,
            platform_at=_date(reply.response),
        )

    def server_now(self) -> datetime:
        """Return the platform's clock, whole seconds, asked now; ours, corrected as last known, if it does not tell.

        Nothing stamped by the platform before this call is later than the instant returned: stamps have whole seconds.
        """
        answer = self.call(SHOP, {})
        return answer.platform_at or answer.sent_at + timedelta(seconds=self.ahead_s())

    def ahead_s(self) -> float:
        """Return by how many seconds the platform's clock leads ours, as last measured; exact to about one."""
        with self._lock:
            return self._ahead.total_seconds()

    def _send(self, method: str, params: Mapping[str, Any], repeatable: bool) -> Reply:
        token, at = self._tokens.current().access_token, self._clock.now() + timedelta(seconds=self.ahead_s())
        reply = self._transport.send(method, params, token=token, at=at, repeatable=repeatable)
        self._measure(reply.response)
        return reply

    def _measure(self, response: HttpResponse) -> None:
        """Take the platform's clock from the Date header, whose seconds are cut off."""
        at = _date(response)
        if at is not None:
            middle = response.sent_at + (response.received_at - response.sent_at) / 2
            with self._lock:
                self._ahead = at + timedelta(seconds=0.5) - middle

    def _error(self, code: str, text: str, repeatable: bool) -> Exception:
        secrets = (self._tokens.current().access_token.get_secret_value(), self._settings.app_secret.get_secret_value())
        return error_of(code, text, repeatable=repeatable, limit_wait_s=self._settings.limit_wait_s, secrets=secrets)


def _date(response: HttpResponse) -> datetime | None:
    return http_date(response.headers.get("date", ""))
