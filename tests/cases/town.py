"""A context with one real connector, for cases that were seen elsewhere: looked at like any other town."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from connectors.csv_drop.connector import CsvDropConnector
from connectors.csv_drop.settings import CsvDropSettings
from erpsync.core.policy import WarehousePolicy
from erpsync.flows.context import ChannelSpec, open_context
from erpsync.flows.inventory.counts import set_stock
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.http import HttpClient
from erpsync.sdk.roles import Connector
from erpsync.store.db.store import Store
from tests.support.shop import NOON, SHANGHAI, VAULT, Town
from tests.support.walk import poll

INPUTS = Path(__file__).parent / "inputs"


@contextmanager
def town_of(
    url: str, kind: str, make: Callable[[ManualClock], Connector], *, clock: ManualClock | None = None, **stock: int
) -> Iterator[Town]:
    """Open a town whose only channel `shop` is `make(clock)`, with these units in SH."""
    clock = clock or ManualClock(NOON)
    store = Store.open(url, clock=clock, vault=VAULT)
    spec = ChannelSpec(name="shop", kind=kind, connector=make(clock))
    ctx = open_context(store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)
    for sku, on_hand in stock.items():
        set_stock(ctx, warehouse="SH", sku=sku, on_hand=on_hand, actor="keeper")
    yield Town(store=store, clock=clock, ctx=ctx, shops={})
    store.close()


def drop_folder(folder: Path, **settings: Any) -> Callable[[ManualClock], Connector]:
    """Return how a drop folder of these settings is made."""
    folder.mkdir(exist_ok=True)
    made = CsvDropSettings.model_validate({"folder": folder, "settle_s": 0, **settings})
    return lambda clock: CsvDropConnector(made, HttpClient(clock=clock), clock)


def drop(town: Town, folder: Path, name: str) -> None:
    """Put an input into the folder as it is, and read it."""
    path = folder / Path(name).name
    path.write_bytes((INPUTS / name).read_bytes())
    os.utime(path, (town.clock.now().timestamp(), town.clock.now().timestamp()))
    town.advance(60)
    assert not poll(town).failed
    town.advance(60)
