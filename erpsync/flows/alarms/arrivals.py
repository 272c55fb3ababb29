"""Learning, once a day, when orders come in each shop."""

from datetime import timedelta
from functools import partial

from erpsync.core.arrivals import learn
from erpsync.flows.context import Context
from erpsync.store.arrivals import arrivals_by_hour, keep_pattern, learned_before
from erpsync.store.tables import micros

KEPT = timedelta(days=1)
_HOUR_US = 3_600_000_000


def learn_arrivals(ctx: Context) -> int:
    """Learn anew of every enabled channel of which nothing was learned for a day; return of how many."""
    now = ctx.store.clock.now()
    with ctx.store.read() as connection:
        recent = learned_before(connection, now - KEPT)
    wanted = [channel.id for channel in ctx.channels.values() if channel.enabled and channel.id not in recent]
    for channel_id in wanted:
        with ctx.store.read() as connection:
            counts = arrivals_by_hour(connection, channel_id, now)
        pattern = learn(counts, micros(now) // _HOUR_US)
        ctx.store.retrying(partial(keep_pattern, channel_id=channel_id, pattern=pattern))
    return len(wanted)
