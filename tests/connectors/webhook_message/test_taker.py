"""A signed webhook: by the vectors, the same id and bytes each time, and no page taken for a yes."""

import json
from pathlib import Path
from random import Random

import pytest

from connectors.webhook_message.connector import WebhookMessageConnector
from connectors.webhook_message.sandbox import SECRET, MessageTaker
from connectors.webhook_message.settings import WebhookMessageSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, ConnectorError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxResponse
from erpsync.sdk.signing import decode_key, sign
from erpsync.sdk.types import Message, MessageLevel

VECTORS = json.loads((Path(__file__).parent / "standardwebhooks.json").read_text(encoding="utf-8"))["vectors"]
SETTINGS = WebhookMessageSettings.model_validate({"url": "http://program.invalid/messages", "secret": SECRET})
CLOCK = ManualClock()
MESSAGE = Message(id="sales-1", title="销售", text="订单 S1", level=MessageLevel.WARN, at=CLOCK.now())


@pytest.mark.parametrize("vector", VECTORS)
def test_a_body_is_signed_as_the_vectors_say(vector: dict[str, object]) -> None:
    params: dict[str, str] = vector["params"]  # type: ignore[assignment]
    key = decode_key(str(vector["secret"]))

    made = sign(key, str(vector["body"]).encode(), id=params["webhook-id"], timestamp=params["webhook-timestamp"])

    assert made == vector["expected"]


def test_a_message_that_comes_again_has_the_same_id_and_the_same_bytes() -> None:
    clock = ManualClock()
    taker = MessageTaker(clock=clock)
    sender = WebhookMessageConnector(SETTINGS, HttpClient(clock=clock, mount=taker.handle, rng=Random(0)), clock)

    sender.push_message(MESSAGE)
    first = dict(taker.bodies)
    clock.advance(seconds=60)
    sender.push_message(MESSAGE)

    assert (taker.attempts, taker.bodies) == (["sales-1", "sales-1"], first)
    assert json.loads(first["sales-1"]) == {
        "type": "message",
        "timestamp": "2026-03-02T08:00:00+00:00",
        "data": {"id": "sales-1", "title": "销售", "text": "订单 S1", "level": "warn"},
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (SandboxResponse(status=410), AuthError),
        (SandboxResponse(status=401), AuthError),
        (SandboxResponse(status=400), RejectedError),
        (SandboxResponse(status=302), RejectedError),
        (SandboxResponse(headers={"content-type": "text/html"}, body=b"<html>"), TransientError),
    ],
)
def test_what_the_address_answers_decides_who_acts(answer: SandboxResponse, kind: type[ConnectorError]) -> None:
    clock = ManualClock()
    sender = WebhookMessageConnector(SETTINGS, HttpClient(clock=clock, mount=lambda _: answer, rng=Random(0)), clock)

    with pytest.raises(kind) as raised:
        sender.push_message(MESSAGE)
    assert SECRET not in repr(raised.value)
