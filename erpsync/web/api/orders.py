"""`/orders` and `/shipments`."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlalchemy import Connection
from starlette.responses import Response

from erpsync.flows.audit.report import show_ruled
from erpsync.flows.audit.specify import reveal_specs, specify, unspecify
from erpsync.flows.context import Context
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.orders import actions as decisions
from erpsync.flows.orders.recipient import reveal_recipient
from erpsync.flows.own_orders.create import Created, create_order, key_of
from erpsync.flows.own_orders.form import OwnOrder, OwnRecipient
from erpsync.flows.own_orders.recipient import edit_recipient
from erpsync.flows.shipments.corrections import Corrected, correct
from erpsync.flows.shipments.record import ShipLine, ShipResult, ship
from erpsync.store.views import OrderFilter, find_order, list_orders, list_shipments, show_order
from erpsync.web.api import examples
from erpsync.web.api.deps import Deps, Doing, Reader, TheDeps, answer, page
from erpsync.web.api.models import Correction, Instant, Parcel, Why, Wish
from erpsync.web.api.problems import Problem

router = APIRouter(tags=["orders"])

Name = Annotated[str, Path(description="our order number, or the channel's id")]
Limit = Annotated[int, Query(ge=1, le=500, description="how many at most")]
After = Annotated[str | None, Query(description="`next` of the page before")]


@router.get("/orders", responses=examples.page_of(examples.ORDER_LISTED))
def list_(
    deps: TheDeps,
    access: Reader,
    *,
    channel: Annotated[str | None, Query(description="only of this channel")] = None,
    status: Annotated[str | None, Query(description="only with this status, for example held")] = None,
    sku: Annotated[str | None, Query(description="only with this SKU of ours, also inside bundles")] = None,
    since: Annotated[Instant | None, Query(description="placed at or after this instant")] = None,
    until: Annotated[Instant | None, Query(description="placed before this instant")] = None,
    hold_reason: Annotated[str | None, Query(description="only held for this reason")] = None,
    warehouse: Annotated[str | None, Query(description="only those for which this warehouse holds units now")] = None,
    rule: Annotated[str | None, Query(description="only those that this rule holds now")] = None,
    tag: Annotated[str | None, Query(description="only those with this tag")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Orders without their events, newest first."""
    wanted = OrderFilter(
        channel=channel,
        status=status,
        sku=sku,
        since=since,
        until=until,
        hold_reason=hold_reason,
        warehouse=warehouse,
        rule=rule,
        tag=tag,
    )
    try:
        with deps.reading() as connection:
            rows = list_orders(connection, wanted, limit + 1, after)
    except ValueError as error:
        raise Problem(422, str(error)) from error
    return page(rows[:limit], rows[limit - 1]["number"] if len(rows) > limit else None)


@router.post("/orders", status_code=201, responses=examples.one(examples.CREATED, status=201))
def create(form: OwnOrder, doing: Doing) -> Response:
    """Make an order that no channel knows. The same `key`, or else the same `Idempotency-Key`, is the same order."""

    def act(ctx: Context) -> Created:
        return create_order(ctx, form, actor=doing.actor, key=key_of(doing.name))

    names = ("number", "repeated")
    return doing.answer(act, lambda ctx, done: {name: getattr(done, name) for name in names}, status=201, again=True)


@router.post("/orders/{order}/recipient", responses=examples.one(examples.ORDER))
def edit(order: Name, recipient: OwnRecipient, deps: TheDeps, doing: Doing) -> Response:
    """Send an order that was made here to somebody else, until a warehouse was told of it or a parcel left."""
    name = number_of(deps, order)
    return doing.answer(
        lambda ctx: edit_recipient(ctx, name, recipient, actor=doing.actor),
        lambda ctx, done: show_ruled(ctx, name),
    )


@router.get("/orders/{order}", responses=examples.one(examples.ORDER))
def show(
    order: Name,
    deps: TheDeps,
    access: Reader,
    recipient: Annotated[
        bool,
        Query(
            description="also who bought, who gets it and what they wrote: scope admin only, and leaves an audit event"
        ),
    ] = False,
    spec: Annotated[
        bool, Query(description="also how its lines are made: scope operate, and leaves an audit event")
    ] = False,
) -> Response:
    """One order with its events, and with what the rules in force say of it."""
    shown = show_ruled(deps.ctx, order)
    if recipient:
        if not access.allows("admin"):
            raise Problem(403, f"recipients need a token of scope admin; {access.name} has {access.scope}")
        shown = reveal_recipient(deps.ctx, shown["number"], actor=access.actor).shown_in(shown)
    if spec:
        if not access.allows("operate"):
            raise Problem(403, f"specs need a token of scope operate; {access.name} has {access.scope}")
        specs = reveal_specs(deps.ctx, shown["number"], actor=access.actor)
        shown |= {"lines": [line | {"spec": specs.get(line["external_id"], {})} for line in shown["lines"]]}
    return answer(shown)


@router.get("/orders/{order}/explain", responses=examples.one(examples.EXPLAINED_ORDER))
def explain(order: Name, deps: TheDeps, access: Reader) -> Response:
    """Why one order is as it is: what holds it, where its units are, who comes first, what is not told yet."""
    return answer(explain_order(deps.ctx, order, deps.settings))


