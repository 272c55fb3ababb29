"""A line is refunded and taken out of its order: the rest of the order lives on and leaves."""

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.webhook_json.sandbox import OwnShop
from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.context import Channel, ChannelSpec, Context, open_context
from erpsync.flows.intake.webhooks import apply_inbox, store_webhook
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.shipments.record import ship
from erpsync.sdk.clock import ManualClock
from erpsync.store.db.store import Store
from tests.connectors.webhook_json.shop import connector, request
from tests.support.shop import SHANGHAI, VAULT

DELIVERIES = Path(__file__).with_name("07-refund-and-a-smaller-order") / "deliveries.jsonl"
AFTER = datetime(2026, 11, 22, 4, 30, tzinfo=UTC)


class Own:
    """An own shop with ten CUP and ten TEA, and what erpsync makes of its messages."""

    def __init__(self, url: str) -> None:
        self.clock = ManualClock(AFTER)
        self.shop = OwnShop(clock=self.clock, deliver=lambda body, headers: 200, eager=False)
        self.store = Store.open(url, clock=self.clock, vault=VAULT)
        spec = ChannelSpec(
            name="own", kind="webhook_json", stock=StockPolicy(settle_s=0), connector=connector(self.shop, self.clock)
        )
        self.ctx: Context = open_context(
            self.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI
        )
        for sku in ("CUP", "TEA"):
            set_stock(self.ctx, warehouse="SH", sku=sku, on_hand=10, actor="keeper")
        self._ids = itertools.count(1)

    @property
    def channel(self) -> Channel:
        return self.ctx.channel("own")

    def take(self, message: Any) -> None:
        signed = request(message, id=f"msg_{next(self._ids)}", at=AFTER, received_at=self.clock.now())
        store_webhook(self.ctx, self.channel, signed)
        self.clock.advance(seconds=1)
        while apply_inbox(self.ctx):
            pass

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        with self.store.read() as connection:
            return [tuple(row) for row in connection.exec_driver_sql(statement)]

    def lines(self) -> dict[str, tuple[int, int, int]]:
        """Return ordered, cancelled and shipped units by line."""
        rows = self.rows("SELECT external_id, qty, cancelled_qty, shipped_qty FROM order_line ORDER BY external_id")
        return {row[0]: row[1:] for row in rows}

    def held(self) -> dict[str, int]:
        return dict(self.rows("SELECT s.code, h.qty FROM hold h JOIN sku s ON s.id = h.sku_id WHERE h.qty > 0"))

    def tasks(self) -> list[str]:
        return [row[0] for row in self.rows("SELECT kind FROM task WHERE closed_at IS NULL ORDER BY kind")]


@pytest.fixture
def make_own(database_url: str) -> Iterator[Callable[[], Own]]:
    made: list[Own] = []

    def make() -> Own:
        made.append(Own(database_url))
        return made[-1]

    yield make
    for own in made:
        own.store.close()


def deliveries(*, unnamed: bool = False) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [json.loads(row) for row in DELIVERIES.read_text("utf-8").splitlines()]
    if unnamed:
        found[1]["data"]["lines"] = []
    return found


@pytest.mark.parametrize("turn", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("unnamed", [False, True], ids=["named", "unnamed"])
def test_what_is_left_of_the_order_stays_and_leaves_whatever_comes_first(
    make_own: Callable[[], Own], turn: tuple[int, ...], unnamed: bool
) -> None:
    own, said = make_own(), deliveries(unnamed=unnamed)
    for index in turn:
        own.take(said[index])
    assert (own.lines()["2"], own.held()) == ((1, 0, 0), {"TEA": 1})

    ship(own.ctx, order="Q1", carrier="SF", tracking="SF1", actor="ana")

    assert (own.lines()["2"], own.held()) == ((1, 0, 1), {})


def test_a_refund_that_names_no_units_asks_what_it_was_for_until_the_order_says_it(make_own: Callable[[], Own]) -> None:
    own, (bought, given_back, smaller) = make_own(), deliveries(unnamed=True)
    own.take(bought)
    own.take(given_back)
    assert (own.held(), own.tasks()) == ({"CUP": 5, "TEA": 1}, ["refund_unnamed"])

    own.take(smaller)

    assert (own.held(), own.tasks()) == ({"TEA": 1}, [])
