"""What was kept long enough is deleted in small batches; who bought ended orders is erased, totals stay."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

from sqlalchemy import delete, func, select, update

from erpsync.flows.access.sessions import end_unused
from erpsync.flows.api.idempotency import KEPT
from erpsync.flows.context import Context
from erpsync.store.registry import channels
from erpsync.store.tables import (
    PERSONAL,
    alarm,
    api_request,
    dead_letter,
    event,
    gift_once,
    inbox,
    login_session,
    order_line,
    orders,
    outbox,
    payload,
    release_order,
    waybill,
)
from erpsync.store.tracks import erase_tracks
from erpsync.store.variants import drop_empty_stock, erase_specs, erase_unwanted

PRUNE_AT_ONCE = 1000


DONE_KEPT = timedelta(days=7)


KEPT_DAYS = 180
ALARMS_KEPT = timedelta(days=180)

ERASED = ("recipient", "phone_index", "recipient_index", "merge_index", "notes", "buyer_index")
"""What of an order says who bought it."""


def prune(ctx: Context, retention_days: int | Mapping[str, int]) -> int:
    """Delete what is kept long enough, in small batches; who bought ended orders is erased, totals stay.

    Args:
        retention_days: by channel; under an empty name for channels that are not configured any more.
    """
    days = retention_days if isinstance(retention_days, Mapping) else {"": retention_days}
    with ctx.store.read() as connection:
        stored = channels(connection)
    configured = {channel.name for channel in ctx.channels.values()}
    done = 0
    for name, row in stored.items():
        done += _prune_channel(ctx, row.id, days.get(name if name in configured else "", days.get("", KEPT_DAYS)))
    return done + _prune_variants(ctx) + _prune_done(ctx)


def _prune_variants(ctx: Context) -> int:
    """Erase the specs that no order has any more, and drop what is empty of their stock; return how many rows."""
    done = last = 0
    while True:
        looked_at = ctx.store.retrying(partial(erase_unwanted, after=last, limit=PRUNE_AT_ONCE))
        if len(looked_at) < PRUNE_AT_ONCE:
            break
        last = looked_at[-1]
    while dropped := ctx.store.retrying(partial(drop_empty_stock, limit=PRUNE_AT_ONCE)):
        done += dropped
    return done


def _prune_channel(ctx: Context, channel_id: int, days: int) -> int:
    oldest = ctx.store.trusted_now() - timedelta(days=days)
    old = select(payload.c.id).where(payload.c.channel_id == channel_id, payload.c.at < oldest).order_by(payload.c.at)
    done = _delete(ctx, payload, old)
    applied = select(inbox.c.id).where(inbox.c.channel_id == channel_id, inbox.c.received_at < oldest)
    done += _delete(ctx, inbox, applied.where(inbox.c.state != "pending").order_by(inbox.c.received_at))
    # Named by what has not ended: by a list of phases SQLite would walk those that were erased long ago.
    ended = orders.c.phase.not_in(("partially_shipped", "held", "unpaid", "ready"))
    personal = select(orders.c.id).where(orders.c.channel_id == channel_id, orders.c.placed_at < oldest, PERSONAL)
    while True:
        with ctx.store.begin() as tx:
            ids = list(tx.execute(personal.where(ended).order_by(orders.c.placed_at).limit(PRUNE_AT_ONCE)).scalars())
            tx.execute(update(orders).where(orders.c.id.in_(ids)).values(**dict.fromkeys(ERASED)))
            written = order_line.c.order_id.in_(ids) & order_line.c.properties.is_not(None)
            tx.execute(update(order_line).where(written).values(properties=None))
            shared = select(release_order.c.release_id).where(release_order.c.order_id.in_(ids))
            given = waybill.c.release_id.in_(shared) & waybill.c.label.is_not(None)
            tx.execute(update(waybill).where(given).values(label=None))
            erase_tracks(tx, ids)
            erase_specs(tx, ids)
            tx.execute(delete(gift_once).where(gift_once.c.order_id.in_(ids)))
        done += len(ids)
        if len(ids) < PRUNE_AT_ONCE:
            return done


def _prune_done(ctx: Context) -> int:
    now = ctx.store.trusted_now()
    oldest = now - DONE_KEPT
    carried_out = select(outbox.c.id).where(outbox.c.state == "done", outbox.c.done_at < oldest)
    done = _delete(ctx, outbox, carried_out.order_by(outbox.c.done_at))
    ended = select(dead_letter.c.id).where(dead_letter.c.state != "open", dead_letter.c.at < oldest)
    done += _delete(ctx, dead_letter, ended)
    ctx.store.retrying(end_unused)
    left = select(login_session.c.id).where(login_session.c.expires_at < oldest)
    done += _delete(ctx, login_session, left.order_by(login_session.c.expires_at))
    answered = select(api_request.c.id).where(api_request.c.at < now - KEPT)
    done += _delete(ctx, api_request, answered)
    over = select(alarm.c.id).where(alarm.c.ended_at < now - ALARMS_KEPT)
    done += _delete(ctx, alarm, over.order_by(alarm.c.ended_at))
    # The newest event stays, or SQLite would give its id to another one and cursors would pass that by.
    newest = select(func.max(event.c.id)).scalar_subquery()
    loose = select(event.c.id).where(event.c.order_id.is_(None), event.c.at < oldest - timedelta(days=90))
    return done + _delete(ctx, event, loose.where(event.c.id < newest).order_by(event.c.at))


def _delete(ctx: Context, table: object, old: object) -> int:
    done = 0
    while True:
        with ctx.store.begin() as tx:
            ids = list(tx.execute(old.limit(PRUNE_AT_ONCE)).scalars())  # type: ignore[attr-defined]
            if ids:
                tx.execute(delete(table).where(table.c.id.in_(ids)))  # type: ignore[attr-defined, arg-type]
        done += len(ids)
        if len(ids) < PRUNE_AT_ONCE:
            return done
