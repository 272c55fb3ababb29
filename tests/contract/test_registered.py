"""Every registered connector is under the conformance suite.

A connector `NAME` of this repository has `tests/connectors/NAME/test_conformance.py` with a class that inherits
`ConnectorSuite`; those classes run with that connector's other tests. Here it is only made sure that none is missing
and that each of them is about the class that is registered.
"""

import importlib
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

import pytest

from erpsync.sdk.roles import Connector
from erpsync.sdk.testing import ConnectorSuite

ROOT = Path(__file__).parents[2]
REGISTERED = [entry for entry in entry_points(group="erpsync.connectors") if entry.module.startswith("connectors.")]
FOLDERS = sorted(path.parent.name for path in (ROOT / "connectors").glob("*/__init__.py"))


def suites(module: ModuleType) -> list[type[ConnectorSuite]]:
    found = [item for item in vars(module).values() if isinstance(item, type) and issubclass(item, ConnectorSuite)]
    return [item for item in found if item.__name__.startswith("Test")]


def test_every_connector_folder_is_registered() -> None:
    """A new entry point is invisible until the distribution is installed again, also in editable mode."""
    missing = set(FOLDERS) - {entry.name for entry in REGISTERED}

    assert not missing, f"no entry point for {sorted(missing)}: add a line to pyproject.toml and install again"


@pytest.mark.parametrize("entry", REGISTERED, ids=lambda entry: entry.name)
def test_a_registered_connector_is_under_the_conformance_suite(entry: EntryPoint) -> None:
    module = importlib.import_module(f"tests.connectors.{entry.name}.test_conformance")

    assert issubclass(entry.load(), Connector)
    assert suites(module), f"{module.__name__} has no Test class that inherits ConnectorSuite"
    assert entry.load() in vars(module).values(), f"{module.__name__} is not about {entry.value}"
