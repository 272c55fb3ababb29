"""The database's file is removed or replaced under the real process, as a restore by hand does it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import update

from erpsync.store.db.identity import FileMovedError
from erpsync.store.db.schema import migrate
from erpsync.store.db.store import Store
from erpsync.store.tables import channel
from tests.crash.process import Daemon, Shop


def removed(database: Path) -> None:
    database.unlink()


def removed_with_its_log(database: Path) -> None:
    for file in database.parent.glob("erpsync.db*"):
        if not file.name.endswith((".keys", ".lock")):
            file.unlink()


def replaced(database: Path) -> None:
    copy = database.with_name("copy")
    shutil.copy(database, copy)
    copy.replace(database)


def robbed_of_its_log(database: Path) -> None:
    database.with_name("erpsync.db-wal").unlink()


ALL = [removed, removed_with_its_log, replaced]


@pytest.mark.concurrent("processes")
@pytest.mark.parametrize("done", ALL)
def test_a_daemon_whose_database_file_is_gone_stops_with_one_line_and_78(
    tmp_path: Path, done: Callable[[Path], None]
) -> None:
    """With 78 the service manager does not start it again, on an empty database."""
    shop = Shop(tmp_path / "shop")
    with Daemon(shop) as daemon:
        daemon.wait("daemon.started")
        done(shop.database)

        assert daemon.ended() == 78
        (said,) = [record["text"] for record in daemon.all("") if record["text"].startswith("erpsync: ")]

    assert f"the database {shop.database} was re" in said
    assert "while it was in use: put the right erpsync.db in its place" in said


@pytest.mark.parametrize("done", [*ALL, robbed_of_its_log])
def test_nothing_is_committed_to_a_file_that_is_gone(tmp_path: Path, done: Callable[[Path], None]) -> None:
    """Row 8: webhooks were answered 200 and gone with the process."""
    path = tmp_path / "erpsync.db"
    store = Store.open(f"sqlite:///{path}")
    migrate(store.engine)
    border = store.at_border()
    for each in (store, border):
        with each.begin() as tx:
            tx.execute(update(channel).values(timeouts=1))
    done(path)

    for each in (store, border):
        with pytest.raises(FileMovedError, match="while it was in use"), each.begin() as tx:
            tx.execute(update(channel).values(timeouts=2))
    store.close()


def test_what_was_committed_just_before_the_file_went_is_not_said_to_be_safe(tmp_path: Path) -> None:
    path = tmp_path / "erpsync.db"
    store = Store.open(f"sqlite:///{path}")
    migrate(store.engine)
    with pytest.raises(FileMovedError, match="was removed while it was in use"), store.begin():
        path.unlink()
    store.close()


def test_a_new_connection_makes_no_file_where_the_old_one_was(tmp_path: Path) -> None:
    path = tmp_path / "erpsync.db"
    store = Store.open(f"sqlite:///{path}")
    migrate(store.engine)
    path.unlink()
    with pytest.raises(FileMovedError), store.at_border().engine.connect():
        pass
    store.close()

    assert not path.exists()
