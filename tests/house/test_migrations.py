"""The migrations make exactly the tables that the code uses, once, whoever comes first."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from erpsync.store.db.engine import StoreError, make_engine
from erpsync.store.db.schema import VERSION, SchemaError, current_version, is_current, migrate
from erpsync.store.tables import metadata
from tests.support.migrations import bring_to, go, opened, process_that_migrates

PROCESSES = 4
FIRST = "0001"


def test_the_migrated_database_has_the_tables_of_the_code(database_url: str) -> None:
    with opened(database_url) as engine, engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        differences = compare_metadata(context, metadata)
        assert [d for d in differences if "alembic_version" not in str(d)] == []


def indexes_of(engine: Engine, table: str) -> dict[str, bool]:
    """Return whether each index of a table is unique; SQLAlchemy leaves those over expressions out on SQLite."""
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            return {row.name: bool(row.unique) for row in connection.exec_driver_sql(f"PRAGMA index_list({table})")}
    return {str(index["name"]): bool(index["unique"]) for index in inspect(engine).get_indexes(table)}


def test_every_check_and_partial_index_of_the_code_is_in_the_database(database_url: str) -> None:
    """What Alembic does not compare: the rules by which the database refuses impossible states."""
    with opened(database_url) as engine:
        found = inspect(engine)
        for name, table in metadata.tables.items():
            checks = {check["name"] for check in found.get_check_constraints(name)}
            wanted = {str(c.name) for c in table.constraints if c.__visit_name__ == "check_constraint"}
            assert wanted <= checks, name
            indexes = indexes_of(engine, name)
            assert {str(i.name): bool(i.unique) for i in table.indexes}.items() <= indexes.items(), name


@pytest.mark.concurrent("processes")
def test_four_processes_that_migrate_at_once_leave_one_schema(empty_database_url: str) -> None:
    workers = [process_that_migrates(empty_database_url) for _ in range(PROCESSES)]
    for worker in workers:
        go(worker)
    ended = [worker.communicate(timeout=120) for worker in workers]

    assert [worker.returncode for worker in workers] == [0] * PROCESSES, ended
    with opened(empty_database_url) as engine:
        assert is_current(engine)
        assert set(metadata.tables) <= set(inspect(engine).get_table_names())


def test_a_database_that_is_current_is_left_alone(database_url: str) -> None:
    with opened(database_url) as engine:
        assert migrate(engine) is False
        assert current_version(engine) == VERSION


@pytest.mark.sqlite
def test_an_older_sqlite_database_is_copied_before_it_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "erpsync.db"
    with opened(f"sqlite:///{path}") as engine:
        bring_to(engine, FIRST)
        assert current_version(engine) == FIRST
        assert migrate(engine) is True
        assert current_version(engine) == VERSION

    with opened(f"sqlite:///{path}.before-{VERSION}") as copy:
        assert current_version(copy) == FIRST


def claim(engine: Engine, *versions: str) -> None:
    """Let the database say that it is at these versions."""
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
        for version in versions:
            connection.execute(text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})


def test_a_database_of_a_newer_version_is_refused_by_name_and_never_migrated(database_url: str) -> None:
    with opened(database_url) as engine:
        claim(engine, "9999")
        for ask in (current_version, is_current, migrate):
            with pytest.raises(
                SchemaError, match=rf"is at version 9999, newer than this erpsync \({VERSION}\): install"
            ):
                ask(engine)
        with engine.connect() as connection:
            assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["9999"]


@pytest.mark.sqlite
def test_the_copy_to_go_back_to_is_the_newest_that_this_version_can_use(tmp_path: Path) -> None:
    for name, versions in {
        "erpsync.db": ["9999"],
        "erpsync.db.before-9999": ["9998"],
        "erpsync.db.before-9998": [VERSION],
        f"erpsync.db.before-{VERSION}": [FIRST],
    }.items():
        with opened(f"sqlite:///{tmp_path / name}") as engine:
            migrate(engine)
            claim(engine, *versions)
    (tmp_path / "erpsync.db.before-9997").write_text("a note of the administrator")

    with (
        opened(f"sqlite:///{tmp_path}/erpsync.db") as engine,
        pytest.raises(SchemaError, match=r"or put .*/erpsync\.db\.before-9998 in its place"),
    ):
        current_version(engine)


@pytest.mark.parametrize("versions", [["of another age"], ["5"], [VERSION, "9999"], []])
def test_a_version_that_no_erpsync_had_is_refused_as_not_ours(database_url: str, versions: list[str]) -> None:
    with opened(database_url) as engine:
        claim(engine, *versions)
        with pytest.raises(SchemaError, match="erpsync did not make it; name another one under `database`"):
            migrate(engine)


def test_tables_of_another_program_are_never_migrated_into(empty_database_url: str) -> None:
    with opened(empty_database_url) as engine:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE orders (treasure INTEGER)"))
        with pytest.raises(SchemaError, match=r"holds tables \(orders, …\) and no version"):
            migrate(engine)
        assert inspect(engine).get_table_names() == ["orders"]


def test_a_version_table_that_an_interrupted_start_left_empty_is_filled(empty_database_url: str) -> None:
    with opened(empty_database_url) as engine:
        with engine.begin() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        assert migrate(engine) is True
        assert is_current(engine)


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite://", "postgresql://x/y"])
def test_a_database_that_is_not_supported_is_refused(url: str) -> None:
    with pytest.raises(StoreError):
        make_engine(url)
