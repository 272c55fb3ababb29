"""Calls: errors as data, clock, envelope, tokens."""

import json
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from connectors.jd.client import JdClient, configured_tokens, error_of, result_of
from connectors.jd.client.errors import SERVICES
from connectors.jd.connector import JdConnector
from connectors.jd.sandbox import JdSandbox
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
from erpsync.sdk.sandbox import Fault, SandboxRequest, SandboxResponse
from erpsync.sdk.tokens import TokenPair
from tests.connectors.jd.shop import NOW, Shop, settings

SHOP = "jingdong.seller.vender.info.get"

CASES: list[tuple[str, type[ConnectorError], type[ConnectorError]]] = [
    ("1", TransientError, TransientError),
    ("2", RateLimitedError, RateLimitedError),
    ("3", AuthError, AuthError),
    ("8", TransientError, TransientError),
    ("12", AuthError, AuthError),
    ("15", RejectedError, RejectedError),
    ("19", AuthError, AuthError),
    ("24", AuthError, AuthError),
    ("43", TransientError, OutcomeUnknownError),
    ("61", RejectedError, RejectedError),
    ("65", TransientError, OutcomeUnknownError),
    ("67", TransientError, OutcomeUnknownError),
    ("69", TransientError, TransientError),
    ("70", TransientError, OutcomeUnknownError),
    ("73", AuthError, AuthError),
    ("2001", AuthError, AuthError),
    ("9999", RejectedError, RejectedError),
    ("", RejectedError, RejectedError),
]


@pytest.mark.parametrize(("code", "reading", "writing"), CASES)
def test_a_refusal_says_who_has_to_act(code: str, reading: type[ConnectorError], writing: type[ConnectorError]) -> None:
    assert type(error_of(code, "", repeatable=True)) is reading
    assert type(error_of(code, "", repeatable=False)) is writing


@pytest.mark.parametrize("code", ["999999", "99999999", "w06106"])
def test_an_error_of_the_platform_inside_a_result_leaves_the_outcome_unknown(code: str) -> None:
    assert type(error_of(code, "", repeatable=False, table=SERVICES)) is OutcomeUnknownError


def test_a_number_of_the_gateway_means_nothing_inside_a_result() -> None:
    assert type(error_of("19", "", repeatable=False, table=SERVICES)) is RejectedError


def test_a_secret_that_the_platform_quotes_is_blotted_out() -> None:
    assert str(error_of("19", "bad token abc", repeatable=True, secrets=("abc",))) == "bad token *** (19)"


def answering(document: object, **more: Any) -> JdClient:
    def mount(request: SandboxRequest) -> SandboxResponse:
        del request
        return SandboxResponse(body=json.dumps(document).encode())

    clock, own = ManualClock(NOW), settings(**more)
    return JdClient(own, HttpClient(clock=clock, mount=mount, rng=Random(0)), clock, configured_tokens(own))


@pytest.mark.parametrize("ending", ["_responce", "_response"])
def test_both_spellings_of_the_envelope_are_read(ending: str) -> None:
    answer = answering({f"jingdong_seller_vender_info_get{ending}": {"code": "0", "x": 1}}).call(SHOP, {})

    assert answer.body["x"] == 1


@pytest.mark.parametrize("document", [{}, [], None, 7, {"jingdong_other_responce": {"code": "0"}}])
def test_an_answer_to_something_else_is_no_answer(document: object) -> None:
    client = answering(document)

    with pytest.raises(TransientError):
        client.call(SHOP, {})
    with pytest.raises(OutcomeUnknownError):
        client.call(SHOP, {}, repeatable=False)


def test_a_code_in_the_envelope_that_is_not_0_is_an_error() -> None:
    with pytest.raises(AuthError):
        answering({"jingdong_seller_vender_info_get_responce": {"code": "19"}}).call(SHOP, {})


def test_a_call_limit_is_waited_out_as_long_as_the_operator_says() -> None:
    limited = {"error_response": {"code": "2", "zh_desc": "限制时间内调用失败次数"}}

    with pytest.raises(RateLimitedError) as usual:
        answering(limited).call(SHOP, {})
    with pytest.raises(RateLimitedError) as own:
        answering(limited, limit_wait_s=7).call(SHOP, {})

    assert (usual.value.retry_after_s, own.value.retry_after_s) == (60, 7)


FLAGS: list[tuple[Any, type[ConnectorError] | None, type[ConnectorError] | None]] = [
    (True, None, None),
    ("true", None, None),
    ("false", RejectedError, RejectedError),
    (False, RejectedError, RejectedError),
    (None, None, OutcomeUnknownError),
    ("perhaps", None, OutcomeUnknownError),
]


@pytest.mark.parametrize(("flag", "reading", "writing"), FLAGS)
def test_success_is_believed_only_when_the_second_flag_says_so(
    flag: object, reading: type[ConnectorError] | None, writing: type[ConnectorError] | None
) -> None:
    inner = {"r": {"success": flag, "error_code": "w1", "chinese_err_code": "不行"}}
    answer = answering({"jingdong_seller_vender_info_get_responce": {"code": "0", **inner}}).call(SHOP, {})

    for repeatable, expected in ((True, reading), (False, writing)):
        if expected is None:
            assert result_of(answer, "r", repeatable=repeatable)["success"] == flag
        else:
            with pytest.raises(expected):
                result_of(answer, "r", repeatable=repeatable)


