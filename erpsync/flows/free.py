"""Which units may be promised, after what warehouses keep back."""

from collections.abc import Mapping

from erpsync.core.allocation import Place
from erpsync.flows.house import House
from erpsync.store.book import Book
from erpsync.store.policies import AS_CONFIGURED, Keep


def free_units(book: Book, house: House, kept: Mapping[Place, Keep]) -> dict[Place, int]:
    """Return the units of each place with a stock row that may be promised now; `kept` is what people have set."""
    free: dict[Place, int] = {}
    for place in book.known_places():
        policy = house.warehouses.get(place.warehouse_id)
        if policy is not None:
            keep = kept.get(place, AS_CONFIGURED)
            safety = policy.safety_stock if keep.safety is None else keep.safety
            free[place] = 0 if keep.paused else book.available(place, safety)
    return free
