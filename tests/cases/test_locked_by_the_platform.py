"""An order is locked by the platform while it waits: its next export calls it by a text that may be in no table."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.shipments.record import ship
from tests.cases.town import drop, drop_folder, town_of
from tests.support.looking import held, rows, status, tasks
from tests.support.shop import Town


@pytest.fixture
def town(database_url: str, tmp_path: Path) -> Iterator[Town]:
    folder = tmp_path / "in"
    with town_of(database_url, "csv_drop", drop_folder(folder, profile="jd"), CUP=5) as town:
        drop(town, folder, "locked_by_the_platform/1-to-ship.csv")
        assert status(town, "290000000001") == ("allocated", None)
        drop(town, folder, "locked_by_the_platform/2-locked.csv")
        yield town


@pytest.mark.parametrize(("order", "units"), [("290000000001", 2), ("290000000002", 1)])
def test_nothing_of_it_leaves_unnoticed(town: Town, order: str, units: int) -> None:
    assert status(town, order)[0] == "held"
    assert held(town, order) == {"CUP": units}
    with pytest.raises(Refused, match="--force"):
        ship(town.ctx, order=order, carrier="SF", tracking=f"SF{order}")


def test_a_text_that_is_in_no_table_is_one_task_for_all_its_orders(town: Town) -> None:
    unread = rows(town, "SELECT DISTINCT unknown_status FROM dead_letter WHERE state = 'open'")

    assert tasks(town) == ["unknown_status"] * len(unread)
