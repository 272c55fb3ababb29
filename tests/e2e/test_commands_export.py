"""Orders and stock as files from the command line: what is in them, where they go, and that they come back."""

import csv
import io
import os
import re
import stat
from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, Ran, copy_of, set_up, trade
from tests.support.workbooks import xlsx

EVIL = '=HYPERLINK("http://evil.example","x")'


@pytest.fixture(scope="module")
def traded(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """A desk at which a day's orders have come in, to be copied and never worked at."""
    return trade(set_up(tmp_path_factory.mktemp("traded")))


@pytest.fixture
def desk(traded: Desk, tmp_path: Path) -> Desk:
    return copy_of(traded, tmp_path / "config")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def exported(desk: Desk, *words: str) -> list[dict[str, str]]:
    ran = desk.run(*words)
    assert (ran.code, ran.err) == (0, "")
    return rows(ran.out)


def leftovers(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir() if file.suffix == ".tmp"]


def test_orders_go_to_standard_output_a_row_for_each_line(desk: Desk) -> None:
    ran = desk.run("orders", "export")
    found = rows(ran.out)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("\ufeffOrder,Channel,Kind of order,Channel’s number,Status,")
    assert [(row["Channel’s number"], row["Status"], row["SKU"], row["Missing"]) for row in found] == [
        ("1004", "held", "", "0"),
        ("1003", "unpaid", "A", "0"),
        ("1002", "backordered", "B", "5"),
        ("1001", "allocated", "A", "0"),
    ]
    assert (found[3]["Placed"], found[3]["Goods"], found[3]["Price"]) == (
        "2026-03-02 12:01:00",
        "亚麻短袖衬衫",
        "129.00",
    )


def test_nothing_personal_is_in_any_file(desk: Desk) -> None:
    files = [desk.run(*words).out for words in (["orders", "export"], ["orders", "export", "--plain"])]
    files += [desk.run("stock", "export", "--by", by).out for by in ("warehouse", "sku")]

    assert not any(person in text for text in files for person in ("王小明", "13800138000", "文一西路"))


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--status", "backordered"], ["1002"]),
        (["--sku", "A"], ["1003", "1001"]),
        (["--hold-reason", "unmapped_sku"], ["1004"]),
        (["--warehouse", "SH"], ["1002", "1001"]),
        (["--since", "2026-03-02 12:03", "--until", "2026-03-02 12:05"], ["1002"]),
        (["--limit", "2"], ["1004", "1003"]),
        (["--channel", "shop", "--status", "shipped"], []),
    ],
)
def test_the_filters_of_the_list_are_those_of_the_file(desk: Desk, words: list[str], found: list[str]) -> None:
    listed = [order["external_id"] for order in desk.json("orders", "list", *words)]

    assert [row["Channel’s number"] for row in exported(desk, "orders", "export", *words)] == found == listed


def test_a_file_goes_on_after_an_order(desk: Desk) -> None:
    first = desk.json("orders", "list", "--limit", "1")[0]["number"]

    assert [row["Channel’s number"] for row in exported(desk, "orders", "export", "--after", first)] == [
        "1003",
        "1002",
        "1001",
    ]


@pytest.mark.parametrize("words", [["--channel", "shpo"], ["--warehouse", "XX"]])
def test_a_filter_that_nobody_knows_is_refused_and_no_file_is_written(desk: Desk, words: list[str]) -> None:
    ran = desk.run("orders", "export", *words, "--out", str(desk.folder / "orders.csv"))

    assert (ran.code, ran.out) == (1, "")
    assert f"no {words[0][2:]} {words[1]}" in ran.err
    assert not (desk.folder / "orders.csv").exists()


def test_a_file_says_how_many_orders_it_holds_and_has_the_usual_mode(desk: Desk) -> None:
    file = desk.folder / "orders.csv"
    told = desk.json("orders", "export", "--out", str(file))
    usual = Path(desk.write("usual", ""))

    assert told == {"file": str(file), "orders": 4}
    assert len(rows(file.read_text(encoding="utf-8"))) == 4
    assert stat.S_IMODE(file.stat().st_mode) == stat.S_IMODE(usual.stat().st_mode)
    assert leftovers(desk.folder) == []


def test_the_head_and_states_are_in_the_readers_language(desk: Desk) -> None:
    text = desk.run("--lang", "zh", "orders", "export", "--status", "backordered").out

    assert text.startswith("\ufeff订单,店铺,")
    assert [row["状态"] for row in rows(text)] == ["缺货"]
    assert desk.run("--lang", "zh", "stock", "export").out.startswith("\ufeff仓库,")


