"""The floor: what the bare driver needs to commit what an ingested order leaves behind.

Per order a row, two lines, two holds and two ledger rows; per commit one guarded update per stock row and one upsert
per SKU and channel to be told. All tuples are made before the clock starts: nothing is parsed, looked up or decided.
"""

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.bench.goods import CHANNELS, SKUS, STOCK, WAREHOUSES, Sale, batches

Rows = dict[str, list[tuple[Any, ...]]]
COLUMNS = {
    "orders": "id bigint, channel_id int, external_id text, version bigint, state text, placed_at bigint, "
    "currency text, total bigint, recipient text, imported_at bigint",
    "lines": "order_id bigint, line int, sku_id int, qty int, price bigint, title text",
    "holds": "order_id bigint, line int, warehouse_id int, sku_id int, qty int",
    "ledger": "id bigint, at bigint, sku_id int, warehouse_id int, qty int, reason text, order_id bigint, line int",
}
KEYS = {
    "orders": "PRIMARY KEY (id), UNIQUE (channel_id, external_id)",
    "lines": "PRIMARY KEY (order_id, line)",
    "holds": "PRIMARY KEY (order_id, line, warehouse_id)",
    "ledger": "PRIMARY KEY (id)",
}
STOCK_TABLE = (
    "CREATE TABLE stock (sku_id int, warehouse_id int, on_hand int NOT NULL, reserved int NOT NULL, "
    "CHECK (reserved <= on_hand), PRIMARY KEY (sku_id, warehouse_id))"
)
TOLD_TABLE = (
    "CREATE TABLE told (channel_id int, sku_id int, qty int, seq bigint, state int, PRIMARY KEY (channel_id, sku_id))"
)
PERSON = '{"name":"买家%d","phone":"138%08d","province":"浙江省","city":"杭州市","address":"文一西路 %d 号"}'


def rows_of(found: list[Sale]) -> Rows:
    """Return the tuples of one commit."""
    rows: Rows = defaultdict(list)
    taken: dict[tuple[int, int], int] = defaultdict(int)
    for sale in found:
        n = sale.number
        person = PERSON % (n % 9973, n % 100_000_000, n % 300)
        rows["orders"].append((n, 1, f"MP-{n:012}", n, "paid", n, "CNY", 5970, person, n))
        for number, (sku, warehouse, qty) in enumerate(sale.lines, 1):
            rows["lines"].append((n, number, sku, qty, 1990, "一件普通的商品"))
            rows["holds"].append((n, number, warehouse, sku, qty))
            rows["ledger"].append((4 * n + number, n, sku, warehouse, -qty, "hold", n, number))
            taken[sku, warehouse] += qty
    rows["stock"] = [(qty, sku, warehouse) for (sku, warehouse), qty in sorted(taken.items())]
    skus = sorted({sku for sku, _ in taken})
    rows["told"] = [(channel, sku, STOCK, found[0].number) for channel in range(1, CHANNELS) for sku in skus]
    return rows


def stock_rows() -> Iterator[tuple[int, int, int, int]]:
    """Yield ample stock of every SKU in every warehouse."""
    for sku in range(SKUS):
        for warehouse in range(WAREHOUSES):
            yield sku, warehouse, STOCK, 0


