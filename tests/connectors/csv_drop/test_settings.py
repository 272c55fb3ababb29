"""What a drop folder's settings refuse, so that no file has to find out."""

from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from connectors.csv_drop.profiles import ORDER_FIELDS, SHIPMENT_FIELDS
from connectors.csv_drop.settings import CsvDropSettings, FieldName
from tests.connectors.csv_drop.builders import COLUMNS

FOLDER = Path("/drop")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": {"external_id": "a", "channel_sku": "b", "price": "c"}}, "where qty stand"),
        ({"columns": {"channel_sku": "b", "qty": "d", "price": "c"}}, "where external_id stand"),
        ({"columns": {"external_id": "a", "channel_sku": "b", "qty": "c"}}, "where price or total stand"),
        ({"columns": {**COLUMNS, "colour": "x"}}, "columns.colour"),
        ({"columns": {**COLUMNS, "title": []}}, "columns.title"),
        ({"columns": {**COLUMNS, "tracking": "x"}}, "files of orders have no 'tracking'"),
        ({"reads": "shipments", "columns": {"price": "x"}}, "files of shipments have no 'price'"),
        ({"timezone": "Asia/Peking"}, "unknown time zone 'Asia/Peking'"),
        ({"timezone": "../etc/passwd"}, "unknown time zone"),
        ({"datetime_formats": ["%H:%M"]}, "'%H:%M' does not carry a whole date"),
        ({"status_map": {"x": "sent"}}, "status_map.x"),
        ({"encoding": "latin-1"}, "encoding"),
        ({"settle_s": -1}, "settle_s"),
        ({"out_folder": FOLDER}, "out_folder must be another folder"),
        ({"unknown": 1}, "unknown"),
        ({"pattern": []}, "pattern"),
    ],
)
def test_settings_that_cannot_work_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        CsvDropSettings(**{"folder": FOLDER, "columns": COLUMNS, **changes})
    assert said in str(caught.value)


def test_numbers_in_yaml_are_taken_as_text() -> None:
    made = CsvDropSettings(
        folder=FOLDER, columns={**COLUMNS, "title": 2026}, constants={"freight": 6.5}, status_map={1: "paid"}
    )

    assert made.columns["title"] == ("2026",)
    assert made.constants["freight"] == "6.5"
    assert list(made.status_map) == ["1"]


def test_without_columns_and_profile_the_headers_are_the_field_names() -> None:
    assert CsvDropSettings(folder=FOLDER).columns == {}
    assert CsvDropSettings(folder=FOLDER, reads="shipments").columns == {}


def test_the_fields_that_settings_accept_are_those_that_the_mapping_knows() -> None:
    assert set(get_args(FieldName)) == {*ORDER_FIELDS, *SHIPMENT_FIELDS}


def test_every_setting_is_described() -> None:
    assert [name for name, field in CsvDropSettings.model_fields.items() if not field.description] == []
