"""How a line is to be made, said on the page of its order."""

from functools import partial

from starlette.responses import Response

from erpsync.flows.audit.specify import specify, unspecify
from erpsync.flows.context import Context
from erpsync.sdk.text import storable
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit


class Wishes:
    """What is said of lines that are made as buyers want them."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        return [self._kit.door.act("/orders/specify", self.specify, role="operate")]

    def specify(self, visit: Visit) -> Response:
        """Say how a line is to be made, or take that back."""
        return self._kit.acts.carry_out(visit, partial(self._specify, visit), again=True)

    def _specify(self, visit: Visit, ctx: Context) -> Said:
        order, line, name = (visit.form.text(field) for field in ("order", "line", "name"))
        if visit.form.text("clear"):
            unspecify(ctx, order, line, actor=visit.actor)
            return Said(text=f"line {line} of order {order} is made as the channel says")
        specify(ctx, order, line, {name: storable(visit.form.text("value"))}, actor=visit.actor)
        return Said(text=f"line {line} of order {order} is made with the {name} that was said")
