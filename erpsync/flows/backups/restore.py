"""Having a database again from its backup: whole and in doubt about what came after it, or not there.

    SQLite        a folder beside the database ─▶ checked ─▶ this version ─▶ doubts ─▶ renamed into its place
    PostgreSQL    pg_restore ─▶ this version ─▶ doubts and, in the same transaction, the row that says the version

Why PostgreSQL's ends with that row: a process that dies in between leaves tables of no version and a mark beside them,
which every start refuses; the next restoring begins anew there.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zipfile import ZipFile

from erpsync.flows.backups.after_restore import Consequences, after_restore
from erpsync.flows.backups.checking import Checked, check_restored, check_sqlite
from erpsync.flows.backups.postgresql import Place, temporary_database
from erpsync.flows.context import Context
from erpsync.flows.operations.keys import prove_keys
from erpsync.store.db.backup_file import BackupFileError, Manifest, opened_backup, read_database
from erpsync.store.db.copies import Progress
from erpsync.store.db.engine import StoreError
from erpsync.store.db.migration import end_restored
from erpsync.store.db.privacy import KeysError, Vault
from erpsync.store.db.schema import VERSION, current_version, migrate
from erpsync.store.db.scratch import put_in_place, scratch
from erpsync.store.db.store import Store, Tx


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be restored where.

    Args:
        file: the backup.
        url: the database's address.
        vault: the keys at hand, None where there are none; `keys_place` says where they come from.
        context: makes the context of a database as the configuration has it.
        open: opens a database by its address.
        actor: who restores, for the event.
        progress: is told how many bytes are read, and how many there are.
    """

    file: Path
    url: str
    vault: Vault | None
    keys_place: str
    context: Callable[[Store], Context]
    open: Callable[[str], Store]
    actor: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """What was restored, what followed, and, where it was only tried, what was found."""

    manifest: Manifest
    consequences: Consequences
    checked: Checked | None = None


def restore(wish: Wish) -> Restoration:
    """Restore a backup into a database that is absent or empty, and at which no daemon works.

    Raises `StoreError` when it is neither, or the backup is broken, of a newer version or of the other kind of
    database, and `KeysError` when keys are missing that it needs; nothing has changed then. May be repeated after it
    died, wherever that was.
    """
    with opened_backup(wish.file) as (archive, manifest):
        _refuse(wish, manifest)
        if manifest.database == "postgresql":
            return _into_postgresql(wish, archive, manifest)
        database = sqlite_path_of(wish)
        _refuse_taken(database, wish)
        with scratch(database, "restoring") as folder:
            whole = folder / database.name
            done = _into_sqlite(wish, archive, manifest, whole)
            _refuse_taken(database, wish)
            _give_owner(whole)
            put_in_place(whole, database, replace=True)
    return done


def verify(wish: Wish, *, beside: Path) -> Restoration:
    """Restore a backup to a temporary place, look whether all is well with it, and remove it again.

    Args:
        beside: a file on whose disk an SQLite database is restored; PostgreSQL gets a database beside the configured.

    Raises as `restore`, and `StoreError` when rows do not fit one another.
    """
    with opened_backup(wish.file) as (archive, manifest):
        _refuse(wish, manifest)
        if manifest.database == "postgresql":
            with temporary_database(wish.url) as url:
                there = replace(wish, url=url)
                return _checked(there, _into_postgresql(there, archive, manifest))
        with scratch(beside, "verifying") as folder:
            whole = folder / "erpsync.db"
            there = replace(wish, url=f"sqlite:///{whole}")
            return _checked(there, _into_sqlite(there, archive, manifest, whole))


def _checked(wish: Wish, done: Restoration) -> Restoration:
    store = wish.open(wish.url)
    try:
        store.vault = wish.vault
        return replace(done, checked=check_restored(wish.context(store)))
    finally:
        store.close()


