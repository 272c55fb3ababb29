"""What is committed works on any machine and gives nothing away."""

import re
from pathlib import Path

import pytest

from tests.support.sources import committed_files, shown

# Written in two parts, so that this file does not find itself.
FORBIDDEN = {
    "a folder of one machine": r"(?<![\w.])/(?:work|root|Users|mnt)" + r"/\w",
    "somebody's home": r"(?<![\w.])/home" + r"/\w",
    "the address of a package index": r"pypi\."
    + r"org|pythonhosted\."
    + r"org|registry\.npmjs|--(?:extra-)?index-"
    + r"url\b",
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE" + r" KEY",
    "a cloud access key": r"\bAKIA[0-9A-Z]{16}\b",
    "an access token": r"\b(?:ghp|gho|github_pat|glpat|xox[bp])[-_]\w{16,}",
}
MAX_KIB = 1024


def text_of(path: Path) -> str:
    """Return a file as text; what is not text becomes question marks."""
    return path.read_bytes().decode("utf-8", errors="replace")


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_committed_file_holds(what: str) -> None:
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{shown(path)}:{number}: {line.strip()[:80]}"
        for path in committed_files()
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if pattern.search(line)
    ]

    assert found == []


def test_the_locks_name_no_address() -> None:
    locks = [path for path in committed_files() if path.suffix == ".lock"]

    assert len(locks) == 4
    assert [shown(path) for path in locks if "://" in text_of(path)] == []


def test_no_committed_file_is_a_leftover_of_a_run() -> None:
    leftovers = (".db", ".db-wal", ".db-shm", ".sqlite", ".log", ".pyc", ".key", ".pem")
    found = [shown(path) for path in committed_files() if path.name.endswith(leftovers)]

    assert found == []


def test_no_committed_file_is_huge() -> None:
    assert [shown(path) for path in committed_files() if path.stat().st_size > MAX_KIB * 1024] == []
