"""Calls: errors as data, clock, envelope."""

import json
from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    RateLimitedError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.top import TopClient, error_of
from tests.connectors.taobao.shop import NOW, Shop, settings

OFFLINE = "isv.logistics-offline-service-error"

CASES: list[tuple[Mapping[str, Any], type[ConnectorError], type[ConnectorError]]] = [
    ({"code": 7, "sub_code": "accesscontrol.limited-by-app-access-count"}, RateLimitedError, RateLimitedError),
    ({"code": 15, "sub_code": "accesscontrol.limited-by-dynamic-access-count"}, RateLimitedError, RateLimitedError),
    ({"code": 8}, RateLimitedError, RateLimitedError),
    ({"code": 10, "msg": "Service Currently Unavailable"}, TransientError, TransientError),
    ({"code": 11, "sub_code": "isv.permission-ip-whitelist-limit"}, AuthError, AuthError),
    ({"code": 25, "msg": "Invalid signature"}, AuthError, AuthError),
    ({"code": 27, "sub_code": "invalid-sessionkey"}, AuthError, AuthError),
    ({"code": "27", "sub_code": "session-expired"}, AuthError, AuthError),
    ({"code": 31}, TransientError, TransientError),
    ({"code": 41, "sub_code": "isv.invalid-parameter:page_no"}, RejectedError, RejectedError),
    ({"code": 15, "sub_code": "isp.remote-service-timeout"}, TransientError, OutcomeUnknownError),
    ({"code": 15, "sub_code": "isp.top-remote-service-unavailable"}, TransientError, TransientError),
    ({"code": 50, "sub_code": "isp.null-pointer-exception"}, RejectedError, RejectedError),
    ({"code": 50}, TransientError, OutcomeUnknownError),
    ({"code": 15, "sub_code": f"{OFFLINE}:S01"}, TransientError, TransientError),
    ({"code": 50, "sub_code": f"{OFFLINE}:B150"}, TransientError, TransientError),
    ({"code": 15, "sub_code": f"{OFFLINE}:B04"}, RejectedError, RejectedError),
    ({"code": 15, "sub_code": "isv.trade-not-exist"}, RejectedError, RejectedError),
    ({"code": 9999, "msg": "something new"}, RejectedError, RejectedError),
    ({"msg": "no code at all"}, RejectedError, RejectedError),
]


@pytest.mark.parametrize(("document", "reading", "writing"), CASES, ids=lambda value: str(value)[:60])
def test_an_error_answer_says_who_has_to_act(
    document: Mapping[str, Any], reading: type[ConnectorError], writing: type[ConnectorError]
) -> None:
    assert type(error_of(document, repeatable=True)) is reading
    assert type(error_of(document, repeatable=False)) is writing


def test_a_ban_is_as_long_as_the_text_says() -> None:
    document = {"code": 7, "sub_code": "x", "sub_msg": "This ban will last for 31062 more seconds"}
    error = error_of(document, repeatable=True)

    assert isinstance(error, RateLimitedError)
    assert error.retry_after_s == 31062


def test_a_secret_that_the_platform_quotes_is_blotted_out() -> None:
    error = error_of({"code": 27, "sub_msg": "bad session 6100abc"}, repeatable=True, secrets=("6100abc",))

    assert str(error) == "bad session *** (27)"


def answering(document: object, *, status: int = 200) -> TopClient:
    def mount(request: SandboxRequest) -> SandboxResponse:
        del request
        return SandboxResponse(status=status, body=json.dumps(document).encode())

    clock = ManualClock(NOW)
    return TopClient(settings(), HttpClient(clock=clock, mount=mount, rng=Random(0)), clock)


@pytest.mark.parametrize(
    "document",
    [
        {"error_response": {"code": 27, "msg": "Invalid session"}},
        {"code": 27, "msg": "Invalid session", "request_id": "1"},
    ],
)
def test_an_error_is_seen_with_and_without_its_wrapper(document: object) -> None:
    with pytest.raises(AuthError):
        answering(document).call("taobao.time.get", {})


@pytest.mark.parametrize("document", [{}, [], None, 7, {"other_response": {"time": "x", "request_id": "1"}}])
def test_an_answer_to_something_else_is_no_answer(document: object) -> None:
    client = answering(document)

    with pytest.raises(TransientError):
        client.call("taobao.time.get", {})
    with pytest.raises(OutcomeUnknownError):
        client.call("taobao.time.get", {}, repeatable=False)


def test_a_simplified_answer_is_read_too() -> None:
    answer = answering({"time": "2026-11-20 12:00:00", "request_id": "1"}).call("taobao.time.get", {})

    assert answer.body["time"] == "2026-11-20 12:00:00"


@pytest.mark.parametrize("method", ["md5", "hmac", "hmac-sha256"])
def test_the_platform_accepts_each_way_of_signing(method: str) -> None:
    shop = Shop(sign_method=method)

    assert shop.connector.client.server_now() == NOW


def test_empty_parameters_are_not_sent() -> None:
    shop = Shop(tmc=True)

    assert list(shop.connector.pull_hints()) == []
    assert "group_name" not in shop.sandbox.calls[-1].params


@pytest.mark.parametrize("ahead", [timedelta(minutes=30), timedelta(minutes=-30)])
def test_a_clock_that_is_far_off_is_corrected_from_the_platforms_refusal(ahead: timedelta) -> None:
    shop = Shop()
    shop.sandbox.ahead = ahead

    with pytest.raises(TransientError):
        shop.connector.client.server_now()

    assert shop.connector.client.server_now() == NOW + ahead
    assert shop.connector.client.ahead_s() == pytest.approx(ahead.total_seconds(), abs=1)


def test_a_wrong_secret_is_the_operators_business() -> None:
    shop = Shop(app_secret="wrong")

    with pytest.raises(AuthError):
        shop.connector.client.server_now()
