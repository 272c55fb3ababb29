"""What is set for single SKUs at the command line: a spreadsheet in, a list out."""

import pytest

from tests.e2e.command_desk import Desk

HEADER = "sku,channel,warehouse,safety,cap,buffer,paused"


@pytest.fixture
def desk(desk: Desk) -> Desk:
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand", "9")
    return desk


def put(desk: Desk, *rows: str, header: str = HEADER) -> tuple[int, str, list[str]]:
    """Import rows; return exit code, what was said, and each line of what was wrong without its path."""
    file = desk.write("policies.csv", "\n".join([header, *rows, ""]))
    ran = desk.run("policies", "import", file)
    return ran.code, ran.out, ran.err.replace(file, "policies.csv").splitlines()


def test_a_spreadsheet_is_taken_and_listed(desk: Desk) -> None:
    assert put(desk, "A,shop,,,50,,yes", "A,,SH,4,,,") == (0, "2 rows taken, 0 refused\n", [])

    unset = {"safety": None, "cap": None, "buffer": None, "paused": None}
    assert desk.json("policies", "list", "--sku", "A") == [
        {"sku": "A", "channel": None, "warehouse": "SH", **unset, "safety": 4},
        {"sku": "A", "channel": "shop", "warehouse": None, **unset, "cap": 50, "paused": True},
    ]
    assert [row["warehouse"] for row in desk.json("policies", "list", "--warehouse", "SH")] == ["SH"]
    assert desk.json("stock", "list")[0]["available"] == 5


def test_a_row_that_cannot_be_read_refuses_the_file_too_and_every_bad_cell_has_its_line(desk: Desk) -> None:
    code, out, wrong = put(desk, "A,shop,,,50,,", ",shop,,1,,,", "A,shop,,,50,,yes", "A,,SH,many,1,,", "B,shop,,,,,")

    assert (code, out) == (1, "0 rows taken, 5 refused\n")
    assert wrong == [
        "policies.csv:3: sku is empty",
        "policies.csv:4: the same thing stands on policies.csv:2",
        "policies.csv:5: safety must be a whole number from 0, is many",
        "policies.csv:5: cap is of a channel, the row is of a warehouse",
        "policies.csv:6: sku B is not known",
    ]
    assert desk.json("policies", "list") == []


def test_another_header_is_refused_with_the_right_one(desk: Desk) -> None:
    code, _, wrong = put(desk, "A,shop,1", header="sku,channel,safty")

    assert code == 1
    assert wrong == [f"erpsync: policies.csv:1: the header must be {HEADER}, is sku,channel,safty"]
