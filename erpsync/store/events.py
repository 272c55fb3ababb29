"""Events: why things are as they are, kept for people and told to programs."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Tx
from erpsync.store.feed import announce
from erpsync.store.tables import event


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A decision: what, about which order, SKU or channel, and the facts it rests on."""

    kind: str
    order_id: int | None = None
    sku_id: int | None = None
    channel_id: int | None = None
    detail: dict[str, Any] | None = None
    actor: str = ""


def write_events(tx: Tx, events: Sequence[Event]) -> None:
    """Append events at the transaction's instant."""
    if not events:
        return
    announce(tx)
    rows = [
        {
            "at": tx.now,
            "kind": e.kind,
            "order_id": e.order_id,
            "sku_id": e.sku_id,
            "channel_id": e.channel_id,
            "detail": json.dumps(e.detail or {}, ensure_ascii=False, default=str),
            "actor": e.actor,
        }
        for e in events
    ]
    insert_many(tx, event, rows)
