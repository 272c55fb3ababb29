"""Connectors are found by their entry points, imported when used, and two of one name are refused."""

from importlib.metadata import Distribution, EntryPoint, PathDistribution
from pathlib import Path

import pytest
from pydantic import BaseModel

from erpsync.sdk.roles import Connector
from erpsync.settings import Registry, RegistryError, load
from erpsync.settings.registry import GROUP, from_entry_points, owners
from tests.unit.settings.builders import CHANNEL, Market, problems, registry, write


class LaxSettings(BaseModel):
    app_key: str


class Lax(Market):
    Settings = LaxSettings  # type: ignore[assignment]


def distribution(folder: Path, name: str, entry_points: str = "", record: str = "") -> Distribution:
    """Return an installed distribution as the interpreter finds it."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry_points}\n")
    (info / "RECORD").write_text(record)
    return PathDistribution(info)


def points(*installed: Distribution) -> list[EntryPoint]:
    return [point for each in installed for point in each.entry_points]


def test_names_are_known_without_importing_anything(tmp_path: Path) -> None:
    found = from_entry_points(points(distribution(tmp_path, "a", "zeta = nowhere.z:Z\nalpha = nowhere.a:A")))

    assert found.names() == ("alpha", "zeta")


def test_a_class_is_loaded_once() -> None:
    calls = []

    def load_market() -> type[Connector]:
        calls.append("market")
        return Market

    found = Registry({"market": load_market})

    assert (found.load("market"), found.load("market"), calls) == (Market, Market, ["market"])


def test_two_connectors_of_one_name_are_refused(tmp_path: Path) -> None:
    installed = points(distribution(tmp_path, "ours", "jd = a.b:C"), distribution(tmp_path, "theirs", "jd = x.y:Z"))

    with pytest.raises(RegistryError, match=r"two connectors are named 'jd': a.b:C of ours and x.y:Z of theirs"):
        from_entry_points(installed)


def test_a_distribution_found_twice_on_the_way_is_one(tmp_path: Path) -> None:
    ours = distribution(tmp_path, "ours", "jd = a.b:C")

    assert from_entry_points(points(ours, ours)).names() == ("jd",)


def test_two_distributions_that_own_the_import_name_connectors_are_refused(tmp_path: Path) -> None:
    ours = distribution(tmp_path, "ours", "jd = connectors.jd:JD")
    theirs = distribution(tmp_path, "theirs", record="connectors/__init__.py,,\nother.py,,\n")

    with pytest.raises(RegistryError, match="two distributions own the import name 'connectors': ours, theirs"):
        from_entry_points(points(ours), owners([ours, theirs]))


def test_one_distribution_may_own_connectors_and_others_bring_theirs(tmp_path: Path) -> None:
    ours = distribution(tmp_path, "ours", "jd = connectors.jd:JD", "connectors/jd.py,,\n")
    theirs = distribution(tmp_path, "theirs", "pdd = their_connectors.pdd:PDD", "their_connectors/pdd.py,,\n")

    assert from_entry_points(points(ours, theirs), owners([ours, theirs])).names() == ("jd", "pdd")


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (dict, "it is no subclass of erpsync.sdk.roles.Connector"),
        (Connector, "its Settings are no pydantic model"),
        (Lax, "its Settings do not forbid unknown keys"),
    ],
)
def test_a_class_that_breaks_the_contract_is_refused(kind: type[Connector], said: str) -> None:
    with pytest.raises(RegistryError, match=said):
        Registry.of({"odd": kind}).load("odd")


def test_a_connector_that_cannot_be_imported_is_a_problem_of_the_channels_that_use_it(tmp_path: Path) -> None:
    broken = from_entry_points(points(distribution(tmp_path, "a", "broken = nowhere_to_be_found.z:Z")))
    both = Registry({"broken": lambda: broken.load("broken"), "market": lambda: registry().load("market")})
    write(tmp_path, shop=CHANNEL, other="id: other\nconnector: broken\n")

    result = load(tmp_path, registry=both, environ={})

    assert problems(tmp_path, result) == [
        "channels/other.yaml:2:1: connector: connector 'broken' cannot be imported: "
        "No module named 'nowhere_to_be_found'"
    ]


@pytest.mark.parametrize(
    ("written_for", "said"),
    [
        ("1.99", r"it was written for erpsync\.sdk 1\.99, this is 1\.2; install versions that fit"),
        ("2.0", r"it was written for erpsync\.sdk 2\.0, this is 1\.2"),
        ("one", r"its sdk must be a version of erpsync\.sdk like 1\.2"),
    ],
)
def test_a_connector_written_for_another_sdk_is_refused(written_for: str, said: str) -> None:
    kind = type("Later", (Market,), {"sdk": written_for})

    with pytest.raises(RegistryError, match=said):
        Registry.of({"later": kind}).load("later")


@pytest.mark.parametrize("written_for", ["", "1.0"])
def test_a_connector_written_for_this_sdk_or_for_none_is_loaded(written_for: str) -> None:
    kind = type("Fitting", (Market,), {"sdk": written_for})

    assert Registry.of({"fitting": kind}).load("fitting") is kind
