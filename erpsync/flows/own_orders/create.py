"""Making an own order: once for its key, whole, and on its way in the same commit.

Why a key is taken from what the order says where nobody gives one: a command that is run twice by mistake must not send
a second parcel without a word; who really wants the same again says so by a key.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from erpsync.core.notes import Notes, told
from erpsync.core.orders import KnownLine, KnownOrder, OrderKind, Origin, phase
from erpsync.core.readings import Reading
from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.allocation.changes import Change, Outcome
from erpsync.flows.context import Channel, Context
from erpsync.flows.errors import FieldRefused
from erpsync.flows.orders.decide import Beside, decide, event_detail, spec_detail, takes_of, tell_all
from erpsync.flows.orders.numbering import free_numbers
from erpsync.flows.own_orders.form import OwnOrder
from erpsync.flows.rules.judging import rule
from erpsync.flows.specs.reading import with_specs
from erpsync.sdk.digest import digest_of
from erpsync.sdk.read import MAX_MINOR
from erpsync.sdk.types import OrderState
from erpsync.store.db.bulk import new_ids
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import buyer_index, notes_row, recipient_columns, recipient_row
from erpsync.store.events import Event
from erpsync.store.orders import await_rivals, insert_orders, lock_orders, new_line_ids
from erpsync.store.registry import make_own_channel, sku_ids
from erpsync.store.sku_mapping import bundle_parts
from erpsync.store.tables import orders

KEY_CHARS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """An own order's number. `repeated` when it was there before, under the same key."""

    number: str
    repeated: bool = False


def key_of(said: Mapping[str, Any]) -> str:
    """Return a key that is the same for whoever says the same."""
    return f"auto-{digest_of(said)[:KEY_CHARS]}"


def create_order(ctx: Context, form: OwnOrder, *, actor: str, key: str = "") -> Created:
    """Make an own order, or find the one of the same key; raises `FieldRefused` naming the field that is wrong.

    Args:
        key: counts where the form has none; without either, what it says names it.
    """
    said = form.model_dump(mode="json", exclude={"key"}, exclude_defaults=True)
    name = form.key or key or key_of(said)
    return ctx.store.retrying(partial(_create, ctx=ctx, form=form, key=name, digest=digest_of(said), actor=actor))


def _create(tx: Tx, *, ctx: Context, form: OwnOrder, key: str, digest: str, actor: str) -> Created:
    own = ctx.own
    make_own_channel(tx)
    await_rivals(tx, own.id, [key])
    stored = lock_orders(tx, own.id, [key]).get(key)
    if stored is not None:
        if stored.reading.digest != digest:
            raise FieldRefused(f"key: order {stored.number} has this key already, and says something else")
        return Created(number=stored.number, repeated=True)
    specified = with_specs(tx, ctx, [_order(tx, ctx, own, form, key, digest)], {})
    [order] = specified.orders
    beside = Beside(refunds={}, bad_lines=(), unread={}, bad_specs=specified.bad)
    wanted = decide(own, Change(before=None, after=order), beside)
    ruled = rule(tx, ctx, [wanted], people={order.id: form.recipient.plain()})
    change = ruled.changes[0]
    row = recipient_row(own.id, key)
    insert_orders(tx, [(change.after, recipient_columns(tx.vault, form.recipient.plain(), row=row))])
    ruled.write(tx)
    outcome = allocate(tx, ctx, [change], actor=actor)
    tell_all(tx, [change], outcome, partial(_event, actor=actor, specs=spec_detail(specified, order.id)))
    return Created(number=order.number)


def _order(tx: Tx, ctx: Context, own: Channel, form: OwnOrder, key: str, digest: str) -> KnownOrder:
    placed_at = form.placed_at or tx.now
    paid_at = placed_at if form.kind == "phone" and form.paid_at is None else form.paid_at
    _check(form, tx.now, placed_at)
    lines = tuple(_lines(tx, form))
    ((id,), (number,)) = new_ids(tx, orders, 1), free_numbers(tx, ctx, own, 1)
    order = KnownOrder(
        id=id,
        channel_id=own.id,
        external_id=key,
        number=number,
        kind=OrderKind(form.kind),
        state=OrderState.PAID,
        reading=Reading(version_at=tx.now, digest=digest, read_from=tx.now, read_to=tx.now),
        placed_at=placed_at,
        paid_at=paid_at,
        ready_at=paid_at or placed_at,
        ship_by_at=form.ship_by_at,
        currency=form.currency,
        total_minor=form.to_pay_minor,
        paid_minor=form.to_pay_minor if paid_at else None,
        goods_minor=form.goods_minor,
        freight_minor=form.freight_minor,
        discount_minor=form.discount_minor,
        seller_flag=form.seller_flag,
        address_complete=form.recipient.plain().complete,
        lines=lines,
    )
    return _with_notes(tx, order, form)


def _check(form: OwnOrder, now: datetime, placed_at: datetime) -> None:
    """Raise `FieldRefused` for what no field says by itself."""
    for name, at in (("placed_at", form.placed_at), ("paid_at", form.paid_at)):
        if at is not None and at > now:
            raise FieldRefused(f"{name}: lies in the future")
    if form.ship_by_at is not None and form.ship_by_at < placed_at:
        raise FieldRefused("ship_by_at: lies before placed_at")
    if form.goods_minor > MAX_MINOR:
        raise FieldRefused("lines: cost more than any amount may be")
    if form.to_pay_minor < 0:
        raise FieldRefused("discount_minor: is more than goods and postage together")


def _lines(tx: Tx, form: OwnOrder) -> Iterable[KnownLine]:
    codes = [line.sku for line in form.lines]
    known = sku_ids(tx.connection, codes)
    for place, code in enumerate(codes):
        if code not in known:
            raise FieldRefused(f"lines[{place}].sku: there is no SKU {code}")
    parts = bundle_parts(tx, known.values())
    for number, (line, id) in enumerate(zip(form.lines, new_line_ids(tx, len(codes)), strict=True), 1):
        sku_id = known[line.sku]
        yield KnownLine(
            id=id,
            external_id=str(number),
            channel_sku=line.sku,
            title=line.title,
            qty=line.qty,
            price_minor=line.price_minor,
            sku_id=sku_id,
            parts=parts.get(sku_id, {sku_id: 1}),
            origin=Origin.HAND,
        )


def _with_notes(tx: Tx, order: KnownOrder, form: OwnOrder) -> KnownOrder:
    said = {name: getattr(form, name) or None for name in Notes.__dataclass_fields__}
    kept = told(Notes(**said))
    if not kept:
        return order
    sealed = tx.vault.encrypt(kept, row=notes_row(order.channel_id, order.external_id))
    index = buyer_index(tx.vault, order.channel_id, form.buyer) if form.buyer else None
    return replace(order, notes=sealed, buyer_index=index)


def _event(change: Change, outcome: Outcome, *, actor: str, specs: Mapping[str, Any]) -> Event:
    order = change.after
    said: dict[str, Any] = {"phase": phase(order), "kind": order.kind.value, **change.ruled, **specs}
    if takes := takes_of(order, outcome):
        said["takes"] = takes
    detail = event_detail(change, outcome, said)
    return Event(kind="order.imported", order_id=order.id, channel_id=order.channel_id, detail=detail, actor=actor)
