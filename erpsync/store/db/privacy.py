"""Encryption at rest for what identifies people.

Format of a sealed value: `v1|key id|nonce|ciphertext` with AES-256-GCM; the additional data is the table and the row's
identity, so a ciphertext moved to another row does not open. The first key seals, all keys open. A phone number is
found by a keyed hash with a key of its own: the space of phone numbers is so small that only the key protects it.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import tempfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from erpsync.core.phones import whole_digits

_MAGIC = b"v1|"
_NONCE_BYTES = 12
_SMALL = (1, zlib.DEFLATED, 12, 4)  # level, window, memory: zlib's usual buffers cost more than packing a short text
KEY_BYTES = 32
# Made once: json.dumps makes one for every value, and an order has half a dozen.
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_SORTED = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class PrivacyError(Exception):
    """A sealed value cannot be opened with the keys at hand."""


class KeysError(PrivacyError):
    """The keys are not those of the database, or cannot be read: a person has to put the right ones in place."""


class Vault:
    """Seals and opens personal data.

    Args:
        keys: 32 bytes each; the first seals, all open.
        index_key: for the phone index, never one of `keys`.
    """

    def __init__(self, keys: Sequence[bytes], index_key: bytes) -> None:
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._first = key_id(keys[0])
        self._index_key = index_key

    def encrypt(self, value: Any, *, row: str) -> bytes:
        """Return `value` (anything JSON can hold) compressed and encrypted for the row named `table|identity`."""
        plain = _AS_IT_IS.encode(value).encode("utf-8", "surrogatepass")
        return self.encrypt_bytes(plain, row=row)

    def encrypt_bytes(self, plain: bytes, *, row: str) -> bytes:
        """Return bytes compressed and encrypted for the row."""
        nonce = os.urandom(_NONCE_BYTES)
        packer = zlib.compressobj(*_SMALL)
        packed = packer.compress(plain) + packer.flush()
        sealed = self._ciphers[self._first].encrypt(nonce, packed, _bound(self._first, row))
        return _MAGIC + self._first + b"|" + nonce + sealed

    def decrypt(self, sealed: bytes, *, row: str) -> Any:
        """Return the value sealed for the row; raises `PrivacyError` when no key fits or the row is another."""
        return json.loads(self.decrypt_bytes(sealed, row=row))

    def decrypt_bytes(self, sealed: bytes, *, row: str) -> bytes:
        """Return the bytes sealed for the row."""
        used = sealed_with(sealed)
        cipher = self._ciphers.get(used)
        if cipher is None:
            raise PrivacyError(f"key {used.decode()} is not among the configured keys")
        body = sealed[len(_MAGIC) + len(used) + 1 :]
        try:
            return zlib.decompress(cipher.decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], _bound(used, row)))
        except InvalidTag:
            raise PrivacyError(f"the value of {row.split('|', 1)[0]} was not sealed for this row") from None

    @property
    def key_ids(self) -> frozenset[str]:
        """The names of the keys at hand, which tell nothing about them."""
        return frozenset(used.decode() for used in self._ciphers)

    def is_current(self, sealed: bytes) -> bool:
        """Whether the value is sealed with the first key."""
        return sealed_with(sealed) == self._first

    def index(self, value: Any) -> bytes:
        """Return a keyed hash by which equal values can be told without opening them."""
        plain = _SORTED.encode(value).encode("utf-8", "surrogatepass")
        return hmac.digest(self._index_key, b"value" + plain, "sha256")[:16]

    def phone_index(self, phone: str) -> bytes | None:
        """Return the look-up value of a phone number: keyed hash of its last 11 digits; None if it is masked."""
        digits = whole_digits(phone)
        return hmac.digest(self._index_key, digits.encode(), "sha256")[:16] if digits else None


def key_id(key: bytes) -> bytes:
    """Return a short name of a key that tells nothing about it."""
    return hashlib.sha256(b"erpsync key id" + key).hexdigest()[:8].encode()


def sealed_with(sealed: bytes) -> bytes:
    """Return the id of the key that sealed a value."""
    if not sealed.startswith(_MAGIC):
        raise PrivacyError("the value is not a sealed one")
    return sealed[len(_MAGIC) : sealed.index(b"|", len(_MAGIC))]


def _bound(key: bytes, row: str) -> bytes:
    return key + b"|" + row.encode()


def decode_key(text: str) -> bytes:
    """Return the 32 bytes of a key written in base64; raises `ValueError` with what is wrong."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except ValueError:
        raise ValueError("a key is 32 bytes in base64, this is not base64") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is 32 bytes in base64, this has {len(key)}")
    return key


def make_or_read_keys(path: Path) -> Vault:
    """Return the vault of a key file, making the file first if there is none: whole or not at all, mode 0600."""
    if not path.exists():
        fresh = {"keys": [_new_key()], "index_key": _new_key()}
        with suppress(FileExistsError):  # a rival was first: its keys count
            write_whole(path, json.dumps(fresh), fresh=True)
    return read_keys(path)


def write_whole(path: Path, text: str, *, fresh: bool = False) -> None:
    """Put a file in its place at once and durably, readable by its owner alone.

    Args:
        fresh: raise `FileExistsError` and change nothing when there is one; else the one that is there is replaced.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=".new")
    whole = Path(name)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if fresh:
            path.hardlink_to(whole)  # a rename would replace what a rival has just made
        else:
            _keep_owner(whole, path)
            whole.replace(path)
    finally:
        whole.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _keep_owner(whole: Path, path: Path) -> None:
    if os.geteuid() == 0:
        before = path.stat()
        os.chown(whole, before.st_uid, before.st_gid)


def read_keys(path: Path) -> Vault:
    """Return the vault of an existing key file; raises `KeysError` with what to do when it is none."""
    try:
        text = path.read_text()
        if not text.strip():
            raise ValueError("it is empty")
        kept: Mapping[str, Any] = json.loads(text)
        return Vault([decode_key(key) for key in kept["keys"]], decode_key(kept["index_key"]))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise KeysError(
            f"{path}: the key file cannot be read: {_reason(error)}; put its copy from your backup in its place, or,"
            " if this database never held an order, remove it, and start again"
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return (error.strerror or "it cannot be opened").lower()
    if isinstance(error, json.JSONDecodeError):
        return "it is not whole"
    if isinstance(error, ValueError):
        return str(error)
    return "it does not say `keys` and `index_key`"


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()
