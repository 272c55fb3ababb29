"""A town with a desk: people pick and pack in its warehouse what is released there."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.availability import fan_out
from erpsync.flows.availability import push as stock_push
from erpsync.flows.inventory import counts
from erpsync.flows.shipments import push as shipment_push
from erpsync.flows.warehouses import release as releases
from erpsync.store.tables import release
from tests.support.depot import read_shop
from tests.support.shop import Town, build_town

DESK = WarehousePolicy(id="SH", desk=True)


def build_desk(url: str, *, warehouses: Sequence[WarehousePolicy] = (DESK,), **options: Any) -> Town:
    """Return a town whose warehouses are desks, with 10 of A in the first one."""
    town = build_town(url, warehouses=list(warehouses), **options)
    counts.set_stock(town.ctx, warehouse=warehouses[0].id, sku="A", on_hand=10, actor="me")
    return town


def work(town: Town, *, shop: bool = True) -> None:
    """Read the shop, make and stop releases, and tell the shop, until nothing is due."""
    if shop:
        read_shop(town)
    for _ in range(20):
        done = releases.release_ready(town.ctx)
        while fan_out.fan_out(town.ctx):
            pass
        done += stock_push.push_stock(town.ctx, town.channel()) + shipment_push.push_shipments(town.ctx, town.channel())
        if not done:
            return
    raise AssertionError("it never comes to rest")


def states(town: Town) -> dict[str, str]:
    """Return the state of every release by its number."""
    with town.store.read() as connection:
        return {row.number: row.state for row in connection.execute(select(release).order_by(release.c.id))}


def printed(town: Town, number: str) -> None:
    """Let the papers of a release be in somebody's hands."""
    with town.store.begin() as tx:
        tx.execute(release.update().where(release.c.number == number).values(printed_at=tx.now))
