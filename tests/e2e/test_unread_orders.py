"""An order whose newer view is not understood, at the command line: held, explained, refused, and freed by a person."""

from pathlib import Path

import pytest

from tests.cases.town import INPUTS
from tests.e2e.command_desk import Desk, set_up

pytestmark = pytest.mark.concurrent("processes")
CASE = INPUTS / "locked_by_the_platform"
CHANNEL = """
id: shop
connector: csv_drop
poll: {backfill_days: 7}
settings: {folder: shop/in, profile: jd, settle_s: 0}
"""
LOCKED, FROZEN = "290000000001", "290000000002"


def read(desk: Desk, name: str, text: str) -> None:
    (desk.folder / "shop/in" / name).write_text(text, encoding="utf-8")
    ran = desk.apart("run", "--once")
    assert ran.code == 0, ran.err


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A shop's export, and a second one in which one order is locked and the other has a status that nobody knows."""
    desk = set_up(tmp_path / "config")
    desk.write("channels/shop.yaml", CHANNEL)
    assert desk.run("migrate").code == 0
    counts = desk.write("counts.csv", "warehouse,sku,on_hand\nSH,CUP,6\n")
    assert desk.run("stock", "import", counts).code == 0
    read(desk, "1.csv", (CASE / "1-to-ship.csv").read_text("utf-8"))
    read(desk, "2.csv", (CASE / "2-locked.csv").read_text("utf-8").replace("(删除)等待确认收货", "(冻结)等待确认收货"))
    return desk


def test_ship_refuses_both_and_explain_says_which_letter_and_what_to_do(desk: Desk) -> None:
    for order in (LOCKED, FROZEN):
        ran = desk.run("ship", order, "--carrier", "SF", "--tracking", f"SF{order}")
        assert ran.code != 0
        assert "--force --reason TEXT" in ran.err
    told = desk.run("explain", FROZEN).out

    letter = next(each for each in desk.json("dead", "list") if each["key"] == FROZEN)
    assert "a newer view of it was not understood" in told
    assert f"erpsync dead show {letter['id']}" in told
    assert "erpsync dead replay" in told.partition("What to do")[2]
    task = next(each for each in desk.json("tasks", "list") if "冻结" in each["reason"])
    assert (task["kind"], "calls an order" in task["reason"]) == ("unknown_status", True)


def test_a_person_who_has_looked_drops_the_letter_and_sends_the_order(desk: Desk) -> None:
    letter = next(each for each in desk.json("dead", "list") if each["key"] == FROZEN)
    assert desk.run("dead", "drop", str(letter["id"])).code == 0

    assert desk.json("orders", "show", FROZEN)["status"] == "allocated"
    assert desk.run("ship", FROZEN, "--carrier", "SF", "--tracking", "SF1").code == 0
    assert [each for each in desk.json("tasks", "list") if "冻结" in each["reason"]] == []
