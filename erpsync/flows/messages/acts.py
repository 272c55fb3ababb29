"""What people do with a route: try it, and have it tried again at once."""

from sqlalchemy import update

from erpsync.core.messages import RoutePolicy
from erpsync.flows.channels.health import may_call
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import Refused
from erpsync.flows.messages.compose import trial_message
from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.roles import MessageSink, playing
from erpsync.sdk.types import Message
from erpsync.store.db.store import Stage, Tx
from erpsync.store.events import Event, write_events
from erpsync.store.tables import route


def sender_of(ctx: Context, id: str) -> Channel:
    """Return the channel through which a route tells; raises `Refused` where route or channel are not configured."""
    try:
        return ctx.channel(_policy(ctx, id).to)
    except LookupError as error:
        raise Refused(f"route {id} cannot tell anybody: {error}") from error


def try_route(ctx: Context, id: str, *, actor: str) -> Message:
    """Send one test message now, whatever the hour, and return it once the platform has accepted it.

    Moves no cursor. Raises `Refused` with what the platform said; either leaves an event.
    """
    policy, channel = _policy(ctx, id), sender_of(ctx, id)
    sink = playing(channel.connector, MessageSink)
    if sink is None or not channel.enabled:
        raise Refused(f"channel {channel.name} cannot send: it is disabled, or its secrets are not here")
    if not may_call(ctx, channel, probing=True):
        raise Refused(f"channel {channel.name} is paused; `erpsync channels resume {channel.name}` ends the pause")
    message = trial_message(policy, at=ctx.store.clock.now(), console_url=ctx.console_url)
    try:
        sink.push_message(message)
    except ConnectorError as error:
        _note(ctx, id, actor, said=type(error).__name__)
        raise Refused(f"the test message was not accepted: {error}") from error
    _note(ctx, id, actor, said="accepted")
    return message


def retry_route(ctx: Context, id: str, *, actor: str) -> None:
    """Let a route that waits after a failure, or because it was asked to, be tried at once."""
    _policy(ctx, id)

    def retry(tx: Tx) -> None:
        found = tx.execute(update(route).where(route.c.name == id).values(run_at=tx.now)).rowcount
        if not found:
            raise Refused(f"route {id} is not in force yet; it is from the daemon's next start or reload on")
        write_events(tx, [Event(kind="route.retried", detail={"route": id}, actor=actor)])
        tx.wake(Stage.EVENTS)

    ctx.store.retrying(retry)


def _policy(ctx: Context, id: str) -> RoutePolicy:
    try:
        return ctx.route(id)
    except LookupError:
        known = ", ".join(sorted(route.id for route in ctx.routes)) or "none"
        raise Refused(f"no route {id}; there are {known}") from None


def _note(ctx: Context, id: str, actor: str, *, said: str) -> None:
    event = Event(kind="route.tested", detail={"route": id, "says": said}, actor=actor)
    ctx.store.retrying(lambda tx: write_events(tx, [event]))
