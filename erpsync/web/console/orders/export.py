"""Orders as a CSV file for whoever sits at the console: all of a filter, or those that are ticked."""

from collections.abc import Iterator

from starlette.responses import Response, StreamingResponse

from erpsync.flows.errors import Refused
from erpsync.flows.exports.cells import Manner
from erpsync.flows.exports.orders import Page, chosen, pages_of, written
from erpsync.store.views.orders import STATUSES
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import MOST_ORDERS
from erpsync.web.console.orders.filters import wanted_of
from erpsync.web.spoken import spoken


class Export:
    """The orders of a filter, or those that are chosen, as a file."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses; what is chosen comes in a form, whose keys must not stand in an address."""
        door = self._kit.door
        return [
            door.page("/orders/export", self.export, role="read"),
            door.act("/orders/export", self.export_chosen, role="read"),
        ]

    def export(self, visit: Visit) -> Response:
        """Answer all orders that the filters of the address fit."""
        wanted = wanted_of(visit.request.query_params).filter(self._kit.site.ctx().timezone)
        if wanted.status is not None and wanted.status not in STATUSES:
            raise Refused(f"there is no status “{wanted.status}”")
        return self._file(pages_of(self._kit.site.store, wanted))

    def export_chosen(self, visit: Visit) -> Response:
        """Answer the orders that are ticked."""
        ticked = visit.form.all("order")
        if not ticked:
            raise Refused("no order is chosen: tick those that are meant")
        if len(ticked) > MOST_ORDERS:
            raise Refused(f"{MOST_ORDERS} orders at most can be chosen at once; a filter exports any number")
        return self._file(chosen(self._kit.site.store, list(ticked)))

    def _file(self, pages: Iterator[Page]) -> Response:
        ctx, now = self._kit.site.ctx(), self._kit.site.store.clock.now()
        name = f"orders-{now.astimezone(ctx.timezone):%Y-%m-%d-%H%M}.csv"
        headers = {"Content-Disposition": f'attachment;filename="{name}"'}
        pieces = written(pages, Manner(speech=spoken(), zone=ctx.timezone))
        return StreamingResponse((piece.content for piece in pieces), media_type="text/csv", headers=headers)
