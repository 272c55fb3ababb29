"""Sealing everything with the first key again, so that an old key can be retired; what is done is skipped."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select, update

from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store, Tx
from erpsync.store.encrypted import PROOF, SEALED, Sealed

AT_ONCE = 500


def rotate_keys(store: Store, *, progress: Callable[[str, int, int], None] = lambda table, done, total: None) -> int:
    """Seal every value again that an older key sealed; return how many rows were changed.

    Args:
        progress: called with the table, how many of its rows were looked at, and how many there are.
    """
    if store.vault is None:
        raise LookupError("keys rotate needs the encryption keys")
    changed = sum(_rotate(store, store.vault, sealed, progress) for sealed in SEALED)
    _rotate(
        store, store.vault, PROOF, progress
    )  # the last one: until all others are done, a start asks for the old key
    return changed


def _rotate(store: Store, vault: Vault, sealed: Sealed, progress: Callable[[str, int, int], None]) -> int:
    present: ColumnElement[bool] = sealed.table.c[sealed.column].is_not(None)
    # Scans orders, order_line, payload, inbox, outbox: new keys are for every row, and the bar wants to know how many.
    with store.read() as connection:
        total = int(connection.execute(select(func.count()).select_from(sealed.table).where(present)).scalar_one())
    changed = seen = last = 0
    while True:
        query = select(sealed.table).where(present, sealed.numbered > last).order_by(sealed.numbered)

        def seal_next(tx: Tx, query: Any = query) -> tuple[int, int, int]:
            rows = tx.all(query.limit(AT_ONCE).with_for_update(key_share=True))
            return len(rows), _seal_again(tx, vault, sealed, rows), getattr(rows[-1], sealed.key) if rows else 0

        read, sealed_again, last = store.retrying(seal_next)
        changed, seen = changed + sealed_again, seen + read
        progress(sealed.table.name, seen, total)
        if read < AT_ONCE:
            return changed


def _seal_again(tx: Tx, vault: Vault, sealed: Sealed, rows: Any) -> int:
    changed = 0
    for row in rows:
        value: bytes = getattr(row, sealed.column)
        if vault.is_current(value):
            continue
        identity = sealed.row(row)
        fresh: Mapping[str, Any] = {
            sealed.column: vault.encrypt_bytes(vault.decrypt_bytes(value, row=identity), row=identity)
        }
        tx.execute(update(sealed.table).where(sealed.numbered == getattr(row, sealed.key)).values(**fresh))
        changed += 1
    return changed
