"""What making releases of paid orders costs: at desks, from orders that hold their units to releases that people have.

Beside it as floor: taking the same orders in and allocating them.
"""

import time
from dataclasses import replace

from erpsync.flows.warehouses.release import release_ready
from tests.bench.goods import Sale
from tests.bench.trader import Bench


def released(made: Bench, found: list[Sale], size: int) -> float:
    """Return the seconds that releases of the sales need, which were taken in before."""
    made.ingest(found, size)
    ctx = made.ctx
    desks = {id: replace(policy, desk=True) for id, policy in ctx.warehouses.items()}
    at_desks = replace(ctx, warehouses=desks)
    began, count = time.perf_counter(), 0
    while some := release_ready(at_desks):
        count += some
    took = time.perf_counter() - began
    assert count >= len(found)
    return took
