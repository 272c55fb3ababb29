"""Sellers' exports by profile: files as platforms write them and the orders they mean.

The files are written from the header lines of such exports (`origin: notes` in the expected values), not real traffic.
"""

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.csv_drop.builders import drop, order_drop, read

GOLDEN = Path(__file__).parent / "golden"


def plain(value: object) -> Any:
    """Return an order as JSON would hold it, without what is empty; the claim instant is left out."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {item.name: plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return {name: item for name, item in fields.items() if item not in (None, "", [], 0) and name != "version_at"}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value


def normalised(file: Path, folder: Path, encoding: str = "utf-8") -> list[Any]:
    """Return the orders of a file, read by the profile it is named after."""
    drop(folder, file.name, file.read_text(encoding="utf-8").encode(encoding))
    orders, refused = read(order_drop(folder, columns={}, profile=file.stem))
    assert refused == []
    return [plain(order) for order in orders.values()]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("name", ["jd", "pdd", "taobao"])
def test_an_export_of_a_platform_is_read_by_its_profile(tmp_path: Path, name: str, encoding: str) -> None:
    expected = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))

    assert expected["origin"] == "notes"
    assert normalised(GOLDEN / f"{name}.csv", tmp_path, encoding) == expected["orders"]
