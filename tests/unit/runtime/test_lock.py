"""One daemon per SQLite file."""

import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from erpsync.runtime.lock import MOMENT_S, AlreadyRunningError, holder, only_daemon

HOLD = "import sys; from pathlib import Path; from erpsync.runtime.lock import only_daemon\n"
HOLD += "with only_daemon(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"


@pytest.mark.concurrent("processes")
def test_a_second_daemon_is_refused_with_the_process_that_runs(tmp_path: Path) -> None:
    database = tmp_path / "erpsync.db"
    command = [sys.executable, "-c", HOLD, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"

        with pytest.raises(AlreadyRunningError, match=f"process {other.pid}.*{database}"), only_daemon(database):
            pass

        other.kill()
        other.wait()
        with only_daemon(database):
            assert (tmp_path / "erpsync.db.lock").read_text() == f"{os.getpid()}\n"


def test_blocks_of_one_process_may_nest(tmp_path: Path) -> None:
    with only_daemon(tmp_path / "erpsync.db"), only_daemon(tmp_path / "erpsync.db"):
        pass
    with only_daemon(tmp_path / "erpsync.db"):
        pass


def test_two_databases_have_two_daemons(tmp_path: Path) -> None:
    with only_daemon(tmp_path / "a.db"), only_daemon(tmp_path / "b.db"), only_daemon(None):
        assert (tmp_path / "a.db.lock").exists()


@pytest.mark.concurrent("processes")
def test_who_looks_is_told_which_process_is_the_daemon_and_when_there_is_none(tmp_path: Path) -> None:
    database = tmp_path / "erpsync.db"
    assert holder(database) is None
    command = [sys.executable, "-c", HOLD, database]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert holder(database) == str(other.pid)
        other.kill()
        other.wait()

    assert holder(database) is None
    with only_daemon(database):
        assert holder(database) == str(os.getpid())
    assert holder(database) is None


@pytest.mark.concurrent("threads")
def test_a_look_in_the_moment_of_its_start_keeps_no_daemon_from_starting(tmp_path: Path) -> None:
    database = tmp_path / "erpsync.db"
    with only_daemon(database):
        pass
    with (tmp_path / "erpsync.db.lock").open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        gone = threading.Timer(MOMENT_S, fcntl.flock, (looking, fcntl.LOCK_UN))
        gone.start()
        with only_daemon(database):
            pass
        gone.join()
