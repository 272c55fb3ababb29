"""The file of a backup: the database as it stood, and what somebody has to know before restoring it.

    FILE (zip) ── erpsync.db (SQLite, deflated) or erpsync.dump (PostgreSQL's custom format, as pg_dump wrote it)
               └─ manifest.json

Why a zip: it is read by what every machine has (`unzip -p FILE manifest.json`), proves each byte by a checksum, and
its directory stands at the end, so a file that was cut off is none. Why the manifest comes last in it: what it says is
taken from the copy and not from a database that has moved on.
"""

import json
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from erpsync.store.db.copies import Progress
from erpsync.store.db.engine import StoreError
from erpsync.store.db.scratch import put_in_place, scratch

MANIFEST = "manifest.json"
MEMBERS = {"sqlite": "erpsync.db", "postgresql": "erpsync.dump"}
FORMAT = 1
CHUNK = 1 << 20
_BROKEN = (BadZipFile, zlib.error, EOFError, KeyError, ValueError, TypeError, NotImplementedError)


class BackupFileError(StoreError):
    """The file is no backup, or a broken one; nothing was restored of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup is.

    Args:
        product: version of the erpsync that made it.
        version: version of the schema.
        taken_at: all that was committed before this instant is in it; of what came after it, the first may be.
        database: `sqlite` or `postgresql`.
        key_ids: names of the keys that open what is encrypted in it; the keys themselves are nowhere in it.
        orders: how many orders it holds; `last_order_at` is when the last of them was taken in.
    """

    product: str
    version: str
    taken_at: datetime
    database: str
    key_ids: tuple[str, ...]
    orders: int
    last_order_at: datetime | None

    def as_json(self) -> dict[str, Any]:
        """Return it as it stands in the file and in `--json`."""
        return {
            "format": FORMAT,
            "product": self.product,
            "schema": self.version,
            "taken_at": self.taken_at.isoformat(),
            "database": self.database,
            "key_ids": list(self.key_ids),
            "orders": self.orders,
            "last_order_at": None if self.last_order_at is None else self.last_order_at.isoformat(),
        }


class BackupWriter:
    """A backup that is being written: the database first, then the manifest."""

    def __init__(self, archive: ZipFile) -> None:
        self._archive = archive

    @contextmanager
    def member(self, database: str) -> Iterator[IO[bytes]]:
        """Yield what to write the database to. A dump of PostgreSQL is packed already."""
        info = ZipInfo(MEMBERS[database])
        info.compress_type = ZIP_DEFLATED if database == "sqlite" else ZIP_STORED
        info.external_attr = 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as file:
            yield file

    def end(self, manifest: Manifest) -> None:
        """Write the manifest."""
        info = ZipInfo(MANIFEST)
        info.external_attr = 0o600 << 16
        self._archive.writestr(info, json.dumps(manifest.as_json(), indent=2) + "\n")


@contextmanager
def new_backup(target: Path) -> Iterator[tuple[BackupWriter, Path]]:
    """Yield a backup to be written, and a folder on the same disk for what is needed meanwhile.

    At the end it is safe on disk under its name (0600); where anything goes wrong there is nothing. Raises
    `StoreError` when a file of that name is there: a backup never takes another's place.
    """
    if target.exists():
        raise StoreError(f"{target} is there already; a backup never takes the place of a file")
    if not target.parent.is_dir():
        raise StoreError(f"{target} cannot be written: there is no folder {target.parent}")
    try:
        with scratch(target, "unfinished") as folder:
            whole = folder / "backup"
            whole.touch(mode=0o600)
            with ZipFile(whole, "w", compresslevel=1) as archive:
                yield BackupWriter(archive), folder
            put_in_place(whole, target)
    except FileExistsError:
        raise StoreError(f"{target} is there already; a backup never takes the place of a file") from None
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"{target} cannot be written: {_reason(error)}") from error


def _reason(error: OSError | sqlite3.Error) -> str:
    return ((error.strerror if isinstance(error, OSError) else None) or str(error)).lower()


@contextmanager
def opened_backup(path: Path) -> Iterator[tuple[ZipFile, Manifest]]:
    """Yield a backup and what it is; raises `BackupFileError` when it is none, cut off, or of a newer format."""
    try:
        archive = ZipFile(path)
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {_reason(error)}") from error
    except _BROKEN as error:
        raise BackupFileError(f"{path} is no backup, or its end is missing") from error
    with archive:
        yield archive, _manifest(archive, path)


def _manifest(archive: ZipFile, path: Path) -> Manifest:
    try:
        said = json.loads(archive.read(MANIFEST))
        if said["format"] != FORMAT:
            raise BackupFileError(
                f"{path} has the format {said['format']}, this erpsync reads {FORMAT}; install a newer one"
            )
        last = said["last_order_at"]
        manifest = Manifest(
            product=str(said["product"]),
            version=str(said["schema"]),
            taken_at=_instant(said["taken_at"]),
            database=str(said["database"]),
            key_ids=tuple(map(str, said["key_ids"])),
            orders=int(said["orders"]),
            last_order_at=None if last is None else _instant(last),
        )
        archive.getinfo(MEMBERS[manifest.database])
    except _BROKEN as error:
        raise BackupFileError(
            f"{path} is no backup of erpsync, or a broken one: its {MANIFEST} cannot be read"
        ) from error
    return manifest


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(text)
    return at


def read_database(archive: ZipFile, manifest: Manifest, path: Path, *, progress: Progress) -> Iterator[bytes]:
    """Yield the database of a backup piece by piece; raises `BackupFileError` where it is broken, at its end."""
    name = MEMBERS[manifest.database]
    size, done = archive.getinfo(name).file_size, 0
    try:
        with archive.open(name) as file:
            while chunk := file.read(CHUNK):
                yield chunk
                done += len(chunk)
                progress(done, size)
    except _BROKEN as error:
        raise BackupFileError(f"{path} is broken: what it holds does not fit its checksum") from error
