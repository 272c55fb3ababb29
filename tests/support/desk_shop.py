"""A desk in a shop that `web_shop.fill` filled: releases in every state, a wave under way and one to be printed."""

from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.store import tables
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Store
from tests.support.web_shop import NOW, add

STATES = ("told", "shipped", "recalled", "told", "told", "told", "told")
"""Of each release; the first three are in the wave that was printed, the next two in the other."""


def with_desk(store: Store, ctx: Context, warehouse: str = "GZ") -> Context:
    """Add releases and waves of a warehouse; return the context in which people pick there."""
    place = ctx.warehouse_id(warehouse)
    with store.begin() as tx:
        columns = (tables.order_line.c.id, tables.order_line.c.order_id, tables.order_line.c.sku_id)
        query = select(*columns, tables.order_line.c.qty).where(tables.order_line.c.sku_id.is_not(None))
        lines: dict[int, list[dict[str, int]]] = {}
        for row in tx.all(query.order_by(tables.order_line.c.id)):
            line = {"line_id": row.id, "sku_id": row.sku_id, "qty": row.qty, "units": row.qty}
            lines.setdefault(row.order_id, []).append(line)
        own = {"warehouse_id": place, "actor": "web:lin", "made_at": NOW - timedelta(minutes=50)}
        printed = {"state": "printed", "printed_at": NOW - timedelta(minutes=40)}
        waves = add(tx, tables.wave, {**own, "number": "W202603020001", **printed})
        waves += add(tx, tables.wave, {**own, "number": "W202603020002", "state": "open", "printed_at": None})
        slots = [(waves[0], 1), (waves[0], 2), (waves[0], 3), (waves[1], 1), (waves[1], 2), (None, None), (None, None)]
        for at, (state, (wave_id, slot), order_id) in enumerate(zip(STATES, slots, sorted(lines)[-7:], strict=True), 1):
            ended_at = NOW if state == "shipped" else None
            row = {
                "warehouse_id": place,
                "number": f"R20260302{at:06}",
                "state": state,
                "reason": "",
                "carrier": "SF" if at % 2 else "",
                "service": "",
                "account_id": None,
                "parcels": 1,
                "weight_g": 1200 * at,
                "wave_id": wave_id,
                "slot": slot,
                "made_at": NOW - timedelta(hours=1),
                "told_at": NOW - timedelta(hours=1),
                "printed_at": NOW - timedelta(minutes=40) if at <= 3 else None,
                "ended_at": ended_at,
            }
            [release_id] = add(tx, tables.release, row)
            of_order = {"release_id": release_id, "order_id": order_id, "warehouse_id": place, "part": ""}
            insert_many(tx, tables.release_order, [of_order | {"ended_at": ended_at}])
            held = [{"release_id": release_id, "left_units": 0, **line} for line in lines[order_id]]
            insert_many(tx, tables.release_line, held)
            if at <= 3:
                run = {"paper": "slip", "release_id": release_id, "wave_id": None, "copy": 1, "digest": "0" * 64}
                add(tx, tables.print_run, run | {"reason": "", "actor": "web:lin", "at": NOW - timedelta(minutes=40)})
    desk = replace(ctx.warehouses[place], desk=True)
    return replace(ctx, warehouses={**ctx.warehouses, place: desk})
