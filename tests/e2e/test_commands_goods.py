"""Goods data at the command line: a spreadsheet in, a list out, bad rows named."""

from erpsync.cli.commands import COMMANDS
from erpsync.store.goods import LACKS
from tests.e2e.command_desk import Desk

HEADER = "sku,title,barcode,weight_g,volume_cm3,floor,currency,tags,shelf,warehouse"


def put(desk: Desk, *rows: str, header: str = HEADER) -> tuple[int, str, list[str]]:
    """Import rows; return exit code, what was said, and each line of what was wrong without its path."""
    file = desk.write("goods.csv", "\n".join([header, *rows, ""]))
    ran = desk.run("goods", "import", file)
    return ran.code, ran.out, ran.err.replace(file, "goods.csv").splitlines()


def test_a_spreadsheet_is_taken_and_listed(desk: Desk) -> None:
    rows = ('A,亚麻衬衫,6901234567892,0.24kg,30x20x3,99,CNY,"夏,新",A-03,SH', "B,,,,,,,,,")
    assert put(desk, *rows) == (0, "2 rows taken, 0 refused\n", [])

    goods = {
        "sku": "A",
        "title": "亚麻衬衫",
        "barcode": "6901234567892",
        "weight_g": 240,
        "volume_cm3": 1800,
        "floor_minor": 9900,
        "floor_currency": "CNY",
        "tags": ["夏", "新"],
        "shelves": [{"warehouse": "SH", "shelf": "A-03"}],
    }
    assert desk.json("goods", "list", "--tag", "夏") == [goods]
    assert [row["sku"] for row in desk.json("goods", "list", "--lacks", "weight_g")] == ["B"]
    shown = desk.run("goods", "list", "--sku", "A").out
    assert "99.00 CNY" in shown
    assert "SH A-03" in shown
    assert desk.run("goods", "list", "--sku", "C").err == "no such goods\n"


def test_few_columns_are_enough_and_a_dash_in_a_file_takes_back(desk: Desk) -> None:
    put(desk, "A,5", header="sku,weight_g")
    assert put(desk, "A,-,tea", header="sku,weight_g,title") == (0, "1 row taken, 0 refused\n", [])

    [goods] = desk.json("goods", "list")
    assert (goods["weight_g"], goods["title"]) == (None, "tea")


def test_bad_rows_are_named_by_file_and_line_and_notes_are_said(desk: Desk) -> None:
    code, out, said = put(
        desk,
        "A,,,5,,,,,,",
        "B,,,5 lb,,,,,,",
        "C,,,,,9,,,,",
        "D,,,,,,,,1,XX",
        ",,,5,,,,,,",
        "A,,,6,,,,,,",
        "E,,6901234567893,,,,,,,",
        "F,,6.9E+12,,,,,,,",
    )

    assert (code, out) == (1, "2 rows taken, 6 refused\n")
    assert said == [
        "goods.csv:3: the unit of weight_g must be g or kg, is lb",
        "goods.csv:4: the floor price needs a currency, for example CNY",
        "goods.csv:5: warehouse XX is not configured",
        "goods.csv:6: sku is empty",
        "goods.csv:7: the same thing stands on goods.csv:2",
        "goods.csv:9: barcode is 6.9E+12: a spreadsheet shortened it, format the column as text",
        "goods.csv:8: the check digit of barcode 6901234567893 is wrong: a digit may be mistyped",
    ]


def test_another_header_is_refused_with_the_right_one(desk: Desk) -> None:
    code, _, wrong = put(desk, "A,1", header="sku,wieght")

    assert code == 1
    assert wrong == [
        "erpsync: goods.csv:1: the header must be sku and may hold "
        "title,barcode,weight_g,volume_cm3,floor,currency,tags,shelf,warehouse, is sku,wieght"
    ]


def test_the_command_knows_all_that_goods_may_lack() -> None:
    [command] = [each for each in COMMANDS if each.name == "goods list"]
    [lacks] = [each for each in command.arguments if "--lacks" in each.names]

    assert lacks.options["choices"] == LACKS


def test_a_dash_in_a_file_of_policies_takes_back_as_well(desk: Desk) -> None:
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand", "9")
    header = "sku,channel,warehouse,safety,cap,buffer,paused"
    for line in ("A,shop,,,50,4,", "A,shop,,,-,,"):
        assert desk.run("policies", "import", desk.write("p.csv", f"{header}\n{line}\n")).code == 0

    [policy] = desk.json("policies", "list")
    assert (policy["cap"], policy["buffer"]) == (None, 4)
