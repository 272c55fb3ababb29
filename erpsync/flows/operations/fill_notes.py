"""Buyers, notes and properties of orders that were stored before these were kept, read again from kept payloads.

Why only what is unknown: an order that was read since knows better than a payload from before. Why newest first: what
is still to be sent lies there. Every batch and its mark are one commit, so it goes on where it stopped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy import select

from erpsync.core.notes import older
from erpsync.core.orders import KnownOrder
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.normalise import read_orders
from erpsync.flows.orders.notes import with_notes
from erpsync.sdk.roles import OrderReader
from erpsync.sdk.types import Head, Order, Raw
from erpsync.store.db.privacy import PrivacyError, Vault
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import payload_row
from erpsync.store.orders import lock_orders, update_orders
from erpsync.store.tables import payload

MARK = "notes filled"
DONE = 0
AT_ONCE = 200
BATCHES = 100
"""So many are read in one run, which takes a minute at most; the next run goes on."""

log = structlog.get_logger()


def fill_notes(ctx: Context, *, at_once: int = AT_ONCE) -> int:
    """Fill what people wrote into orders of older versions; return how many were filled.

    Once it is through, nothing is read any more but the mark.
    """
    vault = ctx.store.vault
    with ctx.store.read() as connection:
        mark = read_mark(connection, MARK)
    filled = 0
    for _ in range(BATCHES):
        if vault is None or mark == DONE:
            break
        filled += _fill(ctx, vault, mark, at_once)
        with ctx.store.read() as connection:
            mark = read_mark(connection, MARK)
    if filled:
        log.info("notes.filled", orders=filled)
    return filled


def _fill(ctx: Context, vault: Vault, mark: int | None, at_once: int) -> int:
    """Fill from the payloads below the mark, and move it."""
    # Scans payload: from the newest down, once in the life of a database.
    query = select(payload).order_by(payload.c.id.desc()).limit(at_once)
    with ctx.store.read() as connection:
        rows = connection.execute(query if mark is None else query.where(payload.c.id < mark)).all()
    views = {id: _views(vault, channel, rows) for id, channel in ctx.channels.items() if channel.plays(OrderReader)}
    below = rows[-1].id if len(rows) == at_once else DONE
    return ctx.store.retrying(partial(_write, views=views, mark=mark, below=below))


def _views(vault: Vault, channel: Channel, rows: Sequence[Any]) -> list[Order]:
    """Return the orders that these payloads of a channel show, the newest first; what cannot be read shows none."""
    of_channel = [row for row in rows if row.channel_id == channel.id and row.kind == "order"]
    raws = [raw for row in of_channel if (raw := _raw(vault, row)) is not None]
    return [record.order for record in read_orders(channel, raws).orders]


def _raw(vault: Vault, row: Any) -> Raw | None:
    try:
        body = vault.decrypt(row.body, row=payload_row(row.channel_id, row.kind, row.external_id))
    except PrivacyError:
        return None
    head = Head(external_id=row.external_id, version_at=row.at, digest="", read_from=row.at, read_to=row.at, row=body)
    return Raw(head=head, payload=body, read_from=row.at, read_to=row.at)


def _write(tx: Tx, *, views: Mapping[int, Sequence[Order]], mark: int | None, below: int) -> int:
    """Write what a batch shows, unless somebody else has done so meanwhile."""
    if read_mark(tx.connection, MARK) != mark:
        return 0
    filled = 0
    for channel_id, shown in sorted(views.items()):
        stored = lock_orders(tx, channel_id, [view.external_id for view in shown])
        now = dict(stored)
        for view in shown:
            if view.external_id in now:
                now[view.external_id] = _with_view(tx, now[view.external_id], view)
        differing = [(before, now[key]) for key, before in stored.items() if now[key] != before]
        update_orders(tx, differing)
        filled += len(differing)
    set_mark(tx, MARK, below)
    return filled


def _with_view(tx: Tx, order: KnownOrder, view: Order) -> KnownOrder:
    noted, _ = with_notes(tx, order, view, older)
    return replace(noted, seller_flag=view.seller_flag) if order.seller_flag is None else noted
