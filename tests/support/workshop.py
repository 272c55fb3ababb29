"""A town that makes mugs to order: components in RM, work in WIP, finished ones in SH, which is a desk."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import select

from erpsync.core.policy import ProductionPolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.flows.production.boms import BomRow, activate, import_boms
from erpsync.flows.production.netting import make_due
from erpsync.store.db.bulk import insert_many
from erpsync.store.registry import make_skus
from erpsync.store.tables import backorder, hold, item, supply, variant, work_part
from tests.support import looking, walk
from tests.support.shop import Town

PLACES = (
    WarehousePolicy(id="SH", desk=True),
    WarehousePolicy(id="RM", sellable=False),
    WarehousePolicy(id="WIP", sellable=False),
)
PRODUCTION = ProductionPolicy(components=("RM",), wip="WIP", out="SH", over_percent=10)


def open_workshop(make_town: Callable[..., Town], *, town: Town | None = None, **policy: Any) -> Town:
    """Return a shop whose mugs are made of a blank and three grams of ink, engraved and packed; a restart of `town`."""
    opened = make_town(warehouses=PLACES, town=town)
    opened.ctx = opened.ctx.with_production(replace(PRODUCTION, **policy))
    if town is None:
        teach(opened, "MUG", BLANK=1, INK=3)
        make_to_order(opened, "MUG")
    return opened


def teach(town: Town, sku: str, *, version: str = "1", **components: int) -> None:
    """Let a SKU be made of these in two steps, from now on."""
    parts = [BomRow(sku=sku, version=version, component=code, qty=qty) for code, qty in components.items()]
    steps = [BomRow(sku=sku, version=version, step_no=no, name=name) for no, name in ((1, "engrave"), (2, "pack"))]
    rows = [replace(row, source=f"bom.csv:{line}") for line, row in enumerate([*parts, *steps], 2)]
    assert import_boms(town.ctx, rows, actor="me").refused == []
    activate(town.ctx, sku, version, actor="me")


def make_to_order(town: Town, *skus: str) -> None:
    """Let SKUs be made when they are ordered."""
    with town.store.begin() as tx:
        ids = make_skus(tx, skus)
        insert_many(tx, item, [{"sku_id": ids[code], "supply": "make", "make_for": "order"} for code in skus])


def make_variant(town: Town, code: str, base: str = "MUG") -> None:
    """Let a SKU be a base SKU as somebody wants it."""
    with town.store.begin() as tx:
        ids = make_skus(tx, [code, base])
        insert_many(tx, variant, [{"sku_id": ids[code], "base_id": ids[base], "digest": code.encode()}])


def stock_up(town: Town, **units: int) -> None:
    """Count components in RM."""
    for sku, on_hand in units.items():
        counts.set_stock(town.ctx, warehouse="RM", sku=sku, on_hand=on_hand, actor="me")


def order(town: Town, name: str, qty: int = 1, *, sku: str = "MUG") -> None:
    """Let a buyer pay an order, and read it."""
    town.shop.place(name, (sku, qty))
    walk.read(town)


def net(town: Town) -> int:
    """Bring work orders to what is wanted until nothing is left to do; return how many were changed."""
    done = 0
    while changed := make_due(town.ctx):
        done += changed
    return done


def works(town: Town) -> list[tuple[int, str]]:
    """Return quantity and state of all work orders, the oldest first."""
    return [(qty, state) for qty, state in looking.rows(town, select(supply.c.qty, supply.c.state).order_by("id"))]


def number(town: Town, place: int = 0) -> str:
    """Return the number of a work order, by its place in the order in which they were made."""
    return str(looking.rows(town, select(supply.c.number).order_by(supply.c.id))[place][0])


def of_works(town: Town) -> tuple[int, int]:
    """Return the units that work orders hold, and those that they wait for."""
    held, short = (
        looking.rows(town, select(table.c.qty).where(table.c.owner_kind == "work")) for table in (hold, backorder)
    )
    return sum(qty for (qty,) in held), sum(qty for (qty,) in short)


def problems(town: Town) -> list[str]:
    """Return what must not be: sums of reports and parts that differ, holds of work that ended, counters that do."""
    return [*looking.problems(town), *_of_reports(town), *_of_parts(town), *_of_ended(town)]


def _of_reports(town: Town) -> list[str]:
    query = """
        SELECT s.number, w.no FROM work_step w JOIN supply s ON s.id = w.supply_id
        LEFT JOIN (SELECT supply_id, step_no,
                          SUM(CASE WHEN undoes_id IS NULL THEN good_qty ELSE -good_qty END) AS good,
                          SUM(CASE WHEN undoes_id IS NULL THEN scrap_qty ELSE -scrap_qty END) AS scrap
                   FROM report GROUP BY supply_id, step_no) r ON r.supply_id = w.supply_id AND r.step_no = w.no
        WHERE w.good_qty <> COALESCE(r.good, 0) OR w.scrap_qty <> COALESCE(r.scrap, 0)
    """
    sums = """
        SELECT s.number FROM supply s JOIN work_step w ON w.supply_id = s.id
        GROUP BY s.id, s.number, s.lost_qty HAVING s.lost_qty <> SUM(w.scrap_qty)
    """
    steps = [f"step {no} of {name} is not the sum of its reports" for name, no in looking.rows(town, query)]
    return steps + [f"what {name} lost is not the sum of its steps" for (name,) in looking.rows(town, sums)]


def _of_parts(town: Town) -> list[str]:
    in_work = (
        work_part.c.issued_qty - work_part.c.used_qty - work_part.c.scrapped_qty - work_part.c.returned_qty
    ).label("qty")
    query = select(supply.c.number, work_part.c.supply_id, work_part.c.sku_id, in_work).join(supply)
    wip = select(hold.c.owner_id, hold.c.sku_id, hold.c.qty).where(
        hold.c.owner_kind == "work", hold.c.warehouse_id == town.ctx.warehouse_id("WIP")
    )
    held = {(work, sku): qty for work, sku, qty in looking.rows(town, wip)}
    found = [
        f"{name} has {held.get((work, sku), 0)} of {sku} in work, not {qty}"
        for name, work, sku, qty in looking.rows(town, query)
        if held.pop((work, sku), 0) != qty
    ]
    return found + [f"work {work} holds {qty} of {sku} that it never got" for (work, sku), qty in held.items()]


def _of_ended(town: Town) -> list[str]:
    query = """
        SELECT s.number FROM supply s WHERE s.state IN ('done', 'closed') AND (
            EXISTS (SELECT 1 FROM hold h WHERE h.owner_kind = 'work' AND h.owner_id = s.id)
            OR EXISTS (SELECT 1 FROM backorder b WHERE b.owner_kind = 'work' AND b.owner_id = s.id))
    """
    return [f"{name} has ended and holds or waits" for (name,) in looking.rows(town, query)]
