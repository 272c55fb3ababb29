"""Prices with more decimals than money has, and coupons that stand among the goods."""

from pathlib import Path

import pytest

from tests.connectors.csv_drop.builders import COLUMNS, HEADER, read_text, row

TOTAL = {**COLUMNS, "total": "total"}
COUPONS = {"discount_skus": ["COUPON"]}


def test_a_unit_price_of_more_decimals_keeps_the_amount_of_its_line(tmp_path: Path) -> None:
    """Three for 10.00: the line's 1000 stand in the total, the rounding of 3 x 333 is what is left over."""
    orders, refused = read_text(tmp_path, HEADER, row(qty=3, price="3.3333"))

    assert refused == []
    assert [(line.qty, line.price_minor) for line in orders["1001"].lines] == [(3, 333)]
    assert orders["1001"].total_minor == 1000


@pytest.mark.parametrize(("price", "minor"), [("0.005", 1), ("0.0049", 0), ("12.345", 1235)])
def test_halves_are_rounded_up(tmp_path: Path, price: str, minor: int) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(price=price))

    assert orders["1001"].lines[0].price_minor == minor


def test_a_total_of_more_decimals_is_still_refused(tmp_path: Path) -> None:
    _, (problem,) = read_text(tmp_path, f"{HEADER},total", f"{row()},12.505", columns=TOTAL)

    assert problem.path == "total"


def test_a_coupon_row_is_a_discount_of_its_order(tmp_path: Path) -> None:
    rows = [row(price="30"), row(sku="COUPON", price="-5.50"), row(sku="COUPON", qty=2, price="-1")]
    orders, refused = read_text(tmp_path, HEADER, *rows, **COUPONS)

    assert refused == []
    assert [line.channel_sku for line in orders["1001"].lines] == ["A"]
    assert (orders["1001"].discount_minor, orders["1001"].total_minor) == (750, 2250)


@pytest.mark.parametrize("coupon", [row(sku="COUPON", price=""), row(sku="COUPON", qty="many", price="-5")])
def test_a_coupon_without_an_amount_is_a_bad_row(tmp_path: Path, coupon: str) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(price="30"), coupon, **COUPONS)

    assert len(orders["1001"].bad_lines) == 1
    assert orders["1001"].discount_minor in {None, 0}


def test_a_coupon_of_nothing_takes_nothing_off(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(price="30"), row(sku="COUPON", price="0"), **COUPONS)

    assert (orders["1001"].bad_lines, orders["1001"].total_minor) == ((), 3000)


def test_a_coupon_above_zero_is_a_bad_row(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(price="30"), row(sku="COUPON", price="5.50"), **COUPONS)

    assert [bad.error.problem for bad in orders["1001"].bad_lines] == ["a coupon's amount must be below zero"]


def test_an_amount_below_zero_that_nobody_called_a_coupon_is_a_bad_row(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(price="30"), row(sku="COUPON", price="-5.50"))

    assert [bad.error.path for bad in orders["1001"].bad_lines] == ["price"]


def test_an_order_of_coupons_alone_is_told(tmp_path: Path) -> None:
    _, (problem,) = read_text(tmp_path, HEADER, row(sku="COUPON", price="-5.50"), **COUPONS)

    assert problem.problem == "an order of coupons alone"
