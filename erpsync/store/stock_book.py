"""The stock book: what some SKUs have on hand, hold and owe, loaded under lock and written as summed deltas.

Why a working copy: a batch of orders is planned in memory and written with one guarded statement per table; the guard
in the WHERE refuses any write that would promise a unit twice, whatever the plan said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from erpsync.core.allocation import Due, HoldOwner, StockKey
from erpsync.core.fulfilment import ORDER
from erpsync.core.movements import Movement
from erpsync.store.db.bulk import delete_many, in_parts, insert_many, update_many
from erpsync.store.db.store import Tx
from erpsync.store.guard import add_guarded
from erpsync.store.registry import lock_skus
from erpsync.store.tables import backorder, hold, ledger, stock


@dataclass(slots=True, kw_only=True)
class Hold:
    """Units of a SKU in a warehouse that belong to an owner."""

    qty: int
    expires_at: datetime | None = None
    released: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backorder:
    """Units that nothing covers yet.

    Args:
        group: who is served together: an order, else the owner itself.
        channel_id: whose warehouses may serve it; None where the owner's kind tells.
        waits: whether they are served as soon as they come; not while an order is held.
    """

    qty: int
    group: HoldOwner
    channel_id: int | None
    due: Due
    waits: bool


HoldKey = tuple[HoldOwner, StockKey]
NeedKey = tuple[HoldOwner, int]


class Book:
    """Stock, holds and backorders of some SKUs, locked. Changes stay in memory until `flush`."""

    def __init__(self, tx: Tx, sku_ids: Iterable[int], owners: Iterable[HoldOwner] = ()) -> None:
        self._tx = tx
        self.sku_ids = sorted(set(sku_ids))
        lock_skus(tx, self.sku_ids)
        self._counted_before: dict[StockKey, datetime] = {}
        self._stock: dict[StockKey, tuple[int, int]] = {}
        self._on_hand: dict[StockKey, int] = {}
        self._reserved: dict[StockKey, int] = {}
        self._load_stock(self.sku_ids)
        self._holds_before: dict[HoldKey, Hold] = {}
        self.holds: dict[HoldKey, Hold] = {}
        self._by_need: dict[NeedKey, dict[int, Hold]] = {}
        self._waiting_before: dict[NeedKey, Backorder] = {}
        self.waiting: dict[NeedKey, Backorder] = {}
        self._loaded: set[HoldOwner] = set()
        self._ledger: list[dict[str, Any]] = []
        self._counted: dict[StockKey, datetime] = {}
        self.load_owners(owners)

    def _load_stock(self, sku_ids: Sequence[int]) -> None:
        for row in (
            r for part in in_parts(sku_ids) for r in self._tx.all(select(stock).where(stock.c.sku_id.in_(part)))
        ):
            place = StockKey(row.sku_id, row.warehouse_id)
            self._stock[place] = (row.on_hand, row.reserved)
            self._on_hand[place], self._reserved[place] = row.on_hand, row.reserved
            if row.counted_at is not None:
                self._counted_before[place] = row.counted_at

    def widen(self, sku_ids: Iterable[int]) -> None:
        """Take further SKUs into the book; out of the usual order of locks, so it is rare, or the caller is retried."""
        more = sorted(set(sku_ids) - set(self.sku_ids))
        lock_skus(self._tx, more)
        self.sku_ids = sorted({*self.sku_ids, *more})
        self._load_stock(more)

    def load_waiting(self, sku_ids: Iterable[int]) -> None:
        """Load all backorders on these SKUs; needed only where units are free to serve them."""
        for part in in_parts(sku_ids):
            self._add_waiting(backorder.c.sku_id.in_(part))

    def _add_waiting(self, wanted: ColumnElement[bool]) -> None:
        for row in self._tx.all(select(backorder).where(wanted)):
            owner = HoldOwner(row.owner_kind, row.owner_id)
            need = (owner, row.sku_id)
            if need not in self._waiting_before:
                self._waiting_before[need] = self.waiting[need] = Backorder(
                    qty=row.qty,
                    group=owner if row.order_id is None else HoldOwner(ORDER, row.order_id),
                    channel_id=row.channel_id,
                    due=(row.due_at, row.number),
                    waits=row.waits,
                )

    def load_owners(self, owners: Iterable[HoldOwner]) -> None:
        """Load what these owners hold and wait for."""
        by_kind: dict[str, set[int]] = {}
        for owner in owners:
            if owner not in self._loaded:
                by_kind.setdefault(owner.kind, set()).add(owner.id)
                self._loaded.add(owner)
        for kind, ids in by_kind.items():
            for part in in_parts(ids):
                query = select(hold).where(hold.c.owner_kind == kind, hold.c.owner_id.in_(part))
                for row in self._tx.all(query):
                    self._add_loaded(row)
                self._add_waiting((backorder.c.owner_kind == kind) & backorder.c.owner_id.in_(part))

    def _add_loaded(self, row: Any) -> None:
        key = (HoldOwner(row.owner_kind, row.owner_id), StockKey(row.sku_id, row.warehouse_id))
        if key not in self.holds:
            self._holds_before[key] = Hold(qty=row.qty, expires_at=row.expires_at, released=row.released)
            self._set(key, Hold(qty=row.qty, expires_at=row.expires_at, released=row.released))

    def _set(self, key: HoldKey, value: Hold) -> None:
        self.holds[key] = value
        self._by_need.setdefault((key[0], key[1].sku_id), {})[key[1].warehouse_id] = value

    # -- looking

    def known_places(self) -> Iterable[StockKey]:
        """Return the places that have a stock row."""
        return self._on_hand.keys()

    def on_hand(self, place: StockKey) -> int:
        """Return units on hand."""
        return self._on_hand.get(place, 0)

    def is_counted_since(self, place: StockKey, at: datetime) -> bool:
        """Whether a place was counted at that instant or later."""
        counted_at = self._counted.get(place) or self._counted_before.get(place)
        return counted_at is not None and counted_at >= at

    def available(self, place: StockKey, safety_stock: int) -> int:
        """Return units free to promise, as `Shelf.available`; asked so often that no shelf is made for it."""
        return max(0, self._on_hand.get(place, 0) - self._reserved.get(place, 0) - safety_stock)

    def missing(self) -> dict[StockKey, int]:
        """Return the places where more is reserved than there is, and how much."""
        return {
            place: self._reserved[place] - on_hand
            for place, on_hand in self._on_hand.items()
            if self._reserved[place] > on_hand
        }

    def held_for(self, need: NeedKey) -> dict[int, Hold]:
        """Return an owner's holds on a SKU by warehouse (those loaded or made)."""
        return self._by_need.get(need, {})

    def held_qty(self, need: NeedKey) -> int:
        """Return an owner's units held of a SKU."""
        return sum(held.qty for held in self.held_for(need).values())

    def held_skus(self) -> dict[HoldOwner, set[int]]:
        """Return the SKUs of this book that each loaded owner holds."""
        skus, held_skus = set(self.sku_ids), dict[HoldOwner, set[int]]()
        for owner, place in (key for key, held in self.holds.items() if held.qty and key[1].sku_id in skus):
            held_skus.setdefault(owner, set()).add(place.sku_id)
        return held_skus

    def altered(self) -> list[HoldKey]:
        """Return the holds handed to a warehouse that are no more what it was told to send."""
        before = self._holds_before
        return [key for key, was in before.items() if self.holds[key].released and self.holds[key].qty != was.qty]

    def holders(self, places: Iterable[StockKey]) -> list[HoldKey]:
        """Return all holds on these places, whoever has them."""
        wanted = set(places)
        # Scans hold: by SKU, and it holds what is open, no history.
        for part in in_parts(place.sku_id for place in wanted):
            for row in self._tx.all(select(hold).where(hold.c.sku_id.in_(part))):
                if (row.sku_id, row.warehouse_id) in wanted:
                    self._add_loaded(row)
        return [key for key, held in self.holds.items() if key[1] in wanted and held.qty > 0]

    # -- changing

    def move(self, movement: Movement, *, actor: str = "") -> None:
        """Change what is on hand, with its ledger row; remember when it was counted, if it was."""
        place, qty = movement.place, movement.qty
        if movement.counted_at is not None:
            self._counted[place] = movement.counted_at
        elif qty == 0:
            return
        self._on_hand[place] = self._on_hand.get(place, 0) + qty
        self._reserved.setdefault(place, 0)
        if qty == 0:
            return
        self._ledger.append(
            {
                "sku_id": place.sku_id,
                "warehouse_id": place.warehouse_id,
                "qty": qty,
                "reason": movement.words or movement.reason.value,
                "ref_kind": movement.ref.kind,
                "ref_id": movement.ref.id,
                "at": min(movement.at or self._tx.now, self._tx.now),
                "actor": actor,
            }
        )

    def hold(self, owner: HoldOwner, place: StockKey, qty: int, *, expires_at: datetime | None = None) -> None:
        """Promise units to an owner."""
        held = self.holds.get((owner, place))
        if held is None:
            self._set((owner, place), Hold(qty=qty, expires_at=expires_at))
        else:
            held.qty += qty
            held.expires_at = expires_at
        self._reserved[place] = self._reserved.get(place, 0) + qty

    def unhold(self, owner: HoldOwner, place: StockKey, qty: int) -> None:
        """Take a promise back."""
        self.holds[(owner, place)].qty -= qty
        self._reserved[place] -= qty

    def wait(self, owner: HoldOwner, sku_id: int, qty: int, *, like: Backorder) -> None:
        """Let an owner wait for so many units more of a SKU, as it does `like` for another."""
        before = self.waiting.get((owner, sku_id))
        self.waiting[owner, sku_id] = replace(before or like, qty=qty + (before.qty if before else 0))

    def lacking(self) -> dict[HoldOwner, dict[int, int]]:
        """Return the units by SKU that nothing covers now and that were not waited for before, by group."""
        more: dict[HoldOwner, dict[int, int]] = {}
        for (owner, sku_id), waiting in self.waiting.items():
            before = self._waiting_before.get((owner, sku_id))
            if waiting.qty > (before.qty if before else 0):
                units = more.setdefault(waiting.group, {})
                units[sku_id] = units.get(sku_id, 0) + waiting.qty - (before.qty if before else 0)
        return more

    def changed_places(self) -> set[StockKey]:
        """Return the places whose numbers differ from what was loaded."""
        return {
            place
            for place, on_hand in self._on_hand.items()
            if place not in self._stock or (on_hand, self._reserved[place]) != self._stock[place]
        }

    # -- writing

    def flush(self) -> None:
        """Write all changes; raises `StockConflictError` when a guard refuses."""
        self._write_stock()
        insert_many(self._tx, ledger, self._ledger)
        self._write_holds()
        self._write_waiting()

    def _write_stock(self) -> None:
        changed = self.changed_places()
        fresh = [place for place in sorted(changed) if place not in self._stock]
        insert_many(
            self._tx,
            stock,
            [
                {
                    "sku_id": place.sku_id,
                    "warehouse_id": place.warehouse_id,
                    "on_hand": self._on_hand[place],
                    "reserved": self._reserved[place],
                }
                for place in fresh
            ],
        )
        deltas = [
            (place, self._on_hand[place] - self._stock[place][0], self._reserved[place] - self._stock[place][1])
            for place in sorted(changed - set(fresh))
        ]
        add_guarded(self._tx, deltas)
        update_many(
            self._tx,
            stock,
            [{"sku_id": p.sku_id, "warehouse_id": p.warehouse_id, "counted_at": at} for p, at in self._counted.items()],
            keys=["sku_id", "warehouse_id"],
        )

    def _write_holds(self) -> None:
        gone, changed, fresh = [], [], []
        for key, now in self.holds.items():
            before = self._holds_before.get(key)
            if before is None:
                if now.qty:
                    fresh.append(_hold_row(key, now))
            elif now.qty == 0:
                gone.append(_hold_key(key))
            elif now != before:
                changed.append(_hold_row(key, now))
        delete_many(self._tx, hold, gone)
        update_many(self._tx, hold, changed, keys=["owner_kind", "owner_id", "sku_id", "warehouse_id"])
        insert_many(self._tx, hold, fresh)

    def _write_waiting(self) -> None:
        gone, changed, fresh = [], [], []
        for key in self._waiting_before.keys() | self.waiting.keys():
            before, now = self._waiting_before.get(key), self.waiting.get(key)
            if now is None or now.qty == 0:
                if before is not None:
                    gone.append(_need_key(key))
            elif before is None:
                fresh.append(_waiting_row(key, now))
            elif now != before:
                changed.append(_waiting_row(key, now))
        delete_many(self._tx, backorder, gone)
        update_many(self._tx, backorder, changed, keys=["owner_kind", "owner_id", "sku_id"])
        insert_many(self._tx, backorder, fresh)


def _need_key(key: NeedKey) -> dict[str, Any]:
    return {"owner_kind": key[0].kind, "owner_id": key[0].id, "sku_id": key[1]}


def _hold_key(key: HoldKey) -> dict[str, Any]:
    return _need_key((key[0], key[1].sku_id)) | {"warehouse_id": key[1].warehouse_id}


def _hold_row(key: HoldKey, held: Hold) -> dict[str, Any]:
    return _hold_key(key) | {"qty": held.qty, "expires_at": held.expires_at, "released": held.released}


def _waiting_row(key: NeedKey, waiting: Backorder) -> dict[str, Any]:
    return _need_key(key) | {
        "qty": waiting.qty,
        "order_id": waiting.group.id if waiting.group.kind == ORDER else None,
        "channel_id": waiting.channel_id,
        "due_at": waiting.due[0],
        "number": waiting.due[1],
        "waits": waiting.waits,
    }
