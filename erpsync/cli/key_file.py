"""Rotation of the keys that lie in a file beside an SQLite database.

Why old keys stay in the file: copies of the database, such as the one made before a migration, are still sealed with
them. Why a mark: a rotation that was stopped is taken up again with the key it had begun with.
"""

import base64
import json
import secrets
from pathlib import Path
from typing import Any

from erpsync.cli.errors import CommandError
from erpsync.store.db.privacy import KEY_BYTES, write_whole

_MARK = "rotating"


def begin_rotation(path: Path) -> None:
    """Put a fresh key in front of the file's keys, unless a rotation is under way; nobody else may use the database."""
    kept = _read(path)
    if kept.get(_MARK):
        return
    fresh = base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
    write_whole(path, json.dumps(kept | {"keys": [fresh, *kept["keys"]], _MARK: True}))


def end_rotation(path: Path) -> None:
    """Note that everything is sealed with the first key."""
    write_whole(path, json.dumps({name: value for name, value in _read(path).items() if name != _MARK}))


def _read(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        raise CommandError(f"{path}: there is no key file; erpsync migrate makes one") from None
    except ValueError:
        raise CommandError(f"{path}: the key file cannot be read") from None
    return kept
