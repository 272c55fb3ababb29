"""A backup or a restoring that is killed, interrupted or runs out of room: whole under its name, or not there."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from erpsync.store.db.copies import copy_in_use
from tests.crash.process import LONG_S, Daemon, Shop, eventually
from tests.e2e.command_desk import Desk, set_up, trade
from tests.support.losing import lose
from tests.support.postgres import Server, find_binaries

pytestmark = pytest.mark.concurrent("processes")

ROWS = 40_000
MANY = f"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {ROWS}) INSERT INTO"
FILLING = f"{MANY} event (id, at, kind, detail) SELECT id + 100, id, 'order.imported', hex(randomblob(300)) FROM n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk with a day's orders and a long history, on SQLite."""
    made = trade(set_up(tmp_path / "desk"))
    with closing(sqlite3.connect(database_of(made))) as connection:
        connection.execute(FILLING)
        connection.commit()
    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "backup.erpsync"


def database_of(desk: Desk) -> Path:
    return desk.folder / "var" / "erpsync.db"


@contextmanager
def started(desk: Desk, *words: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Yield a command as a process, killed at the end if it still runs."""
    command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(desk.folder), *words]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=os.environ | environ) as process:
        try:
            yield process
        finally:
            process.kill()


def at_work(folder: Path) -> Callable[[], bool]:
    """Return what tells whether something is being made in a hidden folder of this one."""
    return lambda: any(each.stat().st_size > 1 << 20 for each in folder.glob(".*/*") if each.is_file())


def hidden(folder: Path) -> list[Path]:
    return list(folder.glob(".*"))


def whole(database: Path) -> int:
    """Return how many events a whole database holds."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT count(*) FROM event").fetchone()[0])


def lose_but_the_keys(desk: Desk) -> None:
    keys = database_of(desk).with_name("erpsync.db.keys")
    kept = keys.read_text()
    lose(f"sqlite:///{database_of(desk)}")
    keys.write_text(kept)


def test_a_backup_that_is_killed_leaves_nothing_of_its_name_and_the_next_one_nothing_else(
    desk: Desk, file: Path
) -> None:
    with started(desk, "backup", str(file)) as process:
        assert eventually(at_work(file.parent), every_s=0.001)
        process.kill()
        process.wait()
    assert not file.exists()

    assert desk.run("backup", str(file)).code == 0
    assert list(file.parent.iterdir()) == [file]
    assert whole(database_of(desk)) > ROWS


def test_a_restoring_that_is_killed_leaves_no_database_and_the_next_one_a_whole_one(desk: Desk, file: Path) -> None:
    desk.run("backup", str(file))
    lose_but_the_keys(desk)
    folder = database_of(desk).parent
    with started(desk, "restore", str(file)) as process:
        assert eventually(at_work(folder), every_s=0.001)
        process.kill()
        process.wait()
    assert not database_of(desk).exists()
    assert desk.run("run", "--once").code == 78  # the key file says that there was one

    assert desk.run("restore", str(file)).code == 0
    assert hidden(folder) == []
    assert whole(database_of(desk)) > ROWS


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("words", [["restore"], ["restore", "--verify"], ["backup"]])
def test_what_is_interrupted_removes_what_it_has_begun(
    desk: Desk, file: Path, tmp_path: Path, number: signal.Signals, words: list[str]
) -> None:
    folder = database_of(desk).parent
    if "restore" in words:
        desk.run("backup", str(file))
        lose_but_the_keys(desk)
    else:
        folder = file.parent
    with started(desk, *words, str(file)) as process:
        assert eventually(at_work(folder), every_s=0.001)
        process.send_signal(number)
        assert process.wait(LONG_S) == 130

    assert hidden(folder) == []
    assert file.exists() == ("restore" in words)
    assert database_of(desk).exists() == ("backup" in words)


def test_without_room_there_is_one_line_and_nothing_is_left(desk: Desk, file: Path) -> None:
    ran = limited(desk, "backup", str(file))
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), ran.stderr
    assert str(file) in ran.stderr
    assert list(file.parent.iterdir()) == []

    desk.run("backup", str(file))
    lose_but_the_keys(desk)
    ran = limited(desk, "restore", str(file))
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1), ran.stderr
    assert str(database_of(desk).parent) in ran.stderr
    assert not database_of(desk).exists()
    assert hidden(database_of(desk).parent) == []


