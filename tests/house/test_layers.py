"""Folders are floors and imports only go down; the contracts are in pyproject.toml."""

import ast
import subprocess
import sys
from pathlib import Path

from tests.support.sources import ROOT, modules, shown

PURE = ("erpsync.core", "erpsync.sdk.types")


def test_imports_keep_the_contracts() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_core_imports_the_standard_library_and_the_sdk_types_only() -> None:
    foreign = [
        f"{shown(path)}: {name}"
        for path, tree in modules("erpsync/core")
        for name in imported(tree)
        if not name.startswith(PURE) and name.split(".")[0] not in sys.stdlib_module_names
    ]

    assert foreign == []


def test_connectors_import_their_own_folder_and_the_sdk_only() -> None:
    foreign = [
        f"{shown(path)}: {name}"
        for path, tree in modules("connectors")
        for name in imported(tree)
        if name.startswith(("erpsync", "connectors", "tests")) and not name.startswith(("erpsync.sdk", own(path)))
    ]

    assert foreign == []


def imported(tree: ast.Module) -> list[str]:
    """Return the full names of the modules a file imports, wherever the import stands."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import on line {node.lineno}"
            names.append(node.module or "")
    return names


def own(path: Path) -> str:
    """Return the package of the connector that `path` belongs to."""
    return ".".join(path.relative_to(ROOT).parts[:2]).removesuffix(".py")
