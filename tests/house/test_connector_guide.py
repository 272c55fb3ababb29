"""The guide for whoever writes a connector, word for word: its example outside the tree, its roles, its promises."""

import ast
import inspect
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import erpsync.sdk
from erpsync.sdk import errors, read, roles, tokens, types
from tests.support.sources import ROOT

PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*) *([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BASES = {"Connector", "ConnectorSettings", "OrderReader", "RefundReader"}
"""What roles are made of; nobody plays them alone."""

ERPSYNC = [sys.executable, "-m", "erpsync.cli.main"]


def blocks() -> dict[str, str]:
    """Return the blocks that have a name of their own."""
    return {match[2].strip(): match[3] for match in FENCE.finditer(PAGE) if match[2].strip() not in ("", "role")}


def lay_out(folder: Path) -> Path:
    """Write the example as the guide says, with what installing it would leave; return the folder."""
    for name, text in blocks().items():
        if name.endswith((".py", ".toml")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
    (folder / "erpsync_kiosk" / "__init__.py").touch()
    installed = folder / "erpsync_kiosk-1.0.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: erpsync-kiosk\nVersion: 1.0.0\n")
    points = re.search(r'^kiosk = "(.*)"$', blocks()["pyproject.toml"], re.MULTILINE)
    assert points is not None
    (installed / "entry_points.txt").write_text(f"[erpsync.connectors]\nkiosk = {points[1]}\n")
    return folder


def environ(folder: Path) -> dict[str, str]:
    """Return an environment that knows nothing but the example."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ERPSYNC")}
    return {**kept, "PYTHONPATH": str(folder), "HOME": str(folder)}


@pytest.mark.concurrent("processes")
def test_the_example_connector_passes_the_conformance_suite(tmp_path: Path) -> None:
    folder = lay_out(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={folder}", "test_kiosk.py"]
    done = subprocess.run(command, cwd=folder, env=environ(folder), capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) >= 25
    assert "skipped" not in done.stdout


@pytest.mark.concurrent("processes")
def test_the_example_connector_reads_what_the_sandbox_sells(tmp_path: Path) -> None:
    folder = lay_out(tmp_path)
    config = folder / "config"
    (config / "channels").mkdir(parents=True)
    run = {"cwd": folder, "env": environ(folder), "text": True}
    command = [*ERPSYNC, "sandbox", "--listen", "127.0.0.1:0", "--orders", "20", "--rate", "1000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **run) as served:  # type: ignore[call-overload]
        try:
            reach = _reach(served)
            said = served.stderr.readline()
            assert "kiosk 20" in said
            assert "taobao 20" in said
            (config / "erpsync.yaml").write_text("warehouses: [{id: SH}]\n", encoding="utf-8")
            shop = blocks()["config/channels/kiosk.yaml"].replace(
                "http://127.0.0.1:8687/kiosk", reach["kiosk"]["gateway"]
            )
            (config / "channels" / "kiosk.yaml").write_text(shop, encoding="utf-8")
            told = [*ERPSYNC, "--config", str(config)]
            for words in (["check", "--online"], ["run", "--once"]):
                ran = subprocess.run([*told, *words], capture_output=True, check=False, **run)  # type: ignore[call-overload]
                assert ran.returncode == 0, ran.stdout + ran.stderr
            listed = subprocess.run([*told, "orders", "list", "--json"], capture_output=True, check=True, **run)  # type: ignore[call-overload]
        finally:
            served.send_signal(signal.SIGINT)
            served.wait(60)

    assert len(json.loads(listed.stdout)) == 20


def _reach(served: Any) -> dict[str, dict[str, str]]:
    text = ""
    for line in served.stdout:
        text += line
        if line == "]\n":
            break
    return {each["connector"]: each["settings"] for each in json.loads(text)}


def test_the_example_connector_imports_the_sdk_only() -> None:
    text = "\n".join(text for name, text in blocks().items() if name.endswith(".py"))
    names = re.findall(r"^from (erpsync\S*)", text, re.MULTILINE)

    assert [name for name in names if not name.startswith(("erpsync.sdk", "erpsync_kiosk"))] == []


def played() -> dict[str, type]:
    """Return the roles that a connector may choose, by name."""
    classes = inspect.getmembers(roles, inspect.isclass)
    return {name: kind for name, kind in classes if kind.__module__ == roles.__name__ and name not in BASES}


def test_every_role_is_shown_with_a_few_lines() -> None:
    shown = re.findall(r"^\*\*`(\w+)`\*\*.*?(?=^\*\*`|^## )", PAGE, re.MULTILINE | re.DOTALL)
    with_code = [
        match[1]
        for match in re.finditer(r"^\*\*`(\w+)`\*\*(.*?)(?=^\*\*`|^## )", PAGE, re.MULTILINE | re.DOTALL)
        if "```python role\n" in match[2]
    ]

    assert sorted(shown) == sorted(with_code) == sorted(played())
    assert [name for name in played() if f"| `{name}` |" not in PAGE] == []


def test_the_lines_of_every_role_are_classes_that_play_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(lay_out(tmp_path)))
    names = _names()
    for match in re.finditer(r"^\*\*`(\w+)`\*\*.*?```python role\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(match[2], match[1], "exec"), names)
        (made,) = [node.name for node in ast.parse(match[2]).body if isinstance(node, ast.ClassDef)]
        kind = names[made]
        assert issubclass(kind, played()[match[1]]), match[1]
        assert not inspect.isabstract(kind), (made, kind.__abstractmethods__)


def _names() -> dict[str, Any]:
    """Return what the lines use: the example, the SDK, and the standard library."""
    from importlib import import_module

    known: dict[str, Any] = {}
    for module in (errors, read, roles, tokens, types, import_module("erpsync_kiosk.connector")):
        known |= vars(module)
    exec(
        "import hmac, json\nfrom collections.abc import *\nfrom datetime import datetime\nfrom typing import Any", known
    )
    exec("from typing import Any\nfrom erpsync.sdk.clock import Clock\nfrom erpsync.sdk.http import HttpClient", known)
    return known


def test_the_page_states_the_version_that_is_installed() -> None:
    assert f"`erpsync.sdk` {erpsync.sdk.VERSION} (" in PAGE
    assert f'sdk = "{erpsync.sdk.VERSION}"' in blocks()["erpsync_kiosk/connector.py"]