def sqlite_floor(folder: Path, found: list[Sale], size: int) -> float:
    """Return the seconds that SQLite (WAL, synchronous=FULL) needs for the sales."""
    work = [rows_of(some) for some in batches(found, size)]
    with closing(sqlite3.connect(folder / "floor.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536"):
            connection.execute(f"PRAGMA {pragma}")
        for name, columns in COLUMNS.items():
            connection.execute(f"CREATE TABLE {name} ({columns}, {KEYS[name]})")
        connection.execute(STOCK_TABLE)
        connection.execute(TOLD_TABLE)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO stock VALUES (?, ?, ?, ?)", stock_rows())
        connection.execute("COMMIT")
        return _timed(lambda: [_write_sqlite(connection, rows) for rows in work])


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _write_sqlite(connection: sqlite3.Connection, rows: Rows) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for name in COLUMNS:
        marks = ", ".join("?" for _ in rows[name][0])
        connection.executemany(f"INSERT INTO {name} VALUES ({marks})", rows[name])
    guarded = "UPDATE stock SET reserved = reserved + ? WHERE sku_id = ? AND warehouse_id = ? AND on_hand > reserved"
    connection.executemany(guarded, rows["stock"])
    upsert = (
        "INSERT INTO told VALUES (?, ?, ?, ?, 0) "
        "ON CONFLICT (channel_id, sku_id) DO UPDATE SET qty = excluded.qty, seq = excluded.seq, state = 0"
    )
    connection.executemany(upsert, rows["told"])
    connection.execute("COMMIT")


def postgres_floor(dsn: str, found: list[Sale], size: int) -> float:
    """Return the seconds that PostgreSQL needs for the sales: COPY for new rows, arrays for the others."""
    work = [rows_of(some) for some in batches(found, size)]
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        for name, columns in COLUMNS.items():
            cursor.execute(f"CREATE TABLE {name} ({columns}, {KEYS[name]})".encode())
        cursor.execute(STOCK_TABLE.encode())
        cursor.execute(TOLD_TABLE.encode())
        with cursor.copy("COPY stock FROM STDIN") as copy:
            for row in stock_rows():
                copy.write_row(row)
        connection.commit()
        return _timed(lambda: [_write_postgres(connection, cursor, rows) for rows in work])


def _write_postgres(connection: psycopg.Connection, cursor: psycopg.Cursor, rows: Rows) -> None:
    for name in COLUMNS:
        with cursor.copy(f"COPY {name} FROM STDIN".encode()) as copy:
            for row in rows[name]:
                copy.write_row(row)
    cursor.execute(
        "UPDATE stock t SET reserved = t.reserved + n.qty FROM unnest(%s::int[], %s::int[], %s::int[]) n(qty, sku, wh) "
        "WHERE t.sku_id = n.sku AND t.warehouse_id = n.wh AND t.on_hand > t.reserved",
        [list(column) for column in zip(*rows["stock"], strict=True)],
    )
    cursor.execute(
        "INSERT INTO told SELECT *, 0 FROM unnest(%s::int[], %s::int[], %s::int[], %s::bigint[]) "
        "ON CONFLICT (channel_id, sku_id) DO UPDATE SET qty = excluded.qty, seq = excluded.seq, state = 0",
        [list(column) for column in zip(*rows["told"], strict=True)],
    )
    connection.commit()


def told_floor(folder: Path, count: int, size: int) -> float:
    """Return the seconds that SQLite needs to lease and to end `count` rows, `size` at once: two commits each."""
    with closing(sqlite3.connect(folder / "told.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(TOLD_TABLE)
        connection.executemany("INSERT INTO told VALUES (1, ?, 7, 0, 0)", ((sku,) for sku in range(count)))
        groups = [range(start, min(start + size, count)) for start in range(0, count, size)]
        return _timed(lambda: [_tell(connection, group) for group in groups])


def _tell(connection: sqlite3.Connection, group: range) -> None:
    for state in (1, 2):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f"UPDATE told SET state = {state} WHERE channel_id = 1 AND sku_id = ? AND state = {state - 1}",
            ((sku,) for sku in group),
        )
        connection.execute("COMMIT")


def sale_to_push_floor(folder: Path, found: list[Sale]) -> list[float]:
    """Return the seconds of each single sale: commit it, lease what is to be told, end it."""
    seconds = []
    with closing(sqlite3.connect(folder / "single.db", isolation_level=None)) as connection:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        for name, columns in COLUMNS.items():
            connection.execute(f"CREATE TABLE {name} ({columns}, {KEYS[name]})")
        connection.execute(STOCK_TABLE)
        connection.execute(TOLD_TABLE)
        for sale in found:
            rows = rows_of([sale])
            skus = sorted({sku for sku, _, _ in sale.lines})
            seconds.append(_timed(lambda rows=rows, skus=skus: _sell_and_tell(connection, rows, skus)))
    return seconds


def _sell_and_tell(connection: sqlite3.Connection, rows: Rows, skus: list[int]) -> None:
    _write_sqlite(connection, rows)
    for state in (1, 2):
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(f"UPDATE told SET state = {state} WHERE channel_id = 1 AND sku_id = ?", zip(skus))
        connection.execute("COMMIT")
