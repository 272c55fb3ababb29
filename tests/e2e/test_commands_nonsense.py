"""What nobody can have meant is refused in one line and changes nothing."""

from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, set_up, trade

ADD = ("stock", "add", "--warehouse", "SH", "--reason", "goods in")
SET = ("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand")
SHIP = ("ship", "1003", "--carrier", "SF", "--tracking", "SF7", "--force")
HUGE = "9" * 30

USAGE: dict[str, tuple[tuple[str, ...], str]] = {
    "no change": ((*ADD, "--sku", "NEW", "--qty", "0"), "--qty: must not be 0"),
    "a change no column holds": ((*ADD, "--sku", "A", "--qty", HUGE), "--qty: must be at most"),
    "a count no column holds": ((*SET, HUGE), "must be at most 2147483647"),
    "a SKU without a name": ((*ADD, "--sku", " ", "--qty", "1"), "--sku: must be a name"),
    "a SKU of two lines": ((*ADD, "--sku", "A\nB", "--qty", "1"), "--sku: must be a name, is 'A\\nB'"),
    "a hold without a reason": (("orders", "hold", "1001", "--reason", " "), "--reason: must say why"),
    "a cancel without a reason": (("orders", "cancel", "1001", "--reason", ""), "--reason: must say why"),
    "force without a reason": ((*SHIP, "--reason", "  "), "--force needs --reason"),
    "a letter no column holds": (("dead", "drop", HUGE), "LETTER: must be at most"),
    "a task no column holds": (("tasks", "done", HUGE), "TASK: must be at most"),
    "a past before all channels": (
        ("channels", "backfill", "shop", "--days", "99999999999"),
        "--days: must be at most",
    ),
    "a day before all days": (("orders", "list", "--since", "0001-01-01"), "--since must lie between 1970 and 9999"),
    "a count of the year 1": (("stock", "import", "-", "--as-of", "0001-01-01"), "--as-of must lie between"),
    "a reason that holds no order": (("orders", "list", "--hold-reason", "unmaped"), "--hold-reason must be one of"),
    "a state of no shipment": (("shipments", "list", "--state", "gone"), "--state must be one of pending, sent"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return trade(set_up(tmp_path_factory.mktemp("nonsense")))


@pytest.mark.parametrize("case", USAGE)
def test_what_nobody_can_mean_is_wrong_usage_and_changes_nothing(desk: Desk, case: str) -> None:
    words, problem = USAGE[case]
    before = desk.json("stock", "list"), desk.json("orders", "list")
    ran = desk.run(*words)

    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert problem in ran.err
    assert (desk.json("stock", "list"), desk.json("orders", "list")) == before


@pytest.mark.parametrize("words", ["orders list", "shipments list", "listings list", "dead list", "tasks list"])
def test_a_mistyped_channel_does_not_look_like_an_empty_shop(desk: Desk, words: str) -> None:
    ran = desk.run(*words.split(), "--channel", "shopp")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "erpsync: no channel shopp; did you mean 'shop'?\n"


def test_a_mistyped_warehouse_does_not_look_like_an_empty_one(desk: Desk) -> None:
    ran = desk.run("stock", "list", "--warehouse", "XX")

    assert (ran.code, ran.out, ran.err) == (1, "", "erpsync: no warehouse XX; there are GZ, SH\n")


def test_blanks_around_a_code_do_not_make_another_sku(tmp_path: Path) -> None:
    """failures.md row 17."""
    desk = set_up(tmp_path)
    desk.run("migrate")
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand", "5")
    desk.json("stock", "add", "--warehouse", " SH", "--sku", " A ", "--qty", "1", "--reason", "goods in")

    assert [(row["sku"], row["on_hand"]) for row in desk.json("stock", "list")] == [("A", 6)]


def test_a_row_with_an_impossible_instant_stops_no_other(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    desk.run("migrate")
    rows = 'SH,A,1,0001-01-01\nSH,B,2,\nSH,C,3,9999-12-31T23:59:59-12:00\n"SH","D\nE",4,\n'
    ran = desk.run("stock", "import", desk.write("counts.csv", f"warehouse,sku,on_hand,as_of\n{rows}"))

    assert (ran.code, ran.out) == (1, "1 row taken, 3 refused\n")
    assert "counts.csv:2: as_of must lie between 1970 and 9999, is '0001-01-01'" in ran.err
    assert [row["sku"] for row in desk.json("stock", "list")] == ["B"]


def test_a_stream_that_the_channel_does_not_have_is_not_promised_to_be_read(desk: Desk) -> None:
    ran = desk.run("channels", "poll", "shop", "--stream", "refunds")

    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "erpsync: channel shop has no stream refunds; it has orders, backfill\n"
    assert desk.run("channels", "poll", "shop", "--stream", "orders").code == 0
    assert {each["stream"] for each in desk.json("channels", "poll", "shop")["streams"]} == {"orders", "backfill"}
