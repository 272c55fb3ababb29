"""The list of orders, by filters that stand in its address."""

from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from erpsync.core.order_holds import ORDER_HOLDS
from erpsync.core.phones import spellings
from erpsync.flows.context import Channel
from erpsync.sdk.roles import OrderReader
from erpsync.store.registry import OWN_ID
from erpsync.store.saved_views import list_views
from erpsync.store.views import list_orders
from erpsync.store.views.goods import titles_of
from erpsync.store.views.order_counts import count_open
from erpsync.store.views.orders import OPEN_STATUSES, STATUSES
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import SAID
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.filters import NAMES, wanted_of
from erpsync.web.console.orders.find import text_page
from erpsync.web.console.orders.kept_views import VIEWS_OF

PAGE = 50
ORDERLY = (*OPEN_STATUSES, *(status for status in STATUSES if status not in OPEN_STATUSES))
"""Statuses as they stand beside the list: what somebody may have to do with first."""


def _has_orders(channel: Channel) -> bool:
    """Whether orders may be of a channel, and not only waybills or messages."""
    return channel.id == OWN_ID or channel.connector_kind is None or channel.plays(OrderReader)


class Orders:
    """All orders, page by page."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        page = self._kit.door.page
        return [
            page("/orders", self.orders, role="read"),
            *(page(f"/orders/{word}", self.back_to_orders, role="read") for word in ("find", "reveal", "ship-chosen")),
        ]

    def orders(self, visit: Visit) -> Response:
        """Answer a page of orders; with `q` what fits this text."""
        asked = visit.request.query_params
        if query := asked.get("q", "").strip():
            return text_page(self._kit, visit, query, phone=bool(spellings(query)))
        wanted, ctx = wanted_of(asked), self._kit.site.ctx()
        after = asked.get("after") or None
        try:
            with self._kit.site.store.read() as connection:
                rows = list_orders(connection, wanted.filter(ctx.timezone), PAGE + 1, after)
                titles = titles_of(connection, [order["number"] for order in rows])
                counts = count_open(connection, wanted["channel"] or None) if wanted.counted else None
                views = list_views(connection, visit.visitor.user_id, VIEWS_OF)
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        page = {
            "orders": rows[:PAGE],
            "more": rows[PAGE - 1]["number"] if len(rows) > PAGE else None,
            "titles": titles,
            "wanted": wanted,
            "filters": NAMES,
            "after": after,
            "counts": counts,
            "views": views,
            "statuses": ORDERLY,
            "reasons": tuple(ORDER_HOLDS),
            "rules": [rule.id for rule in ctx.book.rules if rule.then.hold or rule.then.void],
            "channels": sorted(channel.name for channel in ctx.sellers if _has_orders(channel)),
            "warehouses": sorted(warehouse.id for warehouse in ctx.warehouses.values()),
        }
        return self._kit.pages.answer("orders/orders.html", page, visit)

    def back_to_orders(self, visit: Visit) -> Response:
        """Answer the address of a page that only a form shows: what it held stands in no address."""
        said = visit.request.query_params.get(SAID)
        return RedirectResponse(f"/orders?{urlencode({SAID: said})}" if said else "/orders", 303)
