"""What the benchmarks sell: orders of one to three lines whose popular SKUs are few, always the same ones."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from erpsync.flows.records.batch import Batch, OrderRecord
from erpsync.sdk.digest import digest_of
from erpsync.sdk.types import Head, Line, Order, OrderState, Raw, Recipient

SKUS, WAREHOUSES, CHANNELS = 2_500, 4, 5
STOCK = 1_000_000
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CODES = [f"SKU-{number:05}" for number in range(SKUS)]


@dataclass(frozen=True, slots=True)
class Sale:
    """An order: its number and (SKU, warehouse, units) of each line."""

    number: int
    lines: tuple[tuple[int, int, int], ...]


def sales(count: int, *, first: int = 0, seed: int = 1) -> list[Sale]:
    """Return sales whose SKUs are popular by Zipf's law; two lines each on average."""
    rng = random.Random(seed + first)
    weights = [1 / (rank + 1) for rank in range(SKUS)]
    drawn = iter(rng.choices(range(SKUS), weights, k=3 * count))
    found = []
    for number in range(first, first + count):
        lines = 1 + (number % 4 > 0) + (number % 4 == 3)
        picked = {next(drawn): None for _ in range(lines)}
        found.append(Sale(number, tuple((sku, rng.randrange(WAREHOUSES), 1 + number % 2) for sku in picked)))
    return found


def batches(found: list[Sale], size: int) -> Iterator[list[Sale]]:
    """Yield the sales of one commit after the other."""
    for start in range(0, len(found), size):
        yield found[start : start + size]


def facts(found: list[Sale]) -> Batch:
    """Return sales as a channel tells of them, whole and already in normal form."""
    return Batch(orders=tuple(_fact(sale) for sale in found))


def _fact(sale: Sale) -> OrderRecord:
    at = NOON + timedelta(milliseconds=sale.number)
    lines = tuple(
        Line(external_id=str(number), channel_sku=CODES[sku], qty=qty, price_minor=1990, title="一件普通的商品")
        for number, (sku, _, qty) in enumerate(sale.lines, 1)
    )
    total = sum(line.qty * line.price_minor for line in lines)
    person = Recipient(
        name=f"买家{sale.number % 9973}",
        phone=f"138{sale.number % 100_000_000:08}",
        province="浙江省",
        city="杭州市",
        district="余杭区",
        address=f"文一西路 {sale.number % 300} 号",
    )
    order = Order(
        external_id=f"MP-{sale.number:012}",
        version_at=at,
        state=OrderState.PAID,
        placed_at=at,
        paid_at=at,
        ready_at=at,
        currency="CNY",
        total_minor=total,
        paid_minor=total,
        lines=lines,
        recipient=person,
        buyer=f"买家{sale.number % 9973}",
    )
    row = {"tid": order.external_id, "payment": f"{total / 100:.2f}", "lines": [line.channel_sku for line in lines]}
    head = Head(external_id=order.external_id, version_at=at, digest=digest_of(row), read_from=at, read_to=at, row=row)
    return OrderRecord(raw=Raw(head=head, payload=row, read_from=at, read_to=at), order=order)
