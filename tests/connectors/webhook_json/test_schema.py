"""The published JSON Schema is the one by which messages are read."""

import json
from typing import Any

from connectors.webhook_json import mapping
from connectors.webhook_json.mapping.messages import schema
from tests.support.sources import ROOT

PUBLISHED = ROOT / "connectors" / "webhook_json" / "schema.json"


def published() -> dict[str, Any]:
    return json.loads(PUBLISHED.read_text(encoding="utf-8"))


def test_the_published_schema_is_up_to_date() -> None:
    assert published() == schema(), f"python -m {mapping.__name__}.messages > {PUBLISHED.relative_to(ROOT)}"


def test_the_schema_demands_what_an_order_cannot_do_without() -> None:
    parts = published()["$defs"]

    assert set(parts["OrderData"]["required"]) == {
        "external_id", "updated_at", "status", "placed_at", "currency", "total_minor", "lines",
    }  # fmt: skip
    assert set(parts["OrderData"]["properties"]) - set(parts["OrderData"]["required"]) == {
        "paid_at", "freight_minor", "discount_minor", "recipient", "refund_status", "buyer", "buyer_note",
        "seller_note", "seller_flag",
    }  # fmt: skip
    assert set(parts["LineData"]["properties"]) == {
        "external_id", "channel_sku", "title", "qty", "price_minor", "properties",
    }  # fmt: skip
    assert set(parts["RefundData"]["properties"]) == {
        "external_id", "order_external_id", "updated_at", "status", "amount_minor", "lines",
    }  # fmt: skip


def test_the_schema_leaves_room_for_keys_that_we_do_not_read() -> None:
    assert all("additionalProperties" not in part for part in published()["$defs"].values())


def test_every_message_of_both_directions_is_in_the_schema() -> None:
    assert set(published()["discriminator"]["mapping"]) == {"order", "refund", "stock", "shipment", "ping"}
