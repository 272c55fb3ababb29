"""Releases made when each was of one order are read as before once a table says which orders a release is of."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from erpsync.flows.inventory import counts
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrations_folder
from tests.support.depot import Depot, build_depot, read_shop, release_together, work
from tests.support.shop import Town

REVISION = "0022"
OLD = "S20260301000007-R1"
HELD = "SELECT * FROM release_line ORDER BY release_id, line_id, sku_id"
MADE = "SELECT id, warehouse_id, number, state, reason, made_at, told_at, ended_at FROM release ORDER BY id"
OF = "SELECT release_id, order_id, warehouse_id, ended_at FROM release_order ORDER BY release_id"
OF_ONE = "SELECT id, order_id, warehouse_id, ended_at FROM release ORDER BY id"


@pytest.fixture
def pair(database_url: str) -> Iterator[tuple[Town, Depot]]:
    """A release that left, one that the warehouse has, numbered as they once were, and one that is pending."""
    town, depot = build_depot(database_url)
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
    for order in ("o1", "o2"):
        town.shop.place(order, ("A", 2))
        work(town)
    depot.send(depot.numbers[0], "SF1")
    town.shop.place("o3", ("A", 1))
    read_shop(town)
    release_together(town, "o3")
    with town.store.engine.begin() as connection:
        connection.execute(text("UPDATE release SET number = :old WHERE id = 2"), {"old": OLD})
    depot.got[1] = replace(depot.got[1], number=OLD)
    yield town, depot
    town.store.close()


def go(url: str, move: Callable[[Config, str], None], revision: str) -> None:
    """Bring the database to a revision, forwards or back, as the runner of migrations does."""
    engine = make_engine(url)
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            with connection.begin():
                config.attributes["connection"] = connection
                move(config, revision)
    finally:
        engine.dispose()


def before() -> str:
    """Return the revision before the one that is tried."""
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    return str(ScriptDirectory.from_config(config).get_revision(REVISION).down_revision)


def read(engine: Engine, query: str) -> list[Sequence[Any]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def test_every_release_keeps_its_order_its_lines_and_its_number(pair: tuple[Town, Depot], database_url: str) -> None:
    town, depot = pair
    engine = town.store.engine
    made, held, of = read(engine, MADE), read(engine, HELD), read(engine, OF)
    assert (len(made), len(held), len(of)) == (3, 3, 3)

    engine.dispose()
    go(database_url, command.downgrade, before())
    assert (read(engine, MADE), read(engine, HELD), read(engine, OF_ONE)) == (made, held, of)

    engine.dispose()
    go(database_url, command.upgrade, "head")
    assert (read(engine, MADE), read(engine, HELD), read(engine, OF)) == (made, held, of)
    if engine.dialect.name == "sqlite":
        assert read(engine, "PRAGMA foreign_key_check") == []

    depot.send(OLD, "SF2")
    work(town)
    assert [state for _, _, _, state, *_ in read(engine, MADE)] == ["shipped", "shipped", "told"]


def test_a_release_of_several_orders_is_never_given_to_one_of_them_on_the_way_back(
    pair: tuple[Town, Depot], database_url: str
) -> None:
    town, _ = pair
    for order in ("o4", "o5"):
        town.shop.place(order, ("A", 1))
    read_shop(town)
    release_together(town, "o4", "o5")
    town.store.engine.dispose()

    with pytest.raises(DBAPIError):
        go(database_url, command.downgrade, before())
    assert len(read(town.store.engine, OF)) == 5
