"""A month of a real shop as if every order were open at once: what is ordered, where it lies, what it weighs.

The invoices and the customers are real; weights, volumes, shelves and provinces are made of their codes.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from zlib import crc32

from erpsync.core.merging import merge_key
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.core.parcels import Candidate, Goods, HeldKey
from erpsync.core.rates import Rate
from erpsync.core.readings import Reading
from erpsync.sdk.types import OrderState, Recipient
from erpsync.store.regions import regions
from tests.support.real_data import RetailLine
from tests.unit.core.parcels.builders import GZ, SH

PROVINCES = ("浙江省", "江苏省", "广东省", "四川省", "新疆维吾尔自治区", "西藏自治区")
ZONES = {"浙江省": "near", "江苏省": "near", "广东省": "far", "四川省": "far"}
CARD = [
    Rate(
        account=account,
        service="express",
        zone=zone,
        first_g=first_g,
        first_minor=first_minor + dearer,
        step_g=step_g,
        step_minor=step_minor,
        volume_divisor=divisor,
        max_g=max_g,
    )
    for account, first_g, first_minor, step_g, step_minor, divisor, max_g in (
        ("light", 500, 420, 500, 260, 0, 3000),
        ("bulky", 1000, 600, 1000, 150, 6000, 30_000),
        ("freight", 20_000, 4500, 1000, 90, 12_000, None),
    )
    for zone, dearer in (("near", 0), ("far", 300), ("remote", 1100))
]


def seeded(text: str, least: int, most: int) -> int:
    """Return a number made of a code, the same on every machine."""
    return least + crc32(text.encode()) % (most - least + 1)


def weight_g(stock_code: str) -> int:
    return seeded(f"weight {stock_code}", 20, 1500)


def volume_cm3(stock_code: str) -> int:
    return seeded(f"volume {stock_code}", 50, 9000)


def warehouse(stock_code: str) -> int:
    return (SH, GZ)[seeded(f"warehouse {stock_code}", 0, 1)]


def province(customer: str) -> str:
    return PROVINCES[seeded(f"province {customer}", 0, len(PROVINCES) - 1)]


def zone(customer: str) -> str:
    return ZONES.get(province(customer), "remote")


def key(customer: str) -> bytes | None:
    """Return the merge index of a customer; an invoice without one has no recipient to be merged by."""
    if not customer:
        return None
    recipient = Recipient(
        name=f"Customer {customer}",
        phone=f"138{int(customer):08}",
        province=province(customer),
        address=f"{customer} High Street",
    )
    found = merge_key(recipient, regions=regions())
    assert found is not None
    return found.encode()


def returned(rows: Sequence[RetailLine]) -> dict[int, int]:
    """Return the units of each line that credit notes take out: those of its customer and goods, oldest line first."""
    back: dict[tuple[str, str], int] = {}
    for row in rows:
        if row.is_credit and row.customer:
            back[row.customer, row.stock_code] = back.get((row.customer, row.stock_code), 0) - row.qty
    taken = {}
    for number, row in enumerate(rows, 1):
        if row.qty > 0 and not row.is_credit:
            left = back.get((row.customer, row.stock_code), 0)
            taken[number] = min(left, row.qty)
            back[row.customer, row.stock_code] = left - taken[number]
    return taken


def orders(rows: Sequence[RetailLine]) -> tuple[list[Candidate], dict[HeldKey, int], dict[int, Goods]]:
    """Return every invoice as a paid order, all that is open of it held, and the goods by SKU id."""
    taken = returned(rows)
    skus = {code: id for id, code in enumerate(sorted({row.stock_code for row in rows}), 1)}
    invoices: dict[str, list[tuple[int, RetailLine]]] = {}
    for number, row in enumerate(rows, 1):
        if number in taken:
            invoices.setdefault(row.invoice, []).append((number, row))
    candidates = [
        Candidate(order=_order(id, lines, taken, skus), merge_index=key(lines[0][1].customer))
        for id, lines in enumerate(invoices.values(), 1)
    ]
    held = {
        HeldKey(line.id, skus[line.channel_sku], warehouse(line.channel_sku)): line.open_qty
        for candidate in candidates
        for line in candidate.order.lines
        if line.open_qty
    }
    goods = {
        id: Goods(sku=code, weight_g=weight_g(code), volume_cm3=volume_cm3(code), tags=()) for code, id in skus.items()
    }
    return candidates, held, goods


def _order(id: int, rows: Sequence[tuple[int, RetailLine]], taken: dict[int, int], skus: dict[str, int]) -> KnownOrder:
    first = rows[0][1]
    at = datetime.fromisoformat(f"{first.at}+00:00")
    lines = tuple(
        KnownLine(
            id=number,
            external_id=str(number),
            channel_sku=row.stock_code,
            qty=row.qty,
            price_minor=int((row.price * 100).quantize(Decimal(1), ROUND_HALF_UP)),
            parts={skus[row.stock_code]: 1},
            refunded_qty=taken[number],
        )
        for number, row in rows
    )
    return KnownOrder(
        id=id,
        channel_id=1,
        external_id=first.invoice,
        number=first.invoice,
        state=OrderState.PAID,
        reading=Reading(version_at=at, digest="", read_from=at, read_to=at),
        placed_at=at,
        paid_at=at,
        ready_at=at,
        currency="GBP",
        total_minor=sum(line.price_minor * line.qty for line in lines),
        lines=lines,
    )


def database(rows: Sequence[RetailLine]) -> sqlite3.Connection:
    """Return the same lines, and the rate card, for SQL to say what must come of them."""
    connection = sqlite3.connect(":memory:")
    connection.execute(
        "CREATE TABLE line (id INTEGER PRIMARY KEY, invoice, stock, qty, customer, warehouse, weight, volume, zone)"
    )
    connection.executemany(
        "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                number,
                row.invoice,
                row.stock_code,
                row.qty,
                row.customer,
                warehouse(row.stock_code),
                weight_g(row.stock_code),
                volume_cm3(row.stock_code),
                zone(row.customer),
            )
            for number, row in enumerate(rows, 1)
        ],
    )
    connection.execute("CREATE TABLE rate (account, zone, first_g, first, step_g, step, divisor, max_g)")
    connection.executemany(
        "INSERT INTO rate VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (r.account, r.zone, r.first_g, r.first_minor, r.step_g, r.step_minor, r.volume_divisor, r.max_g)
            for r in CARD
        ],
    )
    return connection


OPEN = """
CREATE VIEW leaving AS
WITH sold AS (
  SELECT *, SUM(qty) OVER (PARTITION BY customer, stock ORDER BY id) AS upto
  FROM line WHERE qty > 0 AND invoice NOT LIKE 'C%'
), credit AS (
  SELECT customer, stock, -SUM(qty) AS units FROM line
  WHERE invoice LIKE 'C%' AND customer <> '' GROUP BY customer, stock
)
SELECT sold.*, MAX(0, MIN(qty, upto - COALESCE(units, 0))) AS units,
       CASE customer WHEN '' THEN invoice ELSE customer END AS recipient
FROM sold LEFT JOIN credit USING (customer, stock)
"""
GROUPS = """
SELECT recipient, warehouse, COUNT(DISTINCT invoice), SUM(units), SUM(units * weight), SUM(units * volume)
FROM leaving WHERE units > 0 GROUP BY recipient, warehouse
"""
COSTS = """
WITH parcel AS (
  SELECT recipient, warehouse, zone, SUM(units * weight) AS weight, SUM(units * volume) AS volume
  FROM leaving WHERE units > 0 GROUP BY recipient, warehouse
), charged AS (
  SELECT parcel.*, rate.*,
         MAX(weight, CASE divisor WHEN 0 THEN 0 ELSE (volume * 1000 + divisor - 1) / divisor END) AS grams
  FROM parcel JOIN rate USING (zone)
)
SELECT recipient, warehouse, MIN(first + MAX(0, (grams - first_g + step_g - 1) / step_g * step))
FROM charged WHERE max_g IS NULL OR grams <= max_g GROUP BY recipient, warehouse
"""
