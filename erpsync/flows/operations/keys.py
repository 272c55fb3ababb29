"""Whether the keys at hand are those of the database.

Why a value is kept for it: a database that is restored without its keys looks whole, and new keys would be taken for
its own until somebody asks for an address, months later and too late.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from erpsync.store.db.privacy import KeysError, PrivacyError, Vault
from erpsync.store.db.store import Store, Tx
from erpsync.store.encrypted import PROOF, PROOF_ROW, SEALED, Sealed
from erpsync.store.tables import key_proof

_SAYS = "erpsync"
_ADVICE = "put the keys that this database was made with back, from your backup, and start again"


def prove_keys(store: Store, vault: Vault, place: str) -> None:
    """Raise `KeysError` unless these keys open what the database holds; the first time the proof is made.

    Args:
        place: where the keys stand, for the error.
    """
    try:
        if store.retrying(lambda tx: _prove(tx, vault)):
            return
    except PrivacyError as error:
        raise KeysError(f"the keys of {place} are not those of this database: {error}; {_ADVICE}") from error
    raise KeysError(f"the index key of {place} is not that of this database; {_ADVICE}")


def refuse_without_keys(store: Store, path: Path) -> None:
    """Raise `KeysError` when something in the database is sealed: a new key file at `path` would open none of it."""
    with store.begin() as tx:
        filled = next((sealed for sealed in (PROOF, *SEALED) if _newest(tx, sealed) is not None), None)
    if filled is not None:
        raise KeysError(f"the key file {path} is missing, and the database holds what only its keys open; {_ADVICE}")


def open_samples(store: Store, vault: Vault) -> int:
    """Open the newest value of every kind there is; return how many. Raises `KeysError` where one stays shut."""
    try:
        return store.retrying(lambda tx: _open_newest(tx, vault))
    except PrivacyError as error:
        raise KeysError(f"the keys at hand do not open this database: {error}; {_ADVICE}") from error


def _prove(tx: Tx, vault: Vault) -> bool:
    kept = tx.execute(select(key_proof.c.sealed).where(key_proof.c.id == 1)).scalar()
    if kept is None:
        _open_newest(tx, vault)
        row = tx.insert(key_proof).values(id=1, sealed=vault.encrypt(vault.index(_SAYS).hex(), row=PROOF_ROW))
        tx.execute(row.on_conflict_do_nothing())
        kept = tx.execute(select(key_proof.c.sealed).where(key_proof.c.id == 1)).scalar_one()
    return bool(vault.decrypt(kept, row=PROOF_ROW) == vault.index(_SAYS).hex())


def _open_newest(tx: Tx, vault: Vault) -> int:
    """Open one value of every kind there is, and return how many; raises `PrivacyError`."""
    found = [(sealed, row) for sealed in SEALED if (row := _newest(tx, sealed)) is not None]
    for sealed, row in found:
        vault.decrypt_bytes(getattr(row, sealed.column), row=sealed.row(row))
    return len(found)


def _newest(tx: Tx, sealed: Sealed) -> Any:
    # Scans orders, order_line, payload, inbox, dead_letter: newest first, to one not erased; at the first start.
    query = select(sealed.table).where(sealed.table.c[sealed.column].is_not(None)).order_by(sealed.numbered.desc())
    return tx.execute(query.limit(1)).first()
