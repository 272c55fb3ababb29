"""Builders for drop folders: files with given times, connectors with given clocks, pages read and committed."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.csv_drop.connector import CsvDropConnector, OrderDrop, ShipmentDrop
from connectors.csv_drop.settings import CsvDropSettings
from erpsync.sdk.clock import Clock, ManualClock
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.types import Cursor, Head, Order, ShipmentReportPage

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
COLUMNS = {
    "external_id": "order",
    "channel_sku": "sku",
    "qty": "qty",
    "price": "price",
    "placed_at": "placed",
    "paid_at": "paid",
}
HEADER = "order,sku,qty,price,placed,paid"
PLACED = "2026-03-02 16:00:00"
"""In Beijing time: 08:00 UTC."""


def row(order: str = "1001", sku: str = "A", qty: object = 1, price: object = "12.50", paid: str = PLACED) -> str:
    return f"{order},{sku},{qty},{price},{PLACED},{paid}"


def settings(folder: Path, **changes: Any) -> CsvDropSettings:
    return CsvDropSettings(**{"folder": folder, "columns": COLUMNS, **changes})


def drop(folder: Path, name: str, content: str | bytes | Sequence[str], *, at: datetime = NOON) -> Path:
    """Write a file whose time is `at`."""
    folder.mkdir(exist_ok=True)
    if isinstance(content, list | tuple):
        content = "\n".join(content) + "\n"
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else str(content).encode())
    os.utime(path, (at.timestamp(), at.timestamp()))
    return path


def clock_at(minutes_after_noon: float = 1) -> ManualClock:
    clock = ManualClock(NOON)
    clock.advance(seconds=60 * minutes_after_noon)
    return clock


def connector(clock: Clock, made: CsvDropSettings) -> CsvDropConnector:
    return CsvDropConnector(made, HttpClient(clock=clock), clock)


def order_drop(folder: Path, clock: Clock | None = None, **changes: Any) -> OrderDrop:
    made = connector(clock or clock_at(), settings(folder, **changes))
    assert isinstance(made, OrderDrop)
    return made


def shipment_drop(folder: Path, clock: Clock | None = None, **changes: Any) -> ShipmentDrop:
    made = connector(clock or clock_at(), CsvDropSettings(folder=folder, reads="shipments", **changes))
    assert isinstance(made, ShipmentDrop)
    return made


def heads(source: OrderDrop, mark: str | None = None) -> list[Head]:
    return [head for page in source.pull_orders(Cursor(mark=mark)) for head in page.heads]


def read(source: OrderDrop) -> tuple[dict[str, Order], list[PayloadError]]:
    """Read and commit everything; return the orders by id and what became a dead letter as a whole."""
    orders: dict[str, Order] = {}
    refused: list[PayloadError] = []
    for raw in source.complete(heads(source)):
        try:
            orders[raw.head.external_id] = source.normalise(raw)
        except PayloadError as error:
            refused.append(error)
    return orders, refused


def read_text(folder: Path, *lines: str, **changes: Any) -> tuple[dict[str, Order], list[PayloadError]]:
    """Read one file `orders.csv` made of `lines`."""
    drop(folder, "orders.csv", lines)
    return read(order_drop(folder, **changes))


def reports(source: ShipmentDrop) -> list[ShipmentReportPage]:
    return list(source.pull_shipments(Cursor()))


def names(folder: Path) -> list[str]:
    """Return the names in a folder that are not hidden; an absent folder holds none."""
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.exists() else []
