"""Parcels of many orders at once: one courier, and a tracking number for each order, typed or scanned."""

from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.sdk.carriers import CARRIERS
from erpsync.store.views.goods import titles_of
from erpsync.store.views.orders import list_numbered
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said, each
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.shipping import record, tracking_in

MOST_PARCELS = 200


class ShipMany:
    """The form for the parcels of the chosen orders, and what records them."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses; what is chosen comes in a form, whose keys must not stand in an address."""
        act = self._kit.door.act
        return [
            act("/orders/ship-chosen", self.ask, role="operate"),
            act("/orders/ship-many", self.ship_many, role="operate"),
        ]

    def ask(self, visit: Visit) -> Response:
        """Answer the form: a row for each chosen order of which something is to leave."""
        chosen = visit.form.all("order")
        if not chosen:
            raise Refused("no order is chosen: tick those that are meant")
        if len(chosen) > MOST_PARCELS:
            raise Refused(f"{MOST_PARCELS} parcels at most can be recorded at once")
        with self._kit.site.store.read() as connection:
            found = {order["number"]: order for order in list_numbered(connection, chosen)}
            titles = titles_of(connection, list(found))
        orders = [found[number] for number in dict.fromkeys(chosen) if number in found]
        page = {
            "open": [order for order in orders if _left(order)],
            "over": [order["number"] for order in orders if not _left(order)],
            "titles": titles,
            "carriers": CARRIERS.values(),
        }
        return self._kit.pages.answer("orders/ship_many.html", page, visit)

    def ship_many(self, visit: Visit) -> Response:
        """Record a parcel of each order that a tracking number was given for, with all that is left of it."""
        return self._kit.acts.carry_out(visit, partial(self._ship_many, visit), to="/orders", again=True)

    def _ship_many(self, visit: Visit, ctx: Context) -> Said:
        numbers, typed = visit.form.all("order"), visit.form.all("tracking")
        if len(numbers) != len(typed):
            raise HTTPException(400, "this form is not one of our pages: load the page anew, and send it again")
        parcels = {number: text for number, text in zip(numbers, typed, strict=True) if text.strip()}
        if not parcels:
            raise Refused("no tracking number was given")
        if len(parcels) > MOST_PARCELS:
            raise Refused(f"{MOST_PARCELS} parcels at most can be recorded at once")
        carrier = visit.form.text("carrier")

        def ship(number: str) -> None:
            tracking = tracking_in(parcels[number])
            record(ctx, order=number, carrier=carrier, tracking=tracking, actor=visit.actor)

        done, refused = each(parcels, ship)
        one, many = "1 parcel is recorded, and its channel is told", f"{len(done)} parcels are recorded, and told"
        return Said(text=many if len(done) > 1 else one if done else "", refused=refused)


def _left(order: Json) -> bool:
    """Whether something of an order is still to leave."""
    open_lines = (line["qty"] > line["cancelled_qty"] + line["shipped_qty"] for line in order["lines"])
    return order["status"] != "cancelled" and any(open_lines)