def _refuse(wish: Wish, manifest: Manifest) -> None:
    """Raise for a backup that cannot be restored here, before anything is written."""
    kind = "sqlite" if wish.url.startswith("sqlite") else "postgresql"
    if manifest.database != kind:
        raise StoreError(
            f"{wish.file} is a backup of a database of {manifest.database}, and the configuration names one of {kind}"
        )
    if len(manifest.version) != len(VERSION) or manifest.version > VERSION:
        raise BackupFileError(
            f"{wish.file} is at version {manifest.version} (erpsync {manifest.product}), newer than this erpsync"
            f" ({VERSION}): install the newer erpsync"
        )
    missing = sorted(set(manifest.key_ids) - (wish.vault.key_ids if wish.vault else frozenset()))
    if missing:
        raise KeysError(
            f"{wish.file} needs the keys {', '.join(missing)}, and {wish.keys_place} does not have them: put back the"
            " keys that this database was made with; without them its addresses cannot be read by anybody"
        )


def sqlite_path_of(wish: Wish) -> Path:
    """Return the file of the database that is to be restored."""
    return Path(wish.url.removeprefix("sqlite:///"))


def _refuse_taken(database: Path, wish: Wish) -> None:
    """Raise unless the database is absent or empty, and nothing beside it would be taken for a part of it."""
    left = database.with_name(f"{database.name}-wal")
    if database.exists() and database.stat().st_size:
        store = wish.open(wish.url)
        try:
            version = current_version(store.engine)
        finally:
            store.close()
        if version is not None:
            raise StoreError(
                f"the database {database} is there, at version {version}: move it away with its -wal and -shm first,"
                " a backup is only restored where there is none"
            )
    if left.exists() and left.stat().st_size:
        raise StoreError(f"{left} is there, a part of another database: move it away first")


def _into_sqlite(wish: Wish, archive: ZipFile, manifest: Manifest, whole: Path) -> Restoration:
    """Write the database of a backup as `whole`, and all that follows; nobody else knows of the file."""
    _write(whole, read_database(archive, manifest, wish.file, progress=wish.progress))
    check_sqlite(whole, wish.file)
    store = wish.open(f"sqlite:///{whole}")
    try:
        migrate(store.engine)
        done = _follow(wish, store, manifest, lambda tx: None)
    finally:
        store.close()
    return done


def _into_postgresql(wish: Wish, archive: ZipFile, manifest: Manifest) -> Restoration:
    for _ in read_database(archive, manifest, wish.file, progress=lambda done, size: None):
        pass  # a broken file is refused before the first row of it is there
    with Place(wish.open, wish.url) as place:
        place.load(read_database(archive, manifest, wish.file, progress=wish.progress), version=manifest.version)
        return _follow(wish, place.store, manifest, lambda tx: end_restored(tx.connection, version=VERSION))


def _follow(wish: Wish, store: Store, manifest: Manifest, ending: Callable[[Tx], None]) -> Restoration:
    store.vault = wish.vault
    if wish.vault is not None and manifest.key_ids:
        prove_keys(store, wish.vault, wish.keys_place)
    ctx = wish.context(store)
    with store.begin() as tx:
        consequences = after_restore(tx, ctx, taken_at=manifest.taken_at, actor=wish.actor)
        ending(tx)
    return Restoration(manifest=manifest, consequences=consequences)


def _write(whole: Path, chunks: Iterator[bytes]) -> None:
    try:
        with whole.open("xb") as file:
            whole.chmod(0o600)
            for chunk in chunks:
                file.write(chunk)
    except OSError as error:
        place = whole.parent.parent
        raise StoreError(
            f"the backup cannot be restored on the disk of {place}: {(error.strerror or '').lower()}"
        ) from error


def _give_owner(whole: Path) -> None:
    """Let a database that root restores belong to whom its folder belongs: the service cannot write to it otherwise."""
    if os.geteuid() == 0:
        folder = whole.parent.parent.stat()
        os.chown(whole, folder.st_uid, folder.st_gid)
