"""Threads that write at once: in turn on SQLite, and nobody inside another's transaction."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from erpsync.store.db.engine import make_engine
from erpsync.store.db.turns import NoTurnError
from tests.support.scene import eventually
from tests.support.shop import Town


@pytest.mark.concurrent("threads")
@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_writers_get_their_turn_in_the_order_they_asked(town: Town) -> None:
    """failures.md row 31."""
    order: list[int] = []
    asked = [threading.Event() for _ in range(5)]

    def write(number: int) -> None:
        asked[number].set()
        with town.store.begin():
            order.append(number)

    threads = []
    with town.store.begin():
        for number in range(5):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
            asked[number].wait()
            assert eventually(lambda: town.store._turns.waiting > number)  # type: ignore[union-attr]  # noqa: B023  # asked at once
    for thread in threads:
        thread.join()

    assert order == [0, 1, 2, 3, 4]


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_second_transaction_in_one_thread_is_told_at_once(town: Town) -> None:
    with town.store.begin(), pytest.raises(RuntimeError, match="open already"), town.store.begin():
        pass
    with town.store.begin():
        pass


@pytest.mark.concurrent("threads")
@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_who_is_waited_for_outside_goes_before_work_of_the_daemon_and_never_twice_in_a_row(town: Town) -> None:
    border = town.store.at_border(60)
    order: list[str] = []

    def write(name: str) -> None:
        with (border if name.startswith("hook") else town.store).begin():
            order.append(name)

    threads = []
    with town.store.begin():
        for number, name in enumerate(("poll 1", "poll 2", "hook 1", "hook 2"), 1):
            threads.append(threading.Thread(target=write, args=(name,)))
            threads[-1].start()
            assert eventually(lambda: town.store._turns.waiting >= number)  # type: ignore[union-attr]  # noqa: B023  # asked at once
    for thread in threads:
        thread.join()
    border.close()

    assert order == ["hook 1", "poll 1", "hook 2", "poll 2"]


@pytest.mark.concurrent("threads")
@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_who_gave_up_waiting_keeps_nobody_from_their_turn(town: Town) -> None:
    border = town.store.at_border(0.01)

    def give_up() -> None:
        with pytest.raises(NoTurnError), border.begin():
            pass

    with town.store.begin():
        late = threading.Thread(target=give_up)
        late.start()
        late.join()

    with border.begin(), pytest.raises(RuntimeError, match="open already"), town.store.begin():
        pass
    with town.store.begin():
        border.close()


@pytest.mark.concurrent("threads")
@pytest.mark.sqlite
def test_a_new_file_that_another_process_is_just_making_is_waited_for(tmp_path: Path) -> None:
    """failures.md row 31: of four processes that began at once, one was told that the database is locked."""
    path = tmp_path / "erpsync.db"
    ended = threading.Event()
    said: list[str] = []

    def connect() -> None:
        engine = make_engine(f"sqlite:///{path}")
        try:
            with engine.connect() as connection:
                said.append(str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()))
        finally:
            engine.dispose()
            ended.set()

    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # what a rival does in the middle of changing the journal mode
        thread = threading.Thread(target=connect)
        thread.start()
        ended.wait(0.5)  # long enough to be refused
        other.execute("COMMIT")
    thread.join()

    assert said == ["wal"]
