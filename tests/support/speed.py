"""What makes the suite quick without changing what it proves: files in memory, statements compiled once.

Why files in memory: every commit of the product waits for the disk (`synchronous=FULL`), and no test here cuts the
power; a killed process leaves the same bytes behind in a memory file system.

Why one cache of compiled statements: SQLAlchemy compiles a statement once per engine, a daemon has one engine, and each
test opens its own; a fifth of the suite's time went into compiling the same statements again.
"""

import os
import shutil
import tempfile
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

MEMORY = Path("/dev/shm")
ROOM_BYTES = 4 << 30
STATEMENTS = 5000

_compiled: LRUCache = LRUCache(STATEMENTS)


def keep_files_in_memory() -> None:
    """Let temporary files be made in memory where there is room for them, unless TMPDIR says where."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM_BYTES:
        os.environ["TMPDIR"] = str(MEMORY)
        tempfile.tempdir = None


def compile_statements_once() -> None:
    """Let all engines of this process share their compiled statements, one cache key per kind of database."""
    registry.register("sqlite", __name__, SharedSqlite.__name__)
    registry.register("sqlite.pysqlite", __name__, SharedSqlite.__name__)
    registry.register("postgresql.psycopg", __name__, SharedPostgres.__name__)


class _Shared:
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=_compiled)


class SharedSqlite(_Shared, SQLiteDialect_pysqlite):
    supports_statement_cache = True


class SharedPostgres(_Shared, PGDialect_psycopg):
    supports_statement_cache = True
