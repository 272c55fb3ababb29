"""An own shop, its connector and its messages, for this folder's tests."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

from connectors.webhook_json.client.signing import StandardSignature, signature_of
from connectors.webhook_json.connector import WebhookJsonConnector
from connectors.webhook_json.sandbox import SECRET, OwnShop
from connectors.webhook_json.settings import WebhookJsonSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Raw, StockLevel, WebhookRequest
from tests.support.records import bare_head

HERE = Path(__file__).parent
NOW = datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
PUSH_URL = "http://shop.invalid/push"


def settings(**more: Any) -> WebhookJsonSettings:
    return WebhookJsonSettings.model_validate({"secret": SECRET, **more})


def connector(shop: OwnShop | None = None, clock: ManualClock | None = None, **more: Any) -> WebhookJsonConnector:
    """Return a connector; one for a shop calls it, in-process."""
    clock = clock or ManualClock(NOW)
    if shop is None:
        return WebhookJsonConnector(settings(**more), HttpClient(clock=clock), clock)
    http = HttpClient(clock=clock, mount=shop.handle, rng=Random(0))
    return WebhookJsonConnector(settings(push_url=PUSH_URL, **more), http, clock)


def order(**more: Any) -> dict[str, Any]:
    """Return an order message of one line, paid."""
    data = {
        "external_id": "W1",
        "updated_at": "2026-03-02T16:05:00+08:00",
        "status": "paid",
        "placed_at": "2026-03-02T16:00:00+08:00",
        "paid_at": "2026-03-02T16:05:00+08:00",
        "currency": "CNY",
        "total_minor": 1000,
        "recipient": {"name": "王小明", "phone": "13800138000", "address": "世纪大道1号"},
        "lines": [line()],
    }
    return {"type": "order", "data": {**data, **more}}


def line(**more: Any) -> dict[str, Any]:
    return {"external_id": "1", "channel_sku": "A", "qty": 1, "price_minor": 1000, **more}


def refund(**more: Any) -> dict[str, Any]:
    """Return a message about an open refund of the order's only line."""
    data = {
        "external_id": "R1",
        "order_external_id": "W1",
        "updated_at": "2026-03-02T16:06:00+08:00",
        "status": "open",
        "amount_minor": 1000,
        "lines": [{"external_id": "1", "qty": 1}],
    }
    return {"type": "refund", "data": {**data, **more}}


def body(message: Any) -> bytes:
    return message if isinstance(message, bytes) else json.dumps(message, ensure_ascii=False).encode("utf-8")


def request(
    message: Any = None, *, id: str = "msg_1", at: datetime = NOW, received_at: datetime = NOW
) -> WebhookRequest:
    """Return a signed delivery, sent at `at`."""
    raw = body(order() if message is None else message)
    headers = signature_of(settings()).headers(raw, id=id, at=at)
    return WebhookRequest(headers=headers, query={}, body=raw, received_at=received_at)


def vector_request(vector: Mapping[str, Any], received_at: datetime) -> tuple[StandardSignature, WebhookRequest]:
    """Return the signature of a Standard Webhooks vector and its delivery."""
    signature = signature_of(settings(secret=vector["secret"]))
    assert isinstance(signature, StandardSignature)
    headers = {**vector["params"], "webhook-signature": vector["expected"]}
    return signature, WebhookRequest(
        headers=headers, query={}, body=vector["body"].encode("utf-8"), received_at=received_at
    )


def raw(payload: Mapping[str, Any]) -> Raw:
    return Raw(head=bare_head("1", NOW, payload), payload=payload, read_from=NOW, read_to=NOW)


def level(sku: str, qty: int) -> StockLevel:
    return StockLevel(key=f"key of {sku}", channel_sku=sku, item_ref="", qty=qty)
