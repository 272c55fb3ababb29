"""Rows for tests of what is shown: written straight into the tables, everything defaulted."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Table

from erpsync.store import tables as t
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.store import Store, Tx

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai


def minutes(number: float) -> datetime:
    """Return the instant so many minutes after noon."""
    return NOON + timedelta(minutes=number)


class Shop:
    """Two channels, two warehouses, and rows as a test needs them."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._numbers = count(1)
        self.skus: dict[str, int] = {}
        with store.begin() as tx:
            self.channels = dict(
                zip(("tmall", "jd"), self._add(tx, t.channel, {"name": "tmall"}, {"name": "jd"}), strict=True)
            )
            places = (
                {"code": "SH", "priority": 1, "safety_stock": 2, "sellable": True},
                {"code": "GZ", "priority": 2, "safety_stock": 0, "sellable": True},
            )
            self.warehouses = dict(zip(("SH", "GZ"), self._add(tx, t.warehouse, *places), strict=True))

    def add(self, table: Table, **values: Any) -> int:
        """Insert one row that has an id of its own; return it."""
        with self.store.begin() as tx:
            return self._add(tx, table, values)[0]

    def put(self, table: Table, *rows: dict[str, Any]) -> None:
        """Insert rows of a table without an id."""
        with self.store.begin() as tx:
            for row in rows:
                insert_many(tx, table, [row])

    def _add(self, tx: Tx, table: Table, *rows: dict[str, Any]) -> list[int]:
        ids = new_ids(tx, table, len(rows))
        insert_many(tx, table, [{"id": id, **row} for id, row in zip(ids, rows, strict=True)])
        return ids

    def sku(self, code: str) -> int:
        """Return the id of a SKU, made when it is first named."""
        if code not in self.skus:
            self.skus[code] = self.add(t.sku, code=code)
        return self.skus[code]

    def order(self, **changes: Any) -> "Order":
        """Store an order of one line of two units of A; `lines` gives other ones."""
        number = next(self._numbers)
        lines = changes.pop("lines", [{}])
        placed = changes.pop("placed_at", minutes(number))
        row = {
            "channel_id": self.channels[changes.pop("channel", "tmall")],
            "external_id": f"E{number}",
            "number": f"S{number:04}",
            "phase": "ready",
            "state": "paid",
            "version_at": placed,
            "read_from_at": placed,
            "read_to_at": placed,
            "placed_at": placed,
            "paid_at": placed,
            "ready_at": placed,
            "currency": "CNY",
            "total_minor": 2_000,
            "imported_at": placed,
        } | changes
        id = self.add(t.orders, **row)
        return Order(self, id, row, [self._line(id, place, line) for place, line in enumerate(lines, 1)])

    def _line(self, order_id: int, place: int, changes: dict[str, Any]) -> int:
        row = {"external_id": f"L{place}", "channel_sku": "a-on-channel", "sku": "A", "qty": 2, "price_minor": 1_000}
        row |= changes
        code = row.pop("sku")
        return self.add(t.order_line, order_id=order_id, sku_id=None if code is None else self.sku(code), **row)

    def event(self, kind: str, at: datetime = NOON, detail: Any = None, **refs: Any) -> None:
        """Store an event."""
        self.add(t.event, at=at, kind=kind, detail=json.dumps(detail or {}, ensure_ascii=False), **refs)


class Order:
    """A stored order to which holds, backorders and parcels are added."""

    def __init__(self, shop: Shop, id: int, row: dict[str, Any], lines: Sequence[int]) -> None:
        self.shop, self.id, self.row, self.lines = shop, id, row, lines
        self.number: str = row["number"]

    def hold(
        self, *, sku: str = "A", warehouse: str = "SH", qty: int = 1, released: bool = False, line: int = 0
    ) -> "Order":
        """Let a line hold units."""
        place = {"sku_id": self.shop.sku(sku), "warehouse_id": self.shop.warehouses[warehouse]}
        owner = {"owner_kind": "line", "owner_id": self.lines[line]}
        self.shop.put(t.hold, owner | place | {"qty": qty, "released": released})
        return self

    def missing(self, *, sku: str = "A", qty: int = 1, line: int = 0, waits: bool = True) -> "Order":
        """Let units of a line be backordered."""
        row = {
            "owner_kind": "line",
            "owner_id": self.lines[line],
            "sku_id": self.shop.sku(sku),
            "qty": qty,
            "order_id": self.id,
            "channel_id": self.row["channel_id"],
            "due_at": self.row["paid_at"],
            "number": self.number,
            "waits": waits,
        }
        self.shop.put(t.backorder, row)
        return self

    def held_for(self, reason: str, detail: str = "") -> "Order":
        """Give a reason why the order is held."""
        self.shop.put(t.order_hold, {"order_id": self.id, "reason": reason, "detail": detail, "at": NOON})
        return self

    def parcel(self, *, number: str, qty: int = 1, line: int = 0, state: str = "sent") -> int:
        """Store a parcel that left; return its id."""
        id = self.shop.add(
            t.shipment,
            order_id=self.id,
            channel_id=self.row["channel_id"],
            number=number,
            carrier="SF",
            tracking=f"SF{number}",
            state=state,
            shipped_at=minutes(60),
        )
        self.shop.put(t.shipment_line, {"shipment_id": id, "line_id": self.lines[line], "qty": qty})
        return id