def limited(desk: Desk, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command that may make no file larger than 2 MB."""
    command = [sys.executable, "-m", "erpsync.cli.main", "--config", str(desk.folder), *words]
    most = 2 << 20
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )


@pytest.mark.concurrent("threads")
def test_a_copy_of_a_database_that_is_written_to_all_the_time_ends_and_is_of_one_instant(tmp_path: Path) -> None:
    """Each commit adds a row to both tables; a copy that mixed two instants would hold more of one."""
    source, target = tmp_path / "busy.db", tmp_path / "copy.db"
    filled = f"INSERT INTO a SELECT id, hex(randomblob(400)) FROM ({MANY.partition(' INSERT')[0]} SELECT id FROM n)"
    with closing(sqlite3.connect(source)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.executescript("CREATE TABLE a (id INTEGER, text TEXT); CREATE TABLE b (id INTEGER);")
        connection.execute(filled)
        connection.execute("INSERT INTO b SELECT id FROM a")
        connection.commit()
    ended, written = threading.Event(), threading.Event()

    def write() -> None:
        with closing(sqlite3.connect(source, timeout=60)) as connection:
            while not ended.is_set():
                connection.execute("INSERT INTO a VALUES (0, 'x')")
                connection.execute("INSERT INTO b VALUES (0)")
                connection.commit()
                written.set()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert written.wait(LONG_S)
        seen: list[tuple[int, int]] = []
        copy_in_use(source, target, progress=lambda done, of: seen.append((done, of)))
    finally:
        ended.set()
        writer.join()

    with closing(sqlite3.connect(target)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        ((a,), (b,)) = connection.execute("SELECT count(*) FROM a UNION ALL SELECT count(*) FROM b").fetchall()
    assert a == b > ROWS
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_beside_the_real_daemon_a_backup_is_made_and_all_that_it_had_read_by_then_comes_back(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "shop")
    file = tmp_path / "backup.erpsync"
    with Daemon(shop) as daemon:
        shop.drop("first", ["A1", "A2"])
        daemon.wait("poll.done", lambda record: record["records"] == 2)
        assert shop.erpsync("backup", str(file)).code == 0
        shop.drop("second", ["A3"])
        daemon.wait("poll.done", lambda record: record["records"] == 1)
        daemon.process.kill()
    keys = shop.database.with_name("erpsync.db.keys").read_text()
    lose(f"sqlite:///{shop.database}")
    shop.database.with_name("erpsync.db.keys").write_text(keys)

    assert shop.erpsync("restore", str(file)).code == 0
    asked = shop.erpsync("tasks", "list", "--json").json
    assert any("files that drop read between" in task["reason"] for task in asked)
    for each in (shop.folder / "in-drop" / "done").rglob("*.csv"):  # as that task says
        each.rename(shop.folder / "in-drop" / each.name)
    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")
        assert eventually(lambda: shop.orders() == ["A1", "A2", "A3"])


TOOL = """#!/bin/sh
{real}/pg_restore "$@"
code=$?
touch {reached}
{then}
exit $code
"""


@pytest.fixture
def server_desk(tmp_path: Path, postgres_server: Server, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk with a day's orders on PostgreSQL."""
    name = f"killed_{tmp_path.name}"[:60].lower()
    url = postgres_server.create(name)
    made = set_up(tmp_path / "desk", database=url)
    for key in ("pii-1", "pii-index"):
        made.write(f"keys/{key}", "a" * 43 + "=")
    text = (made.folder / "erpsync.yaml").read_text(encoding="utf-8")
    made.write("erpsync.yaml", f"{text}privacy: {{keys: [!file keys/pii-1], index_key: !file keys/pii-index}}\n")
    trade(made)
    yield made
    postgres_server.drop(name)


def url_in(desk: Desk) -> str:
    text = (desk.folder / "erpsync.yaml").read_text(encoding="utf-8")
    return next(line.partition(": ")[2] for line in text.splitlines() if line.startswith("database: "))


def slow_tool(tmp_path: Path) -> tuple[dict[str, Any], Path]:
    """Return the environment in which `pg_restore` restores, and then does not end; and the file that says so."""
    tools, reached = tmp_path / "tools", tmp_path / "reached"
    tools.mkdir()
    tool = tools / "pg_restore"
    tool.write_text(TOOL.format(real=find_binaries(), reached=reached, then="exec sleep 60"))
    tool.chmod(0o755)
    return {"PATH": f"{tools}:{os.environ['PATH']}"}, reached


@pytest.mark.postgresql
def test_a_restoring_into_postgresql_that_is_killed_is_refused_by_every_start_and_done_anew_by_the_next(
    server_desk: Desk, file: Path, tmp_path: Path
) -> None:
    desk, url = server_desk, url_in(server_desk)
    known = desk.json("orders", "list")
    desk.run("backup", str(file))
    lose(url)
    environ, reached = slow_tool(tmp_path)
    with started(desk, "restore", str(file), **environ) as process:
        assert eventually(reached.exists, every_s=0.01)
        process.kill()
        process.wait()

    for words in (["run", "--once"], ["orders", "list"], ["migrate"], ["backup", str(tmp_path / "of-half")]):
        ran = desk.run(*words)
        assert ran.code == 78, (words, ran.err)
        assert "did not come to its end" in ran.err

    assert eventually(lambda: desk.run("restore", str(file)).code == 0)
    assert desk.json("orders", "list") == known
    assert desk.apart("run", "--once").code == 0


@pytest.mark.postgresql
@pytest.mark.parametrize("words", [["restore"], ["restore", "--verify"]])
def test_a_restoring_into_postgresql_that_is_interrupted_removes_what_it_has_begun(
    server_desk: Desk, file: Path, tmp_path: Path, words: list[str], postgres_server: Server
) -> None:
    desk, url = server_desk, url_in(server_desk)
    desk.run("backup", str(file))
    lose(url)
    before = postgres_server.databases()
    environ, reached = slow_tool(tmp_path)
    with started(desk, *words, str(file), **environ) as process:
        assert eventually(reached.exists, every_s=0.01)
        process.send_signal(signal.SIGTERM)
        assert process.wait(LONG_S) == 130

    assert postgres_server.databases() == before
    assert "there is no database yet" in desk.run("orders", "list").err
