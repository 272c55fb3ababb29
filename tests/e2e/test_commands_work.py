"""What is made here, at the command line."""

from tests.e2e.command_desk import Desk

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
