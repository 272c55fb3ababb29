"""A console over a desk with a courier: parcels booked, refused and forgotten, a rate card."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from erpsync.core.rates import Rate
from erpsync.flows.couriers.rates import import_rates
from erpsync.flows.inventory.goods import GoodsRow, import_goods
from erpsync.sdk.errors import RejectedError
from tests.support.courier import Courier, build_courier_desk, push, release_one
from tests.support.order_desk import OrderDesk
from tests.support.visitor import visitor
from tests.support.web_shop import serve

FAR = {"province": "新疆维吾尔自治区", "city": "乌鲁木齐市"}


@dataclass
class CourierDesk(OrderDesk):
    """The console, with the courier behind it.

    Args:
        stale: the release whose number nobody used for three days.
        refused: the release that the courier refused.
    """

    courier: Courier
    stale: str
    refused: str


@contextmanager
def courier_desk(url: str, *, role: str = "operate") -> Iterator[CourierDesk]:
    """Yield the console of a desk where one parcel was booked long ago, one now, and one was refused."""
    town, courier = build_courier_desk(url)
    import_goods(town.ctx, [GoodsRow(sku="A", cells={"weight_g": "500"})], actor="lin")
    card = Rate(account="sf", service="", zone="", first_g=1000, first_minor=900, step_g=1000, step_minor=200)
    import_rates(town.ctx, [(card, "rates.csv:2")], bad=(), actor="lin")
    stale = release_one(town, "o1")
    push(town)
    town.clock.advance(seconds=3 * 86_400)
    release_one(town, "o2", **FAR)
    push(town)
    courier.trouble["book before"] = [RejectedError("余额不足")]
    refused = release_one(town, "o3", **FAR)
    push(town)
    server, _ = serve(town.store, town.ctx)
    yield CourierDesk(town, server, visitor(town.store, role=role), courier, stale, refused)
    server.stop(2)
    town.store.close()
