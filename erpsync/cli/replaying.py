"""The connectors of commands that ask a platform: `dead replay` and `papers`.

Why made one by one, and when one is first needed: a record of one shop must not wait for the secrets of another.
Where a channel's secrets cannot be read (systemd hands some to the daemon only), it is read without them if the
connector can be made so; it then makes no call.
"""

from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from erpsync.cli.app import App
from erpsync.cli.build import with_connectors
from erpsync.flows.channels.credentials import adopt_stored
from erpsync.flows.errors import Refused
from erpsync.sdk.http import HttpClient, Limiter
from erpsync.sdk.roles import Connector
from erpsync.store.limits import SharedLimiter

if TYPE_CHECKING:
    from erpsync.flows.context import Channel, Context
    from erpsync.settings import ChannelConfig

DAEMON_CAN = "the daemon can: POST /api/v1/dead-letters/ID/replay"


class Connectors:
    """Makes connectors of channels, once each; closes them at the end of the block.

    Args:
        otherwise: how the daemon is asked to do it, which has all secrets.
    """

    def __init__(self, app: App, *, otherwise: str = DAEMON_CAN) -> None:
        self._app = app
        self._otherwise = otherwise
        self._made: dict[str, Connector] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def lend(self, ctx: "Context", channel: "Channel") -> "Context":
        """Return the context with the connector of this channel; raises `Refused` when none can be made here."""
        if channel.name not in self._made:
            self._made[channel.name] = made = self._make(ctx, channel)
            self._open.callback(made.close)
        return with_connectors(ctx, self._made)

    def _make(self, ctx: "Context", channel: "Channel") -> Connector:
        loaded = self._app.load(secrets={channel.name})
        whole = loaded.config.channel(channel.name) if loaded.config else None
        if whole is not None and whole.enabled:
            connector = self._connect(ctx, whole, SharedLimiter(ctx.store, channel.id, whole.limits))
            adopt_stored(ctx.store, channel.name, connector)
            return connector
        lacking = "; ".join(str(problem) for problem in loaded.problems) or f"channel {channel.name} is switched off"
        without = self._app.config.channel(channel.name)
        if without is None or not without.enabled or not without.makeable:
            raise Refused(f"its connector cannot be made here, {self._otherwise} ({lacking})")
        return self._connect(ctx, without, _NoCalls(lacking, self._otherwise))

    def _connect(self, ctx: "Context", config: "ChannelConfig", limiter: Limiter) -> Connector:
        clock = ctx.store.clock
        kind = self._app.registry.load(config.connector)
        return kind(config.settings, HttpClient(clock=clock, limiter=limiter), clock)


class _NoCalls:
    """The limiter of a connector that was made without its secrets."""

    def __init__(self, lacking: str, otherwise: str) -> None:
        self._lacking = lacking
        self._otherwise = otherwise

    def acquire(self, lane: str) -> None:
        del lane
        raise Refused(f"the channel has to be asked, which needs its secrets; {self._otherwise} ({self._lacking})")
