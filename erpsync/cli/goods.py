"""`goods`: what our SKUs are, and on which shelf they lie."""

from typing import Any

from erpsync.cli.app import App
from erpsync.cli.csv_rows import Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column, money


def list_(app: App) -> int:
    """Print what is known of SKUs."""
    from erpsync.store.goods import list_goods

    args = app.args
    columns = (
        Column("sku", "SKU"),
        Column("title", "title", "free"),
        Column("barcode", "barcode"),
        Column("weight_g", "weight (g)", "number"),
        Column("volume_cm3", "volume (cm³)", "number"),
        Column("floor", "floor price", "number"),
        Column("tags", "tags", "free"),
        Column("shelves", "shelves", "free"),
    )
    with app.reading() as connection:
        rows = list_goods(connection, sku_code=args.sku, tag=args.tag, lacks=args.lacks, limit=args.limit)
    if app.args.json:
        app.out.rows(rows, columns)
        return OK
    app.out.rows([_shown(app, row) for row in rows], columns, empty="no such goods")
    return OK


def _shown(app: App, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row as people read it."""
    floor = None if row["floor_minor"] is None else money(row["floor_minor"], row["floor_currency"], app.out.speech)
    shelves = ", ".join(f"{place['warehouse']} {place['shelf']}" for place in row["shelves"])
    return row | {"floor": floor, "tags": ", ".join(row["tags"]), "shelves": shelves}


def import_(app: App) -> int:
    """Take goods data from files."""
    from erpsync.flows.inventory.goods import GoodsRow, import_goods
    from erpsync.flows.inventory.goods_cells import FIELDS

    def make(row: Row) -> GoodsRow:
        return GoodsRow(
            sku=row.text("sku"),
            warehouse=row.cells.get("warehouse", ""),
            cells={name: row.cells.get(name, "") for name in FIELDS},
            source=row.source,
        )

    rows = Rows(
        ("sku",),
        (*FIELDS, "warehouse"),
        make,
        lambda goods: (goods.sku, goods.warehouse),
        exact=("sku", "barcode", "warehouse", "shelf"),
        unsets=FIELDS,
    )
    with app.ctx() as ctx:
        return take(app, rows, lambda it, progress: import_goods(ctx, it, actor=app.actor, progress=progress))
