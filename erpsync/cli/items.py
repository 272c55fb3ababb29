"""`items`: how our SKUs are planned, and by which rules a buyer's wishes are read."""

from erpsync.cli.app import App
from erpsync.cli.csv_rows import Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column


def list_(app: App) -> int:
    """Print how SKUs are planned."""
    from erpsync.store.items import list_items

    args = app.args
    columns = (
        Column("sku", "SKU"),
        Column("supply", "supply", "word"),
        Column("make_for", "made for", "word"),
        Column("warehouse", "warehouse"),
        Column("spec", "rules"),
        Column("offer", "offer", "number"),
        Column("lead_days", "lead (days)", "number"),
    )
    with app.reading() as connection:
        rows = list_items(connection, sku_code=args.sku, spec=args.spec, limit=args.limit)
    app.out.rows(rows, columns, empty="no such item")
    return OK


def import_(app: App) -> int:
    """Take items from files."""
    from erpsync.flows.inventory.items import FIELDS, ItemRow, import_items

    def make(row: Row) -> ItemRow:
        cells = {name: row.cells.get(name, "") for name in FIELDS}
        return ItemRow(sku=row.text("sku"), cells=cells, source=row.source)

    rows = Rows(("sku",), FIELDS, make, lambda item: item.sku, exact=("sku", "warehouse"))
    with app.ctx() as ctx:
        return take(app, rows, lambda it, progress: import_items(ctx, it, actor=app.actor, progress=progress))
