"""Stock and shipments on their way to the shop."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from connectors.webhook_json.connector import ShopWithCalls
from connectors.webhook_json.sandbox import SECRET, OwnShop
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, RejectedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.types import Shipment, ShipmentLine, WebhookRequest
from tests.connectors.webhook_json.shop import NOW, PUSH_URL, connector, level, settings

PARCEL = Shipment(
    number="S20260302000001-1",
    order_external_id="W000001",
    carrier="SF",
    tracking="SF1234567890123",
    lines=(ShipmentLine(external_id="1", qty=1, ordered_qty=2),),
    whole=False,
    shipped_at=NOW,
)


class Ear:
    """Hears every call and answers what it was told to."""

    def __init__(self, *answers: SandboxResponse, **more: object) -> None:
        self.clock = ManualClock(NOW)
        self.heard: list[SandboxRequest] = []
        self._answers = list(answers)
        http = HttpClient(clock=self.clock, mount=self._answer)
        made = ShopWithCalls(settings(push_url=PUSH_URL, **more), http, self.clock)
        self.connector = made

    def _answer(self, request: SandboxRequest) -> SandboxResponse:
        self.heard.append(request)
        return self._answers.pop(0) if self._answers else SandboxResponse()

    def message(self) -> dict:
        return self.heard[-1].json()


def shop_and_connector() -> tuple[OwnShop, ShopWithCalls]:
    clock = ManualClock(NOW)
    shop = OwnShop(clock=clock)
    made = connector(shop, clock)
    assert isinstance(made, ShopWithCalls)
    return shop, made


def test_stock_goes_out_as_absolute_numbers_with_the_time_they_are_of() -> None:
    ear = Ear()
    ear.connector.push_stock([level("A", 3), level("B", 0)])

    assert ear.message() == {
        "type": "stock",
        "data": {
            "as_of": "2026-03-02T08:10:00Z",
            "levels": [{"channel_sku": "A", "qty": 3}, {"channel_sku": "B", "qty": 0}],
        },
    }


def test_a_parcel_goes_out_with_its_own_number_as_the_id_of_the_call() -> None:
    ear = Ear()
    ear.connector.push_shipment(PARCEL)

    assert ear.message() == {
        "type": "shipment",
        "data": {
            "number": "S20260302000001-1",
            "order_external_id": "W000001",
            "carrier": "SF",
            "carrier_name": "SF Express",
            "tracking": "SF1234567890123",
            "lines": [{"external_id": "1", "qty": 1}],
            "whole": False,
            "shipped_at": "2026-03-02T08:10:00Z",
        },
    }
    assert ear.heard[-1].headers["webhook-id"] == "shipment-S20260302000001-1"


def test_a_parcel_numbered_in_chinese_has_an_id_that_a_header_can_carry() -> None:
    ear = Ear()
    ear.connector.push_shipment(replace(PARCEL, number="单20260302-1"))

    assert ear.heard[-1].headers["webhook-id"].isascii()


@pytest.mark.parametrize(
    "signature", ["standard", {"header": "X-Hub-Signature-256", "encoding": "hex", "prefix": "sha256="}]
)
def test_what_goes_out_is_signed_the_way_the_shop_signs(signature: object) -> None:
    ear = Ear(signature=signature)
    ear.connector.push_stock([level("A", 3)])
    (call,) = ear.heard
    delivery = WebhookRequest(headers=call.headers, query={}, body=call.body, received_at=NOW)

    assert [each.type for each in ear.connector.read_webhook(delivery).unknown] == ["stock"]


def test_a_call_tried_again_at_once_is_the_same_call() -> None:
    ear = Ear(SandboxResponse(status=502))
    ear.connector.push_stock([level("A", 3)])
    first, second = ear.heard

    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_a_number_told_again_later_is_another_call_so_that_no_shop_drops_it_as_a_repeat() -> None:
    """5, then 3, then 5 again: an id made of the number alone would leave the shop at 3."""
    ear = Ear()
    for qty in (5, 3, 5):
        ear.connector.push_stock([level("A", qty)])
        ear.clock.advance(seconds=1)

    assert len({call.headers["webhook-id"] for call in ear.heard}) == 3


def test_an_older_number_that_comes_late_does_not_undo_a_newer_one() -> None:
    shop, connector = shop_and_connector()
    late: list[SandboxRequest] = []
    slow = HttpClient(clock=ManualClock(NOW), mount=lambda request: late.append(request) or SandboxResponse())
    ShopWithCalls(connector.settings, slow, ManualClock(NOW)).push_stock([level("A", 5)])
    connector.http.clock.sleep(1)
    connector.push_stock([level("A", 3)])
    shop.handle(late[0])

    assert shop.stock() == {"A": 3}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (SandboxResponse(status=401), AuthError),
        (SandboxResponse(status=403), AuthError),
        (SandboxResponse(status=404), RejectedError),
        (SandboxResponse(status=422), RejectedError),
        (SandboxResponse(status=301, headers={"location": "/other"}), RejectedError),
        (SandboxResponse(status=425), TransientError),
        (SandboxResponse(status=429, headers={"retry-after": "60"}), RateLimitedError),
        (SandboxResponse(status=500), TransientError),
        (SandboxResponse(body=b"<html>please log in</html>"), TransientError),
    ],
)
def test_an_answer_that_accepts_nothing_is_told_as_who_has_to_act(
    answer: SandboxResponse, wanted: type[ConnectorError]
) -> None:
    for call in (lambda ear: ear.connector.push_shipment(PARCEL), lambda ear: ear.connector.check()):
        with pytest.raises(wanted):
            call(Ear(answer, answer, answer))


@pytest.mark.parametrize(
    "answer",
    [
        SandboxResponse(),
        SandboxResponse(status=204),
        SandboxResponse(status=202, body=b"ok"),
        SandboxResponse(body=b"{}"),
        SandboxResponse(body=b"[]", headers={"content-type": "text/html"}),
    ],
)
def test_any_plain_yes_of_a_shop_counts(answer: SandboxResponse) -> None:
    ear = Ear(answer)

    assert ear.connector.push_stock([level("A", 1)]) == {}


def test_the_shop_s_own_words_for_a_refusal_reach_the_operator() -> None:
    ear = Ear(SandboxResponse.of_json({"error": "no such order"}, status=409))
    with pytest.raises(RejectedError, match=r"push_url answered 409: no such order \(409\)"):
        ear.connector.push_shipment(PARCEL)


def test_what_the_shop_names_as_refused_does_not_block_the_rest() -> None:
    """failures.md row 14."""
    shop, connector = shop_and_connector()
    shop.off_sale.add("B")
    refusals = connector.push_stock([level("A", 3), level("B", 4), level("C", 5)])

    assert {key: str(error) for key, error in refusals.items()} == {"key of B": "off sale"}
    assert shop.stock() == {"A": 3, "C": 5}


@pytest.mark.parametrize("refused", ["B", {"B": 1}, [None, "B"], [{"error": 1}]])
def test_an_answer_that_misnames_refusals_is_a_plain_yes(refused: object) -> None:
    ear = Ear(SandboxResponse.of_json({"refused": refused}))

    assert ear.connector.push_stock([level("B", 1)]) == {}


def test_a_changed_secret_is_an_operator_s_matter() -> None:
    clock = ManualClock(NOW)
    shop = OwnShop(clock=clock, secret="whsec_b3RoZXI=")
    with pytest.raises(AuthError, match="the signature is wrong"):
        connector(shop, clock).check()


def test_a_call_that_lay_around_too_long_is_refused_by_the_shop() -> None:
    shop, connector = shop_and_connector()
    shop.clock.sleep(timedelta(minutes=10).total_seconds())
    connector.check()
    ear = Ear()
    ear.connector.push_stock([level("A", 3)])

    assert shop.handle(ear.heard[0]).status == 401


def test_no_message_of_ours_holds_the_secret() -> None:
    ear = Ear()
    ear.connector.push_shipment(PARCEL)
    (call,) = ear.heard

    assert SECRET.removeprefix("whsec_") not in json.dumps(dict(call.headers)) + call.body.decode()
