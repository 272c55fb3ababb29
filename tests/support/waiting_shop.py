"""A shop in which much waits for people: dead letters that can and cannot be replayed, tasks, windows, drift.

Its orders are read from payloads like {"id": "o1", "total": 1290}: a total that is a text cannot be read. Whether it
can be read by today's connector is `ScannedConnector.lenient`, so a replay may be made to help.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update

from erpsync.flows.context import Context
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.roles import OrderScan
from erpsync.sdk.types import Head, Line, Order, OrderState, Raw, Recipient
from erpsync.store import tables
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store, Tx
from erpsync.store.encrypted import dead_letter_row
from tests.support.web_shop import NOW, HookConnector, add, effect_row, open_shop

SHOP, OTHER = "tmall-flagship", "jd-main"
VAULT = Vault([b"k" * 32], b"i" * 32)
PERSON, PHONE = "王小明", "13800138000"


class ScannedConnector(HookConnector, OrderScan):
    """A platform that lists its past and whose orders are read; `lenient` takes totals that are texts."""

    def __init__(self, *, lenient: bool = False) -> None:
        super().__init__()
        self.lenient = lenient

    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        return iter(())

    def normalise(self, raw: Raw) -> Order:
        total = raw.payload["total"]
        if not isinstance(total, int):
            if not self.lenient:
                raise PayloadError("expected an amount like 12.50, found text", path="$.total")
            total = int(total.replace(",", ""))
        return Order(
            external_id=str(raw.payload["id"]),
            version_at=raw.head.version_at,
            state=OrderState.PAID,
            placed_at=raw.head.version_at,
            paid_at=raw.head.version_at,
            ready_at=raw.head.version_at,
            currency="CNY",
            total_minor=total,
            lines=(Line(external_id="1", channel_sku="LINEN-W-L", qty=1, price_minor=total),),
            recipient=Recipient(name=PERSON, phone=PHONE, city="杭州市", address="文三路 1 号"),
        )


def open_waiting_shop(url: str) -> tuple[Store, Context]:
    """Return a store with keys and a context whose first shop lists its past and reads orders."""
    store, ctx = open_shop(url, vault=VAULT)
    return store, with_connector(ctx, ScannedConnector())


def with_connector(ctx: Context, connector: ScannedConnector) -> Context:
    """Return the context with another connector of the first shop."""
    changed = replace(ctx.channel(SHOP), connector=connector)
    return replace(ctx, channels={**ctx.channels, changed.id: changed})


def payload(order: str, total: Any = "12,90") -> dict[str, Any]:
    """Return an order as the platform sends it."""
    receiver = {"receiver_name": PERSON, "receiverMobile": PHONE, "收货地址": "浙江省杭州市文三路 1 号"}
    return {"id": order, "total": total, "receiver": receiver, "extra": f"call {PHONE}", "title": "亚麻短袖衬衫"}


def put_order_letter(tx: Tx, ctx: Context, order: str, **changes: Any) -> int:
    """Add a dead letter of an order that cannot be read, with its payload; return its id."""
    channel_id = ctx.channel(SHOP).id
    at = (NOW - timedelta(hours=1)).isoformat()
    body = {
        "payload": payload(order),
        "external_id": order,
        "version_at": at,
        "digest": f"d-{order}",
        "read_from": at,
        "read_to": at,
        "source": "page 3",
        "order_external_id": "",
        "dated": True,
        "whole": True,
    }
    row = {
        "channel_id": channel_id,
        "kind": "order",
        "key": order,
        "at": NOW - timedelta(hours=1),
        "state": "open",
        "error": f"$.orders[{order}].total: expected an amount like 12.50, found text",
        "source": f"page 3, order {order}",
        "digest": f"d-{order}",
        "received_at": NOW - timedelta(hours=1),
        "body": VAULT.encrypt(body, row=dead_letter_row(channel_id, "order", order)),
    }
    [letter] = add(tx, tables.dead_letter, row | changes)
    return letter


def put_effect_letter(tx: Tx, ctx: Context, key: str, **changes: Any) -> int:
    """Add a dead letter of a number that the shop refused, and the effect it stands for; return its id."""
    channel_id = ctx.channel(SHOP).id
    dead = {"state": "dead", "done_at": NOW, "error": "refused"}
    [effect] = add(tx, tables.outbox, effect_row(channel_id, key, **dead))
    row = {
        "channel_id": channel_id,
        "kind": "stock",
        "key": key,
        "at": NOW - timedelta(minutes=30),
        "state": "open",
        "error": f"the shop refuses the number of item {key}: it is off the shelf",
        "source": f"LINEN-{key}",
        "outbox_id": effect,
    }
    [letter] = add(tx, tables.dead_letter, row | changes)
    return letter


def put_task(tx: Tx, ctx: Context, kind: str, key: str, **changes: Any) -> int:
    """Add an open task of the first shop; return its id."""
    row = {
        "kind": kind,
        "key": key,
        "channel_id": ctx.channel(SHOP).id,
        "order_id": None,
        "opened_at": NOW - timedelta(minutes=50),
        "reason": f"the channel changed the total of order {key}; its amounts were taken as they are",
    }
    [task] = add(tx, tables.task, row | changes)
    return task


def put_windows(tx: Tx, ctx: Context, *, hours: int = 72) -> None:
    """Add sealed windows of an hour up to now; one of them was sealed late, one is not, the last was not scanned."""
    start = NOW.replace(minute=0) - timedelta(hours=hours)
    rows = [_window(ctx.channel(SHOP).id, start + timedelta(hours=hour)) for hour in range(hours)]
    rows[-1] |= {"scanned_at": None, "since_at": None, "sealed_at": None}
    rows[-20] |= {"missed": 2, "late": '["o7", "o8"]'}
    rows[-30] |= {"sealed_at": None, "why": "the list lacks 3 orders that were read before"}
    insert_many(tx, tables.seal_window, rows)


def _window(channel_id: int, start: datetime) -> dict[str, Any]:
    later = start + timedelta(hours=2)
    return {
        "channel_id": channel_id,
        "start_at": start,
        "end_at": start + timedelta(hours=1),
        "scanned_at": later,
        "since_at": start + timedelta(hours=1),
        "order_count": start.hour,
        "ids_hash": f"{start.hour:032x}",
        "sealed_at": later,
        "reopened": 0,
        "missed": 0,
        "late": "[]",
        "why": "",
    }


def put_drift(tx: Tx, ctx: Context, channel_sku: str, **changes: Any) -> None:
    """Say of a listing that it shows 9 and was told 4."""
    listing = tables.listing
    here = (listing.c.channel_id == ctx.channel(SHOP).id) & (listing.c.channel_sku == channel_sku)
    listing_id = tx.execute(listing.select().with_only_columns(listing.c.id).where(here)).scalar_one()
    row = {
        "listing_id": listing_id,
        "kind": "hand_edit",
        "shown_qty": 9,
        "told_qty": 4,
        "shown_at": NOW - timedelta(hours=5),
        "found_at": NOW - timedelta(hours=4),
        "repairs": 1,
        "ended_at": None,
    }
    insert_many(tx, tables.drift, [row | changes])


def fill_waiting(store: Store, ctx: Context, *, letters: int = 7) -> None:
    """Fill a shop (after `web_shop.fill`) with what waits for people."""
    with store.begin() as tx:
        for number in range(letters):
            put_effect_letter(tx, ctx, f"listing:{80 + number}")
        for number in range(3):
            put_order_letter(tx, ctx, f"3310044{number}")
        order_id, number = tx.execute(
            tables.orders.select().with_only_columns(tables.orders.c.id, tables.orders.c.number).limit(1)
        ).one()
        put_task(tx, ctx, "currency_changed", number, order_id=order_id)
        put_task(tx, ctx, "currency_changed", "S2", opened_at=NOW - timedelta(hours=9))
        put_task(tx, ctx, "currency_changed", "S3")
        rose = "SH counts 4000 of LINEN-W-L, 40 were known; it is not believed until you say so"
        put_task(tx, ctx, "count_rose", "SH LINEN-W-L", reason=rose)
        put_task(tx, ctx, "unknown", "P77", order_id=order_id, reason="look whether it is there")
        put_task(tx, ctx, "shipment_missing", number, order_id=order_id, reason="look at it there")
        put_windows(tx, ctx)
        put_drift(tx, ctx, "LINEN-W-L")
        put_drift(tx, ctx, "TEA-LJ-250", kind="lost_push", shown_qty=1, ended_at=NOW)
        tx.execute(update(tables.task).where(tables.task.c.key == "S3").values(closed_at=NOW, closed_by="web:ana"))
