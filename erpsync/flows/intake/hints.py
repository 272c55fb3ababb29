"""Listening to a channel's message queue, which says when it is worth polling."""

import structlog

from erpsync.flows.channels.health import may_call
from erpsync.flows.channels.streams import streams_of
from erpsync.flows.context import Channel, Context
from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.roles import HintSource, playing
from erpsync.store.cursors import want_pass

log = structlog.get_logger()


def pull_hints(ctx: Context, channel: Channel) -> bool:
    """Read the channel's message queue and ask for the passes it speaks of; False when it named no stream."""
    source = playing(channel.connector, HintSource)
    if source is None or not may_call(ctx, channel):
        return False
    said = False
    try:
        for streams in source.pull_hints():
            named = set(streams) & set(streams_of(channel))
            if named:
                with ctx.store.begin() as tx:
                    want_pass(tx, channel.id, named)
            said = said or bool(named)
    except ConnectorError as error:
        log.warning("hints.failed", channel=channel.name, error=repr(error))
    return said
