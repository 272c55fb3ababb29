"""A small shop platform without a wire: for tests of what erpsync decides, not of how a platform speaks.

Its connector plays every role; what the platform does wrong is put into `Shop.trouble` beforehand.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from erpsync.core.policy import OrderPolicy, PollPolicy, SealPolicy, StockPolicy, WarehousePolicy
from erpsync.flows.context import Channel, ChannelSpec, Context, open_context
from erpsync.sdk.bad_lines import no_line
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.digest import digest_of
from erpsync.sdk.errors import ConnectorError, PayloadError, RejectedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import (
    Connector,
    ConnectorSettings,
    ListingSource,
    OrderScan,
    OrderSource,
    RefundSource,
    ShipmentSink,
    StockSink,
)
from erpsync.sdk.types import (
    BadLine,
    CheckReport,
    Cursor,
    Head,
    Line,
    ListingPage,
    ListingRow,
    Order,
    OrderPage,
    OrderState,
    Raw,
    Recipient,
    Refund,
    RefundLine,
    RefundPage,
    RefundState,
    Repeat,
    Shipment,
    StockLevel,
)
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")
PAGE = 3


@dataclass
class Shop:
    """The platform's side: its orders, what it shows, what it was told."""

    clock: ManualClock
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    refunds: dict[str, dict[str, Any]] = field(default_factory=dict)
    catalogue: list[ListingRow] = field(default_factory=list)
    shown: dict[str, int] = field(default_factory=dict)
    stock_calls: list[dict[str, int]] = field(default_factory=list)
    parcels: list[Shipment] = field(default_factory=list)
    trouble: dict[str, list[ConnectorError]] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)  # in no list, whatever it is sorted by
    reads: list[str] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)  # listed, but refused in detail
    during: Callable[[], object] | None = None
    at_page: Callable[[], object] | None = None
    at_scan: Callable[[], object] | None = None

    def place(self, external_id: str, *lines: tuple[str, int], paid: bool = True, **fields: Any) -> dict[str, Any]:
        """Take an order of (seller code, quantity) lines."""
        row: dict[str, Any] = {
            "id": external_id,
            "state": "paid" if paid else "unpaid",
            "placed_at": self.clock.now(),
            "paid_at": self.clock.now() if paid else None,
            "lines": [
                {"id": f"{external_id}-{n}", "sku": sku, "qty": qty, "price": 1000, "closed": 0, "shipped": 0}
                for n, (sku, qty) in enumerate(lines, 1)
            ],
            "total": sum(1000 * qty for _, qty in lines),
            "name": "王小明",
            "phone": "13800001111",
            "address": "解放路 1 号",
            "do_not_ship": "",
        } | fields
        self.orders[external_id] = row
        return self.change(external_id)

    def change(self, external_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of an order; it moves to the front of the change list."""
        self.clock.advance(seconds=1)
        row = self.orders[external_id] | fields
        if row["state"] == "paid" and row["paid_at"] is None:
            row["paid_at"] = self.clock.now()
        row["changed_at"] = self.clock.now()
        self.orders[external_id] = row
        return row

    def refund(self, refund_id: str, order: str, *, state: str = "open", amount: int = 0, **lines: int) -> None:
        """Ask for, grant or close a refund; `lines` are quantities by line number (`n1=2`)."""
        self.clock.advance(seconds=1)
        self.refunds[refund_id] = {
            "id": refund_id,
            "order": order,
            "state": state,
            "amount": amount,
            "lines": [[f"{order}-{name[1:]}", qty] for name, qty in lines.items()],
            "changed_at": self.clock.now(),
        }

    def happen(self) -> None:
        """Let what was prepared in `during` happen, once, while a call is under way."""
        happening, self.during = self.during, None
        if happening is not None:
            happening()

    def turn_page(self) -> None:
        """Let what was prepared in `at_page` happen, once, while a stream is being read."""
        happening, self.at_page = self.at_page, None
        if happening is not None:
            happening()

    def fail(self, call: str) -> None:
        """Raise what was prepared for this call, once each."""
        if self.trouble.get(call):
            raise self.trouble[call].pop(0)


class ShopSettings(ConnectorSettings):
    """Nothing to set."""


class ShopConnector(Connector, OrderSource, OrderScan, RefundSource, ShipmentSink, StockSink, ListingSource):
    """Reads and tells a `Shop`."""

    Settings = ShopSettings
    rereads = True
    repeat = Repeat.LOOK_FIRST
    stock_batch = 10

    def __init__(self, shop: Shop, clock: ManualClock) -> None:
        super().__init__(ShopSettings(), HttpClient(clock=clock), clock)
        self.shop = shop
        self.forgiving = False  # a mended connector: lines marked as bad can be read

    def check(self) -> CheckReport:
        """Say that all is well."""
        return CheckReport()

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield changed orders, oldest change first, from the mark less the overlap."""
        start = datetime.fromisoformat(cursor.mark) if cursor.mark else self.clock.now()
        yield from self._pages(self.shop.orders, start - cursor.overlap, "changed_at", "orders")

    def backfill_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        """Yield orders by creation."""
        assert cursor.since is not None
        start = datetime.fromisoformat(cursor.mark) if cursor.mark else cursor.since
        yield from self._pages(self.shop.orders, start, "placed_at", "backfill")

    def scan_orders(self, start: datetime, end: datetime) -> Iterator[tuple[Head, ...]]:
        """Yield the heads of orders placed in [start, end), two a page; the first one of a page comes twice."""
        self.shop.fail("scan")
        happening, self.shop.at_scan = self.shop.at_scan, None
        if happening is not None:
            happening()
        rows = (row for row in self.shop.orders.values() if start <= row["placed_at"] < end)
        heads = [self._head(row) for row in rows if row["id"] not in self.shop.unlisted]
        for first in range(0, len(heads), 2):
            self.shop.fail(f"scan page {first // 2 + 1}")
            yield (*heads[first : first + 2], heads[first])

    def _pages(self, rows: Mapping[str, dict[str, Any]], start: datetime, by: str, call: str) -> Iterator[OrderPage]:
        self.shop.fail(call)
        now = self.clock.now()
        found = sorted(
            (row for row in rows.values() if start <= row[by] <= now and row["id"] not in self.shop.unlisted),
            key=lambda row: (row[by], row["id"]),
        )
        for first in range(0, len(found), PAGE):
            page = found[first : first + PAGE]
            self.shop.fail(f"{call} page {first // PAGE + 1}")
            self.shop.turn_page()
            yield OrderPage(heads=tuple(self._head(row) for row in page), mark=page[-1][by].isoformat())
        yield OrderPage(heads=(), mark=now.isoformat())

    def _head(self, row: dict[str, Any]) -> Head:
        row = dict(row)
        plain = {key: str(value) for key, value in row.items()}
        return Head(
            external_id=row["id"],
            version_at=row["changed_at"],
            digest=digest_of(plain),
            read_from=self.clock.now(),
            read_to=self.clock.now(),
            row=_plain(row),
            order_external_id=str(row.get("order") or ""),
        )

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        """Read whole orders."""
        self.shop.fail("complete")
        raws = []
        for head in heads:
            if head.external_id in self.shop.hidden:
                raise RejectedError("no such order", code="isv.trade-not-exist")
            self.shop.reads.append(head.external_id)
            now = self._head(self.shop.orders[head.external_id])
            raws.append(Raw(head=now, payload=now.row, read_from=self.clock.now(), read_to=self.clock.now()))
        return raws

    def normalise(self, raw: Raw) -> Order:
        """Return the order in normal form."""
        row = raw.payload
        if row.get("broken"):
            raise PayloadError("expected an amount like 12.50", path="$.total")
        if row.get("strange"):
            raise KeyError(row["name"])
        if row["state"] not in set(OrderState):
            raise PayloadError("unknown status", path="$.state", unknown_status=row["state"])
        lines = [line for line in row["lines"] if self.forgiving or not line.get("bad")]
        bad = tuple(_bad_line(row["id"], line) for line in row["lines"] if line not in lines)
        if not lines:
            raise no_line(bad)
        return Order(
            external_id=row["id"],
            version_at=datetime.fromisoformat(row["changed_at"]),
            state=OrderState(row["state"]),
            placed_at=datetime.fromisoformat(row["placed_at"]),
            paid_at=_instant(row["paid_at"]),
            ready_at=_instant(row["paid_at"]),
            ship_by_at=_instant(row.get("ship_by_at")),
            currency="CNY",
            total_minor=row["total"],
            lines=tuple(
                Line(
                    external_id=line["id"],
                    channel_sku=line["sku"],
                    qty=line["qty"],
                    price_minor=line["price"],
                    cancelled_qty=line["closed"],
                    shipped_qty=line["shipped"],
                    properties=_pairs(line.get("properties")),
                )
                for line in lines
            ),
            bad_lines=bad,
            recipient=Recipient(
                name=row["name"],
                phone=row["phone"],
                address=row["address"],
                **{part: row.get(part, "") for part in ("province", "city", "district")},
            ),
            do_not_ship=row["do_not_ship"],
            refund_asked=row.get("refund_asked"),
            buyer=row.get("buyer"),
            buyer_note=row.get("buyer_note"),
            seller_note=row.get("seller_note"),
            seller_flag=row.get("seller_flag"),
        )

    def pull_refunds(self, cursor: Cursor) -> Iterator[RefundPage]:
        """Yield changed refunds."""
        start = datetime.fromisoformat(cursor.mark) - cursor.overlap if cursor.mark else cursor.since
        assert start is not None
        for page in self._pages(self.shop.refunds, start, "changed_at", "refunds"):
            yield RefundPage(heads=page.heads, mark=page.mark)

    def normalise_refund(self, raw: Raw) -> Refund:
        """Return the refund in normal form."""
        row = raw.payload
        if row.get("broken"):
            raise PayloadError("expected an amount like 12.50", path="$.amount")
        return Refund(
            external_id=row["id"],
            order_external_id=row["order"],
            version_at=datetime.fromisoformat(row["changed_at"]),
            state=RefundState(row["state"]),
            amount_minor=row["amount"],
            currency="CNY",
            lines=tuple(RefundLine(line_external_id=line, qty=qty) for line, qty in row["lines"]),
        )

    def push_shipment(self, shipment: Shipment) -> None:
        """Take a parcel; a second one of the same number is refused."""
        self.shop.fail("ship before")
        if any(parcel.number == shipment.number for parcel in self.shop.parcels):
            raise RejectedError("shipped already", code="B04")
        self.shop.parcels.append(shipment)
        self.shop.fail("ship after")

    def find_shipment(self, shipment: Shipment) -> bool:
        """Whether the parcel was taken."""
        self.shop.fail("find")
        return any(parcel.number == shipment.number for parcel in self.shop.parcels)

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        """Take numbers; those in `Shop.refused` are not."""
        self.shop.fail("stock before")
        taken = {level.channel_sku: level.qty for level in levels if level.channel_sku not in self.shop.refused}
        self.shop.stock_calls.append(taken)
        self.shop.happen()
        self.shop.shown |= taken
        self.shop.fail("stock after")
        return {
            level.key: RejectedError(self.shop.refused[level.channel_sku])
            for level in levels
            if level.channel_sku in self.shop.refused
        }

    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        """Yield the catalogue, from the mark."""
        self.shop.fail("catalogue")
        start = int(cursor.mark or 0)
        for first in range(start, max(start + 1, len(self.shop.catalogue)), PAGE):
            self.shop.fail(f"catalogue page {first // PAGE + 1}")
            yield ListingPage(rows=tuple(self.shop.catalogue[first : first + PAGE]), mark=str(first + PAGE))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}


