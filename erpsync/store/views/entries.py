"""Entries of a story: `{at, about, what, detail, actor}`, whatever they were read from."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from erpsync.store.views.details import with_names
from erpsync.store.views.values import Json, detail, iso


def entry(at: datetime, about: str, what: str, told: Any, actor: str = "") -> Json:
    """Return one entry of a story."""
    return {"at": iso(at), "about": about, "what": what, "detail": told, "actor": actor}


def in_order(entries: Iterable[Json]) -> list[Json]:
    """Return entries by time; those of one instant stay as they are."""
    return sorted(entries, key=lambda row: str(row["at"]).removesuffix("Z"))


def of_events(connection: Connection, rows: Iterable[Any]) -> list[Json]:
    """Return events' rows as entries, with names in place of row ids."""
    events = list(rows)
    told = with_names(connection, [detail(row.detail) for row in events])
    return [entry(row.at, "event", row.kind, why, row.actor) for row, why in zip(events, told, strict=True)]


def of_movement(row: Any, more: Json) -> Json:
    """Return a ledger row (with its `sku` and `warehouse` codes) as an entry."""
    told = {"sku": row.sku, "warehouse": row.warehouse, "qty": row.qty}
    return entry(row.at, "stock", row.reason, told | more, row.actor)


def of_effect(row: Any, more: Json) -> Json:
    """Return an outbox row (with its channel's name) as an entry."""
    state = f"waiting for {row.waiting_for}" if row.state == "waiting" else row.state
    if row.sent_at is not None and row.state in ("pending", "waiting"):
        state = f"unknown, {state}"
    told = {"channel": row.channel, **more, "attempts": row.attempts, "run_at": iso(row.run_at), "error": row.error}
    return entry(row.done_at or row.sent_at or row.marked_at, "push", f"{row.kind} {state}", told)
