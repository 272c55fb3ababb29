"""An own shop and the flows: stored before the answer, applied once, whatever comes twice, late or never read."""

import itertools
import random
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.webhook_json.sandbox import OwnShop
from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.availability import fan_out
from erpsync.flows.availability import push as stock_push
from erpsync.flows.context import Channel, ChannelSpec, Context, open_context
from erpsync.flows.intake.webhooks import apply_inbox, store_webhook
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.operations.dead_letters import drop_letter
from erpsync.flows.shipments import push as shipment_push
from erpsync.flows.shipments.record import ship
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError
from erpsync.sdk.sandbox import Fault, FaultPlan
from erpsync.sdk.types import WebhookRequest
from erpsync.store.db.store import Store
from erpsync.store.tables import dead_letter, hold, inbox, orders, refund
from erpsync.store.views import list_stock, show_order
from tests.connectors.webhook_json.shop import connector
from tests.connectors.webhook_json.shop import order as order_message
from tests.connectors.webhook_json.shop import refund as refund_message
from tests.connectors.webhook_json.shop import request as signed_request
from tests.support.shop import NOON, SHANGHAI, VAULT


class Desk:
    """One own shop, one warehouse SH, on a database; `restart` opens the database anew."""

    def __init__(self, url: str, faults: FaultPlan | None = None) -> None:
        self.url = url
        self.clock = ManualClock(NOON)
        self.shop = OwnShop(clock=self.clock, faults=faults, deliver=self.deliver, eager=False)
        self.store: Store
        self.ctx: Context
        self.open()

    def open(self) -> None:
        self.store = Store.open(self.url, clock=self.clock, vault=VAULT)
        spec = ChannelSpec(
            name="own-shop",
            kind="webhook_json",
            stock=StockPolicy(settle_s=0),
            connector=connector(self.shop, self.clock),
        )
        self.ctx = open_context(self.store, warehouses=[WarehousePolicy(id="SH")], channels_=[spec], timezone=SHANGHAI)

    def restart(self) -> None:
        self.store.close()
        self.open()

    @property
    def channel(self) -> Channel:
        return self.ctx.channel("own-shop")

    def deliver(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Take a delivery as the hook does."""
        request = WebhookRequest(headers=headers, query={}, body=body, received_at=self.clock.now())
        try:
            store_webhook(self.ctx, self.channel, request)
        except AuthError:
            return 401
        return 200

    def take(self, message: Any, *, id: str = "msg_1") -> None:
        """Take one message signed by the shop, and apply it."""
        now = self.clock.now()
        store_webhook(self.ctx, self.channel, signed_request(message, id=id, at=now, received_at=now))
        self.settle()

    def settle(self) -> None:
        """Apply what is stored and push what is due, a little later."""
        self.clock.advance(seconds=1)
        while apply_inbox(self.ctx):
            pass
        while fan_out.fan_out(self.ctx):
            pass
        while stock_push.push_stock(self.ctx, self.channel) + shipment_push.push_shipments(self.ctx, self.channel):
            pass

    def count(self, table: Any) -> int:
        with self.store.read() as connection:
            return connection.execute(select(func.count()).select_from(table)).scalar_one()

    def order(self, external_id: str = "W000001") -> dict[str, Any]:
        with self.store.read() as connection:
            number = connection.execute(select(orders.c.number).where(orders.c.external_id == external_id)).scalar_one()
            return show_order(connection, number)

    def reserved(self) -> int:
        with self.store.read() as connection:
            return list_stock(connection, sku_code="A")[0]["reserved"]

    def letters(self) -> list[tuple[str, str, int]]:
        """Return key, error and count of the open dead letters."""
        kept = dead_letter.c
        query = select(kept.key, kept.error, kept.attempts).where(kept.state == "open").order_by(kept.id)
        with self.store.read() as connection:
            return [tuple(row) for row in connection.execute(query)]


@pytest.fixture
def make_desk(database_url: str) -> Iterator[Callable[..., Desk]]:
    made: list[Desk] = []

    def make(**options: Any) -> Desk:
        made.append(Desk(database_url, **options))
        set_stock(made[-1].ctx, warehouse="SH", sku="A", on_hand=10, actor="me")
        return made[-1]

    yield make
    for desk in made:
        desk.store.close()


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()


def test_an_order_of_the_shop_is_stored_held_and_told_back_as_stock_and_parcel(desk: Desk) -> None:
    id = desk.shop.place_order(("A", 2), paid=True)
    desk.shop.send()
    desk.settle()
    ship(desk.ctx, order=desk.order(id)["number"], carrier="SF", tracking="SF1234567890123", actor="me")
    desk.settle()

    (parcel,) = desk.shop.shipments()
    assert (parcel.order_external_id, parcel.carrier, parcel.whole) == (id, "SF", True)
    assert [(line.external_id, line.qty) for line in parcel.lines] == [("1", 2)]
    assert desk.shop.stock() == {"A": 8}
    assert desk.order(id)["status"] == "shipped"


@pytest.mark.concurrent("threads")
def test_fifty_deliveries_of_one_order_at_a_time_are_one_order_and_one_reservation(desk: Desk) -> None:
    """failures.md row 7."""
    desk.shop.place_order(("A", 2), paid=True)
    (delivery,) = desk.shop.sent
    headers = desk.shop.signed(delivery)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: desk.deliver(delivery.body, headers), range(50)))
        list(pool.map(lambda _: apply_inbox(desk.ctx), range(4)))

    assert answers == [200] * 50
    assert (desk.count(inbox), desk.count(orders), desk.count(hold)) == (1, 1, 1)
    assert desk.reserved() == 2


@pytest.mark.concurrent("threads")
def test_fifty_messages_about_one_order_under_fifty_ids_are_one_order(desk: Desk) -> None:
    """failures.md row 7: a shop whose retries get new ids."""
    now = desk.clock.now()
    message = order_message()
    requests = [signed_request(message, id=f"msg_{n}", at=now, received_at=now) for n in range(50)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda request: store_webhook(desk.ctx, desk.channel, request), requests))
        list(pool.map(lambda _: apply_inbox(desk.ctx), range(4)))

    assert (desk.count(inbox), desk.count(orders), desk.count(hold)) == (50, 1, 1)
    assert desk.reserved() == 1


def test_versions_of_an_order_may_arrive_in_any_order(make_desk: Callable[..., Desk]) -> None:
    desk = make_desk()
    shop = desk.shop
    for turn in itertools.permutations(range(3)):
        id = shop.place_order(("A", 1))
        shop.pay(id)
        shop.cancel(id)
        newest = shop.sent[-3:]
        for index in turn:
            delivery = newest[index]
            desk.deliver(delivery.body, shop.signed(delivery))
            apply_inbox(desk.ctx)

        assert desk.order(id)["status"] == "cancelled", turn

    assert desk.reserved() == 0
    assert verify_counters(desk.ctx) == []


@pytest.mark.parametrize("turn", list(itertools.permutations(["unpaid", "paid", "cancelled"])))
def test_views_stamped_with_the_same_second_end_at_the_furthest_status(desk: Desk, turn: tuple[str, ...]) -> None:
    """Arrival says nothing about which of two views is the later one, and this shop cannot be asked."""
    for number, status in enumerate(turn):
        desk.clock.advance(seconds=5)
        desk.take(order_message(status=status), id=f"msg_{number}")

    assert desk.order("W1")["status"] == "cancelled"


@pytest.mark.parametrize("turn", list(itertools.permutations(["open", "granted"])))
def test_a_refund_stamped_with_the_same_second_as_its_end_stays_ended(desk: Desk, turn: tuple[str, ...]) -> None:
    desk.take(order_message(), id="msg_order")
    for number, status in enumerate(turn):
        desk.clock.advance(seconds=5)
        desk.take(refund_message(status=status), id=f"msg_{number}")

    assert desk.order("W1")["status"] == "cancelled"
    assert [each["state"] for each in desk.order("W1")["refunds"]] == ["granted"]


def test_a_refund_may_come_before_its_order(desk: Desk) -> None:
    desk.take(refund_message(), id="msg_refund")
    desk.take(order_message(), id="msg_order")

    assert (desk.order("W1")["status"], desk.order("W1")["hold_reason"]) == ("held", "refund_open")
    assert desk.count(refund) == 1


def test_a_delivery_stored_before_a_kill_is_applied_after_the_restart(desk: Desk) -> None:
    """failures.md row 8."""
    desk.shop.place_order(("A", 2), paid=True)
    desk.shop.send()
    desk.restart()

    assert desk.count(orders) == 0
    desk.settle()
    assert desk.order()["status"] == "allocated"
    assert desk.shop.waiting() == 0


def test_a_delivery_whose_answer_was_lost_comes_again_and_changes_nothing(make_desk: Callable[..., Desk]) -> None:
    """failures.md row 8: stored, then the connection broke."""
    faults = FaultPlan()
    faults.force(Fault.PLATFORM_ERROR)
    desk = make_desk(faults=faults)
    desk.shop.place_order(("A", 2), paid=True)

    assert desk.shop.send() == 1
    desk.restart()
    desk.settle()
    assert desk.shop.send() == 0
    desk.settle()
    assert (desk.count(orders), desk.reserved()) == (1, 2)


@pytest.mark.parametrize("seed", range(3))
def test_a_shop_that_sends_late_twice_and_again_ends_as_it_stands(make_desk: Callable[..., Desk], seed: int) -> None:
    kinds = (Fault.LATE, Fault.DUPLICATE, Fault.PLATFORM_ERROR)
    desk = make_desk(faults=FaultPlan(seed, 0.3, kinds))
    shop, rng = desk.shop, random.Random(seed)
    ids = [shop.place_order(("A", 1), paid=rng.random() < 0.5) for _ in range(8)]
    for id in rng.sample(ids, 6):
        rng.choice((shop.pay, shop.cancel))(id)
        shop.send()
        desk.settle()
    shop.send_again(rng)
    while shop.send():
        desk.settle()
    desk.settle()

    wanted = {id: shop.orders[id].status for id in ids}
    names = {"unpaid": "unpaid", "paid": "allocated", "cancelled": "cancelled"}
    assert {id: desk.order(id)["status"] for id in ids} == {id: names[status] for id, status in wanted.items()}
    assert desk.reserved() == sum(status == "paid" for status in wanted.values())
    assert verify_counters(desk.ctx) == []


def test_what_cannot_be_read_is_a_dead_letter_one_per_order_else_per_distinct_body(desk: Desk) -> None:
    for number, junk in enumerate([b"junk", b"junk", {"type": 7, "data": {}}, order_message(total_minor=-1)]):
        desk.take(junk, id=f"msg_{number}")
    desk.take(order_message(total_minor=-2), id="msg_4")
    desk.take(refund_message(status="lost"), id="msg_5")

    assert [(error, attempts) for _, error, attempts in desk.letters()] == [
        ("$: the body is no JSON object that can be kept", 2),
        ("$.type: expected the type order or refund", 1),
        ("$.data.total_minor: input should be greater than or equal to 0", 2),
        ("$.data.status: input should be 'open', 'granted' or 'closed'", 1),
    ]
    assert desk.count(orders) == 0


def test_an_order_with_a_bad_line_is_held_and_freed_by_a_good_message(desk: Desk) -> None:
    bad = {"external_id": "2", "channel_sku": "A", "qty": "two", "price_minor": 1}
    good = order_message()["data"]["lines"][0]
    desk.take(order_message(lines=[good, bad]), id="msg_1")

    assert (desk.order("W1")["status"], desk.order("W1")["hold_reason"]) == ("held", "bad_line")
    desk.take(order_message(updated_at="2026-03-02T08:06:00Z", lines=[good, {**bad, "qty": 2}]), id="msg_2")
    assert desk.order("W1")["status"] == "allocated"
    assert desk.letters() == []


def test_a_line_that_became_unreadable_is_not_taken_for_one_that_was_cancelled(desk: Desk) -> None:
    first, second = ({**order_message()["data"]["lines"][0], "external_id": id} for id in ("1", "2"))
    desk.take(order_message(lines=[first, second]), id="msg_1")
    desk.take(order_message(updated_at="2026-03-02T08:06:00Z", lines=[first, {**second, "qty": "?"}]), id="msg_2")

    assert [line["cancelled_qty"] for line in desk.order("W1")["lines"]] == [0, 0]
    assert desk.reserved() == 2


def test_a_dropped_bad_line_lets_the_order_go(desk: Desk) -> None:
    lines = [*order_message()["data"]["lines"], {"external_id": "2"}]
    desk.take(order_message(lines=lines))
    with desk.store.read() as connection:
        letter = connection.execute(select(dead_letter.c.id)).scalar_one()
    drop_letter(desk.ctx, letter, actor="me")

    assert desk.order("W1")["status"] == "allocated"


def test_an_order_without_an_address_waits_for_it(desk: Desk) -> None:
    desk.take(order_message(recipient={"name": "王小明"}), id="msg_1")
    assert desk.order("W1")["hold_reason"] == "incomplete_address"

    desk.take(order_message(updated_at="2026-03-02T08:06:00Z"), id="msg_2")
    assert desk.order("W1")["status"] == "allocated"


def test_a_forged_delivery_leaves_nothing_behind(desk: Desk) -> None:
    desk.shop.place_order(("A", 2), paid=True)
    (delivery,) = desk.shop.sent

    assert desk.deliver(delivery.body + b" ", desk.shop.signed(delivery)) == 401
    assert desk.count(inbox) == 0


@pytest.mark.parametrize("bad", [4_000, 9_000])
def test_a_signed_body_of_thousands_of_bad_lines_is_taken_and_one_dead_letter_with_one_copy(
    desk: Desk, bad: int
) -> None:
    """A letter for each held the whole body: minutes in one transaction, and the daemon was killed for it."""
    message = order_message()
    message["data"]["lines"] += [{"external_id": f"B{number}", "qty": "three"} for number in range(bad)]

    desk.take(message)

    ((key, error, _),) = desk.letters()
    limit = f"lines: {bad + 1} lines, more than max_lines (5000)"
    assert (key, error == limit) == (("W1", True) if bad > 5_000 else ("W1@1", False))
    assert "cannot be read: W1@1: $.data.lines[1]" in error or bad > 5_000
