"""Deciding stored orders anew: after a person's decision, a new mapping, an ended hold."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from erpsync.core.orders import KnownOrder, hold_reasons, phase
from erpsync.core.refunds import KnownRefund, with_refunds
from erpsync.flows.allocation.allocate import allocate, take_detail
from erpsync.flows.allocation.changes import Change, Departure, Movement, Outcome
from erpsync.flows.context import Context
from erpsync.flows.orders.changed import order_change
from erpsync.flows.orders.hold_reasons import asks_for_address, free_shipments
from erpsync.flows.orders.refunds import close_placed
from erpsync.flows.records.unread import unread_of
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import open_line_letters
from erpsync.store.events import Event, write_events
from erpsync.store.orders import refunds_of, update_orders
from erpsync.store.sku_mapping import Thing, map_line, map_things, note_listings


def redecide(
    tx: Tx,
    ctx: Context,
    decided: Sequence[tuple[KnownOrder, KnownOrder]],
    *,
    event: str,
    actor: str = "",
    detail: Mapping[str, Any] | None = None,
    details: Mapping[int, Mapping[str, Any]] | None = None,
    leaving: Mapping[int, Mapping[int, int]] | None = None,
    departures: Mapping[int, Departure] | None = None,
    movements: Sequence[Movement] = (),
    also: Iterable[int] = (),
) -> Outcome:
    """Write orders (before, as a person or a mapping wants them), their holds judged anew, and plan their stock.

    Args:
        detail: for the event of every order; `details` by order id for its own.
        leaving: by order id, the channel units per line id that leave now in a parcel of ours.
        departures: by order id, where and when they left, if a warehouse reports it.
    """
    refunds = _refunds(tx, [after for _, after in decided])
    bad = open_line_letters(tx, [after.id for _, after in decided])
    unread = unread_of(tx, [after for _, after in decided])
    changes = []
    for before, wanted in decided:
        mine = refunds.get((wanted.channel_id, wanted.external_id), ())
        after = _judged(ctx, wanted, mine, wanted.id in bad, unread.get(wanted.id, ""))
        units = (leaving or {}).get(after.id, {})
        departure = (departures or {}).get(after.id)
        changes.append(Change(before=before, after=after, leaving=units, departure=departure))
    update_orders(tx, [(change.before, change.after) for change in changes if change.before is not None])
    outcome = allocate(tx, ctx, changes, movements=movements, also=also, actor=actor)
    facts = {change.after.id: {**(detail or {}), **(details or {}).get(change.after.id, {})} for change in changes}
    _note(tx, changes, outcome, event, actor, facts)
    freed = [c.after.id for c in changes if c.before is not None and c.before.holds.keys() - c.after.holds.keys()]
    free_shipments(tx, freed)
    close_placed(tx, changes, refunds)
    return outcome


def _refunds(tx: Tx, wanted: Iterable[KnownOrder]) -> dict[tuple[int, str], list[KnownRefund]]:
    by_channel: dict[int, list[str]] = {}
    for order in wanted:
        by_channel.setdefault(order.channel_id, []).append(order.external_id)
    return {
        (channel_id, external_id): refunds
        for channel_id, ids in by_channel.items()
        for external_id, refunds in refunds_of(tx, channel_id, ids).items()
    }


def _judged(
    ctx: Context, order: KnownOrder, refunds: Sequence[KnownRefund], has_bad_line: bool, unread: str
) -> KnownOrder:
    channel = ctx.channels.get(order.channel_id)
    order = with_refunds(order, refunds, net=channel.nets_refunds if channel else None)
    needs_address = asks_for_address(channel, order) if channel else "incomplete_address" in order.holds
    holds = hold_reasons(
        order,
        refunds=refunds,
        bad_lines=has_bad_line,
        needs_address=needs_address,
        operator=order.holds.get("operator"),
        unread=unread,
    )
    return replace(order, holds=holds)


def _note(
    tx: Tx,
    changes: Sequence[Change],
    outcome: Outcome,
    event: str,
    actor: str,
    details: Mapping[int, Mapping[str, Any]],
) -> None:
    events = []
    for change in changes:
        order = change.after
        facts: dict[str, Any] = {**details[order.id], "phase": phase(order), **order_change(change.before, order)}
        if order.holds:
            facts["held"] = dict(order.holds)
        if order.id in outcome.takes:
            facts["takes"] = [take_detail(take) for take in outcome.takes[order.id]]
        if outcome.short.get(order.id):
            facts["backordered"] = outcome.short[order.id]
        events.append(Event(kind=event, order_id=order.id, channel_id=order.channel_id, detail=facts, actor=actor))
    write_events(tx, events)


def remapped(tx: Tx, ctx: Context, known: Iterable[KnownOrder]) -> list[tuple[KnownOrder, KnownOrder]]:
    """Return the orders of which a line is mapped now that was not, with and without the mapping."""
    by_channel: dict[int, list[KnownOrder]] = {}
    for order in known:
        by_channel.setdefault(order.channel_id, []).append(order)
    found: list[tuple[KnownOrder, KnownOrder]] = []
    for channel_id, orders in by_channel.items():
        things = {
            Thing(line.channel_sku, line.item_ref): line.title
            for order in orders
            for line in order.lines
            if not line.parts
        }
        mapped = map_things(tx, channel_id, things)
        note_listings(tx, channel_id, things, mapped, lines=[line for order in orders for line in order.lines])
        for order in orders:
            after = replace(order, lines=tuple(map_line(line, mapped) for line in order.lines))
            if after != order:
                found.append((order, after))
    return found
