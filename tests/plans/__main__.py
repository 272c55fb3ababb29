"""`python -m tests.plans`: judges the plans of all statements that the last run of the suite has kept.

Prints each statement whose cost grows with history, with the function that runs it, and ends with 1 if there is one
that no comment explains.
"""

import argparse
import ast
import json
import re
import sqlite3
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate
from tests.growth.seed import seed
from tests.plans.databases import Database, Postgres, Sqlite
from tests.plans.judge import Walk
from tests.support import postgres
from tests.support.shop import NOON
from tests.support.sources import ROOT, functions
from tests.support.statements import FOLDER, shape_of

ORDERS = {"sqlite": 20_000, "postgresql": 100_000}
"""As many as it takes for PostgreSQL not to read the tables whole."""

LEAST = 400
"""So many statements a whole run of the suite keeps of each database at least; fewer prove nothing."""

MIGRATING = "erpsync/store/db/migration.py"
"""Brings a database to this version once, table by table."""

_EXCUSE = re.compile(r"#\s*Scans ((?:\w+, )*\w+): \S")


@dataclass(frozen=True, slots=True)
class Asked:
    """A statement of the product, what it ran with, and the functions that led to it, innermost first."""

    dialect: str
    statement: str
    parameters: Any
    callers: tuple[tuple[str, int], ...]

    def excused(self, table: str) -> bool:
        """Whether a comment in one of the functions says why it reads so much of a table."""
        return any(table in excuses(path, line) for path, line in self.callers)


@cache
def excuses(path: str, line: int) -> frozenset[str]:
    """Return the tables that the function beginning on a line of a file says it scans."""
    source = (ROOT / path).read_text(encoding="utf-8")
    nodes = functions(ast.parse(source))
    node = {min([each.lineno, *(d.lineno for d in each.decorator_list)]): each for each in nodes}.get(line)
    body = source.splitlines()[line - 1 : node.end_lineno] if node is not None else []
    found = (match[1].split(", ") for text in body if (match := _EXCUSE.search(text)))
    return frozenset(table for tables in found for table in tables)


def kept() -> list[Asked]:
    """Return the statements that the last run has kept, each once."""
    found: dict[tuple[str, str], Asked] = {}
    for path in sorted(FOLDER.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            callers = tuple((name, number) for name, number in row["callers"])
            asked = Asked(row["dialect"], row["statement"], row["parameters"], callers)
            found.setdefault((asked.dialect, shape_of(asked.statement)), asked)
    return [asked for asked in found.values() if has_plan(asked.statement) and asked.callers[0][0] != MIGRATING]


def has_plan(statement: str) -> bool:
    """Whether a statement looks for rows at all."""
    first = statement.lstrip().split(None, 1)[0].upper()
    return first in {"SELECT", "UPDATE", "DELETE", "WITH"} or (first == "INSERT" and "SELECT" in statement.upper())


@contextmanager
def databases(folder: Path, *, with_postgres: bool) -> Iterator[dict[str, list[Database]]]:
    """Yield, by dialect, databases with a long history."""
    plain, counted = folder / "plain.db", folder / "counted.db"
    _fill(f"sqlite:///{plain}", ORDERS["sqlite"])
    with closing(sqlite3.connect(plain)) as lite, closing(sqlite3.connect(counted)) as other:
        lite.backup(other)
        found: dict[str, list[Database]] = {"sqlite": [Sqlite(lite, statistics=False), Sqlite(other, statistics=True)]}
        if not with_postgres:
            yield found
            return
        with postgres.serve() as server:
            url = server.create("plans")
            _fill(url, ORDERS["postgresql"])
            with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
                found["postgresql"] = [
                    Postgres(connection),
                    Postgres(connection, generic=True),
                    Postgres(connection, as_is=True),
                ]
                yield found


def _fill(url: str, orders: int) -> None:
    engine = make_engine(url)
    try:
        migrate(engine)
    finally:
        engine.dispose()
    seed(url, orders, now=NOON)


def judge(asked: Asked, database: Database) -> Iterator[tuple[Walk, bool]]:
    """Yield what a statement reads too much of on a database, and whether that is explained."""
    for walk in dict.fromkeys(database.walks(asked.statement, asked.parameters)):
        yield walk, asked.excused(walk.table)


def report(all_asked: Iterable[Asked], found: dict[str, list[Database]], *, show_excused: bool) -> int:
    """Print what is refused; return how many statements are."""
    refused = 0
    for asked in all_asked:
        lines = []
        for database in found.get(asked.dialect, ()):
            for walk, excused in judge(asked, database):
                if not excused or show_excused:
                    lines.append(f"  {'(explained) ' if excused else ''}{database.name}: {walk.how}")
        if lines:
            refused += any("(explained)" not in line for line in lines)
            path, number = asked.callers[0]
            print(f"{path}:{number}\n  {' '.join(asked.statement.split())[:600]}", *lines, sep="\n", flush=True)
    return refused


def main() -> int:
    """Judge and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.plans", description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--no-postgres", action="store_true", help="judge the plans of SQLite alone")
    parser.add_argument("--explained", action="store_true", help="print those too that a comment explains")
    parser.add_argument("--least", type=int, default=LEAST, help="so many statements there must be of each database")
    args = parser.parse_args()
    all_asked = kept()
    wanted = ("sqlite",) if args.no_postgres else ("sqlite", "postgresql")
    for dialect in wanted:
        if (count := sum(asked.dialect == dialect for asked in all_asked)) < args.least:
            print(f"only {count} statements of {dialect} are kept: run the whole suite first", file=sys.stderr)
            return 1
    with (
        tempfile.TemporaryDirectory(prefix="erpsync-plans-") as name,
        databases(Path(name), with_postgres=not args.no_postgres) as found,
    ):
        refused = report(all_asked, found, show_excused=args.explained)
    print(f"{len(all_asked)} statements, {refused} whose cost grows with history and no comment says why")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
