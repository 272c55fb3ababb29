"""The one way an order is decided: its refunds taken off, its holds judged, its stock planned, its event written.

Why one way: a newer view of a channel, a person, a parcel and a mapping all want an order otherwise than it is, and
whatever follows from an order follows from it whoever wanted it.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from erpsync.core.milestones import milestones
from erpsync.core.movements import Movement
from erpsync.core.order_holds import hold_reasons, until_ended
from erpsync.core.orders import KnownLine, KnownOrder, Origin, phase, with_shipped
from erpsync.core.own_lines import with_own_lines
from erpsync.core.refunds import with_refunds
from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.allocation.changes import Change, Outcome
from erpsync.flows.allocation.departures import Departure
from erpsync.flows.allocation.order_lines import take_detail
from erpsync.flows.context import Channel, Context
from erpsync.flows.orders.changed import order_change
from erpsync.flows.orders.hold_reasons import asks_for_address, free_shipments, frees
from erpsync.flows.orders.refunds import Refunds, close_placed, refunds_by_order
from erpsync.flows.records.unread import unread_of
from erpsync.flows.rules.judging import rule
from erpsync.flows.specs.reading import Specified, with_specs
from erpsync.sdk.types import Recipient
from erpsync.store.db.store import Tx
from erpsync.store.dead_letters import open_line_letters
from erpsync.store.events import Event, write_events
from erpsync.store.orders import update_orders
from erpsync.store.sku_mapping import Mapped, Thing, map_line, map_things, note_listings

Tell = Callable[[Change, Outcome], Event | None]
"""What the event of an order says; None where nothing is worth one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What is known beside orders, by their ids: refunds, which have bad lines, what was not understood of them.

    `bad_specs` are what of them cannot be made as it was written.
    """

    refunds: Refunds
    bad_lines: Collection[int]
    unread: Mapping[int, str]
    bad_specs: Mapping[int, str] = field(default_factory=dict)


def decide(channel: Channel | None, wanted: Change, beside: Beside) -> Change:
    """Return the order as it is to be, where `wanted` has it as somebody wants it; what `left` is not off it yet.

    Args:
        channel: None when it is configured no more.
    """
    shipped, refunds = with_shipped(wanted.after, wanted.left), beside.refunds.get(wanted.after.id, ())
    order = with_own_lines(with_refunds(shipped, refunds, net=channel.nets_refunds if channel else None))
    holds = hold_reasons(
        order,
        refunds=refunds,
        bad_lines=order.id in beside.bad_lines,
        needs_address=asks_for_address(channel, order),
        by_hand=until_ended(order.holds),
        unread=beside.unread.get(order.id, ""),
        bad_spec=beside.bad_specs.get(order.id, ""),
    )
    return replace(wanted, after=replace(order, holds=holds))


def tell_all(
    tx: Tx,
    changes: Sequence[Change],
    outcome: Outcome,
    tell: Tell,
    *,
    refunded: Collection[str] = (),
    granted: Collection[int] = (),
) -> None:
    """Write the events of orders whose stock is planned, and have the gate rule anew on what was set free.

    Args:
        refunded: external ids of orders of which a refund is new.
        granted: ids of orders of which a refund was granted now.
    """
    events: list[Event] = []
    for change in changes:
        told = tell(change, outcome)
        events += [] if told is None else [told]
        events += _reached(change, outcome, told, refunded=change.after.id in granted)
    write_events(tx, events)
    free_shipments(tx, [change.after.id for change in changes if frees(change, refunded)])


def _reached(change: Change, outcome: Outcome, told: Event | None, *, refunded: bool) -> Iterator[Event]:
    """Yield the events of what an order has reached by a decision that its own event does not name."""
    order = change.after
    lacks = outcome.lacks.get(order.id, {})
    for kind, detail in milestones(change.before, order, lacks=lacks, refunded=refunded):
        if told is None or told.kind != kind:
            actor = told.actor if told else ""
            yield Event(kind=kind, order_id=order.id, channel_id=order.channel_id, detail=detail, actor=actor)


def event_detail(change: Change, outcome: Outcome, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Return the detail of an event with what that of any order says: from what to what, its holds, its units."""
    order = change.after
    told = {**detail, **order_change(change.before, order)}
    if order.holds:
        told["held"] = dict(order.holds)
    if order.id in outcome.takes:
        told["takes"] = takes_of(order, outcome)
    if outcome.short.get(order.id):
        told["backordered"] = outcome.short[order.id]
    return told


