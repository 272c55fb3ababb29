"""Databases with rows in every table, from the first version to this one: nothing is lost or mixed up on the way."""

from collections import Counter
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from erpsync.store.db.migration import VERSION_TABLE, carry_out
from erpsync.store.db.schema import migrations_folder
from erpsync.store.tables import metadata
from tests.support.filler import copy_rows, fill
from tests.support.migrations import opened

Contents = dict[str, list[dict[str, object]]]

MEANT = {
    "0008": {"listing.title"},
    "0013": {"orders.version_at", "refund.version_at"},
}
"""What a migration means to change in rows that are there."""


def versions() -> list[str]:
    """Return all versions, the first one first."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    return [each.revision for each in ScriptDirectory.from_config(config).walk_revisions()][::-1]


def contents(engine: Engine) -> Contents:
    """Return every row of every table."""
    with engine.connect() as connection:
        names = [name for name in inspect(connection).get_table_names() if name != VERSION_TABLE]
        return {name: _rows(connection, name) for name in names}


def _rows(connection: Connection, table: str) -> list[dict[str, object]]:
    return [dict(row) for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()]


def changed(before: Contents, after: Contents) -> dict[str, str]:
    """Return the columns whose values are not what they were, with a row that has lost its value."""
    found = {}
    for table, rows in before.items():
        kept = after.get(table, [])
        columns = rows[0].keys() & kept[0].keys() if rows and kept else set()
        names = sorted(name for name in columns if name in {"id", "external_id", "key"} or name.endswith("_id"))
        for column in columns:
            values, now = (
                Counter(repr([row[name] for name in (*names, column)]) for row in each) for each in (rows, kept)
            )
            if gone := values - now:
                found[f"{table}.{column}"] = min(gone)
    return found


def test_no_migration_changes_a_value_that_it_does_not_mean_to(empty_database_url: str, tmp_path: Path) -> None:
    """Each begins with rows in all tables of the version before, and PostgreSQL's are those of SQLite."""
    lite = tmp_path / "filled.db" if not empty_database_url.startswith("sqlite") else tmp_path / "erpsync.db"
    wrong: dict[str, dict[str, str]] = {}
    with opened(empty_database_url) as engine, opened(f"sqlite:///{lite}") as sqlite:
        for version in versions():
            before = contents(engine)
            for each in {sqlite.url: sqlite, engine.url: engine}.values():
                carry_out(each, migrations_folder(), version=version)
            lost = changed(before, contents(engine))
            wrong[version] = {name: value for name, value in lost.items() if name not in MEANT.get(version, ())}
            rows = fill(lite, name=version)
            if engine.dialect.name == "postgresql":
                copy_rows(rows, engine.url.set(drivername="postgresql").render_as_string(hide_password=False))

        assert {version: found for version, found in wrong.items() if found} == {}
        assert differences(engine) == []
        assert set(contents(engine)) == set(metadata.tables)


def differences(engine: Engine) -> list[str]:
    """Return where the tables are not those of the code."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        return [str(each) for each in compare_metadata(context, metadata) if VERSION_TABLE not in str(each)]
