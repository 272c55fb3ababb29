"""The seeded databases, each made once and kept: an SQLite file by size, a PostgreSQL server with a database by size.

Why a copy is measured: most of what is measured writes. Why the names hold a digest: a database of another schema or
of another seeder is not the one that is wanted; those are removed.
"""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import VERSION, migrate, migrations_folder
from tests.growth.seed import seed
from tests.support import postgres

HERE = Path(__file__).parent
PARTS = ("fates", "history", "records", "rows", "seed", "shelves", "town")
Progress = Callable[[int], None]


def stamp() -> str:
    """Return what tells databases of this schema and this seeder from others."""
    digest = hashlib.sha256()
    for path in [*(HERE / f"{name}.py" for name in PARTS), *sorted((migrations_folder() / "versions").glob("*.py"))]:
        digest.update(path.read_bytes())
    return f"{VERSION}_{digest.hexdigest()[:8]}"


class SQLiteCache:
    """Files in a folder."""

    engine = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def copy(self, orders: int, progress: Progress) -> Iterator[str]:
        """Yield the address of a database with so many orders, to be written to."""
        kept, copy = self._folder / f"sqlite_{orders}_{stamp()}.db", self._folder / f"copy_{orders}.db"
        if not kept.exists():
            for stale in self._folder.glob(f"sqlite_{orders}_*"):
                stale.unlink()
            made = self._folder / f"making_{orders}.db"
            self._remove(made)
            fill(f"sqlite:///{made}", orders, progress)
            made.rename(kept)
        self._remove(copy)  # with its log, which would be read into the new one
        shutil.copy(kept, copy)
        try:
            yield f"sqlite:///{copy}"
        finally:
            self._remove(copy)

    def _remove(self, database: Path) -> None:
        for path in self._folder.glob(f"{database.name}*"):
            path.unlink()


class PostgresCache:
    """Databases of a server whose files are kept."""

    engine = "postgresql"

    def __init__(self, server: postgres.Server) -> None:
        self._server = server

    @contextmanager
    def copy(self, orders: int, progress: Progress) -> Iterator[str]:
        """Yield the address of a database with so many orders, to be written to."""
        kept, copy = f"seeded_{orders}_{stamp()}", f"copy_{orders}"
        stale = (f"copy_{orders}", f"making_{orders}")
        for name in self._server.databases():
            if name in stale or (name.startswith(f"seeded_{orders}_") and name != kept):
                self._server.drop(name)
        if kept not in self._server.databases():
            fill(self._server.create(stale[1]), orders, progress)
            self._server.rename(stale[1], kept)
        url = self._server.create(copy, template=kept, large=True)
        try:
            yield url
        finally:
            self._server.drop(copy)


def fill(url: str, orders: int, progress: Progress = lambda done: None) -> None:
    """Make the tables in an empty database and fill them."""
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    seed(url, orders, progress=progress)


@contextmanager
def caches(folder: Path, engines: list[str]) -> Iterator[list[SQLiteCache | PostgresCache]]:
    """Yield the caches of these engines; the server runs as long."""
    lite = [SQLiteCache(folder)] if SQLiteCache.engine in engines else []
    if PostgresCache.engine not in engines:
        yield [*lite]
        return
    with postgres.serve(folder / f"postgresql-{postgres.major()}") as server:
        yield [*lite, PostgresCache(server)]
