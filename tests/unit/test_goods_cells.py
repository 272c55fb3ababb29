"""What a cell of goods data says: units, sides, barcodes, money; what is wrong is named."""

import pytest

from erpsync.flows.inventory.goods_cells import has_right_check_digit, read_cells


@pytest.mark.parametrize(
    ("cell", "grams"),
    [("500", 500), ("500g", 500), ("0.5 kg", 500), ("1.2千克", 1200), ("2公斤", 2000), ("１２０克", 120), ("0.1", 1)],
)
def test_a_weight_is_in_grams_unless_its_unit_says_otherwise(cell: str, grams: int) -> None:
    assert read_cells({"weight_g": cell}).values == {"weight_g": grams}


@pytest.mark.parametrize(
    ("cell", "volume"),
    [("1200", 1200), ("1.2L", 1200), ("750 ml", 750), ("30x20x5", 3000), ("30×20×5 cm", 3000), ("0.01m³", 10_000)],
)
def test_a_volume_is_in_cubic_centimetres_or_three_sides(cell: str, volume: int) -> None:
    assert read_cells({"volume_cm3": cell}).values == {"volume_cm3": volume}


@pytest.mark.parametrize(
    ("cells", "problem"),
    [
        ({"weight_g": "-5"}, "weight_g must be a number from 0, is -5"),
        ({"weight_g": "heavy"}, "weight_g must be a number from 0, is heavy"),
        ({"weight_g": "1.2.3"}, "weight_g must be a number from 0, is 1.2.3"),
        ({"weight_g": "5 lb"}, "the unit of weight_g must be g or kg, is lb"),
        (
            {"volume_cm3": "5 gal"},
            "the unit of volume_cm3 must be cm3, l or m3, or three sides in cm such as 30x20x5, is gal",
        ),
        ({"floor": "9.90"}, "the floor price needs a currency, for example CNY"),
        ({"floor": "9.90", "currency": "RMB"}, "there is no currency RMB"),
        ({"floor": "9.905", "currency": "CNY"}, "floor 9.905 has more digits behind its point than CNY has"),
        ({"floor": "-1", "currency": "CNY"}, "floor must be an amount from 0, is -1"),
        ({"barcode": "6.9E+12"}, "barcode is 6.9E+12: a spreadsheet shortened it, format the column as text"),
        ({"barcode": "条码"}, "barcode must be up to 64 letters and digits, is 条码"),
        ({"title": "a\nb"}, "title holds a line end or control character"),
        ({"title": "x" * 1001}, "title holds 1001 characters, more than 1000"),
        ({"tags": ",".join(map(str, range(51)))}, "tags are 51, more than 50"),
    ],
)
def test_a_bad_cell_is_named_with_what_it_holds(cells: dict[str, str], problem: str) -> None:
    said = read_cells(cells)

    assert said.problems == [problem]
    assert said.values == {}


def test_every_bad_cell_of_a_row_is_named() -> None:
    assert len(read_cells({"weight_g": "x", "volume_cm3": "-", "floor": "1", "barcode": "é"}).problems) == 3


def test_an_empty_cell_says_nothing_and_a_dash_unsets() -> None:
    assert read_cells({"title": "", "weight_g": " "}).values == {}
    dashes = dict.fromkeys(("title", "barcode", "weight_g", "volume_cm3", "floor", "tags", "shelf"), "-")
    said = read_cells(dashes)
    assert said.shelf == ""
    assert said.values == {
        "title": "",
        "barcode": "",
        "weight_g": None,
        "volume_cm3": None,
        "floor_minor": None,
        "floor_currency": "",
        "tags": (),
    }


def test_money_is_kept_in_the_minor_units_of_its_currency() -> None:
    assert read_cells({"floor": "1,250.5", "currency": "cny"}).values == {
        "floor_minor": 125050,
        "floor_currency": "CNY",
    }
    assert read_cells({"floor": "1250", "currency": "JPY"}).values == {"floor_minor": 1250, "floor_currency": "JPY"}


def test_a_currency_alone_says_nothing() -> None:
    assert read_cells({"currency": "CNY"}).values == {}


def test_tags_are_taken_apart_by_whatever_people_put_between_them() -> None:
    assert read_cells({"tags": "冷冻、易碎，big; big|a b"}).values == {"tags": ("a b", "big", "冷冻", "易碎")}


def test_a_wrong_check_digit_is_a_note_and_the_barcode_is_kept() -> None:
    said = read_cells({"barcode": "690 1234-567893"})

    assert said.values == {"barcode": "6901234567893"}
    assert said.notes == ["the check digit of barcode 6901234567893 is wrong: a digit may be mistyped"]
    assert read_cells({"barcode": "6901234567892"}).notes == []
    assert read_cells({"barcode": "A-123"}).notes == []


@pytest.mark.parametrize("code", ["96385074", "036000291452", "4006381333931", "10614141000415"])
def test_check_digits_of_all_lengths_are_known(code: str) -> None:
    assert has_right_check_digit(code)
    assert not has_right_check_digit(code[:-1] + str((int(code[-1]) + 1) % 10))
