"""`stock`: what lies in the warehouses."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.csv_rows import BadRow, Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.instants import instant, option
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from erpsync.flows.context import Context
    from erpsync.flows.inventory.counts import Count

COLUMNS = (
    Column("warehouse", "warehouse"),
    Column("sku", "SKU"),
    Column("on_hand", "on hand", "number"),
    Column("reserved", "reserved", "number"),
    Column("available", "available", "number"),
)


def list_stock(app: App) -> int:
    """Print stock per warehouse and SKU."""
    from erpsync.store.views import list_stock as rows

    with app.reading() as connection:
        shown = rows(connection, warehouse_code=app.args.warehouse, sku_code=app.args.sku, variants=app.args.variants)
    app.out.rows(shown, COLUMNS, empty="no such stock")
    return OK


def import_(app: App) -> int:
    """Take counts from files."""
    from erpsync.flows.inventory.counts import import_counts

    rows, why = counts(app, option("--as-of", app.args.as_of, app.config.timezone)), app.args.reason
    with app.ctx() as ctx:
        return take(app, rows, lambda f, done: import_counts(ctx, f, actor=app.actor, reason=why, progress=done))


def counts(app: App, as_of: datetime | None) -> "Rows[Count]":
    """Return a reader of count files; `as_of` is for rows that do not say when they were counted."""
    from erpsync.flows.exports.stock import understood_heads
    from erpsync.flows.inventory.counts import Count

    zone = app.config.timezone

    def make(row: Row) -> Count:
        said = row.cells.get("as_of", "")
        try:
            at = instant(said, zone) if said else as_of
        except ValueError as error:
            raise BadRow(f"as_of {error}") from None
        return Count(
            warehouse=row.text("warehouse"),
            sku=row.text("sku"),
            on_hand=row.units("on_hand"),
            as_of=at,
            source=row.source,
        )

    return Rows(
        ("warehouse", "sku", "on_hand"),
        ("as_of",),
        make,
        lambda count: (count.warehouse, count.sku, count.as_of),
        heads=understood_heads(),
    )


def export(app: App) -> int:
    """Write stock as a CSV file."""
    from erpsync.cli.exporting import manner_of, write_out
    from erpsync.flows.exports.stock import StockFilter, by_sku, by_warehouse

    args = app.args
    with app.looking() as store:
        pieces = by_sku if args.by == "sku" else by_warehouse
        wanted = StockFilter(warehouse=args.warehouse, sku=args.sku)
        return write_out(app, pieces(store, wanted, manner_of(app)), "skus", _told)


def _told(file: Path, number: int) -> str:
    return f"{file} holds 1 SKU" if number == 1 else f"{file} holds {number} SKUs"


def set_(app: App) -> int:
    """Set what is on hand of one SKU."""
    from erpsync.flows.inventory.counts import set_stock

    args = app.args
    with app.ctx() as ctx:
        said = {"reason": args.reason, "actor": app.actor}
        set_stock(ctx, warehouse=args.warehouse, sku=args.sku, on_hand=args.on_hand, **said)
        return _print(app, ctx)


def add(app: App) -> int:
    """Add units to one SKU, or take some away."""
    from erpsync.flows.inventory.counts import add_stock

    args = app.args
    with app.ctx() as ctx:
        add_stock(ctx, warehouse=args.warehouse, sku=args.sku, qty=args.qty, reason=args.reason, actor=app.actor)
        return _print(app, ctx)


def _print(app: App, ctx: "Context") -> int:
    from erpsync.store.views import list_stock as rows

    with ctx.store.read() as connection:
        shown = rows(connection, warehouse_code=app.args.warehouse, sku_code=app.args.sku)
    app.out.value(shown[0], lambda: app.out.rows(shown, COLUMNS))
    return OK


def confirm(app: App) -> int:
    """Let the zeros go that the brake holds back."""
    from erpsync.flows.availability.brake import confirm_stock

    with app.ctx() as ctx:
        freed = confirm_stock(ctx, app.args.channel, actor=app.actor)
    shown = {"channel": app.args.channel, "freed": freed}
    app.out.value(shown, f"{freed} {'number goes' if freed == 1 else 'numbers go'} to {app.args.channel} now")
    return OK
