"""Rows of a file into orders."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.roles import OrderSource, ShipmentSink, ShipmentSource, StockSink
from erpsync.sdk.types import Line, OrderState, Raw, Recipient
from tests.connectors.csv_drop.builders import (
    COLUMNS,
    HEADER,
    PLACED,
    clock_at,
    connector,
    drop,
    heads,
    order_drop,
    read,
    read_text,
    row,
    settings,
)

EIGHT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def test_rows_of_an_order_are_one_order_wherever_they_stand(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row("1", "A"), row("2", "B"), row("1", "C", qty=3))

    assert [(line.channel_sku, line.qty) for line in orders["1"].lines] == [("A", 1), ("C", 3)]
    assert [line.channel_sku for line in orders["2"].lines] == ["B"]


def test_a_whole_order(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row("1001", "A", 2, "12.50"))

    order = orders["1001"]
    assert order.state is OrderState.PAID
    assert order.placed_at == order.paid_at == order.ready_at == EIGHT
    assert (order.currency, order.total_minor) == ("CNY", 2500)
    assert order.lines == (Line(external_id="A", channel_sku="A", qty=2, price_minor=1250),)
    assert order.recipient is None
    assert order.undated


def test_an_order_without_a_time_of_payment_is_unpaid_and_not_due(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(paid=""))

    assert (orders["1001"].state, orders["1001"].ready_at) == (OrderState.UNPAID, None)


def test_line_ids_without_a_column_survive_another_order_of_rows(tmp_path: Path) -> None:
    rows = [row(sku="A", price=1), row(sku="B"), row(sku="A", price=2)]
    orders, _ = read_text(tmp_path, HEADER, *rows)
    turned, _ = read_text(tmp_path, HEADER, rows[1], rows[0], rows[2])

    assert [line.external_id for line in orders["1001"].lines] == ["A", "B", "A#2"]
    assert {line.external_id: line.price_minor for line in turned["1001"].lines} == {"A": 100, "B": 1250, "A#2": 200}


def test_an_equal_order_from_another_file_has_the_same_digest(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", [HEADER, row("0"), row("1")])
    drop(tmp_path, "b.csv", [HEADER, row("1")])

    found = [head for head in heads(order_drop(tmp_path)) if head.external_id == "1"]

    assert found[0].digest == found[1].digest
    assert [head.source for head in found] == ["a.csv:3", "b.csv:2"]


@pytest.mark.parametrize(
    ("spoilt", "path"),
    [
        (row(sku="B", qty=-1), "qty"),
        (row(sku="B", qty="two"), "qty"),
        (row(sku="B", price="12;x"), "price"),
        (row(sku=""), "channel_sku"),
        (row(sku="1.23E+17"), "channel_sku"),
        (row(sku="B", paid="soon"), "paid_at"),
    ],
)
def test_a_bad_line_is_kept_beside_the_good_ones_with_its_place(tmp_path: Path, spoilt: str, path: str) -> None:
    orders, refused = read_text(tmp_path, HEADER, row(sku="A"), spoilt)

    (bad,) = orders["1001"].bad_lines
    assert [line.channel_sku for line in orders["1001"].lines] == ["A"]
    assert (bad.key, bad.error.path, bad.error.source) == ("1001@orders.csv:3", path, "orders.csv:3")
    assert refused == []


def test_side_amounts_that_make_no_sense_are_left_out(tmp_path: Path) -> None:
    columns = {**COLUMNS, "freight": "freight", "discount": "discount", "paid": "got"}
    header, spoilt = f"{HEADER},freight,discount,got", f"{row()},-8.00,twelve,1.2.3"
    orders, refused = read_text(tmp_path, header, spoilt, columns=columns)

    found = orders["1001"]
    assert (found.freight_minor, found.discount_minor, found.paid_minor, refused) == (None, None, None, [])


def test_a_bad_line_keeps_its_name_and_its_place_among_equal_codes(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(sku="A", qty=-1), row(sku="A", price=2), row(sku=""))

    order = orders["1001"]
    assert [(line.external_id, line.price_minor) for line in order.lines] == [("A#2", 200)]
    assert [bad.row["line_id"] for bad in order.bad_lines] == ["A", ""]


def test_an_order_with_no_good_row_is_a_dead_letter_only(tmp_path: Path) -> None:
    orders, (problem,) = read_text(tmp_path, HEADER, row("1", qty=-1), row("2"))

    assert list(orders) == ["2"]
    assert (problem.path, problem.source) == ("qty", "orders.csv:2")


def test_an_id_that_a_spreadsheet_program_cut_is_refused_with_its_line(tmp_path: Path) -> None:
    """Failures row 27: text-only ids."""
    orders, refused = read_text(tmp_path, HEADER, row("1.23E+17"), row("1.23E+17", "B"), row("2"))

    assert list(orders) == ["2"]
    assert [problem.source for problem in refused] == ["orders.csv:2", "orders.csv:3"]
    assert refused[0].path == "external_id"


def test_long_ids_keep_every_digit(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row('="1234567890123456789"'), row("'0001"), row("\t9876543210987654321"))

    assert list(orders) == ["1234567890123456789", "0001", "9876543210987654321"]


def test_a_row_without_an_id_is_a_dead_letter_of_its_own(tmp_path: Path) -> None:
    orders, refused = read_text(tmp_path, HEADER, row(""), row("1"), row(""))

    assert list(orders) == ["1"]
    assert [(problem.path, problem.source) for problem in refused] == [
        ("external_id", "orders.csv:2"),
        ("external_id", "orders.csv:4"),
    ]


def test_a_dead_letter_is_mended_by_a_corrected_setting(tmp_path: Path) -> None:
    columns = {**COLUMNS, "status": "state"}
    drop(tmp_path, "orders.csv", [f"{HEADER},state", f"{row()},待处理"])
    source = order_drop(tmp_path, columns=columns)
    (raw,) = source.complete(heads(source))
    with pytest.raises(PayloadError, match="the status in this row is not in status_map"):
        source.normalise(raw)

    mended = order_drop(tmp_path, columns=columns, status_map={"待处理": "paid"})

    assert mended.normalise(raw).state is OrderState.PAID


def test_reading_a_bad_line_again_brings_the_whole_order(tmp_path: Path) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row(sku="A"), row(sku="B", paid="02.03.2026")])
    source = order_drop(tmp_path)
    (raw,) = source.complete(heads(source))
    (bad,) = source.normalise(raw).bad_lines

    mended = order_drop(tmp_path, datetime_formats=["%d.%m.%Y"])
    again = Raw(head=raw.head, payload=bad.row, read_from=raw.read_from, read_to=raw.read_to)

    assert [line.channel_sku for line in mended.normalise(again).lines] == ["A", "B"]
    assert mended.normalise(again).bad_lines == ()


MONEY = {**COLUMNS, "total": "total", "paid": "paid_sum", "freight": "post", "discount": "off", "refunded": "back"}
MONEY_HEADER = f"{HEADER},total,paid_sum,post,off,back"


def test_amounts_stay_as_the_channel_states_them(tmp_path: Path) -> None:
    """Failures row 25."""
    orders, _ = read_text(tmp_path, MONEY_HEADER, f"{row(qty=2)},30.01,10.00,6.00,-1.00,20.01", columns=MONEY)

    order = orders["1001"]
    assert (order.total_minor, order.paid_minor, order.refunded_minor) == (3001, 1000, 2001)
    assert (order.freight_minor, order.discount_minor) == (600, 100)


def test_without_a_price_a_single_line_costs_the_total_without_postage_and_before_the_discount(tmp_path: Path) -> None:
    columns = {field: name for field, name in MONEY.items() if field != "price_minor"}
    orders, _ = read_text(
        tmp_path,
        f"{HEADER},total,paid_sum,post,off,back",
        f"{row(qty=2, price='')},13.00,13.00,3.00,1.00,",
        columns=columns,
    )

    assert orders["1001"].lines[0].price_minor == 550


def test_without_a_total_the_lines_freight_and_discount_make_it(tmp_path: Path) -> None:
    orders, _ = read_text(
        tmp_path,
        f"{HEADER},post,off",
        f"{row(qty=2)},6.00,1.00",
        columns={**COLUMNS, "freight": "post", "discount": "off"},
    )

    assert orders["1001"].total_minor == 3000


def test_amounts_of_an_order_stand_in_its_first_row_or_in_all(tmp_path: Path) -> None:
    orders, _ = read_text(
        tmp_path,
        MONEY_HEADER,
        f"{row('1')},25.00,25.00,,,",
        f"{row('1', 'B')},,,,,",
        f"{row('2')},9.00,,,,",
        columns=MONEY,
    )

    assert (orders["1"].total_minor, orders["2"].total_minor) == (2500, 900)


STATUS = {**COLUMNS, "status": "state"}
WORDS = {"待发货": "paid", "已发货": "shipped", "已关闭": "cancelled"}


def test_lines_of_one_order_may_be_differently_far(tmp_path: Path) -> None:
    orders, _ = read_text(
        tmp_path,
        f"{HEADER},state",
        f"{row(sku='A')},待发货",
        f"{row(sku='B', qty=2)},已发货",
        f"{row(sku='C')},已关闭",
        columns=STATUS,
        status_map=WORDS,
    )

    order = orders["1001"]
    assert order.state is OrderState.PAID
    assert [(line.shipped_qty, line.cancelled_qty) for line in order.lines] == [(0, 0), (2, 0), (0, 1)]


@pytest.mark.parametrize(
    ("text", "paid", "state", "due"),
    [
        ("待发货", "", OrderState.PAID, EIGHT),
        ("已发货", PLACED, OrderState.SHIPPED, EIGHT),
        ("已关闭", PLACED, OrderState.CANCELLED, None),
        ("unpaid", PLACED, OrderState.PAID, EIGHT),
        ("UNPAID", "", OrderState.UNPAID, None),
    ],
)
def test_status_and_time_of_payment_together_say_whether_an_order_is_due(
    tmp_path: Path, text: str, paid: str, state: OrderState, due: datetime | None
) -> None:
    orders, _ = read_text(tmp_path, f"{HEADER},state", f"{row(paid=paid)},{text}", columns=STATUS, status_map=WORDS)

    assert (orders["1001"].state, orders["1001"].ready_at) == (state, due)


@pytest.mark.parametrize("first", ["unpaid", "待发货"])
def test_an_order_is_as_far_as_its_line_that_is_least_far(tmp_path: Path, first: str) -> None:
    states = [first, *({"unpaid", "待发货"} - {first})]
    rows = [f"{row(sku=sku, paid='')},{text}" for sku, text in zip("AB", states, strict=True)]

    orders, _ = read_text(tmp_path, f"{HEADER},state", *rows, columns=STATUS, status_map=WORDS)

    assert orders["1001"].state is OrderState.UNPAID


def test_a_time_of_payment_alone_does_not_say_where_a_status_should_stand(tmp_path: Path) -> None:
    _, (problem,) = read_text(tmp_path, f"{HEADER},state", f"{row()},", columns=STATUS, status_map=WORDS)

    assert (problem.path, problem.problem) == ("status", "is empty in every row of this order")


def test_a_row_without_a_status_beside_rows_of_several_could_be_as_far_as_any_of_them(tmp_path: Path) -> None:
    rows = [f"{row(sku=sku)},{text}" for sku, text in (("A", "待发货"), ("B", ""), ("C", "已发货"))]

    orders, _ = read_text(tmp_path, f"{HEADER},state", *rows, columns=STATUS, status_map=WORDS)

    order = orders["1001"]
    assert [line.channel_sku for line in order.lines] == ["A", "C"]
    assert [bad.error.problem for bad in order.bad_lines] == ["is empty, and the other rows of the order differ in it"]


DATED = {**COLUMNS, "updated_at": "changed", "line_id": "line"}


def test_a_change_time_in_the_file_is_the_version(tmp_path: Path) -> None:
    drop(
        tmp_path,
        "orders.csv",
        [f"{HEADER},changed,line", f"{row()},2026-03-02 17:00:00,1", f"{row()},2026-03-02 18:00:00,2"],
    )
    source = order_drop(tmp_path, columns=DATED)

    (raw,) = source.complete(heads(source))

    assert raw.head.version_at == source.normalise(raw).version_at == datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    assert not source.normalise(raw).undated


def test_a_line_that_stands_twice_is_one_and_two_different_ones_are_a_problem(tmp_path: Path) -> None:
    lines = [f"{row()},,1", f"{row()},,1", f"{row(qty=5)},,1", f"{row()},,2"]
    orders, _ = read_text(tmp_path, f"{HEADER},changed,line", *lines, columns=DATED)

    assert [(line.external_id, line.qty) for line in orders["1001"].lines] == [("1", 1), ("2", 1)]
    assert [bad.error.source for bad in orders["1001"].bad_lines] == ["orders.csv:4"]


PEOPLE = {**COLUMNS, "recipient": "name", "phone": ["mobile", "phone"], "address": "street", "city": "town"}


def test_the_recipient_is_read_and_a_second_header_fills_the_first(tmp_path: Path) -> None:
    orders, _ = read_text(
        tmp_path,
        f"{HEADER},name,mobile,phone,town,street",
        f"{row()},王小明,,021-5555,上海,世纪大道1号",
        columns=PEOPLE,
    )

    assert orders["1001"].recipient == Recipient(name="王小明", phone="021-5555", city="上海", address="世纪大道1号")


def test_a_channel_carries_recipients_only_if_an_address_is_mapped(tmp_path: Path) -> None:
    assert order_drop(tmp_path, columns=PEOPLE).carries_recipients
    assert not order_drop(tmp_path).carries_recipients


def test_a_row_may_be_a_whole_order(tmp_path: Path) -> None:
    orders, _ = read_text(
        tmp_path,
        "no,sum,paid",
        f"1,178.80,{PLACED}",
        "2,20.00,",
        rows="orders",
        columns={"external_id": "no", "total": "sum", "paid_at": "paid"},
        constants={"channel_sku": "BOX", "qty": 1},
    )

    assert orders["1"].lines == (Line(external_id="1", channel_sku="BOX", qty=1, price_minor=17880),)
    assert (orders["2"].state, orders["2"].total_minor) == (OrderState.UNPAID, 2000)


def test_of_two_rows_that_are_the_same_whole_order_the_later_counts(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row(qty=1), row(qty=3), rows="orders")

    assert [line.qty for line in orders["1001"].lines] == [3]


def test_an_id_column_that_is_the_same_everywhere_is_one_problem_and_not_all_memory(tmp_path: Path) -> None:
    _, (problem,) = read_text(tmp_path, HEADER, *[row("shop")] * 5_001)

    assert (problem.path, problem.source) == ("external_id", "orders.csv:2")
    assert "5001 rows have this id, more than max_lines (5000)" in problem.problem


def test_an_order_of_a_thousand_lines_is_one_order(tmp_path: Path) -> None:
    """Failures row 22."""
    orders, _ = read_text(tmp_path, HEADER, *[row(sku=f"S{number}") for number in range(1000)])

    assert len(orders["1001"].lines) == 1000


@pytest.mark.parametrize(
    "payload", [{}, {"file": "x"}, {"file": "x", "lines": []}, {"file": "x", "lines": [1]}, {"file": 1, "lines": [{}]}]
)
def test_a_payload_of_somebody_else_is_refused(tmp_path: Path, payload: dict[str, object]) -> None:
    drop(tmp_path, "orders.csv", [HEADER, row()])
    source = order_drop(tmp_path)
    (raw,) = source.complete(heads(source))

    with pytest.raises(PayloadError):
        source.normalise(Raw(head=raw.head, payload=payload, read_from=raw.read_from, read_to=raw.read_to))


def test_what_a_connector_plays_follows_from_its_settings(tmp_path: Path) -> None:
    plays = {
        (reads, out is not None): [
            role
            for role in (OrderSource, ShipmentSource, StockSink, ShipmentSink)
            if isinstance(
                connector(clock_at(), settings(tmp_path, reads=reads, out_folder=out, **fields)),
                role,
            )
        ]
        for reads, fields in (("orders", {}), ("shipments", {"columns": {}}))
        for out in (None, tmp_path / "out")
    }

    assert plays == {
        ("orders", False): [OrderSource],
        ("orders", True): [OrderSource, StockSink, ShipmentSink],
        ("shipments", False): [ShipmentSource],
        ("shipments", True): [ShipmentSource, StockSink, ShipmentSink],
    }


def test_no_error_repeats_who_the_parcel_goes_to(tmp_path: Path) -> None:
    shifted = f"1001,王小明,13800138000,世纪大道1号,{PLACED},{PLACED}"
    _, (problem,) = read_text(tmp_path, HEADER, shifted)

    for private in ("王小明", "13800138000", "世纪大道"):
        assert private not in str(problem)


def test_taobao_orders_are_read_by_their_profile(tmp_path: Path) -> None:
    lines = [
        "订单编号,标题,价格,购买数量,商家编码,订单状态,订单创建时间,订单付款时间 ,收货人姓名,收货地址 ,联系手机",
        f'="2001",红茶,¥12.50,2,TEA-1,买家已付款，等待卖家发货,{PLACED},{PLACED},王小明,上海 浦东,\'13800138000',
    ]
    drop(tmp_path, "orders.csv", "\r\n".join(lines).encode("gb18030"))

    orders, refused = read(order_drop(tmp_path, columns={}, profile="taobao"))

    assert refused == []
    order = orders["2001"]
    assert (order.state, order.total_minor) == (OrderState.PAID, 2500)
    assert order.recipient == Recipient(name="王小明", phone="13800138000", address="上海 浦东")


def test_a_profile_and_own_columns_add_up(tmp_path: Path) -> None:
    lines = [
        "订单号,件数,商品数量(件),编码,用户实付金额(元),支付时间,订单状态",
        f"3001,2,9,TEA-1,25.00,{PLACED},待发货",
    ]

    orders, _ = read_text(tmp_path, *lines, profile="pdd", columns={"channel_sku": "编码", "qty": "件数"})

    assert [(line.channel_sku, line.qty, line.price_minor) for line in orders["3001"].lines] == [("TEA-1", 2, 1250)]


@pytest.mark.parametrize(
    ("text", "asked"), [("none", ""), ("", ""), ("退款成功", ""), ("open", "line A"), ("售后处理中", "line A")]
)
def test_a_column_about_refunds_tells_what_is_asked_for(tmp_path: Path, text: str, asked: str) -> None:
    """A text that nobody explained counts as asked for. failures.md row 6."""
    columns = COLUMNS | {"refund_status": "售后"}
    lines = (f"{HEADER},售后", f"{row()},{text}")

    orders, _ = read_text(tmp_path, *lines, columns=columns, refund_status_map={"退款成功": "decided"})

    assert orders["1001"].refund_asked == asked


def test_a_file_without_a_column_about_refunds_says_nothing_of_them(tmp_path: Path) -> None:
    orders, _ = read_text(tmp_path, HEADER, row())

    assert orders["1001"].refund_asked is None


@pytest.mark.parametrize(("text", "told"), [("(冻结)等待出库", "(冻结)等待出库"), ("王小明", "(not shown)")])
def test_a_status_that_is_in_no_table_is_told_unless_it_may_be_a_name(tmp_path: Path, text: str, told: str) -> None:
    columns = {**COLUMNS, "status": "status"}
    _, (problem,) = read_text(tmp_path, f"{HEADER},status", f"{row()},{text}", columns=columns)

    assert (problem.path, problem.unknown_status) == ("status", told)
