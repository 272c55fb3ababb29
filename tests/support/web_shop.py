"""A shop for the tests of web pages and figures: channels that take webhooks, a store with a day's trade.

Rows are written directly: these tests are about what is shown, not about how it came to be.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from sqlalchemy import Table

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import Channel, ChannelSpec, Context, open_context
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, ConnectorSettings, OrderSource, WebhookSource
from erpsync.sdk.types import CheckReport, Cursor, Order, OrderPage, Raw, WebhookReply, WebhookRequest, WebhookResult
from erpsync.settings.config import StatusLimits
from erpsync.store import tables
from erpsync.store.db.bulk import insert_many, new_ids
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store, Tx
from erpsync.store.names import write_names
from erpsync.web.app import create_app
from erpsync.web.server import AppServer
from erpsync.web.site import Site

NOW = datetime(2026, 3, 2, 8, 25, tzinfo=UTC)  # 16:25 in Shanghai
SHANGHAI = ZoneInfo("Asia/Shanghai")
SIGNATURE = "right"
REPLY = WebhookReply(body=b'{"code":0,"message":"ok"}')
GOODS = (
    ("亚麻短袖衬衫 男士夏季透气 白色 L", "LINEN-W-L", 12900),
    ("纯棉四件套 1.8m 雾蓝", "BED-18-BLUE", 39900),
    ("手冲咖啡壶 600ml 细口", "KETTLE-600", 16800),
    ("Merino socks, 3 pairs, grey <b>", "SOCK-3-GR", 5900),
    ("儿童雨衣 小恐龙 110cm", "RAIN-110", 8800),
    ("龙井茶 明前特级 250g 礼盒", "TEA-LJ-250", 26800),
)


class HookConnector(Connector, OrderSource, WebhookSource):
    """A platform whose signature is one word; it is never called."""

    Settings: ClassVar[type[ConnectorSettings]] = ConnectorSettings

    def __init__(self) -> None:
        super().__init__(ConnectorSettings(), HttpClient(clock=ManualClock(NOW)), ManualClock(NOW))

    def check(self) -> CheckReport:
        return CheckReport()

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        return iter(())

    def normalise(self, raw: Raw) -> Order:
        raise NotImplementedError

    def read_webhook(self, request: WebhookRequest) -> WebhookResult:
        if request.headers.get("x-signature") != SIGNATURE:
            raise AuthError("the signature is wrong")
        return WebhookResult(key=request.body.hex())

    def webhook_reply(self, result: WebhookResult) -> WebhookReply:
        return REPLY


@dataclass
class Receipt:
    reply: WebhookReply


@dataclass
class Mailbox:
    """Takes webhooks as the inbox does, and keeps them where a test can look; `trouble` is raised instead."""

    taken: list[tuple[str, WebhookRequest]] = field(default_factory=list)
    trouble: Exception | None = None

    def __call__(self, ctx: Context, channel: Channel, request: WebhookRequest) -> Receipt:
        assert isinstance(channel.connector, WebhookSource)
        result = channel.connector.read_webhook(request)
        if self.trouble:
            raise self.trouble
        self.taken.append((channel.name, request))
        return Receipt(reply=channel.connector.webhook_reply(result))


def open_shop(
    url: str,
    *,
    names: Sequence[str] = ("tmall-flagship", "jd-main", "拼多多-dropfolder"),
    vault: Vault | None = None,
) -> tuple[Store, Context]:
    """Return a store on a clock that stands still, and a context with these channels; the last has no webhooks."""
    store = Store.open(url, clock=ManualClock(NOW), vault=vault)
    specs = [ChannelSpec(name=name, kind=_kind(name), connector=_connector(name, names)) for name in names]
    warehouses = [WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2)]
    return store, open_context(store, warehouses=warehouses, channels_=specs, timezone=SHANGHAI)


def _kind(name: str) -> str:
    return {"tm": "taobao", "jd": "jd"}.get(name[:2], "csv_drop")


def _connector(name: str, names: Sequence[str]) -> Connector | None:
    return None if name == names[-1] and len(names) > 1 else HookConnector()


def serve(store: Store, ctx: Context, **site: Any) -> tuple[AppServer, Site]:
    """Return a started server on any free port, and its site."""
    options = {"ctx": lambda: ctx, "limits": StatusLimits, "receive": Mailbox()} | site
    built = Site(store=store, **options)
    server = AppServer(create_app(built))
    server.start()
    return server, built


def with_channel(ctx: Context, name: str, **changes: Any) -> Context:
    """Return the context with one channel configured otherwise."""
    changed = replace(ctx.channel(name), **changes)
    return replace(ctx, channels={**ctx.channels, changed.id: changed})


def add(tx: Tx, table: Table, *rows: dict[str, Any]) -> list[int]:
    """Insert rows, with ids where the table has them, orders with their names; return the ids."""
    ids = new_ids(tx, table, len(rows))
    insert_many(tx, table, [{"id": id, **row} for id, row in zip(ids, rows, strict=True)])
    if table is tables.orders:
        named = zip(ids, rows, strict=True)
        write_names(tx, [(id, row[name]) for id, row in named for name in ("number", "external_id")])
    return ids


def order_row(channel_id: int, at: int, **changes: Any) -> dict[str, Any]:
    """Return an order, paid and ready an hour before `NOW` unless told otherwise."""
    placed = changes.pop("placed_at", NOW - timedelta(hours=1))
    row = {
        "channel_id": channel_id,
        "external_id": f"29104477{at:06}",
        "number": f"S20260302{at:06}",
        "phase": "ready",
        "state": "paid",
        "hold_reason": "",
        "version_at": placed,
        "read_from_at": placed,
        "read_to_at": placed,
        "placed_at": placed,
        "paid_at": placed + timedelta(minutes=2),
        "ready_at": placed + timedelta(minutes=2),
        "currency": "CNY",
        "total_minor": 12900,
        "paid_minor": 12900,
        "goods_minor": 12900,
        "freight_minor": 0,
        "discount_minor": None,
        "refunded_minor": None,
        "imported_at": placed + timedelta(minutes=3),
    }
    return row | changes


def line_row(order_id: int, **changes: Any) -> dict[str, Any]:
    """Return an order line of one shirt."""
    title, code, price = GOODS[0]
    row = {
        "order_id": order_id,
        "external_id": "1",
        "channel_sku": code,
        "title": title,
        "qty": 1,
        "price_minor": price,
    }
    return row | {"cancelled_qty": 0, "shipped_qty": 0, "sku_id": None} | changes


def effect_row(channel_id: int, key: str, **changes: Any) -> dict[str, Any]:
    """Return an outbox row that is due since ten seconds."""
    at = NOW - timedelta(seconds=10)
    row = {
        "destination_id": channel_id,
        "kind": "stock",
        "key": key,
        "ref_id": 1,
        "serial_key": key,
        "state": "pending",
    }
    rest = {"lane": 3, "run_at": at, "marked_at": at, "waiting_for": "", "attempts": 0, "sent_at": None}
    return row | rest | {"lease_owner": None, "lease_until_at": None, "done_at": None} | changes


def read_completely(tx: Tx, ctx: Context, *, ago_s: dict[str, float]) -> None:
    """Note for each channel how long ago its last complete pass over orders and refunds began."""
    rows = [
        {"channel_id": ctx.channel(name).id, "stream": stream, "complete_began_at": at, "began_at": at}
        for name, ago in ago_s.items()
        for stream, at in (
            ("orders", NOW - timedelta(seconds=ago)),
            ("refunds", NOW - timedelta(seconds=ago * 1.6)),
        )
    ]
    insert_many(tx, tables.cursor, rows)


EDITED = "edited on the channel after parcels left: recipient"

# What becomes of an order: phase, state, hold reason, how the units stand.
FATES = (
    ("completed", "completed", "", "shipped"),
    ("shipped", "shipped", "", "shipped"),
    ("shipped", "shipped", "", "shipped"),
    ("partially_shipped", "paid", "", "part"),
    ("ready", "paid", "", "held"),
    ("ready", "paid", "", "held"),
    ("ready", "paid", "", "missing"),
    ("unpaid", "unpaid", "", ""),
    ("held", "paid", "refund_open", "held"),
    ("held", "paid", "unmapped_sku", ""),
    ("cancelled", "cancelled", "", ""),
)


def fill(store: Store, ctx: Context, *, count: int = 60, seed: int = 7) -> None:
    """Fill the store with a day's trade: orders in all statuses, stock, effects, dead letters and tasks."""
    chance = random.Random(seed)
    ids = {channel.name: channel.id for channel in ctx.channels.values()}
    names = list(ids)
    with store.begin() as tx:
        skus = dict(
            zip([code for _, code, _ in GOODS], add(tx, tables.sku, *[{"code": c} for _, c, _ in GOODS]), strict=True)
        )
        places = list(ctx.warehouses)
        stock = [
            {"sku_id": skus[code], "warehouse_id": place, "on_hand": 400, "reserved": 0}
            for _, code, _ in GOODS[:5]
            for place in places
        ]
        insert_many(tx, tables.stock, stock)
        for at in range(count):
            _order(tx, chance, ids[chance.choices(names, weights=[6, 3, 2][: len(names)])[0]], at, skus, places)
        read_completely(tx, ctx, ago_s=dict(zip(names, (12, 1260, 41), strict=False)))
        _work(tx, ids, names, skus)


