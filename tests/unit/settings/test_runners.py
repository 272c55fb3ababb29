"""A warehouse names the channel of the system that runs it; a wrong name is told by line and column."""

from pathlib import Path

import pytest

from erpsync.sdk.roles import Connector, WarehouseSink
from erpsync.sdk.types import CheckReport, Release, Repeat
from erpsync.settings import Loaded, Registry, load
from tests.unit.settings.builders import CHANNEL, Market, MarketSettings, notes, problems, write


class System(Connector, WarehouseSink):
    """A system that runs a warehouse."""

    Settings = MarketSettings
    repeat = Repeat.SAFE

    def check(self) -> CheckReport:
        """Say that all is well."""
        return CheckReport()

    def release(self, order: Release) -> None:
        """Take it."""

    def cancel(self, number: str) -> bool | None:
        """Stop it."""
        return True


class Chooser(Connector):
    """A connector that becomes one of its subclasses by its settings."""

    Settings = MarketSettings


class ChosenSystem(Chooser, WarehouseSink):
    """The one that runs a warehouse."""


SYSTEM = CHANNEL.replace("id: shop", "id: wms").replace("market", "system")


def checked(folder: Path, warehouse: str, *, system: str = SYSTEM) -> Loaded:
    write(folder, f"warehouses:\n  - {warehouse}\n", shop=CHANNEL, wms=system)
    registry = Registry.of({"market": Market, "system": System, "chooser": Chooser})
    return load(folder, registry=registry, environ={})


def test_a_warehouse_may_be_run_by_a_channel(tmp_path: Path) -> None:
    result = checked(tmp_path, "{id: SH, channel: wms}")

    assert problems(tmp_path, result) == []
    assert [each.channel for each in result.require().warehouses] == ["wms"]


def test_a_connector_that_may_become_one_is_given_the_benefit_of_the_doubt(tmp_path: Path) -> None:
    result = checked(tmp_path, "{id: SH, channel: wms}", system=SYSTEM.replace("system", "chooser"))

    assert problems(tmp_path, result) == []


@pytest.mark.parametrize(
    ("channel", "problem"),
    [
        ("wmss", "no channel 'wmss' in channels/; did you mean 'wms'?"),
        ("elsewhere", "no channel 'elsewhere' in channels/; known are shop, wms"),
        ("shop", "channel 'shop' cannot run a warehouse: its connector takes no releases"),
    ],
)
def test_a_channel_that_cannot_run_it_is_named(tmp_path: Path, channel: str, problem: str) -> None:
    result = checked(tmp_path, f"{{id: SH, channel: {channel}}}")

    assert problems(tmp_path, result) == [f"erpsync.yaml:2:14: warehouses.0.channel: {problem}"]


def test_a_disabled_channel_is_worth_a_warning(tmp_path: Path) -> None:
    result = checked(tmp_path, "{id: SH, channel: wms}", system=SYSTEM + "enabled: false\n")

    assert problems(tmp_path, result) == []
    assert [note.partition(": erpsync")[0] for note in notes(tmp_path, result)] == ["warning"]
