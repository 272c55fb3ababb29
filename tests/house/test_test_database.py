"""The databases that other tests stand on are what they claim to be."""

import pytest
from sqlalchemy import create_engine, inspect, text

from tests.support import postgres


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_gets_an_empty_database_of_its_own(empty_database_url: str, dialect: str, turn: str) -> None:
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        assert inspect(connection).get_table_names() == []
        connection.execute(text("CREATE TABLE left_behind (id integer)"))
    engine.dispose()

    assert engine.dialect.name == dialect


@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_migrated_database_has_the_tables_and_no_rows(database_url: str, turn: str) -> None:
    engine = create_engine(database_url)
    with engine.begin() as connection:
        assert "orders" in inspect(connection).get_table_names()
        assert connection.execute(text("SELECT count(*) FROM orders")).scalar_one() == 0
    engine.dispose()


@pytest.mark.postgresql
@pytest.mark.usefixtures("postgres_server")  # skips where there is none
def test_the_server_goes_with_the_run_and_leaves_no_files() -> None:
    with postgres.serve() as server:
        folder = server.folder
        server.create("shop")

    assert not folder.exists()
