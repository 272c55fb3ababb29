"""Why ready orders are in no release: of all of them at once, in the sentences that are said of each."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection

from erpsync.flows.context import Context
from erpsync.flows.explain.leaving import stays_because
from erpsync.flows.warehouses.planning import Planned
from erpsync.flows.warehouses.releasable import read_to_the_end, releasable
from erpsync.flows.warehouses.release import plan_page, served
from erpsync.store.cursors import read_cursors
from erpsync.store.orders import read_orders
from erpsync.store.registry import warehouse_ids
from erpsync.store.views.values import Json

FIRST = 5
"""So many orders are named for each reason; how many there are is said of all."""

Why = tuple[str, str, str]
"""A reason as a code, the warehouse where the units lie, empty for any, and the sentence."""


@dataclass(slots=True)
class _Staying:
    """Orders by the reason why they stay; each counts once for each of its reasons."""

    orders: dict[Why, dict[int, str]] = field(default_factory=dict)

    def add(self, why: Why, id: int, number: str) -> None:
        self.orders.setdefault(why, {})[id] = number

    def said(self) -> Iterator[Json]:
        for (code, place, text), orders in sorted(self.orders.items(), key=lambda each: (-len(each[1]), each[0])):
            first = [orders[id] for id in sorted(orders)[:FIRST]]
            yield {"reason": code, "warehouse": place or None, "text": text, "orders": len(orders), "first": first}


def why_orders_stay(ctx: Context) -> list[Json]:
    """Return why ready orders with units in warehouses that are served stay there, what most stay for first.

    An order that is held or lacks units is not ready. `first` are the numbers of the oldest; nothing is changed.
    """
    run, found, after = served(ctx), _Staying(), 0
    if not run:
        return []
    with ctx.store.read() as connection:
        codes = {id: code for code, id in warehouse_ids(connection).items()}
        _unread(connection, ctx, run, found)
    while (planned := plan_page(ctx, run, after)) is not None:
        page, waiting, after = planned
        for id in waiting:
            text = "it waits for another order to its recipient"
            found.add(("sibling", "", text), id, page.orders[id].number)
        _planned(page, run, codes, found)
    return list(found.said())


def _planned(page: Planned, run: set[int], codes: dict[int, str], found: _Staying) -> None:
    for stay in page.plan.stays:
        if stay.warehouse_id not in run:
            continue
        code = codes.get(stay.warehouse_id, "")
        text = stays_because(stay.because, code)
        if text:
            found.add((stay.because.code.value, code, text), stay.order_id, page.orders[stay.order_id].number)


def _unread(connection: Connection, ctx: Context, run: set[int], found: _Staying) -> None:
    """Add the orders of channels whose refunds are not known to the end."""
    read = read_to_the_end(ctx, read_cursors(connection))
    for channel in ctx.sellers:
        if channel.id in read:
            continue
        shop = channel.name
        text = f"nothing is handed over before the refunds of {shop} were read to the end"
        # Scans orders, hold: those that are ready, and what is held of them.
        for query in releasable(ctx, run, [channel.id]):
            for id, order in read_orders(connection, list(connection.execute(query).scalars())).items():
                found.add(("refunds", "", text), id, order.number)