def number_of(deps: Deps, name: str) -> str:
    """Return the number of the order that is meant; 404 when there is none."""
    with deps.reading() as connection:
        return str(show_order(connection, name)["number"])


@router.post("/orders/{order}/hold", responses=examples.one(examples.ORDER))
def hold(order: Name, why: Why, deps: TheDeps, doing: Doing) -> Response:
    """Keep an order from leaving; it keeps its units."""
    name = number_of(deps, order)
    return doing.answer(
        lambda ctx: decisions.hold_order(ctx, name, reason=why.reason, actor=doing.actor),
        lambda ctx, done: show_ruled(ctx, name),
    )


@router.put("/orders/{order}/lines/{line}/spec", responses=examples.one(examples.ORDER))
def say_spec(order: Name, line: Name, wish: Wish, deps: TheDeps, doing: Doing) -> Response:
    """Say how a line is to be made, whatever the channel tells of it now or later."""
    name = number_of(deps, order)
    return doing.answer(
        lambda ctx: specify(ctx, name, line, wish.values, actor=doing.actor),
        lambda ctx, done: show_ruled(ctx, name),
    )


@router.delete("/orders/{order}/lines/{line}/spec", responses=examples.one(examples.ORDER))
def take_spec_back(order: Name, line: Name, deps: TheDeps, doing: Doing) -> Response:
    """Take back how a line is to be made; what the channel tells of it counts again."""
    name = number_of(deps, order)
    return doing.answer(
        lambda ctx: unspecify(ctx, name, line, actor=doing.actor),
        lambda ctx, done: show_ruled(ctx, name),
    )


@router.post("/orders/{order}/release", responses=examples.one(examples.ORDER))
def release(order: Name, deps: TheDeps, doing: Doing) -> Response:
    """End a hold set by hand; other reasons stay until they are gone."""
    name = number_of(deps, order)
    return doing.answer(
        lambda ctx: decisions.end_hold(ctx, name, actor=doing.actor),
        lambda ctx, done: show_ruled(ctx, name),
    )


@router.post("/orders/{order}/cancel", responses=examples.one(examples.ORDER))
def cancel(order: Name, why: Why, deps: TheDeps, doing: Doing) -> Response:
    """Cancel what has not left of an order; its units are free at once. The channel is not told."""
    name = number_of(deps, order)
    return doing.answer(
        lambda ctx: decisions.cancel_order(ctx, name, reason=why.reason, actor=doing.actor),
        lambda ctx, done: show_ruled(ctx, name),
    )


@router.post("/orders/{order}/ship", responses=examples.one(examples.SHIPPED))
def ship_(order: Name, parcel: Parcel, deps: TheDeps, doing: Doing) -> Response:
    """Record a parcel that has left; the channel is told. The same carrier and tracking number are one parcel."""
    name = number_of(deps, order)

    def act(ctx: Context) -> ShipResult:
        return ship(
            ctx,
            order=name,
            carrier=parcel.carrier,
            tracking=parcel.tracking,
            lines=[ShipLine(line=line.line, qty=line.qty) for line in parcel.lines],
            force=parcel.force,
            reason=parcel.reason,
            actor=doing.actor,
        )

    return doing.answer(act, lambda ctx, done: _shipped(done), again=True)


def _shipped(done: ShipResult) -> dict[str, Any]:
    return {"number": done.number, "order": done.order, "repeated": done.repeated}


@router.get("/shipments", tags=["shipments"], responses=examples.page_of(examples.SHIPMENT))
def shipments(
    deps: TheDeps,
    access: Reader,
    *,
    channel: Annotated[str | None, Query(description="only of this channel")] = None,
    order: Annotated[str | None, Query(description="only of this order")] = None,
    state: Annotated[str | None, Query(description="only in this state, for example sent")] = None,
    limit: Limit = 100,
    after: After = None,
) -> Response:
    """Parcels that left, newest first."""
    with deps.reading() as connection:
        rows = list_shipments(
            connection,
            channel_name=channel,
            state=state,
            order_id=_id(connection, order),
            limit=limit + 1,
            after=after,
        )
    return page(rows[:limit], rows[limit - 1]["number"] if len(rows) > limit else None)


@router.post("/shipments/{number}/correct", tags=["shipments"], responses=examples.one(examples.CORRECTED))
def correct_(number: Name, said: Correction, doing: Doing) -> Response:
    """Give a parcel its right tracking number.

    `follows`: the channel is `told`, will hear it `later`, or a `task` says what to do there; `replay` its dead letter;
    `kept`, it is told of no parcels; `nothing` has changed.
    """

    def act(ctx: Context) -> Corrected:
        return correct(ctx, number=number, tracking=said.tracking, carrier=said.carrier, actor=doing.actor)

    names = ("number", "order", "carrier", "tracking", "follows")
    return doing.answer(act, lambda ctx, done: {name: getattr(done, name) for name in names}, again=True)


def _id(connection: Connection, order: str | None) -> int | None:
    return None if order is None else find_order(connection, order)