def _order(tx: Tx, chance: random.Random, channel_id: int, at: int, skus: dict[str, int], places: list[int]) -> None:
    hour = chance.choices(range(24), weights=[6, 9, 8, 7, 6, 7, 8, 5, 3, 2, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 8, 7, 6, 6])[
        0
    ]
    placed = NOW - timedelta(hours=hour, minutes=chance.randrange(1, 25), seconds=chance.randrange(60))
    phase, state, reason, units = FATES[at % len(FATES)] if hour else FATES[chance.choice((4, 5, 6, 7))]
    bought = chance.sample(GOODS, k=chance.choice((1, 1, 1, 2, 3)))
    qtys = [chance.choice((1, 1, 2, 3)) for _ in bought]
    total = sum(price * qty for (_, _, price), qty in zip(bought, qtys, strict=True))
    paid = {"paid_at": None, "ready_at": None} if phase == "unpaid" else {}
    row = order_row(channel_id, 100 + at, placed_at=placed, phase=phase, state=state, hold_reason=reason, **paid)
    [order_id] = add(
        tx, tables.orders, row | {"total_minor": total, "goods_minor": total, "paid_minor": total if paid == {} else 0}
    )
    lines = [
        line_row(
            order_id,
            external_id=str(number),
            channel_sku=code if reason != "unmapped_sku" else f"{code}-NEW",
            title=title,
            qty=qty,
            price_minor=price,
            sku_id=None if reason == "unmapped_sku" else skus[code],
            shipped_qty=qty if units == "shipped" or (units == "part" and number == 1) else 0,
            cancelled_qty=qty if phase == "cancelled" else 0,
        )
        for number, ((title, code, price), qty) in enumerate(zip(bought, qtys, strict=True), 1)
    ]
    line_ids = add(tx, tables.order_line, *lines)
    _units(tx, chance, order_id, channel_id, row, list(zip(line_ids, lines, strict=True)), units, places)
    _story(tx, order_id, row, units)


