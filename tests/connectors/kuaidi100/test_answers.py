"""What each answer means, written from the notes; and what a booking is sent as."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.kuaidi100.connector import Kuaidi100Account
from connectors.kuaidi100.sandbox import CUSTOMER, KEY, SALT, SECRET, Kuaidi100Sandbox
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import ConnectorError, RejectedError
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.types import Booking, Recipient, TrackedParcel
from tests.connectors.bookings import PERSON
from tests.connectors.kuaidi100.account import account, wish

GOLDEN = json.loads((Path(__file__).parent / "golden" / "answers.json").read_text(encoding="utf-8"))
PARCEL = TrackedParcel(carrier="SF", number="SF1", phone="8000")


def named(case: dict[str, Any]) -> str:
    return str(case["name"])


def answered(answer: Any, **more: Any) -> Kuaidi100Account:
    return account(Kuaidi100Sandbox(clock=ManualClock()), mount=lambda _: SandboxResponse.of_json(answer), **more)


def hearing(**more: Any) -> tuple[Kuaidi100Account, list[dict[str, Any]]]:
    """Return an account that takes down the parameters of its calls."""
    heard: list[dict[str, Any]] = []

    def hears(request: SandboxRequest) -> SandboxResponse:
        heard.append(json.loads(request.form()["param"]))
        answer = {"success": True, "code": 200, "data": {"kuaidinum": "SF1", "kdComOrderNum": "KD1"}}
        return SandboxResponse.of_json(answer)

    return account(Kuaidi100Sandbox(clock=ManualClock()), mount=hears, **more), heard


def judged(case: dict[str, Any], call: Callable[[], Any]) -> Any:
    """Return what a call returns; or see that it raises what the case says, and tells nobody's name and no secret."""
    if "means" not in case:
        return call()
    with pytest.raises(ConnectorError) as raised:
        call()
    assert type(raised.value).__name__ == case["means"]
    assert not any(text in repr(raised.value) for text in (*PERSON, KEY, SECRET, CUSTOMER, SALT))
    return None


@pytest.mark.parametrize("case", GOLDEN["answers"], ids=named)
def test_an_answer_to_a_booking_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    sink = answered(case["answer"])
    waybill = judged(case, lambda: sink.book(wish()))

    if waybill is not None:
        shown = (waybill.number, list(waybill.children), waybill.label_kind)
        assert shown == (case["number"], case["children"], case["kind"])


@pytest.mark.parametrize("case", GOLDEN["cancels"], ids=named)
def test_an_answer_to_a_wish_to_void_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    sink = answered(case["answer"])
    said = judged(case, lambda: sink.cancel_booking(Booking(key="R1", carrier="SF", number="SF1")))

    assert said is case.get("said")


@pytest.mark.parametrize("case", GOLDEN["queries"], ids=named)
def test_an_answer_to_a_query_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    source = answered(case["answer"])
    records = judged(case, lambda: source.pull_tracks([PARCEL]))

    assert records is None or len(records) == case["records"]


@pytest.mark.parametrize("case", GOLDEN["subscriptions"], ids=named)
def test_an_answer_to_a_subscription_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    source = answered(case["answer"])

    assert judged(case, lambda: source.watch_track(PARCEL)) in (True, None)


def test_a_booking_is_sent_as_its_golden_copy_says() -> None:
    sink, heard = hearing()
    sink.book(wish(parcels=2, cod_minor=1250))

    assert heard == [GOLDEN["order"]]


def test_what_was_given_with_the_order_is_given_to_void_it() -> None:
    """The monthly account and the product of the booking, and the courier's own number of it."""
    sink, heard = hearing(partner_key="p", partner_secret="q", net="上海站", check_man="王", code="9", template="")
    waybill = sink.book(wish(account="999", service="特快"))
    sink.cancel_booking(waybill)

    order, cancel = heard
    assert order["printType"] == "NON"
    given = {
        "partnerId": "999",
        "partnerKey": "p",
        "partnerSecret": "q",
        "net": "上海站",
        "code": "9",
        "checkMan": "王",
    }
    assert {name: order[name] for name in given} == {name: cancel[name] for name in given} == given
    assert (cancel["kuaidinum"], cancel["orderId"], cancel["expType"]) == ("SF1", "KD1", "特快")


def test_a_weight_that_is_not_known_of_every_parcel_is_not_told() -> None:
    sink, heard = hearing()
    [known] = wish().parcels
    for parcels in ((known, known), (known, replace(known, weight_g=None))):
        sink.book(replace(wish(), parcels=parcels))

    assert [param.get("weight") for param in heard] == [1.24, None]


def test_a_buyer_whom_taobao_hides_is_booked_with_an_account_that_taobao_lent_and_no_other() -> None:
    hidden = Recipient(name="李*", phone="", province="上海市", city="上海市", ciphertext="OAID1")
    lent, heard = hearing(net="cainiao")
    lent.book(wish(recipient=hidden, platform="taobao", orders=("1", "2")))
    assert (heard[0]["oaid"], heard[0]["thirdOrderId"]) == ("OAID1", "1,2")

    for sink, platform in ((lent, "jd"), (hearing()[0], "taobao")):
        with pytest.raises(RejectedError) as raised:
            sink.book(wish(recipient=hidden, platform=platform))
        assert raised.value.code == "ciphertext"


def test_what_is_collected_is_yuan() -> None:
    sink, heard = hearing()
    with pytest.raises(RejectedError, match="collects no USD"):
        sink.book(wish(cod_minor=1250, currency="USD"))

    assert heard == []
