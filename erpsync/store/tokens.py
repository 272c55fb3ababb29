"""Renewed token pairs: sealed, both tokens in one commit, with the configured pair they descend from.

Why a digest of the configured pair: only so can be told whether the operator put a new one in, which then counts.
"""

import hashlib
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, select, update

from erpsync.sdk.tokens import TokenPair
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import token_row
from erpsync.store.tables import channel, token


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredToken:
    """What is stored of a channel's token.

    `pair` is sealed, None before the first renewal; `origin` names the configured pair it descends from. `asked_at`
    says that a renewal was asked for and got no answer yet, `refused_at` that the platform renews this pair no more.
    """

    pair: bytes | None
    origin: str
    renewals: int
    renewed_at: datetime | None
    tries: int
    asked_at: datetime | None
    refused_at: datetime | None
    try_at: datetime | None
    warned_for_at: datetime | None
    warned_days: int


def origin_of(configured: TokenPair) -> str:
    """Return a digest of a configured pair; the instant of its end does not count, the operator may correct it."""
    refresh = configured.refresh_token.get_secret_value() if configured.refresh_token else ""
    text = f"erpsync token pair\0{configured.access_token.get_secret_value()}\0{refresh}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def read_token(connection: Connection, channel_id: int) -> StoredToken | None:
    """Return what is stored of a channel's token, None if nothing is."""
    return _stored(connection.execute(select(token).where(token.c.channel_id == channel_id)).first())


def lock_token(tx: Tx, channel_id: int) -> StoredToken | None:
    """Return as `read_token` does, locked; the channel's row first, as everywhere."""
    tx.execute(select(channel.c.id).where(channel.c.id == channel_id).with_for_update(key_share=True))
    return _stored(tx.execute(select(token).where(token.c.channel_id == channel_id).with_for_update()).first())


def _stored(row: Any) -> StoredToken | None:
    return (
        None if row is None else StoredToken(**{field.name: getattr(row, field.name) for field in fields(StoredToken)})
    )


def stored_pair(connection: Connection, vault: Vault, channel_id: int, configured: TokenPair) -> TokenPair | None:
    """Return the renewed pair that descends from the configured one; None when there is none, or it was replaced."""
    row = read_token(connection, channel_id)
    if row is None or row.pair is None or row.origin != origin_of(configured):
        return None
    kept: dict[str, Any] = vault.decrypt(row.pair, row=token_row(channel_id))
    return TokenPair(
        access_token=SecretStr(kept["access_token"]),
        refresh_token=SecretStr(kept["refresh_token"]) if kept["refresh_token"] else None,
        expires_at=datetime.fromisoformat(kept["expires_at"]) if kept["expires_at"] else None,
    )


def seal_pair(vault: Vault, channel_id: int, pair: TokenPair) -> bytes:
    """Return both tokens and their end, sealed for the channel's row."""
    kept = {
        "access_token": pair.access_token.get_secret_value(),
        "refresh_token": pair.refresh_token.get_secret_value() if pair.refresh_token else None,
        "expires_at": pair.expires_at.isoformat() if pair.expires_at else None,
    }
    return vault.encrypt(kept, row=token_row(channel_id))


def write_token(tx: Tx, channel_id: int, **values: Any) -> None:
    """Write columns of a channel's token row, made if there is none."""
    row = tx.insert(token).values(channel_id=channel_id, **values)
    tx.execute(row.on_conflict_do_update(index_elements=["channel_id"], set_=values))


def note_expiry(tx: Tx, channel_id: int, expires_at: datetime | None) -> None:
    """Note when the channel's credentials end, for `status`."""
    tx.execute(update(channel).where(channel.c.id == channel_id).values(token_expires_at=expires_at))
