"""An order's own cells stand only on its first row; an empty cell says nothing.

Seen in: julionc/awesome-shopify#81.
"""

from collections.abc import Callable

import pytest

from erpsync.flows.errors import Refused
from tests.support.export import Export

SETTINGS = {
    "columns": {
        "external_id": "Name",
        "status": "Financial Status",
        "placed_at": "Created at",
        "paid_at": "Paid at",
        "total": "Total",
        "currency": "Currency",
        "qty": "Lineitem quantity",
        "price": "Lineitem price",
        "channel_sku": "Lineitem sku",
        "recipient": "Shipping Name",
        "phone": "Shipping Phone",
        "address": "Shipping Street",
    },
    "status_map": {"paid": "paid", "refunded": "cancelled", "fulfilled": "shipped"},
}
FILE = "01-cells-only-on-the-first-row/orders.csv"
HEADER = "external_id,status,currency,placed_at,paid_at,channel_sku,qty,price,total,recipient,phone,address"
WHO = "李雷,13800000000,文三路1号"


def test_an_order_refunded_on_its_first_row_is_cancelled_as_a_whole(export: Callable[..., Export]) -> None:
    shop = export(**SETTINGS)
    shop.drop_case(FILE)

    assert shop.status("#1002") == ("cancelled", None)
    assert shop.lines("#1002") == {"CUP": (2, 2, 0), "TEA": (1, 1, 0)}
    assert shop.reserved() == {}
    with pytest.raises(Refused, match="is cancelled"):
        shop.ship("#1002")


def test_an_order_fulfilled_on_its_first_row_has_left_as_a_whole(export: Callable[..., Export]) -> None:
    shop = export(**SETTINGS)
    shop.drop_case(FILE)

    assert shop.status("#1003") == ("shipped", None)
    assert shop.lines("#1003") == {"CUP": (2, 0, 2), "TEA": (1, 0, 1)}
    assert (shop.order("#1003")["total_minor"], shop.letters()) == (7160, [])


@pytest.mark.parametrize("blank", ["", "null", "--"])
def test_the_own_cells_may_stand_on_any_row(export: Callable[..., Export], blank: str) -> None:
    shop = export(profile="generic")
    first = f"1,{blank},,2026-11-22 10:01:00,,CUP,1,10,{blank},,,"
    shop.drop(f"{HEADER}\n{first}\n1,shipped,USD,2026-11-22 10:01:00,2026-11-22 10:02:00,TEA,1,5,15,{WHO}\n")

    shown = shop.order("1")
    assert (shown["status"], shown["currency"], shown["total_minor"]) == ("shipped", "USD", 1500)
    assert shop.lines("1") == {"CUP": (1, 0, 1), "TEA": (1, 0, 1)}


@pytest.mark.parametrize(
    ("field", "row"),
    [
        ("status", f"1,,CNY,2026-11-22 10:01:00,2026-11-22 10:02:00,CUP,1,10,10,{WHO}"),
        ("currency", f"1,paid,,2026-11-22 10:01:00,2026-11-22 10:02:00,CUP,1,10,10,{WHO}"),
    ],
)
def test_an_order_that_says_nowhere_what_the_file_has_a_column_for_is_not_guessed(
    export: Callable[..., Export], field: str, row: str
) -> None:
    """Neither "paid" because somebody paid, nor yuan because most do."""
    shop = export(profile="generic")
    shop.drop(f"{HEADER}\n{row}\n")

    assert shop.letters() == [("orders.csv:2", f"{field}: is empty in every row of this order")]
    assert shop.reserved() == {}


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("currency", f"1,paid,USD,2026-11-22 10:01:00,,TEA,1,5,15,{WHO}"),
        ("total", f"1,paid,CNY,2026-11-22 10:01:00,,TEA,1,5,16,{WHO}"),
        ("placed_at", f"1,paid,CNY,2026-11-23 10:01:00,,TEA,1,5,15,{WHO}"),
        ("phone", "1,paid,CNY,2026-11-22 10:01:00,,TEA,1,5,15,李雷,13900000000,文三路1号"),
        ("address", "1,paid,CNY,2026-11-22 10:01:00,,TEA,1,5,15,李雷,13800000000,文三路2号"),
    ],
)
def test_rows_that_contradict_each_other_make_no_order(export: Callable[..., Export], field: str, other: str) -> None:
    shop = export(profile="generic")
    shop.drop(f"{HEADER}\n1,paid,CNY,2026-11-22 10:01:00,,CUP,1,10,15,{WHO}\n{other}\n")

    assert shop.letters() == [("orders.csv:2", f"{field}: rows 2 and 3 of this order say different things")]
    assert shop.reserved() == {}


def test_blank_order_numbers_take_the_one_above_where_told(export: Callable[..., Export]) -> None:
    shop = export(profile="generic", fill_down=True)
    rows = [
        f"1,paid,CNY,2026-11-22 10:01:00,,CUP,1,10,15,{WHO}",
        ",,,,,TEA,1,5,,,,",
        ",,,,,,2,,15,,,",
        f"2,paid,CNY,2026-11-22 10:01:00,,CUP,1,10,10,{WHO}",
        ",,,,,,3,,25,,,",
    ]
    shop.drop("\n".join([HEADER, *rows]))

    assert shop.lines("1") == {"CUP": (1, 0, 0), "TEA": (1, 0, 0)}
    assert (shop.lines("2"), shop.letters()) == ({"CUP": (1, 0, 0)}, [])
    assert shop.reserved() == {"CUP": 2, "TEA": 1}


def test_a_number_that_lost_its_digits_is_not_handed_down(export: Callable[..., Export]) -> None:
    shop = export(profile="generic", fill_down=True)
    rows = [
        f"1,paid,CNY,2026-11-22 10:01:00,,CUP,1,10,10,{WHO}",
        f"1.23E+17,paid,CNY,2026-11-22 10:01:00,,CUP,1,10,10,{WHO}",
        ",,,,,TEA,1,5,,,,",
    ]
    shop.drop("\n".join([HEADER, *rows]))

    assert shop.lines("1") == {"CUP": (1, 0, 0)}
    assert [source for source, _ in shop.letters()] == ["orders.csv:3", "orders.csv:4"]
