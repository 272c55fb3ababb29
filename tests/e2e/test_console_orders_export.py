"""Orders as a file from the console: what is in it, and that no spreadsheet runs, rounds or garbles it."""

import csv
import io
from collections.abc import Iterator

import pytest
import requests

from erpsync.flows.exports.cells import cell
from erpsync.flows.exports.orders import PAGE
from tests.support.order_desk import OrderDesk, order_desk
from tests.support.visitor import visitor

HEAD = (
    "Order,Channel,Kind of order,Channel’s number,Status,Reason of hold,Tags,Placed,"
    "Paid on,Currency,To pay in all,Paid,Refunded,Line,Seller code,SKU,Goods,Price,Ordered,Cancelled,Shipped,"
    "Missing,Warehouse,Carrier,Tracking"
)


@pytest.fixture
def desk(database_url: str) -> Iterator[OrderDesk]:
    with order_desk(database_url) as opened:
        yield opened


def rows(answer: requests.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_a_file_holds_a_row_for_each_line_of_what_the_filters_fit(desk: OrderDesk) -> None:
    answer = desk.get("orders/export?sku=A&status=allocated")
    [row] = rows(answer)

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith("attachment;filename=")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.content.decode("utf-8-sig").partition("\r\n")[0] == HEAD
    assert (row["Order"], row["Channel"], row["Status"], row["SKU"], row["Ordered"], row["Warehouse"]) == (
        desk.named("o1"),
        "shop",
        "allocated",
        "A",
        "2",
        "SH",
    )
    assert (row["To pay in all"], row["Price"]) == ("20.00", "10.00")


def test_the_head_is_in_the_readers_language(desk: OrderDesk) -> None:
    answer = desk.get("orders/export", **{"Accept-Language": "zh"})
    first = answer.content.decode("utf-8-sig").partition("\r\n")[0]

    assert first.startswith("订单,店铺,订单类型,平台订单号,状态,挂起原因,")
    assert [row["状态"] for row in rows(answer)] == ["未付款", "缺货", "已配货"]


def test_those_that_are_chosen_are_in_the_file_and_no_others(desk: OrderDesk) -> None:
    reader = visitor(desk.store, "mei", role="read")
    answer = desk.post("orders/export", reader, order=[desk.named("o1"), desk.named("o3"), "gone"])

    assert {row["Channel’s number"] for row in rows(answer)} == {"o1", "o3"}
    assert desk.post("orders/export").status_code == 409


def test_nothing_personal_is_in_a_file(desk: OrderDesk) -> None:
    text = desk.get("orders/export").text

    assert not any(word in text for word in ("王", "13800001111", "13900002222", "解放路", "蓝色纸", "mug-fan"))


def test_more_orders_than_a_page_are_all_in_the_file_once(desk: OrderDesk) -> None:
    for number in range(PAGE):
        desk.town.shop.place(f"more-{number}", ("A", 1))
    desk.read()
    listed = [row["Channel’s number"] for row in rows(desk.get("orders/export"))]

    assert len(listed) == len(set(listed)) == PAGE + 3


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+49 30", "-5", "@SUM(A1)", "\tcmd", "\r=1", "\n=1", "1234567890123456", "6917878012345678901"],
)
def test_what_a_spreadsheet_would_run_or_round_is_set_as_text(text: str) -> None:
    assert cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "A", "亚麻衬衫", "SF1400022331234", "123456789012345", "a=b", "1-2"])
def test_everything_else_stands_as_it_is(text: str) -> None:
    assert cell(text) == text


def test_a_seller_code_that_is_a_formula_is_text_in_the_file(desk: OrderDesk) -> None:
    evil = '=HYPERLINK("http://evil.example","x")'
    desk.town.shop.place("evil", (evil, 1))
    desk.read()

    assert f"'{evil}" in {row["Seller code"] for row in rows(desk.get("orders/export"))}


@pytest.mark.parametrize(("query", "status"), [("status=lost", 409), ("from=soon", 400)])
def test_a_filter_that_means_nothing_gives_no_file(desk: OrderDesk, query: str, status: int) -> None:
    assert desk.get(f"orders/export?{query}").status_code == status
