"""Which units may be promised, after what warehouses keep back."""

from collections.abc import Mapping

from erpsync.core.allocation import StockKey
from erpsync.flows.context import Context
from erpsync.store.policies import AS_CONFIGURED, Keep
from erpsync.store.stock_book import Book


def free_units(book: Book, ctx: Context, kept: Mapping[StockKey, Keep]) -> dict[StockKey, int]:
    """Return the units of each place with a stock row that may be promised now; `kept` is what people have set."""
    free: dict[StockKey, int] = {}
    for place in book.known_places():
        policy = ctx.warehouses.get(place.warehouse_id)
        if policy is not None:
            keep = kept.get(place, AS_CONFIGURED)
            safety = policy.safety_stock if keep.safety is None else keep.safety
            free[place] = 0 if keep.paused else book.available(place, safety)
    return free