def spec_detail(specified: Specified, order_id: int) -> dict[str, Any]:
    """Return what an event says of how an order's lines are made: where each parameter was read, never the text."""
    sources = specified.sources.get(order_id)
    return {"specs": sources} if sources else {}


def takes_of(order: KnownOrder, outcome: Outcome) -> list[dict[str, int]]:
    """Return the units that an order was given, as an event holds them."""
    return [take_detail(take) for take in outcome.takes.get(order.id, ())]


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
    people: Mapping[int, Recipient] | None = None,
    for_rules: bool = False,
    respecify: Collection[int] = (),
) -> Outcome:
    """Write orders (before, as a person or a mapping wants them), their holds judged anew, and plan their stock.

    Args:
        people: by order id, who gets it, where that is new.
        for_rules: they are looked at for the sake of rules alone: those that come out as they are leave no trace.
        detail: for the event of every order; `details` by order id for its own.
        leaving: by order id, the channel units per line id that leave now in a parcel of ours.
        departures: by order id, where and when they left, if a warehouse reports it.
        respecify: ids of lines that are to be read again for how they are made.
    """
    stored = {before.id: before for before, _ in decided}
    specified = with_specs(
        tx, ctx, [order for _, order in decided], stored, anew=respecify, leaving=(leaving or {}).keys()
    )
    orders = specified.orders
    refunds = refunds_by_order(tx, orders)
    bad = open_line_letters(tx, [order.id for order in orders])
    beside = Beside(refunds=refunds, bad_lines=bad, unread=unread_of(tx, orders), bad_specs=specified.bad)
    changes = []
    for order in orders:
        units, departure = (leaving or {}).get(order.id, {}), (departures or {}).get(order.id)
        wanted = Change(before=stored[order.id], after=order, leaving=units, departure=departure)
        changes.append(decide(ctx.seller(order.channel_id), wanted, beside))
    ruled = rule(tx, ctx, changes, people=people or {}, again=for_rules)
    changes = [it for it in ruled.changes if it.ruled or it.after != it.before] if for_rules else ruled.changes
    if for_rules and not changes:
        ruled.write(tx)
        return Outcome(takes={}, short={}, tasks=())

    def tell(change: Change, outcome: Outcome) -> Event:
        order = change.after
        said = {**(detail or {}), **(details or {}).get(order.id, {}), **change.ruled, "phase": phase(order)}
        said |= spec_detail(specified, order.id)
        told = event_detail(change, outcome, said)
        return Event(kind=event, order_id=order.id, channel_id=order.channel_id, detail=told, actor=actor)

    update_orders(tx, [(change.before, change.after) for change in changes if change.before is not None])
    ruled.write(tx)
    outcome = allocate(tx, ctx, changes, movements=movements, also=also, actor=actor)
    tell_all(tx, changes, outcome, tell)
    close_placed(tx, changes, refunds)
    return outcome


def map_orders(
    tx: Tx, channel_id: int, orders: Sequence[KnownOrder], *, before: Iterable[KnownOrder] = ()
) -> tuple[list[KnownOrder], set[int]]:
    """Return orders of a channel with lines mapped that were not, and the SKUs that are listed for the first time.

    Args:
        before: the same orders as they are stored, whose SKUs are planned in this transaction as well.
    """
    unmapped = [line for order in orders for line in order.of_channel if not line.parts]
    things = {Thing(line.channel_sku, line.item_ref): line.title for line in unmapped}
    if not things:
        return list(orders), set()
    mapped = map_things(tx, channel_id, things)
    lines = [line for order in (*orders, *before) for line in order.of_channel]
    listed = note_listings(tx, channel_id, things, mapped, lines=lines)
    return [replace(order, lines=tuple(_map_line(line, mapped) for line in order.lines)) for order in orders], listed


def _map_line(line: KnownLine, mapped: Mapping[Thing, Mapped]) -> KnownLine:
    return map_line(line, mapped) if line.origin is Origin.CHANNEL else line


def remapped(tx: Tx, ctx: Context, stored: Iterable[KnownOrder]) -> list[tuple[KnownOrder, KnownOrder]]:
    """Return the orders of which a line is mapped now that was not, without and with the mapping."""
    by_channel: dict[int, list[KnownOrder]] = {}
    for order in stored:
        by_channel.setdefault(order.channel_id, []).append(order)
    pairs: list[tuple[KnownOrder, KnownOrder]] = []
    for channel_id, orders in by_channel.items():
        pairs += zip(orders, map_orders(tx, channel_id, orders)[0], strict=True)
    return [(before, after) for before, after in pairs if after != before]
