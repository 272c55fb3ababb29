"""`routes`: which department is told of what, whether it gets through, and a message to try it with."""

from erpsync.cli.app import App
from erpsync.cli.errors import OK
from erpsync.cli.tables import Column


def list_(app: App) -> int:
    """Print all routes with how far each is."""
    from erpsync.store.views.routes import list_routes

    zone = app.config.timezone
    columns = (
        Column("id", "route"),
        Column("department", "department", "free"),
        Column("to", "through"),
        Column("state", "state", "word"),
        Column("behind", "events behind", "number"),
        Column("told_at", "last told", "instant", zone),
        Column("failing_since_at", "failing since", "instant", zone),
        Column("error", "error", "long"),
    )
    with app.reading() as connection:
        rows = list_routes(connection, app.config.routes)
    app.out.rows(rows, columns, empty="no route: nobody is told anything (see docs/messages.md)")
    return OK


def test(app: App) -> int:
    """Send one test message now and say what the platform said."""
    from erpsync.cli.dead import keys
    from erpsync.cli.replaying import Connectors
    from erpsync.flows.messages.acts import sender_of, try_route

    id = app.args.route
    with app.ctx(keys(app)) as plain, Connectors(app) as connectors:
        channel = sender_of(plain, id)
        message = try_route(connectors.lend(plain, channel), id, actor=app.actor)
    told = {"route": id, "channel": channel.name, "message": message.id, "accepted": True}
    app.out.value(told, f"{channel.name} accepted the test message {message.id}")
    return OK


def retry(app: App) -> int:
    """Try a route at once that waits after a failure."""
    from erpsync.flows.messages.acts import retry_route

    id = app.args.route
    with app.ctx() as ctx:
        retry_route(ctx, id, actor=app.actor)
    app.out.value({"route": id, "retried": True}, f"route {id} is tried now")
    return OK
