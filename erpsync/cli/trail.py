"""`trail list`: what was done, by whom and why."""

from erpsync.cli.app import App
from erpsync.cli.errors import OK
from erpsync.cli.instants import option
from erpsync.cli.orders import sayable
from erpsync.cli.tables import Column


def list_trail(app: App) -> int:
    """Print events, newest first."""
    from erpsync.store.views import TrailFilter, iter_trail

    args, zone = app.args, app.config.timezone
    since = option("--since", args.since, zone)
    wanted = TrailFilter(since=since, order=args.order, sku=args.sku, actor=args.actor)
    columns = (
        Column("id", "id", "number"),
        Column("at", "at", "instant", zone),
        Column("kind", "what", "word"),
        Column("order", "order"),
        Column("channel", "channel"),
        Column("sku", "SKU"),
        Column("told", "why", "long"),
        Column("actor", "who"),
    )
    with app.reading() as connection:
        entries = iter_trail(connection, wanted, args.limit, args.after)
        shown = (
            entries
            if app.out.as_json
            else (entry | {"told": sayable(entry["detail"], app.out.speech)} for entry in entries)
        )
        app.out.rows(shown, columns, empty="no such event")
    return OK
