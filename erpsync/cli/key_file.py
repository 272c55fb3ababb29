"""Rotation of the keys that lie in a file beside an SQLite database.

Why old keys stay in the file: copies of the database, such as the one made before a migration, are still sealed with
them. Why a mark: a rotation that was stopped is taken up again with the key it had begun with.
"""

import base64
import json
import os
import secrets
from pathlib import Path
from typing import Any

from erpsync.cli.errors import CommandError
from erpsync.store.privacy import KEY_BYTES

_MARK = "rotating"


def begin_rotation(path: Path) -> None:
    """Put a fresh key in front of the file's keys, unless a rotation is under way; nobody else may use the database."""
    kept = _read(path)
    if kept.get(_MARK):
        return
    fresh = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    _write(path, kept | {"keys": [fresh, *kept["keys"]], _MARK: True})


def end_rotation(path: Path) -> None:
    """Note that everything is sealed with the first key."""
    _write(path, {name: value for name, value in _read(path).items() if name != _MARK})


def _read(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise CommandError(f"{path}: there is no key file; erpsync migrate makes one") from None
    except ValueError:
        raise CommandError(f"{path}: the key file cannot be read") from None
    return kept


def _write(path: Path, kept: dict[str, Any]) -> None:
    """Replace the file at once and durably, as its owner and nobody else may read it."""
    whole = path.with_name(f"{path.name}.new")
    whole.unlink(missing_ok=True)
    handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(kept, file)
        file.flush()
        os.fsync(file.fileno())
    before = path.stat()
    if os.geteuid() == 0:
        os.chown(whole, before.st_uid, before.st_gid)
    whole.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
