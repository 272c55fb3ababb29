"""Whether a user can work in a folder: asked without changing anything."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from erpsync.sdk.folder import unusable
from tests.support.sources import ROOT

ASK = """
import os, sys
from pathlib import Path
from erpsync.sdk.folder import unusable
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
print(unusable(Path(sys.argv[1]), made=sys.argv[2] == "made"))
"""


@pytest.fixture
def locked() -> Iterator[Path]:
    """A folder that may be looked into and not written in, by anybody but root."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    folder.chmod(0o555)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def asked(folder: Path, how: str = "") -> str:
    """Return what a user without rights is told."""
    command = [sys.executable, "-c", ASK, str(folder), how]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return str(done.stdout.strip())


@pytest.mark.concurrent("processes")
def test_a_folder_without_rights_is_no_place_to_work_nor_to_make_one_in(locked: Path) -> None:
    denied = f"this user may not read and write in {locked}"

    assert asked(locked) == denied
    assert asked(locked / "a" / "b", "made") == f"{denied}, so {locked / 'a' / 'b'} cannot be made"
    assert asked(locked / "a") == f"there is no folder {locked / 'a'}"


def test_a_folder_to_be_made_may_be_missing_as_deep_as_it_likes(tmp_path: Path) -> None:
    assert unusable(tmp_path / "a" / "b", made=True) == ""
    assert unusable(tmp_path) == ""
    assert list(tmp_path.iterdir()) == []
