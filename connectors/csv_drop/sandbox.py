"""The other side of a drop folder: a shop that writes order files and reads the stock and shipments it is told.

Why it is no HTTP sandbox: a drop folder has no wire. Everything goes through the two folders.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from connectors.csv_drop.client.replies import SHIPMENT_HEADER
from erpsync.sdk.clock import Clock
from erpsync.sdk.sandbox.files import drop, rows_in

HEADER = (
    "external_id", "line_id", "updated_at", "placed_at", "paid_at", "channel_sku", "title", "qty", "price", "freight",
    "total", "recipient", "phone", "province", "city", "district", "address",
    "buyer", "buyer_note", "seller_note", "seller_flag", "properties",
)  # fmt: skip
_NAMES = ("王小明", "李娜", "张伟", "陈静", "刘洋")
_PLACES = (("上海", "上海市", "浦东新区"), ("广东省", "深圳市", "南山区"), ("浙江省", "杭州市", "西湖区"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DropLine:
    """One line of an order in a file."""

    channel_sku: str
    qty: int = 1
    price_minor: int = 9_900
    properties: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DropOrder:
    """An order as the shop knows it; unpaid when `paid_at` is None. Amounts in fen."""

    external_id: str
    lines: Sequence[DropLine]
    placed_at: datetime
    paid_at: datetime | None = None
    updated_at: datetime | None = None
    freight_minor: int = 0
    recipient: str = "王小明"
    phone: str = "13800138000"
    place: tuple[str, str, str] = ("上海", "上海市", "浦东新区")
    address: str = "世纪大道1号"
    buyer: str = ""
    buyer_note: str = ""
    seller_note: str = ""
    seller_flag: str = ""

    @property
    def total_minor(self) -> int:
        """What the buyer has to pay, freight in."""
        return self.freight_minor + sum(line.qty * line.price_minor for line in self.lines)


class DropShop:
    """A shop on a drop folder whose channel has `profile: generic` (or no columns at all)."""

    def __init__(self, folder: Path, out_folder: Path | None, clock: Clock) -> None:
        self.folder = folder
        self.out_folder = out_folder
        self.clock = clock
        self._numbers = count(1)

    def settings(self) -> dict[str, object]:
        """Return the `settings` block of a channel that reads this shop."""
        out = {"out_folder": str(self.out_folder)} if self.out_folder else {}
        return {"folder": str(self.folder), "profile": "generic", **out}

    def place_orders(self, orders: Sequence[DropOrder], *, encoding: str = "utf-8") -> Path:
        """Write one file that holds `orders`, one row per line; it is whole as soon as its name appears."""
        rows = [row for order in orders for row in _rows(order)]
        return self.drop(f"orders-{next(self._numbers):05}.csv", HEADER, rows, encoding=encoding)

    def random_orders(self, rng: random.Random, skus: Sequence[str], number: int) -> list[DropOrder]:
        """Return paid orders of one to three of `skus`, placed now."""
        now = self.clock.now().replace(microsecond=0)
        return [self._random_order(rng, skus, now) for _ in range(number)]

    def report_shipments(self, rows: Sequence[Sequence[object]]) -> Path:
        """Write one file of parcels: order, carrier, tracking, line_id, qty."""
        return self.drop(f"shipments-{next(self._numbers):05}.csv", SHIPMENT_HEADER, rows)

    def drop(
        self, name: str, header: Sequence[str], rows: Sequence[Sequence[object]], *, encoding: str = "utf-8"
    ) -> Path:
        """Write any CSV file, stamped with the time of this shop's clock."""
        return drop(self.folder / name, self.clock.now(), header, rows, encoding=encoding)

    def stock(self) -> dict[str, int]:
        """Return the quantity last told by seller code; behind a slash the platform's ids where there are any."""
        told: dict[str, int] = {}
        for row in self._told("stock-*.csv"):
            key = f"{row['channel_sku']}/{row['item_ref']}" if row["item_ref"] else row["channel_sku"]
            told[key] = int(row["qty"])
        return told

    def shipments(self) -> list[dict[str, str]]:
        """Return the rows of all parcels this shop was told of."""
        return list(self._told("shipment-*.csv"))

    def parcels(self) -> list[tuple[str, str]]:
        """Return order and courier's number of each file about a parcel, and of each parcel in it."""
        if self.out_folder is None:
            return []
        files = (rows_in(path) for path in sorted(self.out_folder.glob("shipment-*.csv")))
        return [parcel for rows in files for parcel in sorted({(row["order"], row["tracking"]) for row in rows})]

    def _told(self, pattern: str) -> Iterator[dict[str, str]]:
        """Yield the rows of the files that came out, oldest name first; hidden ones are not whole yet."""
        if self.out_folder is None:
            return
        for path in sorted(self.out_folder.glob(pattern)):
            yield from rows_in(path)

    def _random_order(self, rng: random.Random, skus: Sequence[str], now: datetime) -> DropOrder:
        number = next(self._numbers)
        chosen = rng.sample(list(skus), k=min(len(skus), rng.choice((1, 1, 1, 2, 3))))
        return DropOrder(
            external_id=f"D{now:%Y%m%d%H%M%S}{number:06}",
            lines=[
                DropLine(channel_sku=sku, qty=rng.choice((1, 1, 2)), price_minor=rng.randrange(900, 30_000))
                for sku in chosen
            ],
            placed_at=now,
            paid_at=now,
            updated_at=now,
            freight_minor=rng.choice((0, 0, 800)),
            recipient=rng.choice(_NAMES),
            phone=f"138{rng.randrange(10**8):08}",
            place=rng.choice(_PLACES),
            address=f"人民路{rng.randrange(1, 999)}号",
        )


def _rows(order: DropOrder) -> Iterator[list[object]]:
    whole = (
        _yuan(order.freight_minor),
        _yuan(order.total_minor),
        order.recipient,
        order.phone,
        *order.place,
        order.address,
        order.buyer,
        order.buyer_note,
        order.seller_note,
        order.seller_flag,
    )
    times = (_iso(order.updated_at), _iso(order.placed_at), _iso(order.paid_at))
    for number, line in enumerate(order.lines, start=1):
        goods = (line.channel_sku, "", line.qty, _yuan(line.price_minor))
        yield [order.external_id, number, *times, *goods, *whole, line.properties]


def _yuan(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02}"


def _iso(when: datetime | None) -> str:
    return when.isoformat() if when else ""


Sandbox = DropShop
