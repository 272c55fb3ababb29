"""Parcels that people say have left, and the right number for one that was mistyped."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.core.order_holds import standing
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.shipments.corrections import correct
from erpsync.flows.shipments.record import ShipLine, ShipResult, ship
from erpsync.sdk.carriers import CARRIERS
from erpsync.sdk.text import storable
from erpsync.store.views.orders import find_order, list_holds
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import reason_of

MOST_TRACKING_CHARS = 100
MOST_UNITS = 2**31


class Shipping:
    """Recording and correcting parcels."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        act = self._kit.door.act
        return [
            act("/orders/correct", self.correct, role="operate"),
            act("/orders/ship", self.ship, role="operate"),
        ]

    def ship(self, visit: Visit) -> Response:
        """Record a parcel."""
        return self._kit.acts.carry_out(visit, partial(self._ship, visit), again=True)

    def correct(self, visit: Visit) -> Response:
        """Give a parcel another number."""
        return self._kit.acts.carry_out(visit, partial(self._correct, visit), again=True)

    def _ship(self, visit: Visit, ctx: Context) -> Said:
        order, carrier = visit.form.text("order"), visit.form.text("carrier")
        tracking = tracking_in(visit.form.text("tracking"))
        lines, force = list(_lines(visit)), bool(visit.form.text("force"))
        if not lines:
            raise Refused("nothing is in the parcel: say how many units of which line left")
        reason = reason_of(visit) if force else ""
        overruled = {"force": force, "reason": reason}
        done = record(ctx, order=order, carrier=carrier, tracking=tracking, lines=lines, actor=visit.actor, **overruled)
        if done.repeated:
            return Said(text=f"parcel {done.number} was recorded before; nothing has changed")
        if not CARRIERS[carrier].fits(tracking):
            return Said(
                text=f"parcel {done.number} is recorded; look at {tracking} again: {carrier} numbers look otherwise"
            )
        if done.kept:
            return Said(text=f"parcel {done.number} is recorded")
        return Said(text=f"parcel {done.number} is recorded, and the channel is told")

    def _correct(self, visit: Visit, ctx: Context) -> Said:
        number, carrier = visit.form.text("parcel"), visit.form.text("carrier")
        tracking = tracking_in(visit.form.text("tracking"))
        done = correct(ctx, number=number, tracking=tracking, carrier=carrier, actor=visit.actor)
        parcel, travels = done.number, f"{done.carrier} {done.tracking}"
        match done.follows:
            case "told":
                return Said(text=f"parcel {parcel} travels as {travels}; the channel is told")
            case "task":
                return Said(text=f"parcel {parcel} travels as {travels}; correct it on the channel too: a task says so")
            case "later":
                return Said(text=f"parcel {parcel} travels as {travels}; the channel hears this number first")
            case "replay":
                return Said(
                    text=f"parcel {parcel} travels as {travels}; the channel refused it: replay its dead letter"
                )
            case "kept":
                return Said(text=f"parcel {parcel} travels as {travels}; the channel is told of no parcels")
        return Said(text=f"parcel {parcel} travels as {travels} already; nothing has changed")


def record(ctx: Context, *, order: str, **parcel: Any) -> ShipResult:
    """Record a parcel of an order; where a person may overrule a refusal, it says how this is done here."""
    try:
        return ship(ctx, order=order, **parcel)
    except Refused as error:
        if "--force" not in str(error):
            raise
        raise Refused(_way_on(ctx, order)) from error


def tracking_in(typed: str) -> str:
    """Return a tracking number as it was typed or scanned; raises `Refused` for none."""
    tracking = storable(typed).strip()
    if not tracking:
        raise Refused("a tracking number is needed")
    if len(tracking) > MOST_TRACKING_CHARS:
        raise Refused(f"a tracking number has {MOST_TRACKING_CHARS} characters at most")
    return tracking


def _lines(visit: Visit) -> Iterator[ShipLine]:
    """Yield the lines of which units left; those with none are left out."""
    lines, numbers = visit.form.all("line"), visit.form.all("qty")
    if len(lines) != len(numbers):
        raise HTTPException(400, "this form is not one of our pages: load the page anew, and send it again")
    for line, said in zip(lines, numbers, strict=True):
        units = said.strip() or "0"
        if not (units.isascii() and units.isdecimal() and int(units) < MOST_UNITS):
            raise Refused(f"the units of line {line} are a whole number, not “{units}”")
        if int(units):
            yield ShipLine(line=line, qty=int(units))


def _way_on(ctx: Context, name: str) -> str:
    """Return what is said where a parcel of an order is refused for a reason that a person may overrule."""
    with ctx.store.read() as connection:
        reasons = list_holds(connection, find_order(connection, name))
    for reason, hold in standing(reasons):
        if hold.refusal:
            return (
                f"order {name} is held ({reason}); if the parcel has left all the same, tick “It has left all "
                "the same” on the order’s page and say why"
            )
    return (
        f"order {name} is not paid; if the parcel has left all the same, tick “It has left all the same” on the "
        "order’s page and say why"
    )
