"""Rows for every table of a database of any version: drawn until the rules of the table let them in.

Why on SQLite, for PostgreSQL too: it names the rule that a row breaks, ten thousand times a second, and both databases
have the same rules. Why by the tables that are found: those of an older version are written down nowhere else.
"""

import random
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

ROWS, TRIES = 8, 400
NOON = 1_772_452_800_000_000
BROKEN = re.compile(r"(CHECK|UNIQUE) constraint failed: (.+)")
CHECK = re.compile(r"CONSTRAINT \"?(\w+)\"? CHECK \((.+)\)")
LISTED = r"\b{name} IN \(([^)]*)\)"
TEXT = re.compile(r"'([^']*)'")

Value = int | float | str | bytes | None
Rows = dict[str, list[dict[str, Value]]]


@dataclass(slots=True)
class Column:
    """A column as the database describes it, and the words that its rules speak of."""

    name: str
    kind: str
    required: bool
    default: str | None
    parent: tuple[str, str] | None = None
    words: list[str] = field(default_factory=list)
    is_id: bool = False


def fill(path: Path, *, name: str) -> Rows:
    """Add rows to every table of an SQLite database and return them, tables before those that refer to them.

    The first row of a table has a value in every column that may be empty, the second in none, as far as its rules
    allow; the words that a column is held to come in turn.

    Args:
        name: tells the texts of this filling from those of others.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("BEGIN")
        made = {table: _Filling(connection, table, name).rows() for table in _tables(connection)}
        connection.execute("COMMIT")
    return made


def copy_rows(rows: Rows, conninfo: str) -> None:
    """Add rows that `fill` returned to a PostgreSQL database of the same version."""
    with psycopg.connect(conninfo) as connection:
        flags = {
            (table, column)
            for table, column in connection.execute(
                "SELECT table_name, column_name FROM information_schema.columns WHERE data_type = 'boolean'"
            )
        }
        for table, found in rows.items():
            for row in found:
                values = [bool(v) if v is not None and (table, c) in flags else v for c, v in row.items()]
                names = sql.SQL(", ").join(map(sql.Identifier, row))
                marks = sql.SQL(", ").join(sql.Placeholder() * len(row))
                insert = sql.SQL("INSERT INTO {} ({}) VALUES ({})")
                connection.execute(insert.format(sql.Identifier(table), names, marks), values)


def _tables(connection: sqlite3.Connection) -> list[str]:
    """Return all tables but that of the version, each after those it refers to."""
    known = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
    left = [name for (name,) in connection.execute(known) if name != "alembic_version"]
    sorted_: list[str] = []
    while left:
        ready = [each for each in left if _parents(connection, each) <= {*sorted_, each}]
        assert ready, f"{left} refer to one another in a circle"
        sorted_ += ready
        left = [each for each in left if each not in ready]
    return sorted_


def _parents(connection: sqlite3.Connection, table: str) -> set[str]:
    return {row[2] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}


class _Filling:
    """One table, its rules, and the rows that were let in."""

    def __init__(self, connection: sqlite3.Connection, table: str, name: str) -> None:
        self._connection = connection
        self._table = table
        self._name = name
        self._chance = random.Random(f"{table} {name}")  # the same rows every time
        ddl = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
        self._checks: dict[str, str] = dict(CHECK.findall(ddl))
        self._columns = {each.name: each for each in self._described()}
        count = f"SELECT count(*) FROM {table}"
        self._first = int(connection.execute(count).fetchone()[0])

    def _described(self) -> Sequence[Column]:
        parents = {row[3]: (row[2], row[4] or "id") for row in self._ask(f"PRAGMA foreign_key_list({self._table})")}
        found = self._ask(f"PRAGMA table_info({self._table})")
        keys = [row for row in found if row[5]]
        columns = []
        for _, name, kind, required, default, key in found:
            column = Column(name, kind.upper(), bool(required or key), default, parents.get(name))
            column.is_id = bool(key) and len(keys) == 1 and "INT" in column.kind and column.parent is None
            for check in self._checks.values():
                if re.search(rf"\b{name}\b", check):
                    listed = re.search(LISTED.format(name=name), check)
                    column.words += (
                        TEXT.findall(listed[1] if listed else check) if "CHAR" in kind or "TEXT" in kind else []
                    )
            columns.append(column)
        return columns

    def _ask(self, statement: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(statement).fetchall()

    def rows(self) -> list[dict[str, Value]]:
        """Add rows; one row at least is in the table afterwards."""
        made, wrong = [], ""
        for nth in range(self._first, self._first + ROWS):
            row = {name: self._draw(column, nth, nth - self._first) for name, column in self._columns.items()}
            wrong = self._put(row, nth)
            if not wrong:
                made.append(row)
        assert made or self._first, f"no row of {self._table} was let in: {wrong}"
        return made

    def _put(self, row: dict[str, Value], nth: int) -> str:
        """Insert a row, drawn anew where it breaks a rule; return the rule that it still broke at last."""
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        wrong = ""
        for _ in range(TRIES):
            try:
                self._connection.execute(f"INSERT INTO {self._table} ({names}) VALUES ({marks})", [*row.values()])
            except sqlite3.IntegrityError as error:
                wrong = str(error)
                for name in self._broken(wrong):
                    row[name] = self._draw(self._columns[name], nth, None)
            else:
                return ""
        return wrong

    def _broken(self, wrong: str) -> list[str]:
        """Return the columns of the rule that a row broke."""
        found = BROKEN.fullmatch(wrong)
        assert found, f"{self._table}: {wrong}"
        rule = found[2] if found[1] == "UNIQUE" else self._checks[found[2]]
        return [name for name in self._columns if re.search(rf"\b{name}\b", rule)]

    def _draw(self, column: Column, nth: int, turn: int | None) -> Value:
        """Return a value for a column of the nth row: in its turn, or any."""
        if column.is_id:
            return nth + 1
        is_empty = turn == 1 if turn in (0, 1) else self._chance.random() < 0.3
        if not column.required and is_empty:
            return None
        if column.parent is not None:
            parent, key = column.parent
            known = [row[0] for row in self._ask(f"SELECT {key} FROM {parent}")]
            return self._chance.choice(known) if known else None
        return self._plain(column, nth, turn)

    def _plain(self, column: Column, nth: int, turn: int | None) -> Value:
        if "BLOB" in column.kind:
            return f"{column.name} {self._name} {nth}".encode()
        if "CHAR" in column.kind or "TEXT" in column.kind:
            return self._text(column, nth, turn)
        if "BOOL" in column.kind:
            return self._chance.choice((0, 1))
        if "FLOAT" in column.kind or "REAL" in column.kind:
            return self._chance.choice((0.5, 90.0))
        if column.name.endswith("at"):
            return NOON + nth * 60_000_000 + self._chance.randrange(60_000_000)
        return self._chance.choice((0, 1, 2, 3, nth))

    def _text(self, column: Column, nth: int, turn: int | None) -> str:
        words = column.words
        own = f"{column.name} {self._name} {nth}"
        if any(re.search(LISTED.format(name=column.name), check) for check in self._checks.values()):
            return words[nth % len(words)] if turn is not None else self._chance.choice(words)
        if column.default in ("'[]'", "'{}'"):
            return column.default.strip("'")
        return own if turn == 0 else self._chance.choice((own, own, *words, *([""] if column.default == "''" else [])))
