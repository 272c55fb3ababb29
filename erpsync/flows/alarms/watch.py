"""A look at how everything stands, and what it makes of alarms.

Why everything is judged by `status` and nothing here: what is told must not differ from what people see when they look.
"""

from collections.abc import Iterable, Sequence
from functools import partial

import structlog

from erpsync.core.alarms import Condition, Moves, moves
from erpsync.flows.alarms.conditions import conditions, of_disks
from erpsync.flows.context import Context
from erpsync.store.alarms import carry_out, end_alarms_of, hosts_with_alarms, standing_alarms
from erpsync.store.db.store import Tx
from erpsync.store.nodes import host_of, read_nodes
from erpsync.store.status.figures import Limits, status
from erpsync.store.status.storage import Disk

log = structlog.get_logger()


def watch(ctx: Context, limits: Limits) -> int:
    """Look at what any node sees alike; return how many alarms were told, or told to be over."""
    now = ctx.store.clock.now()
    with ctx.store.read() as connection:
        standing = status(connection, ctx, limits, now)
        living = {host_of(node.id) for node in read_nodes(connection) if node.lives(now)}
        gone = hosts_with_alarms(connection) - living - {host_of(ctx.store.owner)}
    for host in sorted(gone):
        ctx.store.retrying(partial(end_alarms_of, host=host))
    return _settle(ctx, list(conditions(standing, ctx, limits)), "")


def watch_disks(ctx: Context, disks: Iterable[Disk], limits: Limits) -> int:
    """Look at the disks of this machine, which each node does for its own; return as `watch`."""
    host = host_of(ctx.store.owner)
    return _settle(ctx, list(of_disks(disks, limits, host)), host)


def _settle(ctx: Context, wrong: Sequence[Condition], host: str) -> int:
    made = ctx.store.retrying(partial(_move, wrong=wrong, host=host))
    for _, condition in made.raised:
        log.warning("alarm.raised", check=condition.rule, subject=condition.subject, text=condition.said)
    for alarm in made.ended:
        log.info("alarm.ended", check=alarm.rule, subject=alarm.subject)
    return len(made.raised) + len(made.ended)


def _move(tx: Tx, *, wrong: Sequence[Condition], host: str) -> Moves:
    made = moves(wrong, standing_alarms(tx, host), tx.now)
    carry_out(tx, made, host)
    return made
