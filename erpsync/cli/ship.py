"""`ship`, `shipments list` and `shipments correct`."""

from typing import TYPE_CHECKING, Any

from erpsync.cli.app import App
from erpsync.cli.errors import OK, UsageError, one_of
from erpsync.cli.tables import Column

if TYPE_CHECKING:
    from erpsync.flows.shipments.record import ShipLine

Json = dict[str, Any]


def ship(app: App) -> int:
    """Record a parcel that has left."""
    from erpsync.flows.shipments.record import ship as record

    args = app.args
    if args.force and not args.reason:
        raise UsageError("--force needs --reason TEXT: it is kept with the shipment")
    lines = [_line(text) for text in args.line]
    with app.ctx() as ctx:
        result = record(
            ctx,
            order=args.order,
            carrier=args.carrier,
            tracking=args.tracking,
            lines=lines,
            force=args.force,
            reason=args.reason,
            actor=app.actor,
        )
    shown = {"number": result.number, "order": result.order, "repeated": result.repeated}
    done = "was recorded before" if result.repeated else "is recorded"
    app.out.value(shown, f"shipment {result.number} of order {result.order} {done}")
    return OK


_FOLLOWS = {
    "told": "the channel is told",
    "task": "correct it on the channel too, `erpsync tasks list` says where",
    "later": "the channel was not told yet and hears the right one",
    "replay": "the channel refused the parcel: `erpsync dead list`, and `dead replay` tells it anew",
    "kept": "the channel is told of no parcels",
}


def correct(app: App) -> int:
    """Give a parcel another tracking number."""
    from erpsync.flows.shipments.corrections import correct as record

    args = app.args
    with app.ctx() as ctx:
        done = record(ctx, number=args.number, tracking=args.tracking, carrier=args.carrier, actor=app.actor)
    shown = {name: getattr(done, name) for name in ("number", "order", "carrier", "tracking", "follows")}
    travels = f"shipment {done.number} of order {done.order} travels as {done.carrier} {done.tracking}"
    said = _FOLLOWS.get(done.follows)
    app.out.value(shown, f"{travels}; {said}" if said else f"{travels} already")
    return OK


def _line(text: str) -> "ShipLine":
    """Return the line and units of `ID[:QTY]`; what stands behind the last colon counts as units if it is a number."""
    from erpsync.flows.shipments.record import ShipLine

    name, colon, units = text.rpartition(":")
    if not colon:
        return ShipLine(line=text, qty=None)
    if not units.isdecimal() or not name:
        raise UsageError(f"--line must be ID or ID:QTY, is {text}")
    if int(units) < 1:
        raise UsageError(f"--line must have 1 unit or more, is {text}")
    return ShipLine(line=name, qty=int(units))


def list_shipments(app: App) -> int:
    """Print shipments, newest first."""
    from erpsync.store.tables import SHIPMENT_STATES
    from erpsync.store.views import find_order
    from erpsync.store.views import list_shipments as shipments

    args, zone = app.args, app.config.timezone
    one_of("--state", args.state, (*SHIPMENT_STATES, "unknown"))
    columns = (
        Column("number", "shipment"),
        Column("channel", "channel"),
        Column("carrier", "carrier"),
        Column("tracking", "tracking"),
        Column("state", "state", "status"),
        Column("waiting_for", "waits for", "word"),
        Column("shipped_at", "left", "instant", zone),
        Column("sent_at", "reported", "instant", zone),
        Column("error", "error", "long"),
    )
    with app.reading() as connection:
        order_id = None if args.order is None else find_order(connection, args.order)
        rows = shipments(connection, channel_name=args.channel, state=args.state, order_id=order_id, limit=args.limit)
    app.out.rows(rows, columns, empty="no such shipment")
    return OK