def test_a_plain_file_is_for_programs(desk: Desk) -> None:
    text = desk.run("--lang", "zh", "orders", "export", "--plain", "--status", "backordered").out
    [row] = rows(text)

    assert text.startswith("order,channel,kind,external_id,status,hold_reason,tags,placed_at,")
    assert (row["status"], row["placed_at"], row["total"]) == ("backordered", "2026-03-02T04:03:00Z", "90.00")


def test_what_a_spreadsheet_would_run_is_text_and_comes_back_as_it_was(desk: Desk) -> None:
    desk.json("stock", "set", "--warehouse", "GZ", "--sku", EVIL, "--on-hand", "3")
    desk.json("stock", "set", "--warehouse", "GZ", "--sku", "69178780123456789", "--on-hand", "4")
    file = desk.folder / "stock.csv"
    desk.json("stock", "export", "--warehouse", "GZ", "--out", str(file))
    skus = [row["SKU"] for row in rows(file.read_text(encoding="utf-8"))]

    assert skus == ["'69178780123456789", f"'{EVIL}"]
    assert [row["sku"] for row in exported(desk, "stock", "export", "--plain", "--warehouse", "GZ")] == [
        "69178780123456789",
        EVIL,
    ]
    assert desk.json("stock", "import", str(file)) == {"taken": 2, "refused": []}
    assert [(row["sku"], row["on_hand"]) for row in desk.json("stock", "list", "--warehouse", "GZ")] == [
        ("69178780123456789", 4),
        (EVIL, 3),
    ]


def test_a_file_that_is_there_stays_unless_it_is_to_be_replaced(desk: Desk) -> None:
    file = Path(desk.write("orders.csv", "mine"))
    refused = desk.run("orders", "export", "--out", str(file))

    assert (refused.code, refused.out) == (1, "")
    assert refused.err == f"erpsync: {file} is there already; --force replaces it\n"
    assert file.read_text() == "mine"

    assert desk.run("orders", "export", "--out", str(file), "--force").out == f"{file} holds 4 orders\n"
    assert len(rows(file.read_text(encoding="utf-8"))) == 4
    assert leftovers(desk.folder) == []


def test_a_link_stays_a_link_and_what_it_leads_to_is_written(desk: Desk) -> None:
    file, link = Path(desk.write("real.csv", "old")), desk.folder / "link.csv"
    link.symlink_to(file)

    assert desk.run("orders", "export", "--out", str(link), "--force").code == 0
    assert link.is_symlink()
    assert len(rows(file.read_text(encoding="utf-8"))) == 4


@pytest.mark.parametrize(
    ("out", "said"),
    [
        ("gone/orders.csv", "gone/orders.csv was not written: no such file or directory"),
        ("shop", "shop is a folder; name a file in it"),
    ],
)
def test_a_place_where_no_file_can_be_is_said(desk: Desk, out: str, said: str) -> None:
    ran = desk.run("orders", "export", "--out", str(desk.folder / out))

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert ran.err.endswith(f"{said}\n")


def test_what_is_no_file_is_never_replaced(desk: Desk) -> None:
    pipe = desk.folder / "pipe"
    os.mkfifo(pipe)
    ran = desk.run("orders", "export", "--out", str(pipe), "--force")

    assert ran.code == 1
    assert "is no file" in ran.err
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("option", ["--json", "--force"])
def test_an_option_about_a_file_without_a_file_is_wrong_usage(desk: Desk, option: str) -> None:
    ran = desk.run("orders", "export", option)

    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"erpsync: {option} is about a file: it needs --out FILE\n"


def test_an_export_that_fails_on_its_way_leaves_no_file(desk: Desk) -> None:
    ran = desk.run("orders", "export", "--after", "S1", "--out", str(desk.folder / "orders.csv"))

    assert (ran.code, ran.err) == (1, "erpsync: no order S1 to go on after\n")
    assert not (desk.folder / "orders.csv").exists()
    assert leftovers(desk.folder) == []


@pytest.mark.concurrent("processes")
def test_standard_output_is_utf_8_in_any_locale(desk: Desk) -> None:
    ran = desk.apart("--lang", "zh", "orders", "export", PYTHONUTF8="0", LC_ALL="C", PYTHONIOENCODING="ascii")

    assert (ran.code, ran.err) == (0, "")
    assert "亚麻短袖衬衫" in ran.out


def stock_rows(desk: Desk, *words: str) -> list[tuple[str, ...]]:
    names = ("Warehouse", "SKU", "Goods", "On hand", "Reserved", "Available", "Owed")
    return [tuple(row[name] for name in names) for row in exported(desk, "stock", "export", *words)]


