"""The settings block: what is accepted, and what a mistake is told as."""

from typing import Any

import pytest
from pydantic import ValidationError

from erpsync.sdk.roles import OrderReader, OrderSource, RefundReader, ShipmentSink, StockSink, WebhookSource
from tests.connectors.webhook_json.shop import PUSH_URL, connector, request, settings


@pytest.mark.parametrize("secret", ["whsec_c2VjcmV0", "c2VjcmV0", "whsec_c2VjcmV0IQ", "c2VjcmV0IQ=="])
def test_a_standard_secret_may_lack_its_prefix_and_its_padding(secret: str) -> None:
    assert settings(secret=secret).signature == "standard"


@pytest.mark.parametrize("secret", ["not base64!", "whsec_!", "密钥", "===="])
def test_a_secret_that_cannot_sign_is_told_without_the_secret(secret: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(secret=secret)

    assert "secret must be base64" in refused.value.errors()[0]["msg"]
    assert secret not in refused.value.errors()[0]["msg"]


def test_any_secret_signs_a_body_alone() -> None:
    made = settings(secret="not base64!", signature={"header": "X-Sign", "encoding": "hex"})

    assert made.signature != "standard"


@pytest.mark.parametrize(
    "wrong",
    [
        {"signature": "none"},
        {"signature": {"header": "X Sign", "encoding": "hex"}},
        {"signature": {"header": "X-Sign", "encoding": "rot13"}},
        {"signature": {"header": "X-Sign", "encoding": "hex", "algorithm": "md5"}},
        {"tolerance_s": 0},
        {"push_url": "shop.example.com/push"},
        {"push_url": "ftp://shop.example.com"},
        {"token": "x"},
    ],
)
def test_a_mistake_in_the_settings_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(**wrong)


def test_a_shop_without_push_url_is_told_nothing_but_its_orders_are_read() -> None:
    silent = connector()

    assert isinstance(silent, WebhookSource | OrderReader | RefundReader)
    assert not isinstance(silent, OrderSource | StockSink | ShipmentSink)
    assert "push_url is not set" in silent.check().notes[0]
    assert silent.read_webhook(request()).records


def test_a_shop_with_push_url_is_told_stock_and_shipments() -> None:
    made = connector(push_url=PUSH_URL)

    assert isinstance(made, StockSink)
    assert isinstance(made, ShipmentSink)
    assert isinstance(made, WebhookSource)
