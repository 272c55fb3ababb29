"""The filters of the list of orders that a user keeps under a name."""

from functools import partial

from starlette.responses import Response

from erpsync.flows.access.views import delete_view, keep_view
from erpsync.flows.context import Context
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.filters import wanted_of

VIEWS_OF = "orders"


class KeptViews:
    """Keeping and deleting views: each user has their own, whatever their role."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        act = self._kit.door.act
        return [
            act("/orders/views/delete", self.delete_view, role="read"),
            act("/orders/views/keep", self.keep_view, role="read"),
        ]

    def keep_view(self, visit: Visit) -> Response:
        """Keep the filters that are set."""
        return self._kit.acts.carry_out(visit, partial(self._keep, visit))

    def delete_view(self, visit: Visit) -> Response:
        """Forget a view."""
        return self._kit.acts.carry_out(visit, partial(self._delete, visit))

    def _keep(self, visit: Visit, ctx: Context) -> Said:
        form, user = visit.form, visit.visitor.user_id
        query = wanted_of({name: form.text(name) for name in form.values}).query
        view = keep_view(ctx, user, VIEWS_OF, name=form.text("view"), query=query)
        return Said(text=f"the view “{view}” is kept")

    def _delete(self, visit: Visit, ctx: Context) -> Said:
        view = visit.form.text("view")
        delete_view(ctx, visit.visitor.user_id, VIEWS_OF, name=view)
        return Said(text=f"the view “{view}” is deleted")