def test_stock_is_a_row_for_each_sku_and_warehouse_and_what_is_owed_stands_once(desk: Desk) -> None:
    desk.json("stock", "set", "--warehouse", "GZ", "--sku", "C", "--on-hand", "7")
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "C", "--on-hand", "1")

    assert stock_rows(desk) == [
        ("SH", "A", "亚麻短袖衬衫", "6", "2", "3", "0"),
        ("SH", "B", "socks", "5", "4", "0", "5"),
        ("SH", "C", "", "1", "0", "0", "0"),
        ("GZ", "C", "", "7", "0", "7", ""),
    ]
    assert stock_rows(desk, "--warehouse", "GZ") == [("GZ", "C", "", "7", "0", "7", "0")]
    assert stock_rows(desk, "--sku", "A") == [("SH", "A", "亚麻短袖衬衫", "6", "2", "3", "0")]


def test_stock_by_sku_has_a_column_for_each_shop(desk: Desk) -> None:
    desk.json("stock", "set", "--warehouse", "GZ", "--sku", "A", "--on-hand", "7")
    found = {row["SKU"]: row for row in exported(desk, "stock", "export", "--by", "sku")}
    listed = {row["sku"]: row["told_qty"] for row in desk.json("listings", "list") if row["sku"]}

    assert list(found["A"]) == [
        "SKU",
        "Goods",
        "On hand",
        "Reserved",
        "Available",
        "Owed",
        "Orders that wait",
        "Told shop",
        "Unsure",
        "Refused",
    ]
    assert (found["A"]["On hand"], found["A"]["Reserved"], found["A"]["Available"]) == ("13", "2", "10")
    assert (found["B"]["Owed"], found["B"]["Orders that wait"]) == ("5", "1")
    assert {sku: row["Told shop"] for sku, row in found.items()} == {
        sku: "" if listed.get(sku) is None else str(listed[sku]) for sku in found
    }


def test_a_file_of_stock_comes_back_with_other_numbers(desk: Desk) -> None:
    file = desk.folder / "stock.csv"
    desk.json("stock", "export", "--out", str(file))
    text = file.read_text(encoding="utf-8")
    file.write_text(re.sub(r"^SH,B,([^,]*),5,", r"SH,B,\1,25,", text, flags=re.MULTILINE), encoding="utf-8")

    assert desk.json("stock", "import", str(file)) == {"taken": 2, "refused": []}
    assert {row["sku"]: (row["on_hand"], row["reserved"]) for row in desk.json("stock", "list")} == {
        "A": (6, 2),
        "B": (25, 9),
    }


def test_what_left_since_the_export_is_not_put_back_by_its_import(desk: Desk) -> None:
    file = desk.folder / "stock.csv"
    desk.json("stock", "export", "--out", str(file))
    assert desk.run("ship", "1001", "--carrier", "SF", "--tracking", "SF1234567890123").code == 0
    desk.json("stock", "add", "--warehouse", "SH", "--sku", "B", "--qty", "1", "--reason", "arrival")
    desk.json("stock", "import", str(file))

    assert {row["sku"]: row["on_hand"] for row in desk.json("stock", "list")} == {"A": 4, "B": 6}


@pytest.mark.parametrize("words", [[], ["--plain"], ["--lang", "zh"]])
def test_a_file_comes_back_from_any_language(desk: Desk, words: list[str]) -> None:
    file = desk.folder / "stock.csv"
    desk.json("stock", "export", *words, "--out", str(file))

    assert desk.json("stock", "import", str(file)) == {"taken": 2, "refused": []}


def test_a_file_comes_back_as_a_workbook(desk: Desk) -> None:
    table = [list(row) for row in csv.reader(io.StringIO(desk.run("stock", "export").out.removeprefix("\ufeff")))]
    table[1][3] = "9"
    book = desk.folder / "stock.xlsx"
    book.write_bytes(xlsx(*table))

    assert desk.json("stock", "import", str(book)) == {"taken": 2, "refused": []}
    assert desk.json("stock", "list", "--sku", "A")[0]["on_hand"] == 9


def test_a_head_that_is_neither_of_a_count_nor_of_an_export_is_refused_still(desk: Desk) -> None:
    counts = desk.write("counts.csv", "warehouse,sku,on_hand,booked\nSH,A,5,1\n")
    ran: Ran = desk.run("stock", "import", counts)

    assert ran.code == 1
    assert "the header must be warehouse,sku,on_hand and may hold as_of, is warehouse,sku,on_hand,booked" in ran.err
