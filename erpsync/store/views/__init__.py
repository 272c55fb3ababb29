"""What people and programs are shown: read models as plain JSON values, made by a few set-based queries per page.

Why apart from the tables that flows write: the shapes here are promises to scripts, and a column may change without
breaking one. Nothing here holds personal data.
"""

from erpsync.store.views.attention import list_dead, list_tasks
from erpsync.store.views.catalogue import list_bundles, list_listings, list_stock, list_unknown_stock
from erpsync.store.views.orders import (
    STATUSES,
    OrderFilter,
    find_order,
    iter_orders,
    list_orders,
    order_status,
    show_order,
)
from erpsync.store.views.places import list_channels, show_channel
from erpsync.store.views.shipments import list_shipments
from erpsync.store.views.sku_story import tell_sku
from erpsync.store.views.story import tell_order
from erpsync.store.views.trail import TrailFilter, iter_trail
from erpsync.store.views.values import NotFound, iso

__all__ = [
    "STATUSES",
    "NotFound",
    "OrderFilter",
    "TrailFilter",
    "find_order",
    "iso",
    "iter_orders",
    "iter_trail",
    "list_bundles",
    "list_channels",
    "list_dead",
    "list_listings",
    "list_orders",
    "list_shipments",
    "list_stock",
    "list_tasks",
    "list_unknown_stock",
    "order_status",
    "show_channel",
    "show_order",
    "tell_order",
    "tell_sku",
]
