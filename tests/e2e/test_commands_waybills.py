"""Couriers at the command line: numbers bought in advance, rate cards, a release booked by hand."""

import pytest

from tests.e2e.command_desk import Desk

ACCOUNT = """
id: files
connector: carrier_file
settings: {carriers: [YTO], folder: files/in, settle_s: 0, read_files: remove}
"""
RATES = "account,service,zone,first_g,first,step_g,step,volume_divisor,max_g"


@pytest.fixture
def accounts(desk: Desk) -> Desk:
    """A desk with an account of files."""
    (desk.folder / "files" / "in").mkdir(parents=True)
    (desk.folder / "channels").mkdir(exist_ok=True)
    desk.write("channels/files.yaml", ACCOUNT)
    return desk


def test_numbers_are_taken_in_and_listed_and_bad_rows_named(accounts: Desk) -> None:
    file = accounts.write("n.csv", "carrier,number,service,cost\nYTO,YT1,,2.50\nXX,YT2,,\nYTO,YT3,,cheap\nYTO,YT1,,\n")

    ran = accounts.run("waybills", "import", file, "--account", "files")

    assert (ran.code, ran.out) == (1, "1 row taken, 3 refused\n")
    said = ran.err.replace(file, "n.csv").splitlines()
    assert said[0].startswith("n.csv:3: XX is no courier's code; known: SF, YTO")
    assert said[1:] == [
        "n.csv:4: cost must be an amount like 12.50, is cheap",
        "n.csv:5: the same thing stands on n.csv:2",
    ]
    [row] = accounts.json("waybills", "list", "--account", "files", "--state", "spare")
    assert (row["number"], row["carrier"], row["cost_minor"], row["release"]) == ("YT1", "YTO", 250, None)
    assert "2.50 CNY" in accounts.run("waybills", "list").out


def test_numbers_are_of_an_account_with_a_courier_only(accounts: Desk) -> None:
    file = accounts.write("n.csv", "carrier,number\nYTO,YT1\n")

    ran = accounts.run("waybills", "import", file, "--account", "shop")

    assert (ran.code, ran.err) == (1, "erpsync: channel shop is no account with a courier\n")


def test_a_rate_card_is_taken_in_whole_and_listed(accounts: Desk) -> None:
    good = accounts.write("r.csv", f"{RATES}\nfiles,,,1000,8.00,1000,2.50,6000,20000\n")
    assert accounts.run("rates", "import", good).out == "1 row taken, 0 refused\n"

    bad = accounts.write("bad.csv", f"{RATES}\nfiles,,,1000,9.00,1000,2.50,,\nfiles,,moon,1000,1.00,1000,1.00,,\n")
    ran = accounts.run("rates", "import", bad)

    assert (ran.code, ran.out) == (1, "0 rows taken, 1 refused\n")
    assert ran.err.replace(bad, "bad.csv") == "bad.csv:3: there is no zone moon in rules.yaml\n"
    [row] = accounts.json("rates", "list")
    assert (row["account"], row["first_minor"], row["step_minor"], row["max_g"]) == ("files", 800, 250, 20000)
    assert "8.00" in accounts.run("rates", "list", "--account", "files").out


def test_what_is_not_known_is_refused_in_one_sentence(accounts: Desk) -> None:
    for words in (("book", "R1"), ("book", "R1", "--number", "YT1"), ("cancel", "R1")):
        ran = accounts.run("waybills", *words)
        assert (ran.code, ran.err) == (1, "erpsync: no release or waybill R1 is known\n")
