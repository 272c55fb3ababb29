"""`work`: work orders, what stations do with them, and how they end."""

import secrets

from erpsync.cli.app import App
from erpsync.cli.errors import OK, UsageError
from erpsync.cli.tables import Column


def _columns(app: App) -> tuple[Column, ...]:
    return (
        Column("number", "work order"),
        Column("sku", "SKU"),
        Column("qty", "units", "number"),
        Column("made_qty", "made", "number"),
        Column("scrapped_qty", "scrapped", "number"),
        Column("state", "state", "word"),
        Column("due_at", "wanted since", "instant", app.config.timezone),
    )


def list_(app: App) -> int:
    """Print work orders that have not ended."""
    from erpsync.store.views.works import list_works

    args = app.args
    with app.reading() as connection:
        rows = list_works(connection, sku_code=args.sku, station=args.station, limit=args.limit)
    app.out.rows(rows, _columns(app), empty="no work order")
    return OK


def show(app: App) -> int:
    """Print one work order with its steps, components and reports."""
    from erpsync.store.views.works import show_work

    with app.reading() as connection:
        shown = show_work(connection, app.args.work)
    steps = (
        Column("no", "step", "number"),
        Column("name", "name", "free"),
        Column("station", "station"),
        Column("good_qty", "good", "number"),
        Column("scrap_qty", "scrapped", "number"),
    )
    components = (
        Column("sku", "component"),
        Column("need_qty", "needed", "number"),
        Column("held_qty", "held", "number"),
        Column("short_qty", "missing", "number"),
        Column("used_qty", "used", "number"),
        Column("scrapped_qty", "scrapped", "number"),
    )
    reports = (
        Column("id", "report", "number"),
        Column("step", "step", "number"),
        Column("good_qty", "good", "number"),
        Column("scrap_qty", "scrapped", "number"),
        Column("undoes", "takes back", "number"),
        Column("at", "at", "instant", app.config.timezone),
        Column("actor", "by"),
    )

    def write() -> None:
        app.out.rows([shown], _columns(app))
        for rows, columns, empty in (
            (shown["steps"], steps, "no step"),
            (shown["components"], components, "no component"),
            (shown["reports"], reports, "no report"),
        ):
            app.out.line()
            app.out.rows(rows, columns, empty=empty)

    app.out.value(shown, write)
    return OK


def start(app: App) -> int:
    """Begin a work order, or some units of it."""
    from erpsync.flows.production.start import start as begin

    args = app.args
    with app.ctx() as ctx:
        begin(ctx, args.work, qty=args.qty, force=args.force, actor=app.actor)
    app.out.value({"work": args.work}, f"work order {args.work} has begun")
    return OK


def report(app: App) -> int:
    """Say what came out of a step, or take a report back."""
    from erpsync.flows.production.reports import Said, undo
    from erpsync.flows.production.reports import report as take

    args = app.args
    key = args.key or secrets.token_hex(16)
    if (args.undo is None) == (args.step is None):
        raise UsageError("say what came out with --step, or take a report back with --undo")
    with app.ctx() as ctx:
        if args.undo is not None:
            id = undo(ctx, args.work, args.undo, key=key, actor=app.actor)
        else:
            said = Said(work=args.work, step_no=args.step, good_qty=args.good, scrap_qty=args.scrap, key=key)
            id = take(ctx, said, actor=app.actor)
    app.out.value({"work": args.work, "report": id}, f"report {id} of work order {args.work} is taken")
    return OK


def split(app: App) -> int:
    """Make two work orders of one."""
    from erpsync.flows.production.start import split as cut

    args = app.args
    with app.ctx() as ctx:
        other = cut(ctx, args.work, qty=args.qty, actor=app.actor)
    app.out.value({"work": args.work, "other": other}, f"the other units are work order {other}")
    return OK


def close(app: App) -> int:
    """End a work order before all of it is made."""
    from erpsync.flows.production.reports import close as end

    args = app.args
    with app.ctx() as ctx:
        end(ctx, args.work, reason=args.reason, scrap=args.scrap, actor=app.actor)
    app.out.value({"work": args.work}, f"work order {args.work} is closed")
    return OK
