"""The repository's own files, read for rules that no other tool checks."""

import ast
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def committed_files() -> tuple[Path, ...]:
    """Return what is, or is about to be, committed; in a tree without git every file of the source folders."""
    if shutil.which("git") and (ROOT / ".git").exists():
        command = ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return tuple(path for name in listing.split("\0") if name and (path := ROOT / name).is_file())
    folders = ("erpsync", "connectors", "config", "migrations", "tests", ".ci")
    inside = (path for folder in folders for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    return tuple(path for path in (*ROOT.glob("*"), *inside) if path.is_file())


@cache
def modules(*packages: str) -> tuple[tuple[Path, ast.Module], ...]:
    """Return every Python file of these folders with its syntax tree."""
    paths = [path for package in packages for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple((path, ast.parse(path.read_text(encoding="utf-8"), str(path))) for path in paths)


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method, nested ones too."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def shown(path: Path) -> str:
    """Return `path` as a reader of the repository would write it."""
    return path.relative_to(ROOT).as_posix()
