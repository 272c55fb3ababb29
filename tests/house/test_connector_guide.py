"""The guide for whoever writes a connector, word for word: its example outside the tree, its roles, its promises."""

import ast
import inspect
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import erpsync.sdk
from erpsync.cli.connectors import starter
from erpsync.sdk import errors, labels, messages, read, roles, tokens, types
from tests.support.distributions import environment, install, passed
from tests.support.sources import ROOT

PAGE = (ROOT / "docs" / "connectors.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*) *([^\n]*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
BASES = {"Connector", "ConnectorSettings", "OrderReader", "RefundReader"}
"""What roles are made of; nobody plays them alone."""

ERPSYNC = [sys.executable, "-m", "erpsync.cli.main"]


def blocks() -> dict[str, str]:
    """Return the blocks that have a name of their own."""
    return {match[2].strip(): match[3] for match in FENCE.finditer(PAGE) if match[2].strip() not in ("", "role")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the guide's first lines make, installed beside into `site`."""
    home = tmp_path_factory.mktemp("guide")
    subprocess.run([*ERPSYNC, "connectors", "new", "kiosk", "--in", str(home)], capture_output=True, check=True)
    made = home / "erpsync_kiosk"
    install(made, made / "site")
    return made


@pytest.mark.concurrent("processes")
def test_what_is_written_passes_its_own_tests_as_it_was_installed(folder: Path) -> None:
    assert passed(folder, folder / "site", folder) >= 60


@pytest.mark.concurrent("processes")
def test_what_is_written_reads_what_its_sandbox_sells(folder: Path, tmp_path: Path) -> None:
    config = tmp_path / "config"
    (config / "channels").mkdir(parents=True)
    run = {"cwd": tmp_path, "env": environment(folder / "site", folder), "text": True}
    command = [*ERPSYNC, "sandbox", "--listen", "127.0.0.1:0", "--orders", "20", "--rate", "1000", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **run) as served:  # type: ignore[call-overload]
        try:
            reach = _reach(served)
            said = served.stderr.readline()
            assert "kiosk 20" in said
            assert "taobao 20" in said
            (config / "erpsync.yaml").write_text("warehouses: [{id: SH}]\n", encoding="utf-8")
            shop = (folder / "channels" / "kiosk.yaml").read_text(encoding="utf-8")
            shop = shop.replace("http://127.0.0.1:8687/kiosk", reach["kiosk"]["gateway"])
            (config / "channels" / "kiosk.yaml").write_text(shop, encoding="utf-8")
            told = [*ERPSYNC, "--config", str(config)]
            for words in (["check"], ["check", "--online"], ["run", "--once"]):
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


def test_what_is_written_imports_the_sdk_only() -> None:
    text = "\n".join(text for name, text in starter("kiosk").items() if name.endswith(".py"))
    names = re.findall(r"^from (erpsync\S*)", text, re.MULTILINE)

    assert [name for name in names if not name.startswith(("erpsync.sdk", "erpsync_kiosk"))] == []


def test_what_the_guide_shows_of_the_files_stands_in_them_word_for_word() -> None:
    written = starter("kiosk")
    shown = [match for match in FENCE.finditer(PAGE) if re.search(r"\.(py|toml)$", match[2].strip())]
    places = [(match[2].strip().removeprefix("tests/"), match[3]) for match in shown]

    assert len(shown) >= 7
    assert [name for name, text in places if text not in written.get(name, written.get(f"tests/{name}", ""))] == []
    listed = re.search(r"```text\nerpsync_kiosk/\n(.*?)```", PAGE, re.DOTALL)
    assert listed is not None
    named = {Path(name).name for name in written if not name.endswith(("__init__.py", "py.typed", ".json"))}
    assert [name for name in named if name not in listed[1]] == []


def played() -> dict[str, type]:
    """Return the roles that a connector may choose, by name."""
    classes = inspect.getmembers(roles, inspect.isclass)
    return {name: kind for name, kind in classes if kind.__module__.startswith(roles.__name__) and name not in BASES}


def test_every_role_is_shown_with_a_few_lines() -> None:
    shown = re.findall(r"^\*\*`(\w+)`\*\*.*?(?=^\*\*`|^## )", PAGE, re.MULTILINE | re.DOTALL)
    with_code = [
        match[1]
        for match in re.finditer(r"^\*\*`(\w+)`\*\*(.*?)(?=^\*\*`|^## )", PAGE, re.MULTILINE | re.DOTALL)
        if "```python role\n" in match[2]
    ]

    assert sorted(shown) == sorted(with_code) == sorted(played())
    assert [name for name in played() if f"| `{name}` |" not in PAGE] == []


def test_the_lines_of_every_role_are_classes_that_play_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder / "site"))
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
    for module in (errors, labels, messages, read, roles, tokens, types, import_module("erpsync_kiosk.connector")):
        known |= vars(module)
    known["head"] = import_module("erpsync_kiosk.mapping").head_of
    exec("import base64, hmac, json\nfrom collections.abc import *\nfrom datetime import datetime", known)
    exec("from typing import Any\nfrom erpsync.sdk.clock import Clock\nfrom erpsync.sdk.http import HttpClient", known)
    return known


def test_the_page_states_the_version_that_is_installed() -> None:
    assert f"`erpsync.sdk` {erpsync.sdk.VERSION} (" in PAGE
    assert f'    sdk = "{erpsync.sdk.VERSION}"\n' in starter("kiosk")["erpsync_kiosk/connector.py"]
