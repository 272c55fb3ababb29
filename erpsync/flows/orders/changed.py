"""From what to what: how events say what an order, a listing or a bundle was before, and is now."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, tuple_

from erpsync.core.orders import KnownOrder, phase
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.store import Tx
from erpsync.store.events import Event
from erpsync.store.tables import bundle, listing

_AMOUNTS = ("total_minor", "paid_minor", "goods_minor", "freight_minor", "discount_minor", "refunded_minor")
_FIELDS = ("state", *_AMOUNTS, "currency", "paid_at", "ready_at", "do_not_ship", "seller_flag")

Mapped = Mapping[tuple[int, str, str], tuple[int | None, int, bool]]
"""(SKU, factor) by channel, the channel's SKU and the platform's ids."""


def order_change(before: KnownOrder | None, after: KnownOrder) -> dict[str, Any]:
    """Return `{from, to}` with the fields of an order that differ, its phase and holds among them; nothing if none."""
    if before is None:
        return {}
    was, now = _told(before), _told(after)
    names = [name for name in was if was[name] != now[name]]
    return {"from": {name: was[name] for name in names}, "to": {name: now[name] for name in names}} if names else {}


def _told(order: KnownOrder) -> dict[str, Any]:
    values = {name: getattr(order, name) for name in _FIELDS}
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values.items()}
    return {"phase": phase(order), "held": dict(order.holds), **plain}


def mappings(tx: Tx, things: Iterable[tuple[int, str]]) -> Mapped:
    """Return how the listings of these seller codes (channel, code) are mapped."""
    of_things = tuple_(listing.c.channel_id, listing.c.channel_sku).in_(sorted(set(things)))
    rows = tx.all(select(listing).where(of_things))
    return {(row.channel_id, row.channel_sku, row.item_ref): (row.sku_id, row.factor, row.no_stock) for row in rows}


def mapping_events(before: Mapped, after: Mapped, actor: str) -> list[Event]:
    """Return an event for each listing that is mapped otherwise than before, about the SKU it is now."""
    return [
        Event(
            kind="listing.mapped",
            sku_id=now[0],
            channel_id=key[0],
            detail={
                "listing": f"{key[1]} {key[2]}".strip(),
                "from": _mapped(before.get(key, (None, 1, False))),
                "to": _mapped(now),
            },
            actor=actor,
        )
        for key, now in sorted(after.items())
        if now != before.get(key)
    ]


def _mapped(mapped: tuple[int | None, int, bool]) -> dict[str, int | bool] | None:
    if mapped[2]:
        return {"no_stock": True}
    return None if mapped[0] is None else {"sku_id": mapped[0], "factor": mapped[1]}


def contents(tx: Tx, bundle_ids: Iterable[int]) -> dict[int, dict[int, int]]:
    """Return what these bundles consist of: units by SKU, by bundle."""
    contents: dict[int, dict[int, int]] = {}
    for part in in_parts(bundle_ids):
        for row in tx.all(select(bundle).where(bundle.c.bundle_id.in_(part)).order_by(bundle.c.sku_id)):
            contents.setdefault(row.bundle_id, {})[row.sku_id] = row.qty
    return contents


def bundle_events(
    before: Mapping[int, Mapping[int, int]], after: Mapping[int, Mapping[int, int]], actor: str
) -> Sequence[Event]:
    """Return an event for each bundle that consists of something else than before."""
    return [
        Event(
            kind="bundle.changed",
            sku_id=id,
            detail={"from": _parts(before.get(id, {})), "to": _parts(parts)},
            actor=actor,
        )
        for id, parts in sorted(after.items())
        if parts != before.get(id)
    ]


def _parts(parts: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"sku_id": sku_id, "qty": qty} for sku_id, qty in sorted(parts.items())]
