"""The product under measurement: a migrated database with ample stock, a shop that sells, a shop that is told."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

from sqlalchemy import delete

from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.availability.fan_out import fan_out
from erpsync.flows.availability.push import push_stock
from erpsync.flows.context import Channel, ChannelSpec, Context, open_context
from erpsync.flows.inventory.counts import Count, import_counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.orders.apply import apply
from erpsync.sdk.clock import SystemClock
from erpsync.sdk.errors import ConnectorError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector, ConnectorSettings, StockSink
from erpsync.sdk.types import CheckReport, StockLevel
from erpsync.store.db.engine import make_engine
from erpsync.store.db.privacy import Vault
from erpsync.store.db.schema import migrate
from erpsync.store.db.store import Store
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.tables import dirty_sku
from tests.bench.goods import CODES, STOCK, Sale, batches, facts

PLACES = ("SH", "GZ", "CD", "WH")
PUSH_BATCH = 20
VAULT = Vault([b"k" * 32], b"i" * 32)


class Told(Connector, StockSink):
    """A shop that takes every number at once."""

    Settings = ConnectorSettings
    stock_batch = PUSH_BATCH

    def __init__(self) -> None:
        super().__init__(ConnectorSettings(), HttpClient(clock=SystemClock()), SystemClock())
        self.levels = 0

    def check(self) -> CheckReport:
        return CheckReport()

    def push_stock(self, levels: Sequence[StockLevel]) -> Mapping[str, ConnectorError]:
        self.levels += len(levels)
        return {}


class Bench:
    """A context on one database."""

    def __init__(self, ctx: Context, sink: Told) -> None:
        self.ctx = ctx
        self.sink = sink

    @property
    def selling(self) -> Channel:
        return self.ctx.channel("selling")

    @property
    def told(self) -> Channel:
        return self.ctx.channel("told")

    def ingest(self, found: list[Sale], size: int) -> float:
        """Return the seconds that the sales need, `size` in a commit; reading them in is not measured."""
        work = [facts(some) for some in batches(found, size)]
        began = time.perf_counter()
        for batch in work:
            self.ctx.store.retrying(lambda tx, batch=batch: apply(tx, self.ctx, self.selling, batch))
        return time.perf_counter() - began

    def push_all(self, count: int) -> float:
        """Return the seconds that telling `count` listings needs, from the marks to the last acknowledgement."""
        self.ctx.store.retrying(lambda tx: mark_dirty(tx, range(1, count + 1)))
        began, before = time.perf_counter(), self.sink.levels
        self.push()
        assert self.sink.levels - before == count
        return time.perf_counter() - began

    def push(self) -> None:
        """Tell everything that is due."""
        while fan_out(self.ctx):
            pass
        while push_stock(self.ctx, self.told):
            pass

    def sell_and_tell(self, sale: Sale) -> float:
        """Return the seconds from a sale's arrival to the other shop's having taken the new numbers."""
        batch = facts([sale])
        began = time.perf_counter()
        self.ctx.store.retrying(lambda tx: apply(tx, self.ctx, self.selling, batch))
        self.push()
        return time.perf_counter() - began


@contextmanager
def bench(url: str) -> Iterator[Bench]:
    """Yield a context over a database that `prepare` made, or a copy of it."""
    store = Store.open(url, vault=VAULT)
    sink = Told()
    try:
        ctx = open_context(
            store,
            warehouses=[WarehousePolicy(id=place, priority=n) for n, place in enumerate(PLACES, 1)],
            channels_=[_spec("selling"), replace(_spec("told"), connector=sink)],
            timezone=ZoneInfo("Asia/Shanghai"),
        )
        yield Bench(ctx, sink)
    finally:
        store.close()


def prepare(url: str) -> None:
    """Make the tables in an empty database, with ample stock of every SKU and a listing of it in the told shop."""
    engine = make_engine(url)
    migrate(engine)
    engine.dispose()
    with bench(url) as made:
        counts = (Count(warehouse=place, sku=code, on_hand=STOCK) for code in CODES for place in PLACES)
        import_counts(made.ctx, counts, actor="bench")
        listings = (ListingMapping(channel="told", channel_sku=code, sku=code) for code in CODES)
        import_listings(made.ctx, listings, actor="bench")
        with made.ctx.store.begin() as tx:
            tx.execute(delete(dirty_sku))


def _spec(name: str) -> ChannelSpec:
    return ChannelSpec(name=name, kind="bench", stock=StockPolicy(settle_s=0, urgent_below=0))
