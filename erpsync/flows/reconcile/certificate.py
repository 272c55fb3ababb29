"""The certificate: which stretches of which channels are proven to be read whole, and which are not.

Why it calls nobody: proof is what scans that lie apart have found, so it stands in the tables; a command that scanned
once more would prove less. Channels whose past cannot be listed are called unprovable, never sealed.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from erpsync.core.seal import grid, hash_of_all
from erpsync.flows.context import Channel, Context
from erpsync.flows.reconcile.windows import lag
from erpsync.sdk.roles import COURIERS, MessageSink, OrderScan
from erpsync.store.views.values import Json, iso
from erpsync.store.windows import Evidence, certified

NONE = "[]"
_NO_SHOP = (MessageSink, *COURIERS)
GRACE = timedelta(minutes=30)
"""So much later than it could have been sealed a window must be: scans have their own pace."""


def with_a_past(ctx: Context) -> list[Channel]:
    """Return the enabled channels that orders may come from, by name: not those that tell people, nor couriers."""
    enabled = (
        channel for channel in ctx.channels.values() if channel.enabled and not any(map(channel.plays, _NO_SHOP))
    )
    return sorted(enabled, key=lambda channel: channel.name)


def prove(
    connection: Connection,
    ctx: Context,
    *,
    channels: Iterable[Channel],
    since: datetime | None = None,
    until: datetime | None = None,
    at: datetime,
) -> Json:
    """Return `{ok, at, channels}`; `ok` is false when a window that was asked for is not sealed.

    Args:
        since: from when; by default from the beginning of the first back-fill.
        until: up to when; by default up to the youngest window that had the time to be sealed.
    """
    proofs = [_certificate(connection, ctx, channel, since, until, at) for channel in channels]
    return {"ok": all(proof["state"] != "open" for proof in proofs), "at": iso(at), "channels": proofs}


def _certificate(
    connection: Connection, ctx: Context, channel: Channel, since: datetime | None, until: datetime | None, at: datetime
) -> Json:
    if not channel.plays(OrderScan):
        return {"channel": channel.name, "state": "unprovable"} | _summary([], [], since, until)
    wait = timedelta(seconds=ctx.sealing.after_s) + lag(ctx, channel) + GRACE
    rows = certified(connection, channel.id, since=since, until=until)
    read = [row for row in rows if until is not None or not _young(row, at - wait)]
    young, rows = len(rows) > len(read), read
    unsealed = [_open(row) for row in rows if row.sealed_at is None]
    unsealed += _never(ctx, rows, since, until)
    if not rows and not unsealed:
        why = "no window is old enough yet" if young else "nothing was scanned yet"
        unsealed = [{"from": iso(since), "to": iso(until), "why": why}]
    state = "open" if unsealed else "sealed"
    return {"channel": channel.name, "state": state} | _summary(rows, unsealed, since, until)


def _young(row: Evidence, sealable: datetime) -> bool:
    """Whether a window had no time to be sealed yet, and nothing is known against it."""
    return row.sealed_at is None and row.end_at > sealable and not (row.reopened or row.missed)


def _summary(rows: Sequence[Evidence], unsealed: list[Json], since: datetime | None, until: datetime | None) -> Json:
    return {
        "from": iso(min([row.start_at for row in rows], default=since)),
        "to": iso(max([row.end_at for row in rows], default=until)),
        "windows": len(rows),
        "sealed": sum(row.sealed_at is not None for row in rows),
        "orders": sum(row.order_count for row in rows),
        "hash": hash_of_all(row.ids_hash for row in rows),
        "first_scan_at": iso(min((row.since_at for row in rows if row.since_at), default=None)),
        "last_scan_at": iso(max((row.scanned_at for row in rows if row.scanned_at), default=None)),
        "reopened": sum(row.reopened for row in rows),
        "found_late": sum(row.missed for row in rows),
        "late": [external_id for row in rows if row.late != NONE for external_id in json.loads(row.late)],
        "unsealed": unsealed,
    }


def _open(row: Evidence) -> Json:
    return {
        "from": iso(row.start_at),
        "to": iso(row.end_at),
        "scanned_at": iso(row.scanned_at),
        "orders": row.order_count,
        "late": json.loads(row.late),
        "why": row.why or "not scanned yet",
    }


def _never(ctx: Context, rows: Sequence[Evidence], since: datetime | None, until: datetime | None) -> list[Json]:
    """Return what was asked for and lies before the first window or behind the last one, as one stretch each."""
    width = timedelta(seconds=ctx.sealing.window_s)
    first = min((row.start_at for row in rows), default=until)
    last = max((row.end_at for row in rows), default=None)
    stretches = []
    if since is not None and first is not None and any(grid(since, first, width)):
        stretches.append({"from": iso(since), "to": iso(first), "why": "before what the back-fill has read"})
    if until is not None and last is not None and any(grid(last, until, width)):
        stretches.append({"from": iso(last), "to": iso(until), "why": "too young to be scanned"})
    return stretches


def windows(
    connection: Connection, channels: Iterable[Channel], *, since: datetime | None, until: datetime | None
) -> list[Json]:
    """Return every window of these channels with its evidence, for `prove --windows`."""
    return [
        {
            "channel": channel.name,
            "from": iso(row.start_at),
            "to": iso(row.end_at),
            "state": "open" if row.sealed_at is None else "sealed",
            "orders": row.order_count,
            "hash": row.ids_hash,
            "first_scan_at": iso(row.since_at),
            "last_scan_at": iso(row.scanned_at),
            "sealed_at": iso(row.sealed_at),
            "reopened": row.reopened,
            "late": json.loads(row.late),
            "why": row.why,
        }
        for channel in channels
        for row in certified(connection, channel.id, since=since, until=until)
    ]
