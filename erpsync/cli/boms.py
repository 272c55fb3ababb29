"""`bom`: what our SKUs are made of."""

from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.csv_rows import BadRow, Row, Rows
from erpsync.cli.errors import OK
from erpsync.cli.imports import take
from erpsync.cli.tables import Column
from erpsync.sdk.sheets import amount_of

if TYPE_CHECKING:
    from erpsync.flows.production.boms import BomRow

HEADER = ("sku", "version")
MORE = ("yields", "component", "qty", "scrap_percent", "step", "name", "station", "fixed_minutes", "seconds_each")


def _columns(app: App) -> tuple[Column, ...]:
    return (
        Column("sku", "SKU"),
        Column("version", "version"),
        Column("state", "state", "word"),
        Column("yields", "for so many", "number"),
        Column("made_at", "made", "instant", app.config.timezone),
        Column("actor", "by"),
    )


def list_(app: App) -> int:
    """Print bills of material."""
    from erpsync.store.views.boms import list_boms

    args = app.args
    with app.reading() as connection:
        rows = list_boms(connection, sku_code=args.sku, state=args.state, limit=args.limit)
    app.out.rows(rows, _columns(app), empty="no bill of material")
    return OK


def show(app: App) -> int:
    """Print one bill of material with its components and steps."""
    from erpsync.store.views.boms import show_bom

    components = (
        Column("sku", "component"),
        Column("qty", "units", "number"),
        Column("scrap_percent", "scrap (%)", "number"),
        Column("step", "step", "number"),
    )
    steps = (
        Column("no", "step", "number"),
        Column("name", "name", "free"),
        Column("station", "station"),
        Column("fixed_minutes", "minutes in all", "number"),
        Column("seconds_each", "seconds each", "number"),
    )
    with app.reading() as connection:
        shown = show_bom(connection, app.args.sku, app.args.version)

    def write() -> None:
        app.out.rows([shown], _columns(app))
        app.out.line()
        app.out.rows(shown["components"], components, empty="no component")
        app.out.line()
        app.out.rows(shown["steps"], steps, empty="no step")

    app.out.value(shown, write)
    return OK


def where_used(app: App) -> int:
    """Print what a SKU goes into."""
    from erpsync.store.views.boms import uses_of

    columns = (
        Column("sku", "SKU"),
        Column("version", "version"),
        Column("qty", "units", "number"),
        Column("yields", "for so many", "number"),
    )
    with app.reading() as connection:
        rows = uses_of(connection, app.args.sku)
    app.out.rows(rows, columns, empty="it goes into nothing that is made")
    return OK


def import_(app: App) -> int:
    """Take bills of material from files, as drafts."""
    from erpsync.flows.production.boms import import_boms

    def identity(row: "BomRow") -> object:
        return row.sku, row.version, row.component or row.step_no

    rows = Rows(HEADER, MORE, _made, identity, exact=("sku", "version", "component"))
    with app.ctx() as ctx:
        return take(app, rows, lambda it, progress: import_boms(ctx, it, actor=app.actor, progress=progress))


def _made(row: Row) -> "BomRow":
    """Return a row of components or one of steps: a step has a name."""
    from erpsync.flows.production.boms import BomRow

    head: dict[str, Any] = {"sku": row.text("sku"), "version": row.text("version"), "source": row.source}
    if row.cells.get("yields"):
        head["yields"] = row.units("yields", least=1)
    is_part, is_step = bool(row.cells.get("component")), bool(row.cells.get("name"))
    if is_part == is_step:
        raise BadRow("a row has a component, or the name of a step, and not both")
    if is_step:
        return BomRow(
            **head,
            step_no=row.units("step", least=1),
            name=row.text("name"),
            station=row.text("station"),
            fixed_minutes=row.units("fixed_minutes") if row.cells.get("fixed_minutes") else 0,
            seconds_each=row.units("seconds_each") if row.cells.get("seconds_each") else 0,
        )
    return BomRow(
        **head,
        component=row.text("component"),
        qty=row.units("qty", least=1),
        scrap_ppm=_scrap_ppm(row),
        step_no=row.units("step", least=1) if row.cells.get("step") else None,
    )


def _scrap_ppm(row: Row) -> int:
    text = row.cells.get("scrap_percent", "")
    if not text:
        return 0
    percent = amount_of(text)
    ppm = None if percent is None else percent * 10_000
    if ppm is None or ppm != ppm.to_integral_value() or not 0 <= ppm < 1_000_000:
        raise BadRow(f"scrap_percent must be from 0 to under 100 with four decimals at most, is {text}")
    return int(ppm)


def activate(app: App) -> int:
    """Let a version be what its SKU is made of."""
    from erpsync.flows.production import boms

    sku, version = app.args.sku, app.args.version
    with app.ctx() as ctx:
        boms.activate(ctx, sku, version, actor=app.actor)
    app.out.value({"sku": sku, "version": version}, f"{sku} is made by version {version} from now on")
    return OK
