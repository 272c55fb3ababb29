"""`alarms`: what was told to be wrong, and since when it is over."""

from erpsync.cli.app import App
from erpsync.cli.errors import OK
from erpsync.cli.tables import Column


def list_alarms(app: App) -> int:
    """Print the alarms that stand, newest first; with --all also those that are over."""
    from erpsync.store.alarms import list_alarms as alarms
    from erpsync.store.status.figures import shown_alarm

    zone = app.config.timezone
    columns = [
        Column("check", "check", "word"),
        Column("channel", "channel"),
        Column("level", "level", "word"),
        Column("since", "since", "instant", zone),
        Column("text", "what", "long"),
    ]
    if app.args.all:
        columns.insert(-1, Column("ended_at", "over", "instant", zone))
    with app.reading() as connection:
        rows = [shown_alarm(row) for row in alarms(connection, over=app.args.all, limit=app.args.limit)]
    app.out.rows(rows, columns, empty="no alarm")
    return OK
