"""Columns that have shifted put a name or phone where a code belongs: it stands in no text that is stored or shown."""

from collections.abc import Iterator

import pytest
from sqlalchemy import inspect, text

from tests.flow.test_letters_of_files import HEADER, Folders, folders

__all__ = ["folders"]

NAME, PHONE = "王小明", "13800138000"
ORDERS = {
    "status": f"1002,a,{NAME},2026-03-02 12:01,2026-03-02 12:02,TEA,2,9.00",
    "placed": f"1002,a,paid,{NAME},2026-03-02 12:02,TEA,2,9.00",
    "quantity": f"1002,a,paid,2026-03-02 12:01,2026-03-02 12:02,TEA,{NAME},9.00",
    "price": f"1002,a,paid,2026-03-02 12:01,2026-03-02 12:02,TEA,2,{PHONE}x",
    "cut": "1002,a,paid,2026-03-02 12:01,2026-03-02 12:02,1.3800138E+10,2,9.00",
}
PARCELS = {
    "order": f"{NAME},SF,SF1",
    "order as a phone": f"{PHONE},SF,SF1",
    "carrier": f"1001,{NAME},SF1",
    "carrier as a phone": f"1001,{PHONE},SF1",
    "line": f"1001,SF,SF1,{NAME},1",
}
DEPOT = {
    "shipments-1.csv": f"release,carrier,tracking\n{NAME},SF,SF1\n{PHONE},SF,SF2\n",
    "stock-1.csv": f"sku,on_hand,as_of,warehouse\nA,{NAME},2026-03-02 08:00:00,\nA,1,{NAME},\nA,1,2026-03-02,{NAME}\n",
    "answers-1.csv": f"release,stopped\nR,{NAME}\n{NAME},yes\n",
}


def stored(folders: Folders) -> Iterator[str]:
    """Yield every text of the database that nobody needs a key for."""
    with folders.ctx.store.read() as connection:
        for table in inspect(folders.ctx.store.engine).get_table_names():
            for row in connection.execute(text(f'SELECT * FROM "{table}"')).mappings():
                yield from (f"{table}.{name}: {value}" for name, value in row.items() if isinstance(value, str))


def assert_nothing_tells(folders: Folders, *, letters: int) -> None:
    assert len(folders.ids()) == letters
    assert [told for told in stored(folders) if NAME in told or PHONE in told or "1.3800138" in told] == []


@pytest.mark.parametrize("case", ORDERS)
def test_a_shifted_row_of_an_order_is_told_by_its_line_alone(folders: Folders, case: str) -> None:
    folders.drop(f"{HEADER}\n{ORDERS[case]}\n")

    assert_nothing_tells(folders, letters=1)


@pytest.mark.parametrize("case", PARCELS)
def test_a_shifted_row_of_a_parcel_is_told_by_its_line_alone(folders: Folders, case: str) -> None:
    folders.drop(f"{HEADER}\n1001,a,paid,2026-03-02 12:01,2026-03-02 12:02,TEA,2,9.00\n")
    header = "order,carrier,tracking" + (",line_id,qty" if case == "line" else "")
    folders.drop(f"{header}\n{PARCELS[case]}\n", name="parcels.csv", channel="parcels")

    assert_nothing_tells(folders, letters=1)


@pytest.mark.parametrize("name", DEPOT)
def test_a_shifted_row_of_a_warehouse_is_told_by_its_line_alone(folders: Folders, name: str) -> None:
    folders.drop(DEPOT[name], name=name, channel="depot")

    assert_nothing_tells(folders, letters=DEPOT[name].count("\n") - 1)
