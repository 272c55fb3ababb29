"""`listings` and `bundles`: what channels sell, tied to our SKUs."""

from erpsync.cli.app import App
from erpsync.cli.csv_rows import Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column


def list_(app: App) -> int:
    """Print listings with the number each was told."""
    from erpsync.store.views import list_listings

    args, zone = app.args, app.config.timezone
    columns = (
        Column("channel", "channel"),
        Column("channel_sku", "channel's SKU"),
        Column("item_ref", "item"),
        Column("sku", "SKU"),
        Column("factor", "factor", "number"),
        Column("no_stock", "no stock"),
        Column("told_qty", "told", "number"),
        Column("told_sure", "sure"),
        Column("told_at", "told at", "instant", zone),
        Column("shown_qty", "shown", "number"),
        Column("title", "title", "free"),
        Column("refused", "refused", "long"),
    )
    with app.reading() as connection:
        rows = list_listings(connection, channel_name=args.channel, sku_code=args.sku, unmapped=args.unmapped)
    app.out.rows(rows, columns, empty="no such listing")
    return OK


def import_(app: App) -> int:
    """Tie listings to SKUs from files."""
    from erpsync.flows.inventory.listings import ListingMapping, import_listings

    def make(row: Row) -> ListingMapping:
        no_stock = row.yes("no_stock")
        return ListingMapping(
            channel=row.text("channel"),
            channel_sku=row.text("channel_sku"),
            sku="" if no_stock else row.text("sku"),
            factor=row.units("factor", least=1),
            no_stock=no_stock,
            item_ref=row.cells.get("item_ref", ""),
            source=row.source,
        )

    rows = Rows(
        ("channel", "channel_sku", "sku", "factor"),
        ("item_ref", "no_stock"),
        make,
        lambda mapping: (mapping.channel, mapping.channel_sku, mapping.item_ref),
    )
    with app.ctx() as ctx:
        return take(app, rows, lambda it, progress: import_listings(ctx, it, actor=app.actor, progress=progress))


def list_bundles(app: App) -> int:
    """Print what is in each bundle."""
    from erpsync.store.views import list_bundles as bundles

    columns = (Column("bundle", "bundle"), Column("sku", "SKU"), Column("qty", "units", "number"))
    with app.reading() as connection:
        rows = bundles(connection, sku_code=app.args.sku)
    app.out.rows(rows, columns, empty="no such bundle")
    return OK


def import_bundles(app: App) -> int:
    """Take bundles from files."""
    from erpsync.flows.inventory.bundles import BundlePart
    from erpsync.flows.inventory.bundles import import_bundles as import_parts

    def make(row: Row) -> BundlePart:
        return BundlePart(
            bundle=row.text("bundle"), sku=row.text("sku"), qty=row.units("qty", least=1), source=row.source
        )

    rows = Rows(("bundle", "sku", "qty"), (), make, lambda part: (part.bundle, part.sku))
    with app.ctx() as ctx:
        return take(app, rows, lambda it, progress: import_parts(ctx, it, actor=app.actor, progress=progress))


def drop_bundle(app: App) -> int:
    """Let a bundle be goods of its own again."""
    from erpsync.flows.inventory.bundles import drop_bundle as drop

    name = app.args.bundle
    with app.ctx() as ctx:
        drop(ctx, name, actor=app.actor)
    app.out.value({"bundle": name}, f"{name} is no bundle any more: it is counted by itself from now on")
    return OK
