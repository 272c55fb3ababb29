"""A migration keeps every row and every reference, or the database is as it was."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from erpsync.store.db.engine import StoreError, make_engine
from erpsync.store.db.migration import MigrationError, carry_out, versions_in
from tests.support.migrations import opened, own_migrations

TABLES = """\
op.create_table("orders", sa.Column("id", sa.BigInteger(), primary_key=True), sa.Column("number", sa.Text()))
op.create_table(
    "order_line",
    sa.Column("id", sa.BigInteger(), primary_key=True),
    sa.Column("order_id", sa.BigInteger(), sa.ForeignKey("orders.id", ondelete="CASCADE", name="fk_order")),
    sa.Column("qty", sa.Integer(), nullable=True),
)"""
ORDERS = "INSERT INTO orders (id, number) VALUES (1, 'A1'), (2, 'A2')"
LINES = "INSERT INTO order_line (id, order_id, qty) VALUES (1, 1, 3), (2, 2, 5), (3, 2, NULL)"
LINES_WERE = [(1, 1, 3), (2, 2, 5), (3, 2, None)]

Begun = Callable[..., tuple[Engine, Path]]


@pytest.fixture
def begun(empty_database_url: str, tmp_path: Path) -> Begun:
    """Return a database with two orders and three lines, and the folder of a migration with these steps."""

    def begin(steps: str, constant: str = "") -> tuple[Engine, Path]:
        folder = own_migrations(tmp_path / "own", TABLES, steps, constant=constant)
        with opened(empty_database_url) as engine:
            carry_out(engine, folder, version="0001")
            with engine.begin() as connection:
                connection.execute(text(ORDERS))
                connection.execute(text(LINES))
        return engine, folder

    return begin


def lines(engine: Engine) -> list[tuple[int, int, int | None]]:
    """Return the lines that there are, and leave nothing open."""
    with opened(engine.url) as again, again.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT id, order_id, qty FROM order_line ORDER BY id"))]


def version(engine: Engine) -> list[str]:
    """Return what the database says it is at."""
    with opened(engine.url) as again, again.connect() as connection:
        return versions_in(connection)


def undone(engine: Engine, folder: Path, why: str) -> None:
    """Assert that the migration is refused for this reason, and all is as it was."""
    with pytest.raises(MigrationError, match=rf"to version 0002 was undone, because {why}: the database is as it was"):
        carry_out(engine, folder, version="0002")
    engine.dispose()
    assert lines(engine) == LINES_WERE
    assert version(engine) == ["0001"]


def test_a_table_that_is_made_anew_keeps_the_rows_that_refer_to_it(begun: Begun) -> None:
    """With foreign keys on, SQLite deletes them with the table that is dropped."""
    engine, folder = begun(
        'with op.batch_alter_table("orders", recreate="auto" if op.get_bind().dialect.name != "sqlite" else "always")'
        ' as orders:\n    orders.add_column(sa.Column("note", sa.Text(), nullable=True))'
    )

    assert carry_out(engine, folder, version="0002") is True
    engine.dispose()

    assert lines(engine) == LINES_WERE
    assert version(engine) == ["0002"]


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_references_are_kept_again_after_a_migration(begun: Begun) -> None:
    engine, folder = begun('op.add_column("orders", sa.Column("note", sa.Text()))')
    carry_out(engine, folder, version="0002")

    for _ in range(3):
        with pytest.raises(IntegrityError, match="FOREIGN KEY"), engine.begin() as connection:
            connection.execute(text("INSERT INTO order_line (id, order_id) VALUES (9, 9)"))
    engine.dispose()


def test_a_migration_that_loses_a_row_is_undone(begun: Begun) -> None:
    undone(
        *begun('op.execute("DELETE FROM order_line WHERE qty IS NULL")'), "the rows of order_line were 3 and would be 2"
    )


def test_a_migration_that_doubles_a_row_is_undone(begun: Begun) -> None:
    steps = 'op.execute("INSERT INTO orders (id, number) SELECT id + 2, number FROM orders WHERE id = 1")'

    undone(*begun(steps), "the rows of orders were 2 and would be 3")


def test_a_migration_that_drops_a_table_is_undone(begun: Begun) -> None:
    undone(*begun('op.drop_table("order_line")'), "the rows of order_line were 3 and would be none")


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_migration_that_leaves_a_line_without_its_order_is_undone(begun: Begun) -> None:
    steps = 'op.execute("UPDATE order_line SET order_id = 7 WHERE id = 1")'

    undone(*begun(steps), "rows of order_line would refer to rows of orders that are not there")


def test_a_migration_that_fails_half_way_is_undone(begun: Begun) -> None:
    engine, folder = begun(
        'op.create_table("half", sa.Column("id", sa.Integer()))\nop.execute("UPDATE nothing SET a = 1")'
    )

    undone(engine, folder, r"it failed \(.*nothing.*\)")
    with opened(engine.url) as again:
        assert not inspect(again).has_table("half")


def test_a_migration_says_whose_rows_it_means_to_take(begun: Begun) -> None:
    engine, folder = begun(
        'op.execute("DELETE FROM order_line WHERE qty IS NULL")', constant='COUNTS_CHANGE = ("order_line",)'
    )

    assert carry_out(engine, folder, version="0002") is True
    engine.dispose()
    assert lines(engine) == LINES_WERE[:2]


def test_who_waited_for_the_migration_of_another_finds_nothing_to_do(begun: Begun) -> None:
    """Nor is the way back, which the other has made, replaced by a copy of what came out."""
    engine, folder = begun('op.add_column("orders", sa.Column("note", sa.Text()))')
    carry_out(engine, folder, version="0002")

    assert carry_out(engine, folder, version="0002") is False
    engine.dispose()
    if engine.dialect.name == "sqlite":
        assert copy_of(engine) == ["0001"]


@pytest.mark.concurrent("threads")
@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_migration_under_way_is_waited_for_longer_than_any_lock(begun: Begun) -> None:
    engine, folder = begun('op.add_column("orders", sa.Column("note", sa.Text()))')
    ended = threading.Event()
    did: list[bool] = []

    def migrate() -> None:
        impatient = make_engine(engine.url, wait_s=0.01)
        try:
            did.append(carry_out(impatient, folder, version="0002"))
        finally:
            impatient.dispose()
            ended.set()

    with engine.connect() as other, other.begin():
        thread = threading.Thread(target=migrate)
        thread.start()
        ended.wait(0.5)  # long enough to give up
    thread.join()
    engine.dispose()

    assert did == [True]


def copy_of(engine: Engine) -> list[str]:
    """Return what the copy from before version 0002 says it is at."""
    with opened(f"sqlite:///{engine.url.database}.before-0002") as copy, copy.connect() as connection:
        return versions_in(connection)


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_copy_that_a_killed_run_left_unfinished_is_made_anew(begun: Begun, tmp_path: Path) -> None:
    engine, folder = begun('op.add_column("orders", sa.Column("note", sa.Text()))')
    for name in ("erpsync.db.unfinished-copy", "erpsync.db.unfinished-copy-journal"):
        (tmp_path / name).write_bytes(b"half a copy" * 1000)

    carry_out(engine, folder, version="0002")
    engine.dispose()

    assert copy_of(engine) == ["0001"]
    assert sorted(each.name for each in tmp_path.glob("erpsync.db*")) == ["erpsync.db", "erpsync.db.before-0002"]
    assert (tmp_path / "erpsync.db.before-0002").stat().st_mode == (tmp_path / "erpsync.db").stat().st_mode


@pytest.mark.sqlite
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_without_room_for_the_copy_nothing_is_migrated_and_the_older_copy_stays(begun: Begun, tmp_path: Path) -> None:
    engine, folder = begun('op.add_column("orders", sa.Column("note", sa.Text()))')
    older = tmp_path / "erpsync.db.before-0002"
    older.write_bytes(b"the copy of last week")
    (tmp_path / "erpsync.db.unfinished-copy").mkdir()  # no file can be made there

    with pytest.raises(StoreError, match=r"before-0002 cannot be written .*: without that copy nothing is migrated"):
        carry_out(engine, folder, version="0002")
    engine.dispose()

    assert (lines(engine), version(engine)) == (LINES_WERE, ["0001"])
    assert older.read_bytes() == b"the copy of last week"
