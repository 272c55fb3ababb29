"""What becomes of files that were read: nobody else can read them, and they stay or go as the operator says."""

import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from erpsync.sdk.types import Cursor
from tests.connectors.csv_drop.builders import HEADER, drop, heads, names, order_drop, row, settings
from tests.support.sources import ROOT

BAD = ["order,sku,amount", "1,2,3"]
READ_AS_NOBODY = """
import os, sys
from pathlib import Path
from structlog.testing import capture_logs
from tests.connectors.csv_drop.builders import heads, order_drop
heads(order_drop(Path(sys.argv[2])))  # imports what another user may not be able to
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
with capture_logs() as records:
    for _ in range(2):
        print(len(heads(order_drop(Path(sys.argv[1])))))
print([record["event"] for record in records])
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("content", "where"), [([HEADER, row()], "done"), (BAD, "failed")])
def test_a_file_that_was_read_is_for_this_user_alone(tmp_path: Path, content: list[str], where: str) -> None:
    drop(tmp_path, "orders.csv", content).chmod(0o644)
    heads(order_drop(tmp_path))

    assert mode(tmp_path / where / "orders.csv") == 0o600


@pytest.mark.concurrent("processes")
def test_a_file_of_somebody_else_is_read_all_the_same_and_that_is_said_once() -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as name, tempfile.TemporaryDirectory(dir="/tmp") as warm:
        drop(Path(warm), "a.csv", [HEADER, row()])
        folder = Path(name)
        folder.chmod(0o777)
        drop(folder, "a.csv", [HEADER, row("1")]).chmod(0o644)
        drop(folder, "b.csv", [HEADER, row("2")]).chmod(0o644)
        command = [sys.executable, "-c", READ_AS_NOBODY, name, warm]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

        assert (done.returncode, done.stdout) == (0, "2\n0\n['folder.open_to_others']\n"), done.stderr
        assert names(folder / "done") == ["a.csv", "b.csv"]


def test_read_files_are_removed_where_the_operator_says_so(tmp_path: Path) -> None:
    source = order_drop(tmp_path, read_files="remove")
    drop(tmp_path, "orders.csv", [HEADER, row()])

    assert len(heads(source)) == 1
    assert names(tmp_path) == []


def test_a_failed_file_stays_until_one_of_its_name_was_read(tmp_path: Path) -> None:
    source = order_drop(tmp_path, read_files="remove")
    drop(tmp_path, "orders.csv", BAD)
    heads(source)
    drop(tmp_path, "orders.csv", [*BAD, "4,5,6"])
    heads(source)
    drop(tmp_path, "other.csv", [HEADER, row()])
    heads(source)
    assert len(names(tmp_path / "failed")) == 4

    drop(tmp_path, "orders.csv", [HEADER, row()])
    heads(source)
    assert names(tmp_path / "failed") == []


def test_a_file_without_rows_mends_nothing_so_the_failed_one_stays(tmp_path: Path) -> None:
    source = order_drop(tmp_path, read_files="remove")
    drop(tmp_path, "orders.csv", BAD)
    heads(source)
    drop(tmp_path, "orders.csv", [HEADER])
    heads(source)

    assert names(tmp_path / "failed") == ["orders.csv", "orders.csv.error.txt"]


def test_a_reader_that_is_killed_within_a_file_has_removed_nothing(tmp_path: Path) -> None:
    source = order_drop(tmp_path, read_files="remove")
    drop(tmp_path, "orders.csv", BAD)
    heads(source)
    drop(tmp_path, "orders.csv", [HEADER, row()])
    source = order_drop(tmp_path, read_files="remove")
    reading = source.pull_orders(Cursor())
    next(reading)
    reading.close()

    assert names(tmp_path / "failed") == ["orders.csv", "orders.csv.error.txt"]
    assert len(list((tmp_path / ".claimed").glob("*.csv"))) == 1


def test_check_notes_that_read_files_stay_until_somebody_has_decided(tmp_path: Path) -> None:
    assert list(settings(tmp_path).notes()) == ["read_files"]
    assert settings(tmp_path, read_files="keep").notes() == {}
    assert settings(tmp_path, read_files="remove").notes() == {}
