"""Whether a restored database is whole: its file, its references, its sums, and whether its keys open it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from erpsync.flows.context import Context
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.operations.keys import open_samples
from erpsync.store.db.backup_file import BackupFileError
from erpsync.store.tables import event, listing, orders, shipment, sku, task


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a restored database holds.

    Args:
        rows: how many rows of each kind, by its name.
        last_order_at: when the last order was taken in.
        samples: how many encrypted values were opened, the newest of each kind.
        differences: where a counter of stock is not the sum of what it counts; empty when all agree.
    """

    rows: dict[str, int]
    last_order_at: datetime | None
    samples: int
    differences: tuple[str, ...]


def check_sqlite(whole: Path, backup: Path) -> None:
    """Raise `BackupFileError` unless a database is whole, every page and every reference."""
    try:
        with closing(sqlite3.connect(whole)) as connection:
            said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            torn = connection.execute("PRAGMA foreign_key_check").fetchone()
    except sqlite3.Error as error:
        raise BackupFileError(f"{backup} is broken: {error}") from error
    if said != "ok":
        raise BackupFileError(f"{backup} is broken: {str(said).splitlines()[-1]}")
    if torn is not None:
        raise BackupFileError(f"{backup} is broken: rows of {torn[0]} refer to rows of {torn[2]} that are not there")


def check_restored(ctx: Context) -> Checked:
    """Return what a restored database holds; raises `KeysError` when the keys at hand do not open it."""
    counted = (orders, shipment, sku, listing, task, event)
    # Scans orders, shipment, sku, listing, task, event: what a backup holds is counted.
    with ctx.store.read() as connection:
        rows = {
            table.name: int(connection.execute(select(func.count()).select_from(table)).scalar_one())
            for table in counted
        }
        last = connection.execute(select(func.max(orders.c.imported_at))).scalar()
    samples = 0 if ctx.store.vault is None else open_samples(ctx.store, ctx.store.vault)
    return Checked(rows=rows, last_order_at=last, samples=samples, differences=tuple(verify_counters(ctx)))
