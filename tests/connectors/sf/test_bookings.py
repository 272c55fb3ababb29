"""Bookings with SF: what is sent word for word, what each answer means, and that a key never has two waybills."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connectors.sf.connector import SfConnector
from connectors.sf.mapping import order_data
from connectors.sf.sandbox import SfSandbox
from connectors.sf.sandbox.orders import BARRED
from connectors.sf.settings import SfSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import (
    AuthError,
    ConnectorError,
    OutcomeUnknownError,
    PayloadError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import TRANSPORT_FAULTS, Fault, SandboxRequest, SandboxResponse, serve
from erpsync.sdk.types import Booking, Recipient
from tests.connectors.sf.account import PARCEL, PERSON, REQUEST, SETTINGS, connector, request

GOLDEN = json.loads((Path(__file__).parent / "golden" / "bookings.json").read_text(encoding="utf-8"))
CREATE, SEARCH = "EXP_RECE_CREATE_ORDER", "EXP_RECE_SEARCH_ORDER_RESP"


class Answering(SfSandbox):
    """A platform that says what it is told to say; `asked` holds service and data of each call."""

    def __init__(self, said: Callable[[str], dict[str, Any]]) -> None:
        super().__init__()
        self.said = said
        self.asked: list[tuple[str, Any]] = []

    def answer(self, request: SandboxRequest) -> SandboxResponse:
        form = request.form()
        self.asked.append((form["serviceCode"], json.loads(form["msgData"])))
        return SandboxResponse.of_json(self.said(form["serviceCode"]))


def done(data: object) -> dict[str, Any]:
    result = {"success": True, "errorCode": "S0000", "errorMsg": None, "msgData": data}
    return {"apiResultCode": "A1000", "apiErrorMsg": "", "apiResultData": json.dumps(result, ensure_ascii=False)}


def refused(case: dict[str, str], text: str = "原因") -> dict[str, Any]:
    if "gateway" in case:
        return {"apiResultCode": case["gateway"], "apiErrorMsg": text, "apiResultData": ""}
    result = {"success": "false", "errorCode": case["service"] or None, "errorMsg": text}
    return {"apiResultCode": "A1000", "apiErrorMsg": "", "apiResultData": json.dumps(result)}


def test_a_booking_is_sent_word_for_word() -> None:
    got = order_data(replace(REQUEST, parcels=(PARCEL, PARCEL)), SfSettings.model_validate(SETTINGS))

    assert got == GOLDEN["booking"]


def test_a_weight_that_nobody_knows_is_not_sent() -> None:
    parcels = (PARCEL, replace(PARCEL, weight_g=None))

    assert "totalWeight" not in order_data(replace(REQUEST, parcels=parcels), SfSettings.model_validate(SETTINGS))


@pytest.mark.parametrize("case", GOLDEN["answers"], ids=lambda case: case["name"])
def test_an_answer_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    shop = Answering(lambda service: done(case["data"]))
    if "waybill" in case:
        waybill = connector(shop, ManualClock()).book(REQUEST)
        assert case["waybill"] == {
            "number": waybill.number,
            "children": list(waybill.children),
            "sort_code": waybill.sort_code,
        }
        return
    with pytest.raises(ConnectorError) as raised:
        connector(shop, ManualClock()).book(REQUEST)

    assert type(raised.value).__name__ == case["means"]
    assert case.get("says", "") in str(raised.value)


@pytest.mark.parametrize("case", GOLDEN["refusals"], ids=str)
def test_a_refusal_says_who_acts(case: dict[str, str]) -> None:
    with pytest.raises(ConnectorError) as raised:
        connector(Answering(lambda service: refused(case)), ManualClock()).book(REQUEST)

    assert type(raised.value).__name__ == case["means"]
    assert "原因" in str(raised.value)


@pytest.mark.parametrize(
    "document",
    [
        {"apiResultCode": "A1000", "apiResultData": ""},
        {"apiResultCode": "A1000", "apiResultData": "{"},
        {"apiResultCode": "A1000", "apiResultData": '{"errorCode":"S0000"}'},
        {"apiResultCode": 1000},
        {},
    ],
)
def test_an_answer_that_says_nothing_leaves_the_outcome_unknown(document: dict[str, Any]) -> None:
    account = connector(Answering(lambda service: document), ManualClock())
    with pytest.raises(OutcomeUnknownError):
        account.book(REQUEST)
    with pytest.raises(TransientError):
        account.find_booking(REQUEST)


def test_data_that_come_as_an_object_are_read_as_well() -> None:
    numbers = [{"waybillType": 1, "waybillNo": "SF7"}]
    result = {"success": True, "errorCode": None, "msgData": {"filterResult": 2, "waybillNoInfoList": numbers}}
    shop = Answering(lambda service: {"apiResultCode": "A1000", "apiResultData": result})

    assert connector(shop, ManualClock()).book(REQUEST).number == "SF7"


def test_a_key_that_sf_has_already_is_asked_for_and_never_booked_under_another() -> None:
    shop = SfSandbox()
    account = connector(shop, ManualClock())
    shop.faults.force(Fault.TIMEOUT_AFTER)
    with pytest.raises(OutcomeUnknownError):
        account.book(REQUEST)

    waybill = account.book(REQUEST)

    assert (waybill.key, waybill.number) == (REQUEST.key, "SF1000000000001")
    assert shop.attempts == [REQUEST.key, REQUEST.key]
    assert list(shop.orders) == [REQUEST.key]


def test_a_key_that_sf_has_and_does_not_find_is_an_unknown_outcome() -> None:
    def said(service: str) -> dict[str, Any]:
        return refused({"service": "8016" if service == CREATE else "8018"})

    shop = Answering(said)
    with pytest.raises(OutcomeUnknownError, match="does not find it"):
        connector(shop, ManualClock()).book(REQUEST)

    assert [service for service, _ in shop.asked] == [CREATE, SEARCH]


@pytest.mark.parametrize("fault", [*TRANSPORT_FAULTS, Fault.NO_NUMBER])
def test_a_key_that_sf_has_is_never_said_to_be_free_while_its_number_cannot_be_asked_for(fault: Fault) -> None:
    shop = SfSandbox()
    account = connector(shop, ManualClock())
    shop.faults.force(fault if fault is Fault.NO_NUMBER else Fault.TIMEOUT_AFTER)
    with pytest.raises(OutcomeUnknownError):
        account.book(REQUEST)
    if fault in TRANSPORT_FAULTS:
        shop.faults.force(fault, after=1, times=12)

    with pytest.raises(OutcomeUnknownError, match="8016"):
        account.book(REQUEST)


def test_a_booking_that_was_cancelled_is_no_waybill_when_it_is_looked_for() -> None:
    account = connector(SfSandbox(), ManualClock())
    waybill = account.book(REQUEST)
    assert account.cancel_booking(waybill) is True

    with pytest.raises(RejectedError, match="8037"):
        account.find_booking(REQUEST)
    with pytest.raises(RejectedError, match="8037"):
        account.book(REQUEST)


def test_a_booking_is_cancelled_by_its_key_alone_when_its_number_is_not_known() -> None:
    shop = SfSandbox()
    account = connector(shop, ManualClock())
    shop.faults.force(Fault.NO_NUMBER)
    with pytest.raises(OutcomeUnknownError):
        account.book(REQUEST)

    assert account.cancel_booking(Booking(key=REQUEST.key, carrier="SF")) is True
    assert shop.orders[REQUEST.key].state == "cancelled"


def test_void_stays_void_and_what_was_fetched_cannot_be_voided() -> None:
    shop = SfSandbox()
    account = connector(shop, ManualClock())
    void, fetched = account.book(request(1)), account.book(request(2))
    shop.pick_up(fetched.key)

    assert [account.cancel_booking(void) for _ in range(2)] == [True, True]
    assert account.cancel_booking(fetched) is False
    assert account.cancel_booking(Booking(key="R3", carrier="SF")) is None


def test_two_parcels_with_one_number_have_none_yet() -> None:
    shop = Answering(lambda service: done(GOLDEN["answers"][0]["data"]))
    with pytest.raises(OutcomeUnknownError, match="no number yet"):
        connector(shop, ManualClock()).book(replace(REQUEST, parcels=(PARCEL, PARCEL)))


def test_a_number_of_another_booking_cancels_nothing() -> None:
    shop = SfSandbox()
    account = connector(shop, ManualClock())
    first, other = account.book(request(1)), account.book(request(2))
    with pytest.raises(RejectedError, match="do not belong together"):
        account.cancel_booking(replace(first, number=other.number))

    assert [order.state for order in shop.orders.values()] == ["booked", "booked"]


def test_a_refusal_of_a_cancel_that_stands_in_no_table_is_a_person_s_matter() -> None:
    shop = Answering(lambda service: refused({"service": "9999"}))
    with pytest.raises(RejectedError, match="9999"):
        connector(shop, ManualClock()).cancel_booking(Booking(key="R1", carrier="SF", number="SF1"))


def test_what_sf_quotes_of_a_person_stands_in_no_error() -> None:
    wrong = replace(REQUEST.recipient, phone="138-0013-8000-99999999")
    with pytest.raises(RejectedError) as raised:
        connector(SfSandbox(), ManualClock()).book(replace(REQUEST, recipient=wrong))

    assert str(raised.value) == "***的电话号码***有误 (8196)"
    assert PERSON[0] not in repr(raised.value)

    barred = replace(PARCEL, goods=(replace(PARCEL.goods[0], name=BARRED),))
    spaced = replace(REQUEST.recipient, phone="+86 138 0013 8000")
    with pytest.raises(RejectedError) as raised:
        connector(SfSandbox(), ManualClock()).book(replace(REQUEST, recipient=spaced, parcels=(barred,)))

    assert str(raised.value) == "******的托寄物为禁寄品 (20035)"


def test_cash_on_delivery_is_refused_until_there_is_an_account_for_it() -> None:
    cash = replace(REQUEST, cod_minor=12_850)
    with pytest.raises(RejectedError, match="cod_account"):
        connector(SfSandbox(), ManualClock()).book(cash)
    shop = Answering(lambda service: done(GOLDEN["answers"][0]["data"]))
    connector(shop, ManualClock(), cod_account="7551234567").book(cash)

    assert shop.asked[0][1]["serviceList"] == [{"name": "COD", "value": "128.50", "value1": "7551234567"}]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"service": "standard"}, "service"),
        ({"cod_minor": 1, "currency": "USD"}, "currency"),
        ({"key": "R" * 65}, "key"),
        ({"recipient": Recipient(ciphertext="1~AeP", province="上海市"), "platform": "taobao"}, "ciphertext"),
        ({"recipient": replace(REQUEST.recipient, phone="")}, "recipient"),
        ({"parcels": (replace(PARCEL, goods=()),)}, "goods"),
    ],
)
def test_what_sf_cannot_be_told_is_refused_before_it_is_sent(changes: dict[str, Any], code: str) -> None:
    shop = SfSandbox()
    with pytest.raises(RejectedError) as raised:
        connector(shop, ManualClock(), cod_account="1").book(replace(REQUEST, **changes))

    assert raised.value.code == code
    assert shop.attempts == []


def test_a_booking_may_name_product_and_account() -> None:
    shop = Answering(lambda service: done(GOLDEN["answers"][0]["data"]))
    connector(shop, ManualClock()).book(replace(REQUEST, service="1", account="7550000000"))

    assert (shop.asked[0][1]["expressTypeId"], shop.asked[0][1]["monthlyCard"]) == (1, "7550000000")


def test_the_labels_of_several_parcels_are_asked_for_in_one_file() -> None:
    files = [{"url": "../label/1.pdf", "token": "t"}, {"url": "../label/2.pdf", "token": "t"}]
    shop = Answering(lambda service: done(None))
    made = {"success": True, "obj": {"files": files}}
    shop.said = lambda service: {"apiResultCode": "A1000", "apiResultData": json.dumps(made)}
    booking = Booking(key="R1", carrier="SF", number="SF1", children=("SF2",))
    with pytest.raises(PayloadError, match="expected one file, found 2"):
        connector(shop, ManualClock()).label(booking)

    assert shop.asked[0][1] == {
        "templateCode": "fm_150_standard_SANDBOX",
        "version": "2.0",
        "fileType": "pdf",
        "sync": True,
        "documents": [
            {"masterWaybillNo": "SF1", "seq": 1, "sum": 2},
            {"masterWaybillNo": "SF1", "branchWaybillNo": "SF2", "seq": 2, "sum": 2},
        ],
        "extJson": {"mergePdf": True, "mergeType": "all"},
    }


def test_digest_booking_and_label_travel_over_a_real_socket() -> None:
    shop, clock = SfSandbox(method="sm3"), ManualClock()
    with serve({"sf": shop}) as server:
        settings = SETTINGS | {"gateway": server.url("sf") + "/std/service", "digest": "sm3"}
        account = SfConnector(SfSettings.model_validate(settings), HttpClient(clock=clock), clock)
        waybill = account.book(replace(REQUEST, parcels=(PARCEL, PARCEL)))
        label = account.label(waybill)
        shop.method = "md5"
        with pytest.raises(AuthError, match="A1006"):
            account.check()
        account.close()

    assert (waybill.number, waybill.children) == ("SF1000000000001", ("SF1000000000002",))
    assert b"SF1000000000001 SF1000000000002" in label
