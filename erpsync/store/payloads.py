"""The last payloads on which decisions rest, sealed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import payload_row
from erpsync.store.tables import payload


def keep_payloads(
    tx: Tx,
    channel_id: int,
    kind: str,
    kept: Sequence[tuple[str, Any]],
    *,
    at: datetime | None = None,
    ahead_digest: str = "",
) -> None:
    """Keep raw payloads that changed something: (external id, payload), sealed.

    Args:
        at: when they came, if not now.
        ahead_digest: their digest, where they claim to have changed in the future.
    """
    rows = [
        {
            "channel_id": channel_id,
            "kind": kind,
            "external_id": external_id,
            "at": at or tx.now,
            "ahead_digest": ahead_digest,
            "body": tx.vault.encrypt(body, row=payload_row(channel_id, kind, external_id)),
        }
        for external_id, body in kept
    ]
    insert_many(tx, payload, rows)
