"""What is made here, at the command line."""

import json
import sqlite3

from tests.e2e.command_desk import Desk
from tests.support.own_orders import HOME

BOM = "sku,version,yields,component,qty,scrap_percent,step\nMUG,1,1,BLANK,1,2.5,1\nMUG,1,,INK,0,,\nMUG,1,,BOX,1,,\n"
STEPS = "sku,version,step,name,station,seconds_each\nMUG,1,1,engrave,laser,90\nMUG,1,2,pack,bench,30\n"


def test_bills_of_material_are_taken_from_files_made_active_and_shown(desk: Desk) -> None:
    ran = desk.run("bom", "import", desk.write("bom.csv", BOM), desk.write("steps.csv", STEPS))

    assert (ran.code, ran.out) == (1, "4 rows taken, 1 refused\n")
    assert "bom.csv:3: qty must be a whole number from 1, is 0" in ran.err
    assert [row["state"] for row in desk.json("bom", "list", "--sku", "MUG")] == ["draft"]

    assert desk.json("bom", "activate", "MUG", "1") == {"sku": "MUG", "version": "1"}

    shown = desk.json("bom", "show", "MUG")
    assert shown["components"] == [
        {"sku": "BLANK", "qty": 1, "scrap_percent": 2.5, "step": 1},
        {"sku": "BOX", "qty": 1, "scrap_percent": 0.0, "step": None},
    ]
    assert [step["station"] for step in shown["steps"]] == ["laser", "bench"]
    assert desk.json("bom", "where-used", "BOX") == [{"sku": "MUG", "version": "1", "qty": 1, "yields": 1}]
    assert "engrave" in desk.run("bom", "show", "MUG").out


def test_a_bad_row_of_a_bill_is_named_by_what_is_wrong(desk: Desk) -> None:
    rows = "sku,version,component,qty,scrap_percent,step,name,station\nM,1,A,1,100,,,\nM,1,A,1,,1,cut,saw\nM,1,,1,,,,\n"
    ran = desk.run("bom", "import", desk.write("bom.csv", rows))

    assert (ran.code, ran.out) == (1, "0 rows taken, 3 refused\n")
    assert "bom.csv:2: scrap_percent must be from 0 to under 100 with four decimals at most, is 100" in ran.err
    assert "bom.csv:3: a row has a component, or the name of a step, and not both" in ran.err
    assert "bom.csv:4: a row has a component, or the name of a step, and not both" in ran.err
    assert (desk.run("bom", "show", "M").code, desk.run("bom", "activate", "M", "1").code) == (1, 1)


WORKSHOP = """
database: sqlite:///var/erpsync.db
timezone: Asia/Shanghai
web: {listen: 127.0.0.1:0}
warehouses: [{id: SH, desk: true}, {id: RM, sellable: false}, {id: WIP, sellable: false}]
production: {places: {components: [RM], wip: WIP, out: SH}}
"""


def test_where_nothing_is_made_work_says_so(desk: Desk) -> None:
    ran = desk.run("work", "start", "W1")

    assert (ran.code, ran.err) == (1, "erpsync: nothing is made here: erpsync.yaml has no production\n")
    assert desk.json("work", "list") == []


def test_a_work_order_is_begun_reported_taken_back_split_and_closed(desk: Desk) -> None:
    desk.write("erpsync.yaml", WORKSHOP)
    desk.run("bom", "import", desk.write("bom.csv", BOM), desk.write("steps.csv", STEPS))
    desk.json("bom", "activate", "MUG", "1")
    for sku in ("BLANK", "BOX"):
        desk.json("stock", "set", "--warehouse", "RM", "--sku", sku, "--on-hand", "9")
    make_to_order(desk)
    order = {"currency": "CNY", "recipient": HOME, "lines": [{"sku": "MUG", "qty": 4, "price_minor": 1000}]}
    assert desk.run("orders", "create", desk.write("order.json", json.dumps(order, ensure_ascii=False))).code == 0
    desk.run("run", "--once")
    [row] = desk.json("work", "list", "--station", "laser")
    number = row["number"]
    assert (row["sku"], row["qty"], row["state"]) == ("MUG", 4, "open")

    other = desk.json("work", "split", number, "--qty", "2")["other"]
    desk.json("work", "start", number)
    first = desk.json("work", "report", number, "--step", "1", "--good", "2", "--key", "tap")
    again = desk.json("work", "report", number, "--step", "1", "--good", "2", "--key", "tap")
    desk.json("work", "report", number, "--undo", str(first["report"]))
    desk.json("work", "report", number, "--step", "1", "--good", "2")
    desk.json("work", "report", number, "--step", "2", "--good", "1", "--scrap", "1")
    desk.json("work", "close", other, "--reason", "wrong")

    shown = desk.json("work", "show", number)
    assert first == again
    assert (shown["state"], shown["made_qty"], shown["scrapped_qty"]) == ("done", 1, 1)
    assert [(each["no"], each["good_qty"], each["scrap_qty"]) for each in shown["steps"]] == [(1, 2, 0), (2, 1, 1)]
    assert len(shown["reports"]) == 4
    assert desk.json("work", "show", other)["state"] == "closed"
    assert "laser" in desk.run("work", "show", number).out
    assert desk.run("work", "report", number).code == 2


def make_to_order(desk: Desk) -> None:
    """Let mugs be made when they are ordered."""
    with sqlite3.connect(desk.folder / "var" / "erpsync.db") as connection:
        connection.execute(
            "INSERT INTO item (sku_id, supply, make_for) SELECT id, 'make', 'order' FROM sku WHERE code = 'MUG'"
        )
