"""`tasks`: what waits for a person."""

from erpsync.cli.app import App
from erpsync.cli.dead import act_on_each
from erpsync.cli.errors import OK
from erpsync.cli.tables import Column

CLOSED = 100
"""How many of those that are done, too, are printed: they are a history, not a list of what is to do."""


def list_tasks(app: App) -> int:
    """Print what people should do, oldest first."""
    from erpsync.store.views import list_tasks as tasks

    args, zone = app.args, app.config.timezone
    columns = [
        Column("id", "id", "number"),
        Column("kind", "kind", "word"),
        Column("channel", "channel"),
        Column("order", "order"),
        Column("opened_at", "since", "instant", zone),
        Column("reason", "why", "long"),
        Column("next", "what to do", "long"),
    ]
    if args.closed:
        columns[-2:-2] = [Column("closed_at", "done", "instant", zone), Column("closed_by", "by")]
    limit = args.limit if args.limit is not None else CLOSED if args.closed else 0
    with app.reading() as connection:
        rows = tasks(connection, channel_name=args.channel, closed=args.closed, limit=limit)
    app.out.rows(rows, columns, empty="no task")
    return OK


def done(app: App) -> int:
    """Close tasks; with --arrived those that ask whether something arrived are answered with yes."""
    from erpsync.flows.operations.tasks import finish_task

    with app.ctx() as ctx:
        return act_on_each(app, "done", lambda task: finish_task(ctx, task, actor=app.actor, arrived=app.args.arrived))
