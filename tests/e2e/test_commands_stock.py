"""Stock, listings and bundles at the command line."""

import subprocess
import sys

import pytest

from tests.e2e.command_desk import Desk
from tests.support.workbooks import xlsx


def on_hand(desk: Desk) -> dict[tuple[str, str], int]:
    return {(row["warehouse"], row["sku"]): row["on_hand"] for row in desk.json("stock", "list")}


def test_stock_is_set_added_and_listed(desk: Desk) -> None:
    added = desk.json("stock", "add", "--warehouse", "SH", "--sku", "苹果", "--qty", "+5", "--reason", "goods in")
    desk.json("stock", "add", "--warehouse", "SH", "--sku", "苹果", "--qty", "-2", "--reason", "broken")
    desk.json("stock", "set", "--warehouse", "GZ", "--sku", "苹果", "--on-hand", "7")

    assert added == {"warehouse": "SH", "sku": "苹果", "on_hand": 5, "reserved": 0, "available": 4}
    assert on_hand(desk) == {("SH", "苹果"): 3, ("GZ", "苹果"): 7}
    assert desk.run("stock", "list", "--warehouse", "SH").out.splitlines()[1].split() == ["SH", "苹果", "3", "0", "2"]


def test_more_than_there_is_cannot_be_taken_away(desk: Desk) -> None:
    desk.json("stock", "add", "--warehouse", "SH", "--sku", "A", "--qty", "1", "--reason", "goods in")
    ran = desk.run("stock", "add", "--warehouse", "SH", "--sku", "A", "--qty", "-2", "--reason", "broken")

    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert on_hand(desk) == {("SH", "A"): 1}


def test_an_unknown_warehouse_is_refused(desk: Desk) -> None:
    ran = desk.run("stock", "set", "--warehouse", "XX", "--sku", "A", "--qty", "1")

    assert (ran.code, ran.out) == (1, "")
    assert "warehouse XX is not configured" in ran.err


def test_good_rows_of_an_import_are_taken_and_bad_ones_named_by_line(desk: Desk) -> None:
    counts = desk.write(
        "counts.csv", "warehouse,sku,on_hand,as_of\nSH,A,5,\nXX,A,1,\nSH,B,many,\nSH,C,1,soon\nGZ,A,2,\n"
    )
    ran = desk.run("stock", "import", counts)

    assert ran.code == 1
    assert ran.out == "2 rows taken, 3 refused\n"
    assert [line.split(": ")[0].rpartition(":")[2] for line in ran.err.splitlines()] == ["3", "4", "5"]
    assert on_hand(desk) == {("SH", "A"): 5, ("GZ", "A"): 2}


def test_an_import_without_a_fault_ends_with_0_and_says_nothing_on_stderr(desk: Desk) -> None:
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,5\n")

    assert desk.json("stock", "import", counts) == {"taken": 1, "refused": []}


def test_a_count_older_than_the_last_is_refused(desk: Desk) -> None:
    header = "warehouse,sku,on_hand"
    desk.json("stock", "import", desk.write("new.csv", f"{header}\nSH,A,5\n"), "--as-of", "2026-03-02 12:00")
    ran = desk.run("stock", "import", desk.write("old.csv", f"{header}\nSH,A,9\n"), "--as-of", "2026-03-01")

    assert ran.code == 1
    assert "old.csv:2: " in ran.err
    assert on_hand(desk) == {("SH", "A"): 5}


def test_an_as_of_that_is_no_time_is_wrong_usage(desk: Desk) -> None:
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,5\n")

    assert desk.run("stock", "import", counts, "--as-of", "noon").code == 2


def test_a_file_with_a_wrong_header_is_refused_whole(desk: Desk) -> None:
    ran = desk.run("stock", "import", desk.write("counts.csv", "warehouse,sku,qty\nSH,A,5\n"))

    assert (ran.code, ran.out) == (1, "")
    assert "counts.csv:1: the header must be warehouse,sku,on_hand and may hold as_of, is warehouse,sku,qty" in ran.err


def test_a_file_that_is_not_there_is_named(desk: Desk) -> None:
    ran = desk.run("stock", "import", str(desk.folder / "nothing.csv"))

    assert ran.code == 1
    assert ran.err == f"erpsync: {desk.folder}/nothing.csv: no such file or directory\n"


def test_a_gb18030_file_as_excel_saves_it_is_read(desk: Desk) -> None:
    file = desk.folder / "counts.csv"
    file.write_bytes("warehouse,sku,on_hand\nSH,苹果手机,5\n".encode("gb18030"))

    assert desk.json("stock", "import", str(file))["taken"] == 1
    assert on_hand(desk) == {("SH", "苹果手机"): 5}


def test_bundles_are_imported_and_listed(desk: Desk) -> None:
    ran = desk.run("bundles", "import", desk.write("bundles.csv", "bundle,sku,qty\nBOX,A,2\nBOX,B,1\nBOX,BOX,1\n"))

    assert ran.code == 1
    assert "bundles.csv:4: " in ran.err
    assert desk.json("bundles", "list", "--sku", "A") == [{"bundle": "BOX", "sku": "A", "qty": 2}]
    assert len(desk.json("bundles", "list")) == 2


def test_a_bundle_is_dropped_once(desk: Desk) -> None:
    desk.run("bundles", "import", desk.write("bundles.csv", "bundle,sku,qty\nBOX,A,2\n"))

    assert desk.json("bundles", "drop", "BOX") == {"bundle": "BOX"}
    assert desk.json("bundles", "list") == []
    again = desk.run("bundles", "drop", "BOX")
    assert (again.code, again.err) == (1, "erpsync: BOX is no bundle\n")


def test_nothing_is_confirmed_where_nothing_is_held_back(desk: Desk) -> None:
    assert desk.json("stock", "confirm", "shop") == {"channel": "shop", "freed": 0}
    assert desk.run("stock", "confirm", "nobody").code == 1


@pytest.mark.concurrent("processes")
def test_counts_may_come_from_standard_input(desk: Desk) -> None:
    command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(desk.folder), "stock", "import", "-"]
    counts = b"warehouse,sku,on_hand\nSH,A,5\nSH,A,6\n"
    done = subprocess.run(command, input=counts, capture_output=True, check=False)

    assert done.returncode == 1
    assert done.stderr.decode() == "standard input:3: the same thing stands on standard input:2\n"
    assert on_hand(desk) == {("SH", "A"): 5}


def test_status_names_the_files_that_nobody_reads(desk: Desk) -> None:
    folder = desk.folder / "shop" / "in"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "orders.ods").write_text("x")
    ran = desk.run("status", "--no-daemon")

    assert "shop: 1 file is not read, for it is empty or fits none of *.csv, *.xlsx, *.xls: orders.ods\n" in ran.out


def test_a_workbook_is_imported_and_its_sheet_may_be_named(desk: Desk) -> None:
    rows = [["warehouse", "sku", "on_hand"], ["SH", "007", 5], ["合计", None, 5]]
    file = desk.folder / "counts.xlsx"
    file.write_bytes(xlsx(sheets={"notes": [["x"]], "stock": rows}))

    refused = desk.run("stock", "import", str(file))
    assert (refused.code, "2 sheets" in refused.err) == (1, True)
    taken = desk.run("stock", "import", "--sheet", "stock", str(file))
    assert taken.out == "1 row taken, 0 refused\n"
    assert taken.err.endswith("counts.xlsx: passed over 1 sum row (3)\n")
    assert on_hand(desk) == {("SH", "007"): 5}
