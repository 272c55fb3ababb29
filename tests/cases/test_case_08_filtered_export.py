"""A file that holds some rows of an order: what it leaves out is not cancelled.

Seen in: akeneo/pim-community-dev#9256.
"""

from collections.abc import Callable

import pytest

from tests.support.export import Export

ALL, SOME = "08-filtered-export/1-all.csv", "08-filtered-export/2-only-cups.csv"
HEADER = "external_id,status,placed_at,paid_at,channel_sku,qty,price,recipient,phone,address,updated_at"
WHO = "李雷,13800000000,文三路1号"


def row(sku: str, status: str = "paid", order: str = "F4", changed: str = "") -> str:
    return f"{order},{status},2026-11-22 10:01:02,2026-11-22 10:02:00,{sku},1,10,{WHO},{changed}"


def file(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def test_a_line_that_a_later_file_does_not_show_stays(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop_case(ALL)
    shop.drop_case(SOME)

    assert shop.lines("F4") == {"CUP": (1, 0, 0), "TEA": (1, 0, 0)}
    assert (shop.status("F4"), shop.reserved()) == (("allocated", None), {"CUP": 1, "TEA": 1})


@pytest.mark.parametrize("said", [{"whole": True}, {"rows": "orders"}])
def test_where_files_hold_whole_orders_a_missing_line_is_cancelled(
    export: Callable[..., Export], said: dict[str, object]
) -> None:
    shop = export(profile="generic", **said)
    if "whole" in said:
        shop.drop_case(ALL)
        shop.drop_case(SOME)
        assert shop.lines("F4") == {"CUP": (1, 0, 0), "TEA": (1, 1, 0)}
    else:
        shop.drop(file(row("CUP"), row("TEA")))
        assert shop.lines("F4") == {"1": (1, 0, 0)}  # the newest row is the whole order


def test_a_line_ends_by_its_status(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop(file(row("CUP"), row("TEA")))
    shop.drop(file(row("CUP"), row("TEA", "cancelled")))

    assert shop.lines("F4") == {"CUP": (1, 0, 0), "TEA": (1, 1, 0)}


@pytest.mark.parametrize("first", ["CUP", "TEA"])
def test_an_export_cut_inside_an_order_is_completed_by_the_next(export: Callable[..., Export], first: str) -> None:
    shop = export(profile="generic")
    shop.drop(file(row(first)), "1.csv")
    shop.drop(file(row("TEA" if first == "CUP" else "CUP")), "2.csv")

    assert (shop.status("F4"), shop.reserved()) == (("allocated", None), {"CUP": 1, "TEA": 1})


def test_the_rest_of_an_order_counts_although_its_rows_changed_earlier(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop(file(row("CUP", changed="2026-11-22 11:00:00")), "1.csv")
    shop.drop(file(row("TEA", changed="2026-11-22 10:30:00")), "2.csv")

    assert shop.lines("F4") == {"CUP": (1, 0, 0), "TEA": (1, 0, 0)}
    assert shop.reserved() == {"CUP": 1, "TEA": 1}


def test_what_left_leaves_the_rest_to_be_sent(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop(file(row("CUP"), row("TEA")))
    shop.drop(file(row("CUP", "shipped")))

    assert shop.lines("F4") == {"CUP": (1, 0, 1), "TEA": (1, 0, 0)}
    assert (shop.status("F4"), shop.reserved()) == (("partially_shipped", None), {"TEA": 1})


def test_a_line_first_seen_behind_one_that_left_is_still_to_be_sent(export: Callable[..., Export]) -> None:
    """The first file was filtered by state, so it said nothing of the others."""
    shop = export(profile="generic")
    shop.drop(file(row("CUP", "shipped")))
    shop.drop(file(row("TEA")))

    assert shop.lines("F4") == {"CUP": (1, 0, 1), "TEA": (1, 0, 0)}
    assert shop.reserved() == {"TEA": 1}


def test_lines_cancelled_alone_hold_those_that_nobody_showed(export: Callable[..., Export]) -> None:
    """Nobody can tell whether the order was cancelled or these lines: nothing is cancelled, nothing leaves."""
    shop = export(profile="generic")
    shop.drop(file(row("CUP"), row("TEA")))
    shop.drop(file(row("CUP", "cancelled")))

    assert shop.lines("F4") == {"CUP": (1, 1, 0), "TEA": (1, 0, 0)}
    assert shop.status("F4") == ("held", "do_not_ship")

    shop.drop(file(row("TEA")))
    assert (shop.status("F4"), shop.reserved()) == (("allocated", None), {"TEA": 1})


def test_a_bad_row_stays_told_while_later_files_do_not_show_it(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop(file(row("CUP"), row("TEA").replace(",1,10,", ",x,10,")))
    assert shop.status("F4") == ("held", "bad_line")

    shop.drop(file(row("CUP")), "2.csv")
    assert (shop.status("F4"), len(shop.letters())) == (("held", "bad_line"), 1)

    shop.drop(file(row("TEA")), "3.csv")
    assert (shop.status("F4"), shop.letters()) == (("allocated", None), [])
