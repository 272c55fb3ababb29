"""Connectors of others: each a distribution of its own that sees the SDK alone, and another's product behind it."""

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.distributions import environment, install, passed
from tests.support.sources import ROOT

HERE = Path(__file__).parent
LOCK = ROOT / "requirements-outsiders.lock"
OUTSIDE = Path(os.environ.get("ERPSYNC_TEST_OUTSIDERS", f"{sys.prefix}-outsiders"))
PYTHON = OUTSIDE / "bin" / "python"
FOLDERS = sorted(path.parent for path in HERE.glob("*/pyproject.toml"))


def missing() -> str:
    """Return why their environment cannot be used, nothing when it can."""
    stamp = OUTSIDE / ".set-up"
    if not PYTHON.exists() or not stamp.exists():
        return "there is no environment for connectors of others: make outsiders"
    if stamp.read_bytes() != LOCK.read_bytes():
        return "the environment for connectors of others is older than requirements-outsiders.lock: make outsiders"
    return ""


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def outsider(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folder of a connector, and where it was installed."""
    if why := missing():
        if os.environ.get("ERPSYNC_REQUIRE_OUTSIDERS"):
            pytest.fail(why)
        pytest.skip(why)
    site = tmp_path_factory.mktemp("outsider") / "site"
    install(request.param, site, python=PYTHON)
    return request.param, site


@pytest.mark.slow
@pytest.mark.concurrent("processes")
def test_a_connector_of_others_passes_the_suite_as_it_was_installed(
    outsider: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, site = outsider

    assert passed(folder, site, tmp_path, python=PYTHON) >= 20


@pytest.mark.concurrent("processes")
def test_erpsync_finds_it_by_its_entry_point_and_lints_its_settings(
    outsider: tuple[Path, Path], tmp_path: Path
) -> None:
    """`check` names its keys as those of our own connectors."""
    _, site = outsider
    (tmp_path / "channels").mkdir()
    (tmp_path / "erpsync.yaml").write_text("warehouses: [{id: SH}]\n", encoding="utf-8")
    channel = "id: k\nconnector: karrio\nsettings: {url: http://127.0.0.1, token: t, carrier: EMSS, service: s}\n"
    (tmp_path / "channels" / "k.yaml").write_text(channel, encoding="utf-8")
    command = [str(PYTHON), "-m", "erpsync.cli.main", "--config", str(tmp_path), "check", "--json"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(site, tmp_path), capture_output=True, text=True, check=False
    )

    said = json.dumps(json.loads(done.stdout), ensure_ascii=False)
    assert (done.returncode, "settings.carrier" in said, "did you mean EMS" in said) == (78, True, True), said


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_sees_nothing_of_erpsync_but_the_sdk(folder: Path) -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    names += [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    ours = {name for name in names if name.partition(".")[0] in ("erpsync", "connectors", "tests")}

    assert ours
    assert [name for name in ours if not name.startswith("erpsync.sdk")] == []
