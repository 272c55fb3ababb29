"""`make setup`: on a terminal a line that moves, elsewhere plain lines, and it fails where the installer fails."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.sources import ROOT

pytestmark = pytest.mark.concurrent("processes")

PIP = """#!/bin/sh
case "$*" in *--quiet*) exit {code};; esac
echo "Collecting alembic==1.16"
echo "Collecting requests>=2"
echo "Installing collected packages: alembic, requests"
exit {code}
"""


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """An environment that has an interpreter, so that none is made."""
    folder = tmp_path / "venv"
    program(folder / "bin" / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    return folder


def program(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    file.chmod(0o755)
    return file


def plain_environment() -> dict[str, str]:
    """Return the environment without what a make that runs these tests hands down."""
    return {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}


def set_up(venv: Path, *, code: int = 0, terminal: bool = False) -> tuple[int, str]:
    """Set up with an installer that ends with a code; return how make ended and what it said."""
    pip = program(venv.parent / "pip", PIP.format(code=code))
    command = ["make", "setup", f"VENV={venv}", f"PIP={pip}"]
    if not terminal:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=plain_environment())
        return done.returncode, done.stdout
    ours, theirs = pty.openpty()
    done = subprocess.run(
        command, cwd=ROOT, stdout=theirs, stderr=subprocess.DEVNULL, check=False, env=plain_environment()
    )
    os.close(theirs)
    said = b""
    while part := read(ours):
        said += part
    os.close(ours)
    return done.returncode, said.decode()


def read(terminal: int) -> bytes:
    """Return what is there; a terminal that nobody holds any more ends with an error."""
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def test_set_up_says_what_it_is_doing_in_plain_lines(venv: Path) -> None:
    code, said = set_up(venv)

    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["setting", "installing", "installing", str(venv)]
    assert "\033" not in said


def test_on_a_terminal_it_counts_the_packages_in_one_line(venv: Path) -> None:
    code, said = set_up(venv, terminal=True)

    assert code == 0
    assert "\r\033[K  fetching 2 of " in said
    assert ": requests>=2\r\033[K  installing 2 packages\r\033[K" in said


@pytest.mark.parametrize("terminal", [False, True])
def test_an_installer_that_fails_leaves_nothing_that_looks_set_up(venv: Path, terminal: bool) -> None:
    code, said = set_up(venv, code=3, terminal=terminal)

    assert code == 2
    assert "is set up" not in said
    assert not (venv / ".set-up").exists()
