"""Sums that must agree: counters of stock beside what they count."""

from sqlalchemy import func, select

from erpsync.flows.context import Context
from erpsync.flows.operations.upkeep import log
from erpsync.store.tables import (
    hold,
    ledger,
    stock,
)


def verify_counters(ctx: Context) -> list[str]:
    """Return where a counter differs from the sum of its holds or ledger rows; empty when all agree."""
    held = select(hold.c.sku_id, hold.c.warehouse_id, func.sum(hold.c.qty).label("qty")).group_by(
        hold.c.sku_id, hold.c.warehouse_id
    )
    booked = select(ledger.c.sku_id, ledger.c.warehouse_id, func.sum(ledger.c.qty).label("qty")).group_by(
        ledger.c.sku_id, ledger.c.warehouse_id
    )
    # Scans hold, ledger: the proof that the counters are right is that all of it was added up.
    with ctx.store.read() as connection:
        counted = {(r.sku_id, r.warehouse_id): (r.on_hand, r.reserved) for r in connection.execute(select(stock))}
        holds = {(r.sku_id, r.warehouse_id): int(r.qty) for r in connection.execute(held)}
        sums = {(r.sku_id, r.warehouse_id): int(r.qty) for r in connection.execute(booked)}
    wrong = []
    for place in sorted(counted.keys() | holds.keys() | sums.keys()):
        on_hand, reserved = counted.get(place, (0, 0))
        if on_hand != sums.get(place, 0):
            wrong.append(f"sku {place[0]} in warehouse {place[1]}: on hand {on_hand}, ledger {sums.get(place, 0)}")
        if reserved != holds.get(place, 0):
            wrong.append(f"sku {place[0]} in warehouse {place[1]}: reserved {reserved}, holds {holds.get(place, 0)}")
    for line in wrong:
        log.error("counters.differ", difference=line, action="report this defect; stock keeps its guard")
    return wrong
