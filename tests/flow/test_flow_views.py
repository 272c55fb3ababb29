"""What flows through, on both databases: parcels by the hour, open orders by time left, what is asked of people."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from erpsync.store import tables
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.store import Store
from erpsync.store.status.counts import hours_until
from erpsync.store.status.latencies import shipment_latencies
from erpsync.store.views.flow import Ages, ages, asked_of_people, parcels_by_hour
from erpsync.store.views.nodes import reload_at, working
from tests.support.web_shop import NOW, SHANGHAI, add, effect_row, open_shop, order_row

SHOP, OTHER = "tmall-flagship", "jd-main"
H = timedelta(hours=1)


@dataclass
class Shop:
    """A store with shops whose orders and parcels a test puts in."""

    store: Store
    ids: dict[str, int]

    def order(self, number: int, *, channel: str = SHOP, **changes: Any) -> int:
        with self.store.begin() as tx:
            return add(tx, tables.orders, order_row(self.ids[channel], number, **changes))[0]

    def ages(self, **within_h: float) -> Ages:
        hours = {self.ids[name.replace("_", "-")]: h for name, h in within_h.items()}
        with self.store.read() as connection:
            return ages(connection, hours, NOW)

    def parcels(self, *left: timedelta, first: int = 1) -> None:
        order_id = self.order(9000 + first)
        rows = [
            {
                "id": first + at,
                "order_id": order_id,
                "number": f"P{first + at}",
                "carrier": "SF",
                "tracking": f"SF{first + at}",
                "state": "sent",
                "shipped_at": NOW - ago,
            }
            for at, ago in enumerate(left)
        ]
        with self.store.begin() as tx:
            tx.execute(insert(tables.shipment), rows)

    def by_hour(self) -> tuple[int, ...]:
        with self.store.read() as connection:
            return parcels_by_hour(connection, hours_until(NOW, SHANGHAI))


@pytest.fixture
def shop(database_url: str) -> Iterator[Shop]:
    store, ctx = open_shop(database_url)
    yield Shop(store, {channel.name: channel.id for channel in ctx.channels.values()})
    store.close()


def test_parcels_are_counted_by_the_hour_in_which_they_left(shop: Shop) -> None:
    minutes = (3, 20, 30, 65, 23 * 60, 26 * 60)
    shop.parcels(*(timedelta(minutes=m) for m in minutes))

    counts = shop.by_hour()

    assert (counts[-1], counts[-2], counts[-3], counts[0]) == (2, 2, 0, 1)
    assert sum(counts) == 5


def test_a_parcel_that_was_recorded_late_among_newer_ones_hides_none(shop: Shop) -> None:
    """Keys are walked back in steps; a single old parcel at such a place must not end the walk."""
    shop.parcels(*[H] * 3, first=1)
    shop.parcels(*([timedelta(days=9)] + [timedelta(minutes=5)] * 70), first=5000)
    shop.parcels(timedelta(minutes=1), first=9096)

    assert sum(shop.by_hour()) == 3 + 70 + 1


def test_no_parcel_is_no_parcel(shop: Shop) -> None:
    assert shop.by_hour() == (0,) * 24


def test_open_orders_stand_under_the_time_that_is_left_as_the_shop_says_it(shop: Shop) -> None:
    for number, left in enumerate((-1, 3, 11, 23, 30), 1):
        shop.order(number, ship_by_at=NOW + left * H)
    shop.order(6, ship_by_at=NOW - H, phase="held", hold_reason="operator")
    shop.order(7, ship_by_at=NOW - H, phase="shipped", state="shipped")
    shop.order(8, ship_by_at=NOW - H, phase="unpaid", state="unpaid")

    found = shop.ages()

    assert found.to_send == {"overdue": 1, "4h": 1, "12h": 1, "24h": 1, "later": 1}
    assert found.held == {"overdue": 1}
    assert [(row["number"][-1], row["held"]) for row in found.next] == [
        ("1", ""),
        ("6", "operator"),
        ("2", ""),
        ("3", ""),
        ("4", ""),
        ("5", ""),
    ]
    assert (found.next[0]["channel"], found.next[0]["due_at"]) == (SHOP, "2026-03-02T07:25:00Z")


def test_where_the_shop_does_not_say_the_hours_after_the_payment_count(shop: Shop) -> None:
    for number, name in enumerate((SHOP, OTHER), 1):
        shop.order(number, channel=name, placed_at=NOW - 10 * H)

    assert shop.ages(tmall_flagship=4, jd_main=20).to_send == {"overdue": 1, "12h": 1}
    assert shop.ages(tmall_flagship=4).to_send == {"overdue": 1, "later": 1}
    assert shop.ages().to_send == {"later": 2}


def test_an_order_without_a_payment_counts_from_when_it_could_be_sent_else_from_when_it_was_placed(shop: Shop) -> None:
    shop.order(1, placed_at=NOW - 10 * H, paid_at=None, ready_at=NOW - H)
    shop.order(2, placed_at=NOW - 10 * H, paid_at=None, ready_at=None)

    assert shop.ages(tmall_flagship=2).to_send == {"overdue": 1, "4h": 1}


def test_what_is_asked_of_people_is_told_by_cause_with_its_oldest(shop: Shop) -> None:
    letter = {"kind": "order", "state": "open", "error": "no amount", "source": "a.csv:3", "body": b""}
    task = {"kind": "brake", "order_id": None, "reason": "look at the stock"}
    with shop.store.begin() as tx:
        for at in range(3):
            add(
                tx,
                tables.dead_letter,
                letter | {"channel_id": shop.ids[SHOP], "key": str(at), "at": NOW - (9 - at) * H},
            )
        add(tx, tables.dead_letter, letter | {"channel_id": shop.ids[OTHER], "key": "1", "at": NOW})
        add(tx, tables.dead_letter, letter | {"channel_id": shop.ids[OTHER], "key": "2", "at": NOW, "state": "dropped"})
        add(tx, tables.task, task | {"channel_id": shop.ids[SHOP], "key": "1", "opened_at": NOW - H})
        add(tx, tables.task, task | {"channel_id": None, "key": "2", "opened_at": NOW, "closed_at": NOW})
        add(tx, tables.task, task | {"channel_id": None, "kind": "clock", "key": "3", "opened_at": NOW})
    number = shop.order(9, phase="held", hold_reason="unmapped_sku")
    with shop.store.begin() as tx:
        insert_many(
            tx, tables.order_hold, [{"order_id": number, "reason": "unmapped_sku", "detail": "X", "at": NOW - H}]
        )
    with shop.store.read() as connection:
        causes = asked_of_people(connection)

    assert [(c["what"], c["kind"], c["channel"], c["count"], c["since"]) for c in causes] == [
        ("letter", "order", SHOP, 3, "2026-03-01T23:25:00Z"),
        ("letter", "order", OTHER, 1, "2026-03-02T08:25:00Z"),
        ("task", "brake", SHOP, 1, "2026-03-02T07:25:00Z"),
        ("task", "clock", None, 1, "2026-03-02T08:25:00Z"),
        ("mapping", "unmapped_sku", SHOP, 1, "2026-03-02T07:25:00Z"),
    ]
    assert (causes[0]["text"], causes[0]["source"], causes[2]["text"]) == ("no amount", "a.csv:3", "look at the stock")


def test_how_long_shops_took_to_know_of_parcels_is_told_apart_from_their_numbers(shop: Shop) -> None:
    done = {"state": "done", "done_at": NOW - timedelta(minutes=1)}
    with shop.store.begin() as tx:
        for at, (kind, took_s) in enumerate((("shipment", 2), ("shipment", 8), ("stock", 600))):
            marked = done["done_at"] - timedelta(seconds=took_s)  # type: ignore[operator]
            add(tx, tables.outbox, effect_row(shop.ids[SHOP], str(at), kind=kind, marked_at=marked, **done))
    with shop.store.read() as connection:
        took = shipment_latencies(connection, NOW)

    assert took == {(shop.ids[SHOP], "0.5"): 2.0, (shop.ids[SHOP], "0.95"): 8.0, (shop.ids[SHOP], "0.99"): 8.0}


def test_daemons_are_told_with_what_each_works_by(shop: Shop) -> None:
    with shop.store.begin() as tx:
        for id in ("one:1:a", "two:2:b"):
            tx.execute(insert(tables.node).values(id=id, version="1", started_at=NOW, heartbeat_at=NOW))
        tx.execute(insert(tables.in_force).values(node="one:1:a", since_at=NOW, text="{}"))
    with shop.store.read() as connection:
        found = [(it.node.id, it.since_at, it.text) for it in working(connection)]

    assert found == [("one:1:a", NOW, "{}"), ("two:2:b", None, "")]


def test_the_reload_about_an_instant_is_found_and_no_other(shop: Shop) -> None:
    with shop.store.begin() as tx:
        for at, kind, detail in (
            (NOW - H, "config.reloaded", '{"changed": ["old"]}'),
            (NOW - timedelta(seconds=3), "config.reloaded", '{"changed": ["jd-main"]}'),
            (NOW, "user.created", "{}"),
        ):
            add(tx, tables.event, {"at": at, "kind": kind, "detail": detail, "actor": ""})
    with shop.store.read() as connection:
        found, none = reload_at(connection, NOW), reload_at(connection, NOW + H)

    assert found is not None
    assert (found["taken"], found["detail"]) == (True, {"changed": ["jd-main"]})
    assert none is None
