"""One call to the platform, from parameters to the inside of the answer.

Why the clock is corrected here: the platform refuses calls stamped more than ten minutes off, and time windows must
never reach beyond the platform's own now.
"""

import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from erpsync.sdk.clock import Clock
from erpsync.sdk.dates import http_date
from erpsync.sdk.http import HttpClient, HttpResponse, lost
from erpsync.sdk.top.answers import Answer, body_of, error_part
from erpsync.sdk.top.errors import error_of, is_clock_error
from erpsync.sdk.top.settings import TopSettings
from erpsync.sdk.top.signing import sign
from erpsync.sdk.top.times import format_time, parse_time

HEADERS = {"content-type": "application/x-www-form-urlencoded;charset=utf-8"}


class TopClient:
    """Calls TOP methods for one session. Shared by threads; does nothing before the first call."""

    def __init__(self, settings: TopSettings, http: HttpClient, clock: Clock) -> None:
        self._settings = settings
        self._http = http
        self._clock = clock
        self._ahead = timedelta(0)
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        params: Mapping[str, str],
        *,
        repeatable: bool = True,
        with_session: bool = True,
        hidden: Iterable[str] = (),
    ) -> Answer:
        """Return the inside of the answer to one call.

        Args:
            method: full name such as `taobao.trades.sold.get`.
            params: business parameters as text; empty ones are not sent, the server's reading of them is unknown.
            repeatable: doing the call twice is the same as doing it once.
            with_session: whether the method acts for the session's owner.
            hidden: values of `params` that no error may quote.

        Raises:
            ConnectorError: by `ERROR_RULES` for error answers, else as `HttpClient.request` does.
        """
        form = self._signed(method, params, with_session=with_session)

        def inside(response: HttpResponse) -> Answer:
            return self._inside(method, response, hidden)

        return self._http.read(
            "POST", self._settings.gateway, data=form, headers=HEADERS, repeatable=repeatable, into=inside
        )

    def _inside(self, method: str, response: HttpResponse, hidden: Iterable[str]) -> Answer:
        document, repeatable = response.json(), response.repeatable
        failure = error_part(document)
        if failure is not None:
            if is_clock_error(failure):
                self._trust_date(response)
            raise error_of(failure, repeatable=repeatable, secrets=(*hidden, *self._secrets()))
        body = body_of(method, document)
        if body is None:
            raise lost(f"answer with status {response.status} is none of {method}", repeatable=repeatable)
        return Answer(body=body, sent_at=response.sent_at, received_at=response.received_at)

    def server_now(self) -> datetime:
        """Return the platform's clock, whole seconds, asked now. Corrects the stamps of later calls.

        Nothing stamped by the platform before this call is later than the instant returned: stamps have whole seconds.
        """
        answer = self.call("taobao.time.get", {}, with_session=False)
        now = parse_time(answer.body.get("time"), path="$.time_get_response.time")
        middle = answer.sent_at + (answer.received_at - answer.sent_at) / 2
        self._set_ahead(now + timedelta(seconds=0.5) - middle)
        return now

    def ahead_s(self) -> float:
        """Return by how many seconds the platform's clock leads ours, as last measured; exact to about one."""
        with self._lock:
            return self._ahead.total_seconds()

    def _signed(self, method: str, params: Mapping[str, str], *, with_session: bool) -> dict[str, str]:
        settings = self._settings
        form = {name: value for name, value in params.items() if value}
        form |= {
            "method": method,
            "app_key": settings.app_key,
            "timestamp": format_time(self._clock.now() + timedelta(seconds=self.ahead_s())),
            "v": "2.0",
            "format": "json",
            "sign_method": settings.sign_method,
        }
        if with_session:
            form["session"] = settings.session.get_secret_value()
        form["sign"] = sign(form, settings.app_secret, settings.sign_method)
        return form

    def _trust_date(self, response: HttpResponse) -> None:
        """Take the platform's clock from the Date header: our stamp was refused, so no signed call can ask for it."""
        at = http_date(response.headers.get("date", ""))
        if at is not None:
            self._set_ahead(at - response.received_at)

    def _set_ahead(self, ahead: timedelta) -> None:
        with self._lock:
            self._ahead = ahead

    def _secrets(self) -> tuple[str, ...]:
        return (self._settings.session.get_secret_value(), self._settings.app_secret.get_secret_value())
