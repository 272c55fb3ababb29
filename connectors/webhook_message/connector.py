"""Hands messages to a program, signed by Standard Webhooks.

    {"type": "message", "timestamp": "…", "data": {"id": "…", "title": "…", "text": "…", "level": "info|warn|alarm"}}

`webhook-id` is the message's id, the same on every repetition, and so are the bytes of the body; timestamp and
signature are those of the attempt.
Source: protocol note notify.md section 6; vectors in tests/connectors/webhook_message/standardwebhooks.json.
"""

import json
from typing import Any

from connectors.webhook_message.settings import WebhookMessageSettings
from erpsync.sdk.clock import Clock
from erpsync.sdk.errors import AuthError, TransientError, refusal
from erpsync.sdk.http import HttpClient
from erpsync.sdk.messages import cut
from erpsync.sdk.roles import Connector, MessageSink
from erpsync.sdk.signing import decode_key, signed_headers
from erpsync.sdk.types import CheckReport, Message

MOST_BYTES = 60_000
GONE = 410


class WebhookMessageConnector(Connector, MessageSink):
    """One address."""

    Settings = WebhookMessageSettings
    settings: WebhookMessageSettings
    sdk = "1.1"

    def __init__(self, settings: WebhookMessageSettings, http: HttpClient, clock: Clock) -> None:
        super().__init__(settings, http, clock)
        self._key = decode_key(settings.secret.get_secret_value())

    def check(self) -> CheckReport:
        """Send a signed `ping`, which whoever takes messages answers without telling anybody."""
        self._call("ping", {"type": "ping", "data": {}})
        return CheckReport()

    def push_message(self, message: Message) -> None:
        """Hand one message over; any 2xx has taken it, unless it is a page for people."""
        data = {
            "id": message.id,
            "title": cut(message.title, MOST_BYTES // 10),
            "text": cut(message.text, MOST_BYTES),
            "level": message.level.value,
        }
        at = {} if message.at is None else {"timestamp": message.at.isoformat()}
        self._call(message.id, {"type": "message", **at, "data": data})

    def _call(self, id: str, content: dict[str, Any]) -> None:
        body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
        headers = {"content-type": "application/json", **signed_headers(self._key, body, id=id, at=self.clock.now())}
        response = self.http.request("POST", self.settings.url, data=body, headers=headers, repeatable=True)
        if 200 <= response.status < 300:
            if response.headers.get("content-type", "").startswith("text/html"):
                raise TransientError("the address answered with a page: a proxy spoke in its place")
            return
        if response.status == GONE:
            raise AuthError("the address wants no more messages", code=str(GONE))
        raise refusal(response.status, "the address answered", None)
