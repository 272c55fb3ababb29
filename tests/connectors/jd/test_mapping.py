"""Payloads in normal form. The golden files are written from the protocol notes (`origin: notes`)."""

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.jd.mapping import format_time, order_of, parse_time, refund_of, sku_number
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.read import minor
from tests.connectors.jd.shop import HERE
from tests.support.records import golden, plain

GOLDEN = sorted((HERE / "golden").glob("*.json"))


def read(kind: str, raw: Any) -> Any:
    return plain(refund_of(raw) if kind == "refund" else order_of(raw, encrypted=kind == "order"))


def to_ship(**changes: Any) -> Any:
    return {**copy.deepcopy(golden(HERE, "order-to-ship")["raw"]), **changes}


def with_item(**changes: Any) -> Any:
    raw = to_ship()
    raw["itemInfoList"][0].update(changes)
    return raw


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_payload_of_the_notes_becomes_the_expected_normal_form(path: Any) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    got = read(case["kind"], case["raw"])

    assert {name: got[name] for name in case["expected"]} == case["expected"]
    assert case["origin"] == "notes"


@pytest.mark.parametrize(("paid", "total"), [({}, 0), ({"paymentConfirmTime": None}, 10_500)])
def test_an_actual_pay_of_nothing_counts_once_it_is_paid(paid: dict[str, None], total: int) -> None:
    assert order_of(to_ship(actualPay="0.00", shouldPay="105.00", **paid), encrypted=True).total_minor == total


@pytest.mark.parametrize("missing", [("fullname",), ("mobile", "telephone"), ("fullAddress",)])
def test_cipher_texts_of_which_one_is_missing_are_none(missing: tuple[str, ...]) -> None:
    raw = copy.deepcopy(golden(HERE, "order-without-oaid")["raw"])
    assert order_of(raw, encrypted=True).recipient.ciphertext

    raw["consigneeInfo"] |= dict.fromkeys(missing, "")

    assert not order_of(raw, encrypted=True).recipient.ciphertext


def test_a_state_that_is_in_no_table_is_not_understood() -> None:
    with pytest.raises(PayloadError) as caught:
        order_of(to_ship(orderState="WAIT_FOR_DRONE"), encrypted=True)

    assert (caught.value.path, caught.value.unknown_status) == ("$.orderInfo.orderState", "WAIT_FOR_DRONE")


@pytest.mark.parametrize("value", ["-10.00", "ten", 10, [1]])
@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("freightPrice", "freight_minor"),
        ("sellerDiscount", "discount_minor"),
        ("orderTotalPrice", "goods_minor"),
        ("openIdBuyer", "buyer"),
        ("orderRemark", "buyer_note"),
    ],
)
def test_what_decides_nothing_and_makes_no_sense_is_left_out(field: str, name: str, value: object) -> None:
    if name in ("buyer", "buyer_note") and not isinstance(value, list):
        value = [value]
    got = order_of(to_ship(**{field: value}), encrypted=True)

    assert getattr(got, name) is None
    assert got.total_minor == 10500


@given(st.integers(min_value=0, max_value=10**13))
def test_money_is_exact_to_the_fen(fen: int) -> None:
    assert minor(f"{Decimal(fen) / 100:.2f}", path="$") == fen


@pytest.mark.parametrize(
    "value", [12.5, 12, None, "", "12,50", "12.505", "-12.505", "NaN", "1e3", "￥12.50", True, "--1", "١٢"]
)
def test_what_is_no_amount_in_yuan_is_refused_and_not_guessed(value: object) -> None:
    with pytest.raises(PayloadError):
        minor(value, path="$.orderInfo.actualPay")


@pytest.mark.parametrize("value", ["105.00.1", 105.5, "-1", None, True, "1e3"])
def test_what_is_no_amount_in_fen_is_refused_and_not_guessed(value: object) -> None:
    with pytest.raises(PayloadError) as caught:
        refund_of({**golden(HERE, "refund-asked-for")["raw"], "applyRefundSum": value})

    assert caught.value.path == "$.refund.applyRefundSum"


