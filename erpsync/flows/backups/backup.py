"""Making a backup of a database that daemons go on working on."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from erpsync import __version__
from erpsync.store.backup_facts import BackupFacts, facts_of, our_tables, unconfirmed
from erpsync.store.db.backup_file import BackupWriter, Manifest, new_backup
from erpsync.store.db.copies import Progress, copy_in_use
from erpsync.store.db.engine import StoreError, make_engine, sqlite_path
from erpsync.store.db.postgresql_tools import dump, server_major
from erpsync.store.db.schema import current_version
from erpsync.store.db.store import Store

CHUNK = 1 << 20


def take_backup(store: Store, target: Path, *, progress: Progress) -> Manifest:
    """Copy a database of this version or an older one into a new file, and return what is said of it there.

    Nobody waits for it. Its instant is taken before the copy begins, by the clock as far as it can be trusted: whoever
    goes back to it reads a little twice rather than leave anything out.

    Args:
        progress: is told of the bytes or pages that are done, and how many there are; 0 where nobody knows.

    Raises `StoreError` when there is no database, no room, a file of that name, or no `pg_dump` that fits.
    """
    if current_version(store.engine) is None:
        raise StoreError(f"there is no database to back up at {sqlite_path(store.engine) or store.engine.url.database}")
    with store.read() as connection:
        behind = unconfirmed(connection)
    taken_at = store.clock.now() - behind
    with new_backup(target) as (backup, folder):
        path = sqlite_path(store.engine)
        facts = _dump(store, backup, progress) if path is None else _copy(path, backup, folder, progress)
        manifest = Manifest(
            product=__version__,
            version=facts.version,
            taken_at=taken_at,
            database="postgresql" if path is None else "sqlite",
            key_ids=facts.key_ids,
            orders=facts.orders,
            last_order_at=facts.last_order_at,
        )
        backup.end(manifest)
    return manifest


def _copy(path: Path, backup: BackupWriter, folder: Path, progress: Progress) -> BackupFacts:
    copy = folder / "erpsync.db"
    copy_in_use(path, copy, progress=progress)
    engine = make_engine(f"sqlite:///{copy}")
    try:
        with engine.connect() as connection:
            facts = facts_of(connection.execution_options(erpsync_reads=True))
    finally:
        engine.dispose()
    size, done = copy.stat().st_size, 0
    with copy.open("rb") as source, backup.member("sqlite") as member:
        while chunk := source.read(CHUNK):
            member.write(chunk)
            done += len(chunk)
            progress(done, size)
    return facts


def _dump(store: Store, backup: BackupWriter, progress: Progress) -> BackupFacts:
    done = 0
    with store.read() as connection, backup.member("postgresql") as member:
        facts = facts_of(connection)
        for chunk in _dumped(connection, store.engine.url):
            member.write(chunk)
            done += len(chunk)
            progress(done, 0)
    return facts


def _dumped(connection: Connection, url: URL) -> Iterator[bytes]:
    """Yield the dump of what this connection sees."""
    return dump(
        url,
        tables=our_tables(connection),
        schema=str(connection.execute(text("SELECT current_schema()")).scalar_one()),
        snapshot=str(connection.execute(text("SELECT pg_export_snapshot()")).scalar_one()),
        server=server_major(connection),
    )
