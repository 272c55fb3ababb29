"""The seller of the seeded databases: channels, warehouses, SKUs, and the context over them.

Why fixed row ids: the seeder writes by the bare driver and knows every id before it writes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.sdk.roles import Connector
from erpsync.store.db.privacy import Vault
from erpsync.store.db.store import Store

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
VAULT = Vault([b"k" * 32], b"i" * 32)
SKUS = 2_500
SETTLED_AT_ONCE = StockPolicy(settle_s=0, urgent_below=0)
WAREHOUSES = (
    WarehousePolicy(id="SH"),
    WarehousePolicy(id="GZ", priority=2),
    WarehousePolicy(id="WX", priority=3, channel="wx-depot"),
)
TOLD_WAREHOUSE = 3
"""Row id of the one that is run by a channel: orders are released to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seller:
    """A channel that sells: its row id, what its connector is, and how much of all orders it has."""

    id: int
    name: str
    kind: str
    share: int
    polled: bool = False
    pushed: bool = True


TMALL = Seller(id=1, name="tmall-main", kind="taobao", share=45, polled=True)
JD = Seller(id=2, name="jd-main", kind="jd", share=30, polled=True)
SHOP = Seller(id=3, name="own-shop", kind="webhook_json", share=18)
DROP = Seller(id=4, name="wholesale", kind="csv_drop", share=7, pushed=False)
SELLERS = (TMALL, JD, SHOP, DROP)
DEPOT = (5, "wx-depot", "warehouse_json")


def specs(connectors: Mapping[str, Connector] | None = None) -> list[ChannelSpec]:
    """Return the channels as configured, with the connectors given by name."""
    known = connectors or {}
    named = [(each.name, each.kind) for each in SELLERS] + [DEPOT[1:]]
    plain = [ChannelSpec(name=name, kind=kind, stock=SETTLED_AT_ONCE) for name, kind in named]
    return [replace(each, connector=known.get(each.name)) for each in plain]


def context_over(store: Store, connectors: Mapping[str, Connector] | None = None) -> Context:
    """Return the context over a seeded database; nothing is written, for the rows are as configured."""
    return open_context(store, warehouses=WAREHOUSES, channels_=specs(connectors), timezone=ZONE)


class Goods:
    """Our SKUs by row id, the popular ones first: some are bundles of the two after them, some are sold out."""

    def __init__(self, count: int) -> None:
        self.ids = range(1, count + 1)
        self.bundles = [each for each in self.ids if each % 40 == 9 and each + 2 <= count]
        self.sold_out = [each for each in self.ids if each % 50 == 7]
        bundled = set(self.bundles)
        self.plain = [each for each in self.ids if each not in bundled]
        self.parts: list[tuple[tuple[int, int], ...]] = [(), *(((each, 1),) for each in self.ids)]
        for each in self.bundles:
            self.parts[each] = ((each + 1, 1), (each + 2, 2))

    @staticmethod
    def code(sku_id: int) -> str:
        """Return the code of a SKU."""
        return f"SKU-{sku_id:05}"

    def listing_id(self, seller: Seller, sku_id: int) -> int:
        """Return the row id of a SKU's listing."""
        return (seller.id - 1) * len(self.ids) + sku_id

    @staticmethod
    def item_ref(seller: Seller, sku_id: int) -> str:
        """Return the platform's own ids of the thing; only the large platforms have any."""
        return f"{680_000_000_000 + sku_id}:{5_000_000 + sku_id}" if seller.polled else ""

    @staticmethod
    def price_minor(sku_id: int) -> int:
        """Return what a unit costs."""
        return 990 + sku_id * 37 % 20_000