@given(st.datetimes(min_value=datetime(2003, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_beijing_time_is_read_as_the_instant_it_means(local: datetime) -> None:
    text = local.strftime("%Y-%m-%d %H:%M:%S")
    at = parse_time(text, path="$")

    assert at == (local.replace(microsecond=0) - timedelta(hours=8)).replace(tzinfo=UTC)
    assert format_time(at) == text


@pytest.mark.parametrize("value", ["2026-11-20", "2026-11-20T10:00:00", "2026-13-01 00:00:00", 0, None, True])
def test_what_is_no_time_of_the_platform_is_refused(value: object) -> None:
    with pytest.raises(PayloadError):
        parse_time(value, path="$")


@pytest.mark.parametrize("days_that_mean_none", ["0001-01-01 00:00:00", "1970-01-01 08:00:00", "", None])
def test_a_day_that_means_none_is_no_payment(days_that_mean_none: object) -> None:
    assert order_of(to_ship(paymentConfirmTime=days_that_mean_none), encrypted=True).paid_at is None


@pytest.mark.parametrize(
    ("field", "value"), [("itemTotal", "-1"), ("itemTotal", "2.0"), ("jdPrice", 50), ("skuId", "x")]
)
def test_a_line_that_cannot_be_read_is_set_aside_and_the_others_are_kept(field: str, value: object) -> None:
    raw = with_item(**{field: value})
    raw["itemInfoList"].append(
        {**golden(HERE, "order-to-ship")["raw"]["itemInfoList"][0], "skuId": "2", "outerSkuId": "B-1"}
    )
    got = order_of(raw, encrypted=True)

    assert [line.channel_sku for line in got.lines] == ["B-1"]
    assert [line.error.path for line in got.bad_lines] == [f"$.orderInfo.itemInfoList[0].{field}"]


def test_an_order_without_one_readable_line_is_refused() -> None:
    with pytest.raises(PayloadError) as caught:
        order_of(with_item(itemTotal="two"), encrypted=True)

    assert caught.value.path == "$.orderInfo.itemInfoList[0].itemTotal"


def test_rows_of_one_sku_keep_their_names_when_another_reading_lists_them_in_another_order() -> None:
    raw = golden(HERE, "order-gift-repeats-the-sku")["raw"]
    turned = {**raw, "itemInfoList": raw["itemInfoList"][::-1]}

    first = {line.external_id: line.price_minor for line in order_of(raw, encrypted=True).lines}
    assert first == {line.external_id: line.price_minor for line in order_of(turned, encrypted=True).lines}
    assert first == {"100000001": 6000, "100000001:1": 0}


@pytest.mark.parametrize("uuid", ["u-1", "u-2"])
@pytest.mark.parametrize("turned", [False, True])
def test_a_parcel_counts_for_the_row_that_its_uuid_names(uuid: str, turned: bool) -> None:
    raw = golden(HERE, "order-rows-told-apart-by-uuid")["raw"]
    rows = raw["itemInfoList"][::-1] if turned else raw["itemInfoList"]
    sent = [{"skuId": "100000001", "skuUuid": uuid, "num": "1"}]
    parcel = {"waybillId": "SF1", "skus": sent}
    got = order_of({**raw, "itemInfoList": rows, "partialLogisticsInfoModel": [parcel]}, encrypted=True)

    assert [line.external_id for line in got.lines if line.shipped_qty] == [f"100000001:{uuid}"]


def test_a_parcel_without_uuid_fills_one_row_after_the_other() -> None:
    raw = golden(HERE, "order-gift-repeats-the-sku")["raw"]
    parcel = {"waybillId": "SF1", "skus": [{"skuId": "100000001", "num": "1"}]}
    got = order_of({**raw, "partialLogisticsInfoModel": [parcel, parcel]}, encrypted=True)

    assert sum(line.shipped_qty for line in got.lines) == 2


def test_an_error_never_shows_the_value_that_was_found() -> None:
    raw = to_ship()
    raw["consigneeInfo"]["mobile"] = ["13800138000"]
    with pytest.raises(PayloadError) as caught:
        order_of(raw, encrypted=True)

    assert "13800138000" not in str(caught.value)
    assert caught.value.path == "$.orderInfo.consigneeInfo.mobile"


def test_normalising_leaves_the_payload_as_it_was() -> None:
    raw = to_ship()
    before = copy.deepcopy(raw)
    order_of(raw, encrypted=True)

    assert raw == before


@pytest.mark.parametrize("ref", ["", "abc", "1:2", "１"])
def test_a_reference_that_is_no_sku_id_is_refused(ref: str) -> None:
    with pytest.raises(RejectedError):
        sku_number(ref)