@pytest.mark.parametrize(
    ("text", "reading", "writing"),
    [("运单号重复", TransientError, RejectedError), ("", TransientError, TransientError)],
)
def test_a_refusal_in_words_alone_reaches_the_operator(
    text: str, reading: type[ConnectorError], writing: type[ConnectorError]
) -> None:
    inner = {"r": {"success": False, "errorCode": "", "chineseErrCode": text}}
    answer = answering({"jingdong_seller_vender_info_get_responce": {"code": "0", **inner}}).call(SHOP, {})

    for repeatable, expected in ((True, reading), (False, writing)):
        with pytest.raises(expected, match=text or "no text"):
            result_of(answer, "r", repeatable=repeatable)


def test_a_refusal_carries_the_services_own_code_and_text() -> None:
    inner = {"r": {"success": False, "error_code": "w1", "chinese_err_code": "不行"}}
    answer = answering({"jingdong_seller_vender_info_get_responce": {"code": "0", **inner}}).call(SHOP, {})

    with pytest.raises(RejectedError, match=r"不行 \(w1\)"):
        result_of(answer, "r")


@pytest.mark.parametrize("method", ["md5", "hmacmd5", "hmacsha256"])
def test_the_platform_accepts_each_way_of_signing(method: str) -> None:
    assert Shop(sign_method=method).connector.client.server_now() == NOW


@pytest.mark.parametrize("ahead", [timedelta(minutes=30), timedelta(minutes=-30)])
def test_a_clock_that_is_far_off_is_corrected_from_the_platforms_refusal(ahead: timedelta) -> None:
    shop = Shop()
    shop.sandbox.ahead = ahead

    assert shop.connector.client.server_now() == NOW + ahead
    assert shop.connector.client.ahead_s() == pytest.approx(ahead.total_seconds(), abs=1)
    assert shop.connector.check().clock_ahead_s == pytest.approx(ahead.total_seconds(), abs=1)


def test_a_wrong_secret_is_the_operators_business() -> None:
    with pytest.raises(AuthError):
        Shop(app_secret="wrong").connector.check()


def test_plain_receivers_outside_the_jd_cloud_are_the_operators_business() -> None:
    with pytest.raises(AuthError):
        Shop(orders="plain").connector.check()


def test_check_names_the_shop_and_what_is_not_watched() -> None:
    notes = Shop(refresh_token=None).connector.check().notes

    assert notes == (
        "shop 示例旗舰店",
        "token_expires_at is not set, so the end of the token is not watched",
        "refresh_token is not set, so the access token cannot be renewed by itself",
    )


# ---- tokens ----------------------------------------------------------------------------------------------------------


def ending_in(hours: float) -> Shop:
    end = NOW + timedelta(hours=hours)
    shop = Shop(token_expires_at=end.isoformat())
    shop.sandbox.expires_at = end
    return shop


def renew(shop: Shop) -> TokenPair | None:
    """Renew as the daemon does: only when the platform would, and the new pair is used at once."""
    tokens = shop.connector.tokens
    if not shop.connector.may_renew(tokens.current()):
        return None
    tokens.replace(shop.connector.renew(tokens.current()))
    return tokens.current()


@pytest.mark.parametrize("hours", [24.1, 240, 0, -1])
def test_a_token_is_not_renewed_before_its_last_24_hours_nor_after_its_end(hours: float) -> None:
    shop = ending_in(hours)

    assert renew(shop) is None
    assert shop.sandbox.access_token == "sandbox-access-token"


def test_in_its_last_24_hours_a_token_is_renewed_once_and_used_at_once() -> None:
    shop = ending_in(23)
    pair = renew(shop)

    assert pair is not None
    assert pair.access_token.get_secret_value() == shop.sandbox.access_token
    assert pair.refresh_token is not None
    assert pair.refresh_token.get_secret_value() == shop.sandbox.refresh_token
    assert pair.expires_at == shop.connector.token_expires_at() == NOW + timedelta(days=30)
    assert shop.connector.client.server_now() == NOW
    assert renew(shop) is None


def test_a_restart_with_the_stored_pair_goes_on_with_it() -> None:
    shop = ending_in(1)
    pair = renew(shop)
    assert pair is not None
    tokens = configured_tokens(shop.settings)
    tokens.replace(pair)
    http = HttpClient(clock=shop.clock, mount=shop.sandbox.handle, rng=Random(0))

    assert JdConnector(shop.settings, http, shop.clock, tokens=tokens).client.server_now() == NOW


def test_without_a_refresh_token_or_a_known_end_nothing_is_renewed() -> None:
    assert renew(Shop()) is None
    assert renew(Shop(refresh_token=None, token_expires_at=NOW.isoformat())) is None


def test_a_refresh_token_that_the_platform_refuses_needs_a_person() -> None:
    shop = ending_in(1)
    shop.sandbox.refresh_token = "another"

    with pytest.raises(AuthError, match="203"):
        renew(shop)


def test_a_lost_answer_to_a_renewal_is_not_asked_for_again() -> None:
    shop = ending_in(1)
    shop.sandbox.faults.force(Fault.TIMEOUT_AFTER)

    with pytest.raises(OutcomeUnknownError) as caught:
        renew(shop)

    assert "sandbox-refresh-token" not in str(caught.value)
    assert shop.sandbox.refresh_token != "sandbox-refresh-token"


def test_a_token_that_ended_is_the_operators_business() -> None:
    shop = Shop()
    shop.sandbox.expires_at = NOW

    with pytest.raises(AuthError) as caught:
        shop.connector.check()

    assert caught.value.code == "19"


def test_the_sandbox_speaks_the_other_spelling_too() -> None:
    shop = Shop()
    shop.sandbox = JdSandbox(clock=shop.clock, ending="_response")
    shop.connector = shop.another()

    assert shop.connector.check().clock_ahead_s is not None
