"""Waybills of Cainiao: what is sent word for word, what an answer means, and whose waybill is taken for ours."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.cainiao.connector import CainiaoConnector
from connectors.cainiao.mapping import apply_data, left_of
from connectors.cainiao.sandbox import CainiaoSandbox
from connectors.cainiao.settings import CainiaoSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import (
    AuthError,
    OutcomeUnknownError,
    PayloadError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, SandboxRequest, SandboxResponse, serve
from erpsync.sdk.top.answers import root_key
from erpsync.sdk.types import Booking, Recipient
from tests.connectors.cainiao.account import HIDDEN, PARCEL, PERSON, REQUEST, SETTINGS, connector, request, sandbox

GOLDEN = json.loads((Path(__file__).parent / "golden" / "waybills.json").read_text(encoding="utf-8"))
ACCOUNT = CainiaoSettings.model_validate(SETTINGS)


def answering(body: Mapping[str, Any]) -> CainiaoConnector:
    """Return a connector whose platform answers every method with this body."""

    def said(request: SandboxRequest) -> SandboxResponse:
        return SandboxResponse.of_json({root_key(request.form()["method"]): {**body, "request_id": "1"}})

    clock = ManualClock()
    return CainiaoConnector(ACCOUNT, HttpClient(clock=clock, mount=said, rng=Random(0)), clock)


def test_a_booking_is_sent_word_for_word() -> None:
    assert apply_data(REQUEST, ACCOUNT) == GOLDEN["own"]


def test_a_hidden_recipient_is_sent_with_what_stands_for_the_person_and_the_order_that_it_is_of() -> None:
    (order,) = apply_data(HIDDEN, ACCOUNT)["trade_order_info_dtos"]

    assert {name: order[name] for name in ("order_info", "recipient")} == GOLDEN["hidden"]


def test_what_nobody_knows_or_names_is_not_sent() -> None:
    bare = replace(PARCEL, weight_g=None, volume_cm3=None)
    settings = CainiaoSettings.model_validate(SETTINGS | {"product_code": "STANDARD", "customer_code": "K1"})
    data = apply_data(replace(REQUEST, parcels=(bare,)), settings)

    assert set(data["trade_order_info_dtos"][0]["package_info"]) == {"id", "items"}
    assert (data["product_code"], data["customer_code"]) == ("STANDARD", "K1")
    assert apply_data(replace(REQUEST, service="FAST"), settings)["product_code"] == "FAST"


@pytest.mark.parametrize("case", GOLDEN["answers"], ids=lambda case: case["name"])
def test_an_answer_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    account = answering(case["body"])
    if "waybill" in case:
        waybill = account.book(REQUEST)
        assert [waybill.number, bool(waybill.label)] == case["waybill"]
        return
    with pytest.raises(OutcomeUnknownError, match=case["says"]):
        account.book(REQUEST)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "R1_1"}, "key"),
        ({"cod_minor": 100}, "cod"),
        ({"account": "K2"}, "account"),
        ({"platform": "taobao", "orders": ()}, "orders"),
        ({"platform": "jd", "orders": ("订单",)}, "orders"),
        ({"recipient": Recipient(ciphertext="oaid"), "platform": "jd", "orders": ("1",)}, "ciphertext"),
        ({"carrier": "ZTO"}, "carrier"),
        ({"parcels": (PARCEL, PARCEL)}, "parcels"),
    ],
)
def test_what_cainiao_cannot_be_told_is_refused_before_it_is_sent(changes: dict[str, Any], code: str) -> None:
    shop = sandbox()
    with pytest.raises(RejectedError) as raised:
        connector(shop).book(replace(REQUEST, **changes))

    assert raised.value.code == code
    assert shop.attempts == []


def test_what_the_platform_quotes_of_a_person_stands_in_no_error() -> None:
    barred = replace(PARCEL, goods=(replace(PARCEL.goods[0], name="爆竹"),))
    with pytest.raises(RejectedError) as raised:
        connector(sandbox()).book(replace(REQUEST, parcels=(barred,)))

    assert str(raised.value) == "收件人******: 物品禁寄 (isv.waybill-apply-error)"
    assert not any(value in repr(raised.value) for value in PERSON)


def test_an_order_that_has_other_waybills_and_not_ours_has_none_of_our_key() -> None:
    shop = sandbox()
    account = connector(shop)
    other = account.book(replace(HIDDEN, key="R20270302000016-1-1"))

    assert account.find_booking(HIDDEN) is None
    shop.faults.force(Fault.TIMEOUT_AFTER)
    with pytest.raises(OutcomeUnknownError):
        account.book(HIDDEN)
    found = account.find_booking(HIDDEN)
    assert found is not None
    assert found.number != other.number


def test_where_nothing_says_which_waybill_is_ours_a_person_is_told_which_there_are() -> None:
    shop = sandbox()
    shop.names_requests = False
    account = connector(shop)
    waybill = account.book(HIDDEN)

    with pytest.raises(OutcomeUnknownError) as raised:
        account.find_booking(HIDDEN)
    assert raised.value.problem == f"one of these waybills may be that of {HIDDEN.key}: {waybill.number}"


def test_a_key_that_no_platform_knows_finds_its_own_waybill_whatever_the_answer_names() -> None:
    shop = sandbox()
    shop.names_requests = False
    account = connector(shop)
    first = account.book(REQUEST)
    account.book(request(18))

    found = account.find_booking(REQUEST)
    assert found is not None
    assert found.number == first.number


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        ({"waybill_code": ""}, TransientError),
        ({"waybill_code": "4312345678901", "real_cp_code": "YUNDA"}, OutcomeUnknownError),
    ],
)
def test_what_is_found_without_a_number_or_with_another_courier_is_no_waybill(
    shown: dict[str, str], error: type[Exception]
) -> None:
    rows = [{"success": True, "waybill_cloud_print_response": {"object_id": REQUEST.key, **shown}}]
    account = answering({"modules": {"waybill_cloud_print_with_result_desc_response": rows}})
    with pytest.raises(error):
        account.find_booking(REQUEST)


def test_a_key_with_two_waybills_is_a_person_s_matter() -> None:
    account = connector(sandbox())
    numbers = sorted(account.book(REQUEST).number for _ in range(2))

    with pytest.raises(OutcomeUnknownError, match=", ".join(numbers)):
        account.find_booking(REQUEST)


def test_without_a_number_nothing_is_asked_to_be_void() -> None:
    shop = sandbox()
    shop.faults.force(Fault.TIMEOUT_AFTER)
    with pytest.raises(OutcomeUnknownError):
        connector(shop).book(REQUEST)

    assert connector(shop).cancel_booking(Booking(key=REQUEST.key, carrier="STO")) is None
    assert [waybill.state for waybill in shop.waybills] == ["booked"]


def test_a_cancel_that_the_platform_does_not_confirm_is_none() -> None:
    booking = Booking(key="R1", carrier="STO", number="773000000000001")

    assert answering({"cancel_result": False}).cancel_booking(booking) is None
    assert answering({}).cancel_booking(booking) is None
    assert answering({"cancel_result": True}).cancel_booking(booking) is True


def test_a_refused_cancel_is_read_by_a_person() -> None:
    shop = sandbox()
    account = connector(shop)
    waybill = account.book(REQUEST)
    shop.pick_up(REQUEST.key)
    with pytest.raises(RejectedError, match="已揽收"):
        account.cancel_booking(waybill)


def test_print_data_of_another_waybill_are_no_label() -> None:
    inner = {"waybill_code": "773000000000002", "print_data": '{"a":1}'}
    rows = [{"success": True, "waybill_cloud_print_response": inner}]
    account = answering({"modules": {"waybill_cloud_print_with_result_desc_response": rows}})
    with pytest.raises(TransientError):
        account.label(Booking(key="R1", carrier="STO", number="773000000000001"))
    assert account.label(Booking(key="R1", carrier="STO", number="773000000000002")) == b'{"a":1}'


def test_what_is_left_is_counted_over_all_branches_of_the_courier_and_of_no_other() -> None:
    def row(cp_code: str, cp_type: int, *quantities: int) -> dict[str, Any]:
        branches = [{"quantity": q, "shipp_address_cols": {"address_dto": [{"city": "杭州市"}]}} for q in quantities]
        return {"cp_code": cp_code, "cp_type": cp_type, "branch_account_cols": {"waybill_branch_account": branches}}

    rows = [row("STO", 2, 3, 4), row("ZTO", 2, 50), row("SF", 1, 0)]
    body = {"waybill_apply_subscription_cols": {"waybill_apply_subscription_info": rows}}

    assert left_of(body, "STO") == (7, 2)
    assert left_of(body, "SF") == (None, 1)
    assert left_of(body, "EMS") == (None, 0)
    with pytest.raises(PayloadError, match="quantity"):
        left_of({"waybill_apply_subscription_cols": {"waybill_apply_subscription_info": [row("STO", 2, -1)]}}, "STO")


def test_no_numbers_left_is_a_refusal_with_the_platform_s_reason() -> None:
    shop = sandbox()
    shop.left = 1
    account = connector(shop)
    account.book(REQUEST)
    assert account.balance() == 0
    with pytest.raises(RejectedError, match="余额不足"):
        account.book(request(18))


def test_the_check_says_what_is_left_and_refuses_a_courier_without_an_account() -> None:
    shop = sandbox()
    report = connector(shop).check()

    assert report.notes == (
        "places that parcels may be sent from, as Cainiao knows them: 1",
        "waybills that are left: 1000",
        "session_expires_at is not set, so the end of the session is not watched",
    )
    with pytest.raises(RejectedError, match="ZTO"):
        connector(shop, carrier="ZTO", cp_code="ZTO").check()


def test_a_small_letter_in_the_courier_s_code_is_forgiven_and_an_unknown_one_is_not() -> None:
    assert CainiaoSettings.model_validate(SETTINGS | {"carrier": "sto"}).carrier == "STO"
    with pytest.raises(ValueError, match="unknown carrier 'STOO'; did you mean STO"):
        CainiaoSettings.model_validate(SETTINGS | {"carrier": "STOO"})


def test_signature_booking_and_print_data_travel_over_a_real_socket() -> None:
    shop = CainiaoSandbox(clock=ManualClock())
    with serve({"cainiao": shop}) as server:
        values = SETTINGS | {"gateway": server.url("cainiao") + "/router/rest", "sign_method": "md5"}
        http = HttpClient(clock=shop.clock)
        account = CainiaoConnector(CainiaoSettings.model_validate(values), http, shop.clock)
        waybill = account.book(HIDDEN)
        label = account.label(waybill)
        shop.session = "another"
        with pytest.raises(AuthError):
            account.check()
        account.close()

    assert json.loads(label)["ver"] == "waybill_print_v1"
    assert waybill.label == label