def _units(
    tx: Tx,
    chance: random.Random,
    order_id: int,
    channel_id: int,
    row: dict[str, Any],
    lines: list[tuple[int, dict[str, Any]]],
    units: str,
    places: list[int],
) -> None:
    holds, missing = [], []
    for line_id, line in lines:
        own = {"owner_kind": "line", "owner_id": line_id, "sku_id": line["sku_id"], "qty": line["qty"]}
        if units == "held":
            holds.append(own | {"warehouse_id": chance.choice(places), "released": False})
        if units == "missing":
            due = {"order_id": order_id, "channel_id": channel_id, "due_at": row["paid_at"], "number": row["number"]}
            missing.append(own | due | {"waits": True})
    insert_many(tx, tables.hold, holds)
    insert_many(tx, tables.backorder, missing)
    if units in {"shipped", "part"}:
        sent = row["placed_at"] + timedelta(minutes=40)
        parcel = {
            "order_id": order_id,
            "number": f"P{row['number'][1:]}",
            "carrier": "SF",
            "tracking": f"SF14{order_id:09}",
        }
        rest = {
            "state": "sent",
            "whole": units == "shipped",
            "shipped_at": sent,
            "sent_at": sent + timedelta(seconds=3),
        }
        [shipment_id] = add(tx, tables.shipment, parcel | rest)
        packed = lines if units == "shipped" else lines[:1]
        insert_many(
            tx,
            tables.shipment_line,
            [{"shipment_id": shipment_id, "line_id": id, "qty": line["qty"]} for id, line in packed],
        )


def _story(tx: Tx, order_id: int, row: dict[str, Any], units: str) -> None:
    told = [("order.imported", 180, '{"phase": "ready", "source": "page 1"}', "")]
    if row["hold_reason"]:
        told.append(("order.held", 240, f'{{"reason": "{row["hold_reason"]}"}}', ""))
    if units in {"shipped", "part"}:
        told.append(("shipment.recorded", 2400, '{"carrier": "SF", "units": 2}', "wang"))
    rows = [
        {
            "at": row["placed_at"] + timedelta(seconds=s),
            "kind": kind,
            "order_id": order_id,
            "detail": detail,
            "actor": actor,
        }
        for kind, s, detail, actor in told
    ]
    add(tx, tables.event, *rows)


def _work(tx: Tx, ids: dict[str, int], names: list[str], skus: dict[str, int]) -> None:
    first = ids[names[0]]
    effects = [effect_row(first, f"listing:{n}") for n in range(5)]
    effects.append(effect_row(first, "listing:9", state="waiting", waiting_for="brake"))
    effects.append(
        effect_row(
            first, "P1", kind="shipment", serial_key="order:1", state="waiting", waiting_for="person", sent_at=NOW
        )
    )
    add(tx, tables.outbox, *effects)
    listings = [
        {"channel_id": first, "channel_sku": code, "sku_id": sku_id, "told_qty": 4, "told_sure": True}
        for code, sku_id in skus.items()
    ]
    add(
        tx,
        tables.listing,
        *listings,
        {"channel_id": first, "channel_sku": "NEU-1", "sku_id": None, "told_qty": None, "told_sure": False},
    )
    letter = {
        "channel_id": ids[names[-1]],
        "kind": "order",
        "key": "2910447799",
        "at": NOW - timedelta(minutes=44),
        "state": "open",
    }
    add(
        tx,
        tables.dead_letter,
        letter
        | {
            "error": "$.total: expected an amount like 12.50, found text",
            "source": "orders-0302.csv:17",
            "body": b"sealed",
        },
    )
    task = {
        "kind": "order_edited",
        "key": "P1",
        "channel_id": first,
        "order_id": None,
        "opened_at": NOW - timedelta(hours=2),
    }
    add(
        tx,
        tables.task,
        task | {"reason": EDITED},
    )
