"""What the seeded orders are made of, and the rows that each kind of fact leaves behind."""

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from erpsync.sdk.types import Recipient
from erpsync.store.db.privacy import Vault
from erpsync.store.encrypted import dead_letter_row, payload_row, recipient_columns, recipient_row
from erpsync.store.names import beginning, ending, part_of, plain
from erpsync.store.tables import instant
from tests.growth.fates import Fate
from tests.growth.rows import Loader
from tests.growth.town import DROP, Goods, Seller

SECOND, HOUR, DAY = 1_000_000, 3_600_000_000, 86_400_000_000
IN_WAVE = 40
CARRIERS = ("SF", "ZTO", "YTO", "YUNDA", "JD", "EMS")
_JSON = json.JSONEncoder(ensure_ascii=False).encode
HELD = {
    "operator": "call the buyer first",
    "do_not_ship": "risk control",
    "bad_line": "a line could not be read",
    "incomplete_address": "name, phone or address is missing",
}


@dataclass(frozen=True, slots=True)
class Item:
    """A line of an order: its row id, the channel's ids, and the units of our SKUs that one of it consists of."""

    id: int
    external_id: str
    sku_id: int | None
    code: str
    qty: int
    price_minor: int
    parts: Sequence[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Order:
    """An order as it stands at the end."""

    id: int
    seller: Seller
    external_id: str
    number: str
    fate: Fate
    placed_us: int
    imported_us: int
    warehouse_id: int
    items: Sequence[Item]
    refunded: Mapping[int, int]
    """Units given back, by line id."""

    @property
    def total_minor(self) -> int:
        """What the buyer pays."""
        return sum(item.qty * item.price_minor for item in self.items)

    @property
    def paid_us(self) -> int | None:
        """When it was paid."""
        return min(self.placed_us + 30 * SECOND, self.imported_us) if self.fate.ready else None

    @property
    def left(self) -> Sequence[Item]:
        """The lines that have left: all of them, or the first of a parcel that holds a part."""
        if self.fate.status in ("completed", "shipped"):
            return self.items
        return self.items[:1] if self.fate.status == "partially_shipped" else ()


class Records:
    """Writes rows, each table's always with the same columns."""

    def __init__(self, loader: Loader, chance: random.Random, vault: Vault) -> None:
        self._chance, self._vault, self._into = chance, vault, loader.into
        times = ("version_at", "read_from_at", "read_to_at", "placed_at", "paid_at", "ready_at", "ship_by_at")
        money = ("currency", "total_minor", "paid_minor", "goods_minor")
        person = ("recipient", "recipient_index", "phone_index", "address_complete", "do_not_ship", "imported_at")
        self._called = loader.into("order_name", "part", "name", "order_id")
        names = ("id", "channel_id", "external_id", "number", "phase", "state", "hold_reason", "digest")
        self._order = loader.into("orders", *names, *times, *money, *person)
        thing = ("id", "order_id", "external_id", "channel_sku", "item_ref", "title", "sku_id", "has_parts")
        units = ("qty", "closed_qty", "refunded_qty", "cancelled_qty", "shipped_qty", "price_minor")
        self._line = loader.into("order_line", *thing, *units)
        self._part = loader.into("line_part", "line_id", "sku_id", "qty")
        self._held = loader.into("order_hold", "order_id", "reason", "detail", "at")
        waiting = ("owner_id", "owner_kind", "sku_id", "qty", "order_id", "channel_id", "due_at", "number", "waits")
        self._backorder = loader.into("backorder", *waiting)
        self._event = loader.into("event", "at", "kind", "order_id", "sku_id", "channel_id", "detail", "actor")
        self._payload = loader.into("payload", "channel_id", "kind", "external_id", "at", "body")
        self._inbox = loader.into("inbox", "channel_id", "delivery_key", "received_at", "state", "run_at")
        parcel = ("id", "order_id", "channel_id", "number", "carrier", "tracking", "state", "whole", "actor")
        self._shipment = loader.into("shipment", *parcel, "shipped_at", "sent_at")
        self._shipped = loader.into("shipment_line", "shipment_id", "line_id", "qty")
        told = ("id", "carrier", "number", "state", "said", "made_at", "left_at", "last_at", "scanned_at")
        self._track = loader.into("track", *told, "delivered_at", "ask_at")
        self._track_node = loader.into("track_node", "track_id", "key", "at", "state", "place")
        picked = ("id", "warehouse_id", "number", "state", "actor", "made_at", "printed_at", "ended_at")
        self._wave = loader.into("wave", *picked)
        lot = ("id", "warehouse_id", "number", "state", "made_at", "told_at", "ended_at", "wave_id", "slot")
        self._release = loader.into("release", *lot)
        self._waves: set[int] = set()
        self._release_order = loader.into("release_order", "release_id", "order_id", "warehouse_id", "ended_at")
        self._release_line = loader.into(
            "release_line", "release_id", "line_id", "sku_id", "qty", "units", "left_units"
        )
        asked = ("id", "channel_id", "external_id", "order_external_id", "state", "digest", "amount_minor", "currency")
        self._refund = loader.into("refund", *asked, "version_at", "read_from_at", "read_to_at", "reason")
        self._refund_line = loader.into("refund_line", "refund_id", "line_external_id", "qty")
        effect = ("destination_id", "kind", "key", "ref_id", "serial_key", "state", "lane", "run_at", "marked_at")
        self._outbox = loader.into("outbox", *effect, "fresh_after_at", "waiting_for", "error", "done_at")
        letter = ("channel_id", "kind", "key", "at", "error", "source", "body", "order_id", "state")
        self._letter = loader.into("dead_letter", *letter)
        task = ("kind", "key", "channel_id", "order_id", "reason", "opened_at", "closed_at", "closed_by")
        self._task = loader.into("task", *task)

    def digest(self) -> str:
        """Return what tells one state of a record from another."""
        return f"{self._chance.getrandbits(128):032x}"

    def order(self, order: Order, person: Recipient | None) -> None:
        """Write an order with its lines, its holds and its recipient."""
        fate, at, paid = order.fate, order.imported_us, order.paid_us
        row = recipient_row(order.seller.id, order.external_id)
        sealed = recipient_columns(self._vault, person, row=row) if person else {}
        names = (order.id, order.seller.id, order.external_id, order.number, fate.phase, fate.state, fate.reason)
        ship_by = None if paid is None else paid + 2 * DAY
        times = (at - SECOND, at - SECOND, at - SECOND, order.placed_us, paid, paid, ship_by)
        money = ("CNY", order.total_minor, None if paid is None else order.total_minor, order.total_minor)
        found = (sealed.get("recipient"), sealed.get("recipient_index"), sealed.get("phone_index"))
        stop = HELD["do_not_ship"] if fate.reason == "do_not_ship" else ""
        self._order((*names, self.digest(), *times, *money, *found, person.complete if person else None, stop, at))
        self._call(order.id, order.number, order.external_id)
        left = {item.id for item in order.left}
        for item in order.items:
            self._write_line(order, item, shipped=item.id in left)
        if fate.reason:
            self._held((order.id, fate.reason, _detail(order), at))

    def _call(self, order_id: int, *names: str) -> None:
        """Note by what an order can be found, as `write_names` does."""
        for short in map(plain, names):
            self._called((part_of(order_id), beginning(short), order_id))
            self._called((part_of(order_id), ending(short), order_id))

    def _write_line(self, order: Order, item: Item, *, shipped: bool) -> None:
        bundle = len(item.parts) > 1
        ref = "" if item.sku_id is None else Goods.item_ref(order.seller, item.sku_id)
        closed = item.qty if order.fate.status == "cancelled" else 0
        thing = (item.id, order.id, item.external_id, item.code, ref, f"好物 {item.code} 包邮", item.sku_id, bundle)
        units = (item.qty, closed, order.refunded.get(item.id, 0), closed, item.qty if shipped else 0)
        self._line((*thing, *units, item.price_minor))
        if bundle:
            for sku_id, qty in item.parts:
                self._part((item.id, sku_id, qty))

    def backorder(self, order: Order, item: Item, sku_id: int, qty: int) -> None:
        """Write units of a line that nothing covers."""
        due, waits = order.paid_us, not order.fate.reason
        self._backorder((item.id, "line", sku_id, qty, order.id, order.seller.id, due, order.number, waits))

    def event(
        self,
        kind: str,
        at_us: int,
        *,
        order: Order | None = None,
        sku_id: int | None = None,
        channel_id: int | None = None,
        actor: str = "",
        **detail: Any,
    ) -> None:
        """Write an event."""
        text = _JSON(detail)
        whose = (order.id, None, order.seller.id) if order else (None, sku_id, channel_id)
        self._event((at_us, kind, *whose, text, actor))

    def payload(self, channel_id: int, kind: str, external_id: str, at_us: int, body: Any) -> None:
        """Keep what a channel sent."""
        plain, row = _JSON(body).encode(), payload_row(channel_id, kind, external_id)
        sealed = self._vault.encrypt_bytes(plain, row=row)
        self._payload((channel_id, kind, external_id, at_us, sealed))

    def delivery(self, channel_id: int, key: str, at_us: int) -> None:
        """Write a webhook that was applied."""
        self._inbox((channel_id, key, at_us, "done", at_us))

    def parcel(self, id: int, order: Order, at_us: int, *, sent_us: int | None) -> None:
        """Write the order's parcel; without `sent_us` its channel is still to be told."""
        carrier, tracking = self._chance.choice(CARRIERS), f"{self._chance.randrange(10**12, 10**13)}"
        whole, state = order.left is order.items, "pending" if sent_us is None else "sent"
        number = f"{order.number}-1"
        self._call(order.id, tracking)
        where = (id, order.id, order.seller.id)
        self._shipment((*where, number, carrier, tracking, state, whole, "cli:desk", at_us, sent_us))
        for item in order.left:
            self._shipped((id, item.id, item.qty))
        self._told(id, carrier, tracking, at_us, delivered=sent_us is not None)

    def _told(self, id: int, carrier: str, tracking: str, at_us: int, *, delivered: bool) -> None:
        """Write what a courier told of a parcel: fetched and delivered, or nothing yet."""
        nodes = ((at_us + HOUR, "picked_up"), (at_us + 2 * DAY, "delivered")) if delivered else ()
        for node_us, state in nodes:
            self._track_node((id, f"{node_us}-{state}", node_us, state, "上海市"))
        instants = [node_us for node_us, _ in nodes] or [None, None]
        made = (id, carrier, tracking, "delivered" if delivered else "", 3 if delivered else 0, at_us, at_us)
        self._track((*made, instants[1], instants[0], instants[1], None if delivered else at_us))

    def release(self, id: int, order: Order, items: Sequence[Item], at_us: int, *, ended_us: int | None) -> None:
        """Write what a warehouse was told to send; with `ended_us` it has."""
        state, told = "told" if ended_us is None else "shipped", at_us + 5 * SECOND
        made = (id, order.warehouse_id, release_number(id, at_us), state, at_us)
        ended = min(told, ended_us or told)
        wave_id = self._wave_of(id, order, at_us) if ended_us is not None else None
        slot = None if wave_id is None else id % IN_WAVE
        self._release((*made, ended, ended_us, wave_id, slot))
        self._release_order((id, order.id, order.warehouse_id, ended_us))
        for item in items:
            for sku_id, units in item.parts:
                left = 0 if ended_us is None else item.qty * units
                self._release_line((id, item.id, sku_id, item.qty, item.qty * units, left))

    def _wave_of(self, release_id: int, order: Order, at_us: int) -> int:
        """Return the wave a release was picked in, written with the first of its releases."""
        wave_id = release_id // IN_WAVE + 1
        if wave_id not in self._waves:
            self._waves.add(wave_id)
            made = (wave_id, order.warehouse_id, wave_number(wave_id, at_us), "done", "growth", at_us)
            self._wave((*made, at_us + SECOND, at_us + 2 * SECOND))
        return wave_id

    def refund(self, id: int, order: Order, state: str, at_us: int, units: Mapping[int, int]) -> str:
        """Write a refund of these units by line id; return its external id."""
        external_id = f"R{order.external_id}"
        amount = sum(item.price_minor * units.get(item.id, 0) for item in order.items)
        asked = (id, order.seller.id, external_id, order.external_id, state, self.digest(), amount, "CNY")
        self._refund((*asked, at_us, at_us, at_us, "七天无理由"))
        for item in order.items:
            if item.id in units:
                self._refund_line((id, item.external_id, units[item.id]))
        return external_id

    def effect(
        self,
        channel_id: int,
        kind: str,
        key: str,
        ref_id: int,
        *,
        serial: str,
        lane: int,
        marked_us: int,
        done_us: int | None = None,
        waiting_for: str = "",
        dead: bool = False,
        error: str = "",
    ) -> None:
        """Write what a channel is to be told, or was."""
        open_state = "waiting" if waiting_for else "pending"
        state = open_state if done_us is None else "dead" if dead else "done"
        due = (serial, state, lane, marked_us, marked_us, marked_us, waiting_for, error, done_us)
        self._outbox((channel_id, kind, key, ref_id, *due))

    def letter(
        self, channel_id: int, kind: str, key: str, at_us: int, *, state: str, error: str, order_id: int | None = None
    ) -> None:
        """Write a dead letter."""
        body = self._vault.encrypt({"row": {"key": key}}, row=dead_letter_row(channel_id, kind, key))
        self._letter((channel_id, kind, key, at_us, error, "", body, order_id, state))

    def task(
        self,
        kind: str,
        key: str,
        channel_id: int,
        opened_us: int,
        *,
        reason: str,
        order_id: int | None = None,
        closed_us: int | None = None,
    ) -> None:
        """Write a task."""
        by = "" if closed_us is None else "cli:desk"
        self._task((kind, key, channel_id, order_id, reason, opened_us, closed_us, by))


def _detail(order: Order) -> str:
    if order.fate.reason == "refund_open":
        return f"R{order.external_id}"
    if order.fate.reason == "unmapped_sku":
        return ", ".join(sorted({item.code for item in order.items if not item.parts}))
    return HELD[order.fate.reason]


def release_number(id: int, at_us: int) -> str:
    """Return the number of a release that was made at an instant."""
    return f"R{instant(at_us):%Y%m%d}{id:06}"


def wave_number(id: int, at_us: int) -> str:
    """Return the number of a wave that was made at an instant."""
    return f"W{instant(at_us):%Y%m%d}{id:04}"


def line_name(seller: Seller, external_id: str, nth: int) -> str:
    """Return the channel's id of a line."""
    return str(nth) if seller is DROP else f"{external_id}-{nth}"
