"""A day's trade that an older version kept is read after the update as it was before."""

from pathlib import Path
from typing import Any

import pytest

from erpsync.store.db.schema import VERSION
from tests.e2e.command_desk import Desk, set_up, trade
from tests.support.migrations import opened, take_back

OLDER = ("0019", "0015", "0011", "0005", "0001")
READ = ("orders list", "explain 1001", "explain 1002", "explain A", "stock list", "shipments list", "tasks list")


def read(desk: Desk) -> dict[str, Any]:
    """Return what commands say of the day."""
    return {words: desk.json(*words.split()) for words in READ}


@pytest.mark.concurrent("processes")
def test_orders_and_stock_are_read_as_they_were_after_an_update_from_any_version(tmp_path: Path) -> None:
    desk = set_up(tmp_path)
    trade(desk)
    before = read(desk)

    for version in OLDER:
        with opened(f"sqlite:///{tmp_path}/var/erpsync.db") as engine:
            take_back(engine, version)

        assert desk.json("migrate") == {"before": version, "version": VERSION, "changed": True}
        assert read(desk) == before, version
        assert desk.run("prove").code == 0
