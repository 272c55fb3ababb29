"""A console over a town with a shipping desk, and what its tests do there."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from sqlalchemy import select

from erpsync.core.allocation import StockKey
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.papers.style import DocumentSettings
from erpsync.settings import Config
from erpsync.store.goods import write_shelves
from erpsync.store.tables import sku
from erpsync.store.views.releases import list_releases, list_waves
from tests.support.desk import build_desk, work
from tests.support.order_desk import OrderDesk
from tests.support.papers import FONT
from tests.support.visitor import visitor
from tests.support.web_shop import serve

GOODS = {"A": ("龙井茶 明前特级 250g 礼盒", "B-10"), "B": ("手冲咖啡壶 600ml 细口", "A-2")}


@dataclass
class PackingDesk(OrderDesk):
    """A console whose papers are set with other fonts where a test says so."""

    fonts: list[Path]


@contextmanager
def packing_desk(url: str, *, role: str = "operate", **options: Any) -> Iterator[PackingDesk]:
    """Yield the desk of SH, with three releases that wait: o1 of A, o2 of B, o3 of both; B lies on the first shelf."""
    town = build_desk(url, **options)
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=10, actor="me")
    rows = [GoodsRow(sku=code, cells={"title": title}) for code, (title, _) in GOODS.items()]
    import_goods(town.ctx, rows, actor="me")
    with town.store.begin() as tx:
        ids, place = {row.code: row.id for row in tx.all(select(sku))}, town.ctx.desks["SH"]
        write_shelves(tx, {StockKey(ids[code], place): shelf for code, (_, shelf) in GOODS.items()})
    town.shop.place("o1", ("A", 1))
    town.shop.place("o2", ("B", 1))
    town.shop.place("o3", ("A", 1), ("B", 2))
    work(town)
    fonts = [FONT]

    def config() -> Config:
        settings = DocumentSettings(fonts=tuple(fonts))
        return cast(Config, SimpleNamespace(documents=settings, templates=None))

    server, site = serve(town.store, town.ctx, keep_s=0, config=config)
    site.ctx = lambda: town.ctx
    yield PackingDesk(town, server, visitor(town.store, "lin", role=role), fonts)
    server.stop(2)
    site.papers.close()
    town.store.close()


def release_of(desk: OrderDesk, order: str) -> str:
    """Return the number of the newest release that an order is in."""
    named = desk.named(order)
    with desk.store.read() as connection:
        return next(str(each["number"]) for each in list_releases(connection) if named in each["orders"])


def waves_of(desk: OrderDesk) -> list[dict[str, Any]]:
    """Return all waves, the newest first."""
    with desk.store.read() as connection:
        return list_waves(connection)
