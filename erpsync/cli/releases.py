"""`releases`: what warehouses have to send, and what must not leave."""

from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK, CommandError
from erpsync.cli.tables import Column
from erpsync.settings.hints import did_you_mean

if TYPE_CHECKING:
    from sqlalchemy import Connection


def columns_of(app: App) -> tuple[Column, ...]:
    """Return the columns of a list of releases."""
    return (
        Column("number", "release"),
        Column("warehouse", "warehouse"),
        Column("state", "state", "word"),
        Column("wave", "wave"),
        Column("slot", "slot", "number"),
        Column("orders", "orders", "free"),
        Column("goods", "goods", "free"),
        Column("tracking", "tracking", "free"),
        Column("made_at", "made", "instant", app.config.timezone),
    )


def as_read(row: dict[str, Any]) -> dict[str, Any]:
    """Return a release as people read it."""
    goods = ", ".join(f"{line['qty']} × {line['sku']}" for line in row["lines"])
    return row | {"orders": ", ".join(row["orders"]), "goods": goods, "tracking": ", ".join(row["tracking"])}


def places_of(app: App, connection: "Connection") -> tuple[list[int], list[int]]:
    """Return the row ids of the warehouse that was named, if one was, and of all desks."""
    from erpsync.store.registry import warehouse_ids

    ids = warehouse_ids(connection)
    named = app.args.warehouse
    if named is not None and named not in ids:
        raise CommandError(f"no warehouse {named}{did_you_mean(named, ids)}")
    return [ids[named]] if named else [], [ids[place.id] for place in app.config.warehouses if place.desk]


def list_(app: App) -> int:
    """Print releases."""
    from erpsync.store.views.releases import list_releases, stop_list

    args = app.args
    with app.reading() as connection:
        places, desks = places_of(app, connection)
        if args.stops:
            rows = stop_list(connection, places or desks)
        else:
            rows = list_releases(
                connection,
                warehouse_ids=places or (desks if args.unpicked else ()),
                states=[args.state] if args.state else (),
                unpicked=args.unpicked,
                after=args.after,
                limit=args.limit,
            )
    app.out.rows(rows if args.json else [as_read(row) for row in rows], columns_of(app), empty="no release")
    return OK


def show(app: App) -> int:
    """Print one release."""
    from erpsync.store.views.releases import show_release

    with app.reading() as connection:
        shown = show_release(connection, app.args.release)
    _print(app, shown)
    return OK


def make(app: App) -> int:
    """Make releases of all that is ready, and say why what is ready stays all the same."""
    from erpsync.flows.explain.staying import why_orders_stay
    from erpsync.flows.warehouses.release import release_ready

    made = 0
    with app.ctx() as ctx:
        while count := release_ready(ctx):
            made += count
        stays = why_orders_stay(ctx)
    app.out.value({"made": made, "stays": stays}, lambda: _print_made(app, made, stays))
    return OK


def _print_made(app: App, made: int, stays: list[dict[str, Any]]) -> None:
    app.out.line("1 release is made" if made == 1 else f"{made} releases are made")
    if not stays:
        return
    app.out.heading("What stays")
    rows = [
        row | {"why": app.out.speech.say(row["text"]), "named": ", ".join(row["first"]) + _more(row)} for row in stays
    ]
    app.out.rows(rows, _STAYS)


def _more(row: dict[str, Any]) -> str:
    return ", …" if row["orders"] > len(row["first"]) else ""


def stop(app: App) -> int:
    """Say that a release is out of the pile, or that it has left all the same."""
    from erpsync.flows.desk.stops import stop as stop_release
    from erpsync.store.views.releases import show_release

    args = app.args
    with app.ctx() as ctx:
        stop_release(ctx, args.release, actor=app.actor, reason=args.reason, left=args.left)
        with ctx.store.read() as connection:
            shown = show_release(connection, args.release)
    state = app.out.speech.word(shown["state"])
    app.out.value(shown, f"release {shown['number']} is {state}")
    return OK


_STAYS = (
    Column("orders", "orders", "number"),
    Column("why", "because", "free"),
    Column("named", "the oldest", "free"),
)
_LINES = (
    Column("shelf", "shelf"),
    Column("sku", "SKU"),
    Column("title", "title", "free"),
    Column("qty", "units", "number"),
    Column("order", "order"),
)


def _print(app: App, shown: dict[str, Any]) -> None:
    def write() -> None:
        app.out.rows([as_read(shown)], columns_of(app))
        app.out.line()
        app.out.rows(shown["lines"], _LINES, empty="no line")

    app.out.value(shown, write)
