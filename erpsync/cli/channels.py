"""`channels`: look at configured shops, stop and start them, ask for passes."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK, one_of
from erpsync.cli.tables import Column, local

if TYPE_CHECKING:
    from erpsync.flows.context import Context

Json = dict[str, Any]


def list_(app: App) -> int:
    """Print all channels."""
    from erpsync.store.views import list_channels

    zone = app.config.timezone
    columns = (
        Column("id", "channel"),
        Column("connector", "connector"),
        Column("enabled", "enabled"),
        Column("paused", "paused"),
        Column("paused_reason", "why", "free"),
        Column("paused_by", "by"),
        Column("down_since_at", "down since", "instant", zone),
        Column("down_error", "error", "long"),
        Column("token_expires_at", "token expires", "instant", zone),
        Column("balance", "waybills left", "number"),
    )
    with app.reading() as connection:
        rows = [_configured(app, row) for row in list_channels(connection)]
    app.out.rows(rows, columns, empty="no channel yet")
    return OK


def _configured(app: App, row: Json) -> Json:
    """Return the channel with what only the configuration knows."""
    config = app.config.channel(row["id"])
    return {"id": row["id"], "enabled": bool(config and config.enabled), **row}


def show(app: App) -> int:
    """Print one channel with its streams and queues."""
    from erpsync.store.views import show_channel

    with app.reading() as connection:
        shown = _configured(app, show_channel(connection, app.args.channel))
    app.out.value(shown, lambda: _print(app, shown))
    return OK


_QUEUE = (
    Column("kind", "to send", "word"),
    Column("state", "state", "word"),
    Column("waiting_for", "waits for", "word"),
    Column("rows", "rows", "number"),
)


def _print(app: App, channel: Json) -> None:
    zone, word = app.config.timezone, app.out.speech.word
    for name, value in channel.items():
        if not isinstance(value, list) and value not in (None, ""):
            shown = value if value is not True and value is not False else word(str(value).lower())
            if name.endswith("_at"):
                shown = local(value, zone)
            app.out.line(f"{word(name)}: {shown}")
    streams = (
        Column("stream", "stream", "word"),
        *(replace(column, zone=zone) for column in _STREAM),
        Column("error", "error", "long"),
    )
    if channel["streams"]:
        app.out.heading("Streams")
        app.out.rows(channel["streams"], streams)
    if channel["queue"]:
        app.out.heading("Queue")
        app.out.rows(channel["queue"], _QUEUE)


_STREAM = (
    Column("began_at", "pass began", "instant"),
    Column("complete_began_at", "last whole pass began", "instant"),
    Column("complete_ended_at", "ended", "instant"),
    Column("wanted_at", "wanted", "instant"),
    Column("failed_at", "failed", "instant"),
)


def pause(app: App) -> int:
    """Stop all calls to a channel."""
    from erpsync.flows.channels.control import pause_channel

    name = app.args.channel
    return _act(app, lambda ctx: pause_channel(ctx, name, reason=app.args.reason, actor=app.actor), f"{name} is paused")


def resume(app: App) -> int:
    """End a pause, and try refused credentials again."""
    from erpsync.flows.channels.control import resume_channel

    name = app.args.channel
    return _act(app, lambda ctx: resume_channel(ctx, name, actor=app.actor), f"{name} works again")


def poll(app: App) -> int:
    """Ask for a pass now."""
    from erpsync.cli.build import with_roles
    from erpsync.flows.channels.control import ask_poll
    from erpsync.flows.channels.streams import STREAMS

    for stream in app.args.streams or ():
        one_of("--stream", stream, STREAMS)
    name = app.args.channel

    def ask(ctx: "Context") -> None:
        ask_poll(with_roles(ctx, app.config, app.registry), name, app.args.streams, actor=app.actor)

    return _act(
        app,
        ask,
        f"{name} will be polled as soon as the daemon runs",
    )


def backfill(app: App) -> int:
    """Read a channel's past again."""
    from erpsync.flows.channels.control import ask_backfill

    name = app.args.channel
    return _act(
        app,
        lambda ctx: ask_backfill(ctx, name, days=app.args.days, actor=app.actor),
        f"the past of {name} will be read again as soon as the daemon runs",
    )


def _act(app: App, act: "Callable[[Context], object]", done: str) -> int:
    """Carry out and print the channel as it is then."""
    from erpsync.store.views import show_channel

    with app.ctx() as ctx:
        act(ctx)
        with ctx.store.read() as connection:
            shown = _configured(app, show_channel(connection, app.args.channel))
    app.out.value(shown, done)
    return OK
