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


def write_events(tx: Tx, events: Sequence[Event], *, first_id: int | None = None) -> None:
    """Append events at the transaction's instant.

    Args:
        first_id: the id of the first one, where ids in between are passed by; the next one if not given.
    """
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
    if first_id is not None:
        rows = [{"id": id, **row} for id, row in enumerate(rows, first_id)]
    insert_many(tx, event, rows)
