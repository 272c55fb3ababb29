"""`waves`: releases of a desk that are picked together."""

from pathlib import Path
from typing import TYPE_CHECKING

from erpsync.cli.app import App
from erpsync.cli.errors import OK, UsageError
from erpsync.cli.releases import as_read, columns_of, places_of
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from erpsync.flows.context import Context


def _columns(app: App) -> tuple[Column, ...]:
    return (
        Column("number", "wave"),
        Column("warehouse", "warehouse"),
        Column("state", "state", "word"),
        Column("releases", "releases", "number"),
        Column("made_at", "made", "instant", app.config.timezone),
        Column("actor", "by"),
    )


def list_(app: App) -> int:
    """Print waves."""
    from erpsync.store.views.releases import list_waves

    args = app.args
    with app.reading() as connection:
        rows = list_waves(
            connection,
            warehouse_ids=places_of(app, connection)[0],
            states=[args.state] if args.state else (),
            after=args.after,
            limit=args.limit,
        )
    app.out.rows(rows, _columns(app), empty="no wave")
    return OK


def show(app: App) -> int:
    """Print one wave with its releases."""
    from erpsync.store.views.releases import show_wave

    with app.reading() as connection:
        shown = show_wave(connection, app.args.wave)

    def write() -> None:
        app.out.rows([shown], _columns(app))
        app.out.line()
        app.out.rows([as_read(each) for each in shown["members"]], columns_of(app), empty="no release")

    app.out.value(shown, write)
    return OK


def make(app: App) -> int:
    """Make a wave."""
    from erpsync.flows.desk.board import board
    from erpsync.flows.desk.waves import make_wave

    args = app.args
    with app.ctx() as ctx:
        warehouse = args.warehouse or _desk(ctx)
        number = make_wave(ctx, warehouse=warehouse, numbers=args.releases, most=args.most, actor=app.actor)
        apart = {each.release["number"]: each.beside for each in board(ctx, warehouse, most=100).waiting if each.beside}
    text = "no release waits for a wave" if number is None else f"wave {number} is made"
    app.out.value({"wave": number, "left_out": apart}, text)
    for release, orders in apart.items():
        others = ", ".join(orders)
        app.out.note(f"{release} is left out until it is named: its recipient still waits for {others}")
    return OK


def print_(app: App) -> int:
    """Print papers of a wave, one file each, readable by who prints alone."""
    from erpsync.cli.exporting import appearing
    from erpsync.cli.papers import FOR_ME_ALONE, print_one

    args, folder = app.args, Path(app.args.out).resolve()
    files: list[str] = []
    left_out: dict[str, str] = {}
    for paper in args.papers:
        file = folder / f"{args.number}-{paper}.pdf"
        with appearing(file, replace=args.force, mode=FOR_ME_ALONE) as stream:
            printed = print_one(app, paper)
            stream.write(printed.pdf)
        files.append(str(file))
        left_out |= printed.left_out
    for number, why in left_out.items():
        app.out.refuse(f"{number} is left out: {why}")
    shown = [{"number": number, "reason": why} for number, why in left_out.items()]
    app.out.value({"wave": args.number, "files": files, "left_out": shown}, "\n".join(files))
    return OK


def done(app: App) -> int:
    """End a printed wave."""
    from erpsync.flows.desk.waves import finish_wave

    with app.ctx() as ctx:
        back = finish_wave(ctx, app.args.wave, actor=app.actor)
    number, count = app.args.wave, len(back)
    text = f"wave {number} is done"
    if count:
        text = f"wave {number} is done; of its releases {count} are in no wave any more"
    app.out.value({"wave": number, "back": back}, text)
    return OK


def drop(app: App) -> int:
    """End a wave that is not printed."""
    from erpsync.flows.desk.waves import drop_wave

    with app.ctx() as ctx:
        drop_wave(ctx, app.args.wave, actor=app.actor)
    app.out.value({"wave": app.args.wave}, f"wave {app.args.wave} is dropped")
    return OK


def _desk(ctx: "Context") -> str:
    """Return the only desk there is."""
    if len(ctx.desks) != 1:
        raise UsageError("say which desk with --warehouse")
    return next(iter(ctx.desks))