def _pairs(rows: Sequence[Sequence[str]] | None) -> tuple[tuple[str, str], ...] | None:
    return None if rows is None else tuple((name, value) for name, value in rows)


def _bad_line(order: str, line: Mapping[str, Any]) -> BadLine:
    error = PayloadError("expected a quantity", path="$.lines.qty")
    return BadLine(key=f"{order}/{line['id']}", error=error, row={"line_id": line["id"]})


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


VAULT = Vault([b"k" * 32], b"i" * 32)


@dataclass
class Town:
    """A store, its clock and some shops: what a flow test plays with."""

    store: Store
    clock: ManualClock
    ctx: Context
    shops: dict[str, Shop]

    def channel(self, name: str = "shop") -> Channel:
        """Return a channel by name."""
        return self.ctx.channel(name)

    @property
    def shop(self) -> Shop:
        """The first shop."""
        return self.shops["shop"]

    def advance(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.advance(seconds=seconds)


def build_town(
    url: str,
    *,
    names: Sequence[str] = ("shop",),
    warehouses: Sequence[WarehousePolicy] = (WarehousePolicy(id="SH"),),
    orders: OrderPolicy | None = None,
    stock: Mapping[str, StockPolicy] | StockPolicy | None = None,
    poll: PollPolicy | None = None,
    sealing: SealPolicy | None = None,
    enabled: bool = True,
    town: Town | None = None,
) -> Town:
    """Return shops and a context over a migrated database; a given `town` keeps its clock and shops (a restart)."""
    clock = town.clock if town else ManualClock(NOON)
    shops = town.shops if town else {name: Shop(clock=clock) for name in names}
    store = Store.open(url, clock=clock, vault=VAULT)
    specs = [
        ChannelSpec(
            name=name,
            kind="shop",
            enabled=enabled,
            poll=poll or PollPolicy(),
            orders=orders or OrderPolicy(),
            stock=(stock.get(name) if isinstance(stock, Mapping) else stock) or StockPolicy(),
            connector=ShopConnector(shops[name], clock),
        )
        for name in shops
    ]
    ctx = open_context(store, warehouses=warehouses, channels_=specs, timezone=SHANGHAI, sealing=sealing)
    return Town(store=store, clock=clock, ctx=ctx, shops=shops)


def days(count: float) -> timedelta:
    """Return a span of days."""
    return timedelta(days=count)
