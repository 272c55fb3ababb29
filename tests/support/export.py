"""A shop of dropped files on a real database: files go in, orders and dead letters are looked at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connectors.csv_drop.connector import CsvDropConnector
from connectors.csv_drop.settings import CsvDropSettings
from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, Context, open_context
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.shipments.record import ship
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.store.db.store import Store
from erpsync.store.views import list_dead
from erpsync.store.views.orders import show_order
from tests.support.shop import NOON, SHANGHAI, VAULT

CASES = Path(__file__).parents[1] / "cases"


@dataclass
class Export:
    """One channel `export` that reads what is dropped into its folder; three CUPs and three TEAs lie in SH."""

    ctx: Context
    clock: ManualClock
    folder: Path

    def drop(self, content: bytes | str, name: str = "orders.csv") -> None:
        """Drop a file and read it."""
        (self.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        self.clock.advance(seconds=1)
        report = poll_stream(self.ctx, self.ctx.channel("export"), self.stream)
        assert not report.failed, report.error

    def drop_case(self, file: str) -> None:
        """Drop a file of a case, named by its path below the folder of cases."""
        self.drop((CASES / file).read_bytes(), Path(file).name)

    @property
    def stream(self) -> str:
        settings = self.ctx.channel("export").connector.settings
        return "orders" if getattr(settings, "reads", "") == "orders" else "shipments"

    def order(self, external_id: str) -> dict[str, Any]:
        """Return an order as `orders show` prints it."""
        with self.ctx.store.read() as connection:
            return show_order(connection, external_id)

    def status(self, external_id: str) -> tuple[str, str | None]:
        """Return an order's status and the reason that holds it."""
        shown = self.order(external_id)
        return shown["status"], shown["hold_reason"]

    def lines(self, external_id: str) -> dict[str, tuple[int, int, int]]:
        """Return (ordered, cancelled, shipped) by line."""
        return {
            line["external_id"]: (line["qty"], line["cancelled_qty"], line["shipped_qty"])
            for line in self.order(external_id)["lines"]
        }

    def letters(self) -> list[tuple[str, str]]:
        """Return (source, error) of the open dead letters."""
        with self.ctx.store.read() as connection:
            return [(each["source"], each["error"]) for each in list_dead(connection)]

    def reserved(self) -> dict[str, int]:
        """Return the units that are promised, by SKU."""
        with self.ctx.store.read() as connection:
            query = (
                "SELECT sku.code, sum(stock.reserved) FROM stock JOIN sku ON sku.id = stock.sku_id GROUP BY sku.code"
            )
            return {code: int(qty) for code, qty in connection.exec_driver_sql(query) if qty}

    def ship(self, external_id: str) -> None:
        """Send all that is open of an order."""
        ship(self.ctx, order=external_id, carrier="SF", tracking=f"SF{external_id}", actor="me")

    def map(self, channel_sku: str, sku: str = "", **rest: Any) -> None:
        """Import one row of a listings file."""
        row = ListingMapping(channel="export", channel_sku=channel_sku, sku=sku, **rest)
        assert import_listings(self.ctx, [row], actor="me").refused == []


def make_export(database_url: str, folder: Path, **settings: Any) -> Export:
    """Return a shop that reads files as `settings` say; the caller closes its store."""
    clock = ManualClock(NOON)
    incoming = folder / "in"
    incoming.mkdir()
    made = CsvDropSettings.model_validate({"folder": incoming, "settle_s": 0, **settings})
    connector = CsvDropConnector(made, HttpClient(clock=clock), clock)
    store = Store.open(database_url, clock=clock, vault=VAULT)
    spec = ChannelSpec(name="export", kind="csv_drop", connector=connector)
    ctx = open_context(store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)
    for sku in ("CUP", "TEA"):
        set_stock(ctx, warehouse="SH", sku=sku, on_hand=3, actor="me")
    return Export(ctx, clock, incoming)
