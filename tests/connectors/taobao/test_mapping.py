"""Payloads in normal form. The golden files are written from the protocol notes (`origin: notes`)."""

import copy
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.taobao.mapping import format_time, listing_rows, order_of, parse_time, refund_of, split_ref
from erpsync.sdk.errors import PayloadError, RejectedError
from erpsync.sdk.read import minor
from erpsync.sdk.types import OrderState
from tests.connectors.taobao.shop import HERE
from tests.support.records import golden, plain

GOLDEN = sorted((HERE / "golden").glob("*.json"))


def read(kind: str, raw: Any) -> Any:
    if kind == "listings":
        rows, bad = listing_rows(raw["items"], raw["skus"])
        assert bad == ()
        return [plain(row) for row in rows]
    return plain(order_of(raw) if kind == "order" else refund_of(raw))


def paid_order(**changes: Any) -> Any:
    return {**copy.deepcopy(golden(HERE, "order-paid-two-lines")["raw"]), **changes}


def first_line(**changes: Any) -> Any:
    raw = paid_order()
    raw["orders"]["order"][0].update(changes)
    return raw


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_payload_of_the_notes_becomes_the_expected_normal_form(path: Any) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    got = read(case["kind"], case["raw"])

    if isinstance(got, dict):
        got = {name: got[name] for name in case["expected"]}
    assert got == case["expected"]
    assert case["origin"] == "notes"


@pytest.mark.parametrize("value", ["-3.00", "three", 3, [1]])
@pytest.mark.parametrize(
    ("field", "name"),
    [("discount_fee", "discount_minor"), ("post_fee", "freight_minor"), ("total_fee", "goods_minor")],
)
def test_a_side_amount_that_makes_no_sense_is_left_out(field: str, name: str, value: object) -> None:
    assert getattr(order_of(paid_order(**{field: value})), name) is None


def test_an_orders_own_discount_and_those_of_its_lines_add_up() -> None:
    raw = paid_order(discount_fee="3.00")
    rows = raw["orders"]["order"]
    for row in rows:
        row["discount_fee"] = "1.00"

    assert order_of(raw).discount_minor == 300 + 100 * len(rows)


@pytest.mark.parametrize("step", ["FRONT_NOPAID_FINAL_NOPAID", "FRONT_PAID_FINAL_NOPAID", "OF_TOMORROW"])
def test_a_presale_that_is_not_paid_wholly_is_unpaid_whatever_its_status_says(step: str) -> None:
    got = order_of(paid_order(step_trade_status=step))

    assert (got.state, got.ready_at, got.paid_at) == (OrderState.UNPAID, None, None)


@pytest.mark.parametrize("missing", ["oid", "num"])
def test_a_refund_that_does_not_say_of_what_or_how_many_names_no_units(missing: str) -> None:
    raw = {name: value for name, value in golden(HERE, "refund-asked-for")["raw"].items() if name != missing}

    assert refund_of(raw).lines == ()


def test_a_status_that_is_in_no_table_is_told_as_one() -> None:
    with pytest.raises(PayloadError) as caught:
        order_of(paid_order(status="LOCKED"))

    assert caught.value.unknown_status == "LOCKED"


@given(st.integers(min_value=0, max_value=10**13))
def test_money_is_exact_to_the_fen(fen: int) -> None:
    assert minor(f"{Decimal(fen) / 100:.2f}", path="$") == fen


@pytest.mark.parametrize(
    "value", [12.5, 12, None, "", "12,50", "12.505", "-12.505", "NaN", "1e3", "￥12.50", True, "--1", "١٢"]
)
def test_what_is_no_amount_in_yuan_is_refused_and_not_guessed(value: object) -> None:
    with pytest.raises(PayloadError):
        minor(value, path="$.trade.payment")


@given(st.datetimes(min_value=datetime(2003, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_beijing_time_is_read_as_the_instant_it_means(local: datetime) -> None:
    text = local.strftime("%Y-%m-%d %H:%M:%S")
    at = parse_time(text, path="$")

    assert at == (local.replace(microsecond=0) - timedelta(hours=8)).replace(tzinfo=UTC)
    assert format_time(at) == text


@pytest.mark.parametrize(
    "value", ["2026-11-20", "2026-11-20T10:00:00", "2026-13-01 00:00:00", 0, None, "0000-00-00 00:00:00"]
)
def test_what_is_no_time_of_the_platform_is_refused(value: object) -> None:
    with pytest.raises(PayloadError) as caught:
        parse_time(value, path="$.trade.created")

    assert caught.value.path == "$.trade.created"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tid", "38x"),
        ("status", "TRADE_ON_MARS"),
        ("status", None),
        ("created", "yesterday"),
        ("modified", None),
        ("pay_time", 5),
        ("payment", 138.0),
        ("orders", {}),
        ("receiver_name", 7),
    ],
)
def test_a_field_of_the_order_that_cannot_be_read_is_named(field: str, value: object) -> None:
    with pytest.raises(PayloadError) as caught:
        order_of(paid_order(**{field: value}))

    assert caught.value.path == f"$.trade.{field}"


@pytest.mark.parametrize(
    ("field", "value"), [("num", -1), ("num", "2.0"), ("num", True), ("price", 50), ("oid", None), ("status", "?")]
)
def test_a_line_that_cannot_be_read_is_set_aside_and_the_others_are_kept(field: str, value: object) -> None:
    raw = first_line(**{field: value})
    if field == "oid":
        raw["orders"]["order"][0]["oid_str"] = ""
    got = order_of(raw)

    assert [line.channel_sku for line in got.lines] == ["SPU-02"]
    assert [line.error.path for line in got.bad_lines] == [f"$.trade.orders.order[0].{field}"]


def test_an_order_without_one_readable_line_is_refused() -> None:
    raw = paid_order()
    for line in raw["orders"]["order"]:
        line["num"] = "two"

    with pytest.raises(PayloadError) as caught:
        order_of(raw)

    assert caught.value.path == "$.trade.orders.order[0].num"


def test_an_error_never_shows_the_value_that_was_found() -> None:
    with pytest.raises(PayloadError) as caught:
        order_of(paid_order(receiver_mobile=13800138000))

    assert "13800138000" not in str(caught.value)


@pytest.mark.parametrize("mark", [1, "1", True, "true"])
def test_a_mark_that_forbids_shipping_is_understood_in_every_spelling(mark: object) -> None:
    assert order_of(paid_order(top_hold=mark)).do_not_ship == "the platform forbids shipping: top_hold"


def test_normalising_leaves_the_payload_as_it_was() -> None:
    raw = paid_order()
    before = copy.deepcopy(raw)

    order_of(raw)

    assert raw == before


def test_an_id_beyond_two_to_the_53_keeps_every_digit() -> None:
    assert order_of(paid_order(tid=9007199254740993123)).external_id == "9007199254740993123"


def test_a_refund_in_a_closed_state_of_an_exchange_gives_no_money() -> None:
    raw = golden(HERE, "refund-exchange-done")["raw"]

    assert refund_of(raw).amount_minor == 0


@pytest.mark.parametrize("ref", ["", "abc", "1:", ":2", "1:2:3", "1:x"])
def test_a_reference_that_is_not_the_platforms_is_refused(ref: str) -> None:
    with pytest.raises(RejectedError):
        split_ref(ref)
