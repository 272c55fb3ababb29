"""Both databases with a long history in them, and how each tells a plan."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import psycopg
from psycopg import sql

from tests.plans.judge import Walk, common_for, postgres_walks, sqlite_walks, subplans

SMALL = 5_000
_NAMED = re.compile(r"%\((\w+)\)s")
_PLACED = re.compile(r"%[bst]")


class Database(Protocol):
    """A database that can be asked for plans."""

    name: str

    def walks(self, statement: str, parameters: Any) -> Iterator[Walk]:
        """Yield what the statement would read too much of."""
        ...


class Sqlite:
    """An SQLite file, with statistics or, as in every shop, without."""

    def __init__(self, connection: sqlite3.Connection, *, statistics: bool) -> None:
        self.name = "sqlite with statistics" if statistics else "sqlite"
        self._connection = connection
        if statistics:
            connection.execute("ANALYZE")

    def walks(self, statement: str, parameters: Any) -> Iterator[Walk]:
        """Yield what the statement would read too much of."""
        rows = self._connection.execute(f"EXPLAIN QUERY PLAN {statement}", _given(parameters) or ())
        yield from sqlite_walks([row[3] for row in rows], statement, common=common_for(parameters))


class Postgres:
    """A PostgreSQL database whose plans are made for the parameters, or once for all.

    Args:
        as_is: with its own costs, and only what belongs to single rows is judged: whether it is asked for row by row or
            answered for all rows at once goes by what is stored now, and would be hidden by dearer pages.
    """

    def __init__(self, connection: psycopg.Connection, *, generic: bool = False, as_is: bool = False) -> None:
        self.name = "postgresql, row by row" if as_is else "postgresql, generic plan" if generic else "postgresql"
        self._connection = connection
        # A table read whole shall cost as if ten times as many orders were stored.
        self._page_cost, self._as_is = b"1" if as_is else b"10", as_is
        self._mode = "force_generic_plan" if generic else "force_custom_plan"
        counts = "SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples < %s"
        self._small = {name for (name,) in connection.execute(counts.encode(), (SMALL,))}

    def walks(self, statement: str, parameters: Any) -> Iterator[Walk]:
        """Yield what the statement would read too much of."""
        prepared, values = numbered(statement, _given(parameters))
        with self._connection.transaction(force_rollback=True), self._connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL plan_cache_mode = {self._mode}".encode())
            cursor.execute(b"SET LOCAL seq_page_cost = " + self._page_cost)
            cursor.execute(f"PREPARE asked AS {prepared}".encode())
            given = sql.SQL("({})").format(sql.SQL(", ").join(map(sql.Literal, values))) if values else sql.SQL("")
            try:
                cursor.execute(sql.SQL("EXPLAIN (FORMAT JSON) EXECUTE asked") + given)
                plan = cursor.fetchone()
            finally:
                if cursor.connection.info.transaction_status.name != "INERROR":
                    cursor.execute(b"DEALLOCATE asked")
            assert plan is not None
        whole = plan[0][0]["Plan"]
        for node in subplans(whole) if self._as_is else [whole]:
            yield from postgres_walks(node, small=self._small, common=common_for(parameters))


def numbered(statement: str, parameters: Any) -> tuple[str, list[Any]]:
    """Return a statement as PREPARE takes it, with `$1` for its parameters, and their values."""
    if isinstance(parameters, dict):
        names = list(dict.fromkeys(_NAMED.findall(statement)))
        text = _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", statement)
        return text.replace("%%", "%"), [parameters[name] for name in names]
    places = iter(range(1, 1 + len(parameters or ())))
    text = _PLACED.sub(lambda _: f"${next(places)}", statement)
    return text.replace("%%", "%"), list(parameters or ())


def _given(parameters: Any) -> Any:
    """Return parameters as they were before they were written down."""
    if isinstance(parameters, dict) and set(parameters) == {"hex"}:
        return bytes.fromhex(parameters["hex"])
    if isinstance(parameters, dict):
        return {name: _given(value) for name, value in parameters.items()}
    if isinstance(parameters, Sequence) and not isinstance(parameters, str):
        return [_given(value) for value in parameters]
    return parameters
