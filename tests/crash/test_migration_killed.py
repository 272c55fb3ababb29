"""A migration that is killed, or met by another, leaves a whole database: at the version it had or at this one."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from erpsync.store.db.schema import VERSION
from tests.crash.process import LONG_S, eventually
from tests.support.migrations import bring_to, go, opened, process_that_migrates

pytestmark = [pytest.mark.concurrent("processes"), pytest.mark.sqlite]

OLD = "0005"
"""The next one makes a table anew, the third after it names every order."""

ORDERS = 20_000
MANY = f"WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < {ORDERS}) INSERT INTO"
FILLING = (
    "INSERT INTO channel (id, name) VALUES (1, 'shop')",
    f"{MANY} orders (id, channel_id, external_id, number, phase, state, version_at, read_from_at, read_to_at,"
    " placed_at, imported_at, currency, total_minor)"
    " SELECT id, 1, 'o' || id, 'N' || id, 'ready', 'paid', id, id, id, id, id, 'CNY', 100 FROM n",
    f"{MANY} order_line (id, order_id, external_id, channel_sku, qty, price_minor)"
    " SELECT id, id, 'L1', 'TEA', 1, 100 FROM n",
    f"{MANY} event (id, at, kind, order_id) SELECT id, id, 'order.imported', id FROM n",
)
COUNTED = ("orders", "order_line", "event")
Reached = Callable[[Path], bool]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """An older database with some orders."""
    path = tmp_path / "erpsync.db"
    with opened(f"sqlite:///{path}") as engine:
        bring_to(engine, OLD)
        with engine.begin() as connection:
            for statement in FILLING:
                connection.exec_driver_sql(statement)
    return path


def size(file: Path) -> int:
    """Return the size of a file, 0 when there is none."""
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def copying(database: Path) -> bool:
    return size(database.with_name("erpsync.db.unfinished-copy")) > 0


def copied(database: Path) -> bool:
    return size(database.with_name(f"erpsync.db.before-{VERSION}")) > 0


def writing(database: Path) -> bool:
    return size(database.with_name("erpsync.db-wal")) > 1 << 20


def writing_on(database: Path) -> bool:
    return size(database.with_name("erpsync.db-wal")) > 8 << 20


def version(file: Path) -> str:
    """Return the version of a whole database with all its rows."""
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        counts = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in COUNTED]
        assert counts == [ORDERS] * len(COUNTED)
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def killed(database: Path, reached: Reached) -> None:
    """Start a migration and kill it as soon as something is seen of it, or when it has ended before."""
    process = process_that_migrates(f"sqlite:///{database}")
    go(process)
    assert eventually(lambda: reached(database) or process.poll() is not None, every_s=0.001)
    process.kill()
    process.communicate()


def finished(database: Path) -> str:
    """Migrate to the end and return what the process said: whether it had anything to do."""
    process = process_that_migrates(f"sqlite:///{database}")
    said, error = process.communicate("go\n", timeout=LONG_S)
    assert process.returncode == 0, error
    return said.strip()


@pytest.mark.parametrize("reached", [copying, copied, writing, writing_on])
def test_a_migration_that_is_killed_leaves_the_database_whole_and_the_next_one_ends_it(
    database: Path, reached: Reached
) -> None:
    killed(database, reached)

    assert version(database) in {OLD, VERSION}
    finished(database)
    assert version(database) == VERSION
    assert version(database.with_name(f"erpsync.db.before-{VERSION}")) == OLD


@pytest.mark.slow
def test_killed_again_and_again_at_any_instant_it_loses_nothing(database: Path) -> None:
    """Each time a little later, until it comes to its end."""
    pause_s, ended = 0.01, False
    while not ended:
        process = process_that_migrates(f"sqlite:///{database}")
        go(process)
        with suppress(subprocess.TimeoutExpired):
            process.wait(pause_s)
            ended = True
        process.kill()
        process.communicate()
        assert version(database) in {OLD, VERSION}
        pause_s *= 1.6

    assert version(database) == VERSION
    assert version(database.with_name(f"erpsync.db.before-{VERSION}")) == OLD


def test_of_two_that_begin_at_once_one_migrates_and_the_other_waits(database: Path) -> None:
    first, second = (process_that_migrates(f"sqlite:///{database}") for _ in range(2))
    go(first)
    go(second)
    ended = [process.communicate(timeout=LONG_S) for process in (first, second)]

    assert [first.returncode, second.returncode] == [0, 0], ended
    assert sorted(said.strip() for said, _ in ended) == ["False", "True"]
    assert version(database) == VERSION
    assert version(database.with_name(f"erpsync.db.before-{VERSION}")) == OLD
