"""The trail at the command line."""

import re

import pytest

from tests.e2e.command_desk import Desk


@pytest.fixture
def desk(desk: Desk) -> Desk:
    """A shop that was paused and resumed."""
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand", "7")
    desk.json("channels", "pause", "shop", "--reason", "盘点")
    desk.json("channels", "resume", "shop")
    return desk


def test_the_trail_is_a_table_for_people_and_a_list_for_programs(desk: Desk) -> None:
    resumed, paused = desk.json("trail", "list", "--limit", "2")
    table = desk.run("trail", "list").out

    assert (resumed["kind"], paused["kind"]) == ("channel.resumed", "channel.paused")
    assert paused["actor"]
    assert re.search(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d +channel\.paused +- +shop .*盘点", table)
    assert not re.search(r"\d{4}-\d\d-\d\dT", table)
    assert desk.json("trail", "list", "--actor", paused["actor"], "--after", str(resumed["id"]))[0] == paused


@pytest.mark.parametrize(
    ("words", "code", "problem"),
    [
        (("--since", "soon"), 2, "--since must be a date or time"),
        (("--order", "none"), 1, "no order none"),
        (("--sku", "none"), 1, "no SKU none"),
        (("--after", "0"), 2, "must be 1 or more"),
        (("--actor", " "), 2, "must be a name"),
    ],
)
def test_a_filter_that_means_nothing_is_refused(desk: Desk, words: tuple[str, ...], code: int, problem: str) -> None:
    ran = desk.run("trail", "list", *words)

    assert (ran.code, ran.out) == (code, "")
    assert problem in ran.err


def test_a_trail_without_events_says_so(desk: Desk) -> None:
    assert desk.json("trail", "list", "--actor", "nobody") == []
    assert desk.run("trail", "list", "--actor", "nobody").err == "no such event\n"


def test_counts_are_told_with_the_reason_given(desk: Desk) -> None:
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,A,5\nGZ,A,2\n")
    desk.json("stock", "import", counts, "--reason", "年终盘点")
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand", "4", "--reason", "one broken")

    told = [each["detail"] for each in desk.json("trail", "list", "--sku", "A", "--limit", "3")]

    assert sorted(told, key=lambda each: each["to"]) == [
        {"warehouse": "GZ", "from": None, "to": 2, "reason": "年终盘点"},
        {"warehouse": "SH", "from": 5, "to": 4, "reason": "one broken"},
        {"warehouse": "SH", "from": 7, "to": 5, "reason": "年终盘点"},
    ]
