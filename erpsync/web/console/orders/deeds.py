"""What people decide about orders, one or many at once: hold, release, cancel."""

from collections.abc import Callable
from functools import partial

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.actions import cancel_order, end_hold, hold_order
from erpsync.sdk.text import storable
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said, each
from erpsync.web.console.kit import Kit

MOST_ORDERS = 500
MOST_REASON_CHARS = 500


class Deeds:
    """Decisions on the orders that are chosen on the page a form stands on."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        act = self._kit.door.act
        return [
            act("/orders/cancel", self.cancel, role="operate"),
            act("/orders/hold", self.hold, role="operate"),
            act("/orders/release", self.release, role="operate"),
        ]

    def hold(self, visit: Visit) -> Response:
        """Keep orders from leaving."""
        return self._kit.acts.carry_out(visit, partial(self._hold, visit), again=True)

    def release(self, visit: Visit) -> Response:
        """End the holds of people."""
        return self._kit.acts.carry_out(visit, partial(self._release, visit), again=True)

    def cancel(self, visit: Visit) -> Response:
        """Give up what has not left."""
        return self._kit.acts.carry_out(visit, partial(self._cancel, visit), again=True)

    def _hold(self, visit: Visit, ctx: Context) -> Said:
        reason = reason_of(visit)
        act = partial(hold_order, ctx, reason=reason, actor=visit.actor)
        return _said(visit, act, lambda number: f"order {number} is held", lambda count: f"{count} orders are held")

    def _release(self, visit: Visit, ctx: Context) -> Said:
        return _said(
            visit,
            partial(end_hold, ctx, actor=visit.actor),
            lambda number: f"the hold of order {number} is ended",
            lambda count: f"the holds of {count} orders are ended",
        )

    def _cancel(self, visit: Visit, ctx: Context) -> Said:
        reason, known = reason_of(visit), set[str]()

        def cancel(order: str) -> None:
            if cancel_order(ctx, order, reason=reason, actor=visit.actor):
                known.add(order)

        def one(number: str) -> str:
            if number not in known:
                return f"what had not left of order {number} is cancelled"
            return f"what had not left of order {number} is cancelled; cancel it on the channel too"

        return _said(
            visit,
            cancel,
            one,
            lambda count: f"what had not left of {count} orders is cancelled; cancel them on their channels too",
        )


def reason_of(visit: Visit) -> str:
    """Return why something is done; raises `Refused` where nothing, or far too much, is said."""
    reason = short_reason(visit)
    if not reason:
        raise Refused("a reason is needed: it is kept with the order")
    return reason


def short_reason(visit: Visit) -> str:
    """Return why something is done, "" where nothing is said; raises `Refused` where far too much is."""
    reason = " ".join(storable(visit.form.text("reason")).split())
    if len(reason) > MOST_REASON_CHARS:
        raise Refused(f"the reason has {MOST_REASON_CHARS} characters at most")
    return reason


def _said(visit: Visit, act: Callable[[str], None], one: Callable[[str], str], more: Callable[[int], str]) -> Said:
    chosen = visit.form.all("order")
    if not chosen:
        raise Refused("no order is chosen: tick those that are meant")
    if len(chosen) > MOST_ORDERS:
        raise Refused(f"{MOST_ORDERS} orders at most can be decided on at once")
    done, refused = each(chosen, act)
    if len(done) > 1:
        return Said(text=more(len(done)), refused=refused)
    return Said(text=one(done[0]) if done else "", refused=refused)
