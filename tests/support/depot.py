"""A small warehouse system without a wire: takes releases, stops some, reports what left and what it counted.

What it does wrong is put into `Depot.trouble` beforehand, as with `tests.support.shop`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from typing import Any

from erpsync.core.parcels import Parcel
from erpsync.core.policy import WarehousePolicy
from erpsync.flows.availability import fan_out
from erpsync.flows.availability import push as stock_push
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.intake import poll
from erpsync.flows.shipments import push as shipment_push
from erpsync.flows.warehouses import push, release
from erpsync.flows.warehouses.planning import plan_orders
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import ConnectorError, RejectedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, WarehouseSink, WarehouseSource
from erpsync.sdk.types import (
    CancelAnswer,
    CheckReport,
    Cursor,
    Dispatch,
    Release,
    ReleaseLine,
    Repeat,
    StockCount,
    WarehousePage,
)
from erpsync.store.orders import lock_orders
from tests.support.shop import SHANGHAI, ShopSettings, Town, build_town

Report = Dispatch | StockCount | CancelAnswer


@dataclass
class Depot:
    """The warehouse's side. `answer` is what it says when asked to stop: yes, no, or later.

    `before` happens once, when a release is on its way.
    """

    clock: ManualClock
    got: list[Release] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    answer: bool | None = True
    reports: list[Report] = field(default_factory=list)
    trouble: dict[str, list[ConnectorError]] = field(default_factory=dict)
    before: Callable[[], None] | None = None
    _keys: Iterator[int] = field(default_factory=lambda: count(1))

    @property
    def numbers(self) -> list[str]:
        """Return the numbers of the releases it got."""
        return [release.number for release in self.got]

    def fail(self, call: str) -> None:
        """Raise what was prepared for this call, once each."""
        if self.trouble.get(call):
            raise self.trouble[call].pop(0)

    def send(
        self,
        release: str,
        tracking: str,
        *lines: tuple[str, str, int],
        order: str = "",
        left_at: datetime | None = None,
    ) -> None:
        """Report a parcel of (line, SKU, quantity) of an order; all that is left of the release without any."""
        held = tuple(ReleaseLine(line=line, sku=sku, qty=qty, order=order) for line, sku, qty in lines)
        self.reports.append(
            Dispatch(
                key=f"D{next(self._keys)}",
                release=release,
                carrier="SF",
                tracking=tracking,
                lines=held,
                left_at=left_at,
            )
        )

    def count(self, sku: str, on_hand: int, as_of: datetime, warehouse: str = "") -> None:
        """Report a count."""
        key = f"C{next(self._keys)}"
        self.reports.append(StockCount(key=key, sku=sku, on_hand=on_hand, as_of=as_of, warehouse=warehouse))

    def say(self, release: str, *, stopped: bool, reason: str = "") -> None:
        """Answer later whether a release was stopped."""
        key = f"A{next(self._keys)}"
        self.reports.append(CancelAnswer(key=key, release=release, stopped=stopped, reason=reason))


class DepotConnector(Connector, WarehouseSink, WarehouseSource):
    """Talks to a `Depot`."""

    Settings = ShopSettings

    def __init__(self, depot: Depot, clock: ManualClock, repeat: Repeat) -> None:
        super().__init__(ShopSettings(), HttpClient(clock=clock), clock)
        self.depot = depot
        self.repeat = repeat

    def check(self) -> CheckReport:
        """Say that all is well."""
        return CheckReport()

    def release(self, order: Release) -> None:
        """Take a release; a second one of the same number changes nothing where that is safe."""
        first, self.depot.before = self.depot.before, None
        if first is not None:
            first()
        self.depot.fail("release before")
        if order.number in self.depot.numbers:
            if self.repeat is not Repeat.SAFE:
                raise RejectedError("known already", code="DUP")
            return
        self.depot.got.append(order)
        self.depot.fail("release after")

    def find_release(self, number: str) -> bool:
        """Whether the release was taken."""
        return number in self.depot.numbers

    def cancel(self, number: str) -> bool | None:
        """Answer as prepared."""
        self.depot.fail("cancel before")
        self.depot.asked.append(number)
        self.depot.fail("cancel after")
        return self.depot.answer

    def pull_warehouse(self, cursor: Cursor) -> Iterator[WarehousePage]:
        """Yield all reports since the mark."""
        self.depot.fail("reports")
        start = int(cursor.mark or 0)
        fresh = self.depot.reports[start:]
        yield WarehousePage(
            dispatches=tuple(each for each in fresh if isinstance(each, Dispatch)),
            counts=tuple(each for each in fresh if isinstance(each, StockCount)),
            answers=tuple(each for each in fresh if isinstance(each, CancelAnswer)),
            mark=str(len(self.depot.reports)),
        )


def build_depot(
    url: str,
    *,
    town: Town | None = None,
    depot: Depot | None = None,
    repeat: Repeat = Repeat.LOOK_FIRST,
    warehouses: Sequence[WarehousePolicy] = (WarehousePolicy(id="SH", channel="wms"),),
    **options: Any,
) -> tuple[Town, Depot]:
    """Return a town whose warehouses are run by a depot; given ones keep what they know (a restart)."""
    plain = [replace(policy, channel=None) for policy in warehouses]
    built = build_town(url, town=town, warehouses=plain, **options)
    depot = depot or Depot(clock=built.clock)
    specs = [
        ChannelSpec(
            name=channel.name,
            kind=channel.kind,
            poll=channel.poll,
            orders=channel.orders,
            stock=channel.stock,
            connector=channel.connector,
        )
        for channel in built.ctx.channels.values()
    ]
    specs.append(ChannelSpec(name="wms", kind="depot", connector=DepotConnector(depot, built.clock, repeat)))
    built.ctx = open_context(built.store, warehouses=warehouses, channels_=specs, timezone=SHANGHAI)
    return built, depot


def work(town: Town, *, shop: bool = True) -> None:
    """Read the shop and the depot, then release, recall and push until nothing is due."""
    wms = town.channel("wms")
    if shop:
        read_shop(town)
    assert not poll.poll_stream(town.ctx, wms, "warehouse").failed
    for _ in range(20):
        done = release.release_ready(town.ctx) + push.push_releases(town.ctx, wms)
        while fan_out.fan_out(town.ctx):
            pass
        done += stock_push.push_stock(town.ctx, town.channel()) + shipment_push.push_shipments(town.ctx, town.channel())
        if not done:
            return
    raise AssertionError("it never comes to rest")


def one_parcel(town: Town, *names: str) -> Parcel:
    """Return all that SH holds for orders (by the shop's ids), which go to one buyer, as one parcel."""
    [place] = [id for id, policy in town.ctx.warehouses.items() if policy.id == "SH"]
    with town.store.begin() as tx:
        known = [*lock_orders(tx, town.channel().id, names).values()]
        apart = plan_orders(tx.connection, town.ctx, {order.id: order for order in known}).plan.parcels
    parcels = [parcel for parcel in apart if parcel.warehouse_id == place]
    pieces = tuple(piece for parcel in parcels for piece in parcel.pieces)
    return replace(parcels[0], order_ids=tuple(order.id for order in known), pieces=pieces)


def release_together(town: Town, *names: str) -> None:
    """Make one release of what SH holds for orders of one buyer."""
    parcel = one_parcel(town, *names)
    with town.store.begin() as tx:
        release.make_releases(tx, town.ctx, [parcel])


def read_shop(town: Town) -> None:
    """Read all that the shop has to say."""
    for stream in ("orders", "backfill", "orders", "refunds"):
        assert not poll.poll_stream(town.ctx, town.channel(), stream).failed
