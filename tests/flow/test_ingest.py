"""Orders coming in: stored once, numbered, priced as given. failures.md rows 7, 22, 25 and 32."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import update

from erpsync.core.policy import OrderPolicy
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.orders.apply import apply
from erpsync.flows.records.batch import Batch
from erpsync.sdk.types import Line, OrderState, Recipient
from erpsync.store.db.store import Tx
from erpsync.store.tables import counter
from tests.support.dialects import on_sqlite
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, held, lines, on_shelf, rows, see, status, story
from tests.support.shop import NOON, VAULT, Town
from tests.support.walk import settle_in


def stock_up(town: Town, qty: int = 10, sku: str = "TEA") -> None:
    set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=qty, actor="keeper")


# -- once and only once


@pytest.mark.concurrent("threads")
def test_the_same_order_brought_fifty_times_at_once_is_one_order_with_one_reservation(town: Town) -> None:
    """failures.md row 7."""
    stock_up(town)
    record = fact(order("o1", line(qty=2)))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: take_in(town, record), range(50)))

    assert (count(town, "orders"), held(town, "o1"), on_shelf(town)["SH", "TEA"]) == (1, {"TEA": 2}, (10, 2))
    assert verify_counters(town.ctx) == []


def test_a_crash_before_the_commit_leaves_nothing_and_the_next_run_everything(town: Town) -> None:
    stock_up(town)
    batch, events = Batch(orders=(fact(order("o1", line(qty=2))),)), count(town, "event")

    def dying(tx: Tx) -> None:
        apply(tx, town.ctx, town.channel(), batch)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        town.store.retrying(dying)

    assert (count(town, "orders"), count(town, "event"), on_shelf(town)["SH", "TEA"]) == (0, events, (10, 0))
    take_in(town, *batch.orders)
    assert on_shelf(town)["SH", "TEA"] == (10, 2)


@pytest.mark.parametrize("taken", [1, 40])
def test_a_number_that_an_order_has_already_is_passed_over(town: Town, taken: int) -> None:
    """Such as one of an older pattern: from the collision on no order of the channel was stored."""
    take_in(town, *(fact(order(f"old{n}", line())) for n in range(taken)))
    with town.store.begin() as tx:
        tx.execute(update(counter).where(counter.c.name.like("S%")).values(value=0))

    take_in(town, fact(order("o1", line())), fact(order("o2", line())))

    assert len(set(rows(town, "SELECT number FROM orders"))) == taken + 2


def test_two_readings_of_one_order_in_a_batch_are_the_newer_one(town: Town) -> None:
    newer = fact(order("o1", line(qty=5), version_at=later(9)), digest="b", read=(9, 10))

    take_in(town, newer, fact(order("o1", line(qty=1))))

    assert lines(town, "o1") == {"L1": (5, 0, 0)}


# -- numbers


def test_every_order_gets_a_number_of_its_own_after_the_pattern(make_town: Callable[..., Town]) -> None:
    town = make_town(orders=OrderPolicy(number="{channel}-{yyyymmdd}-{seq:04}"))
    take_in(town, *(fact(order(f"o{n}")) for n in range(3)))
    take_in(town, fact(order("o9")))

    numbers = [row[0] for row in rows(town, "SELECT number FROM orders ORDER BY id")]
    assert numbers == [f"shop-20260302-{n:04}" for n in (1, 2, 3, 4)]


def test_the_day_in_a_number_is_the_shopkeepers(town: Town) -> None:
    town.advance(5 * 3600)  # 17:00 in UTC, past midnight in Shanghai
    take_in(town, fact(order()))

    assert see(town, "o1")["number"] == "S20260303000001"


def test_two_shops_never_share_a_number(make_town: Callable[..., Town]) -> None:
    town = make_town(names=("shop", "mall"))
    for shop in town.shops.values():
        shop.place("o1", ("TEA", 1))
    for name in town.shops:
        settle_in(town, name=name)

    assert rows(town, "SELECT count(DISTINCT number), count(*) FROM orders") == [(2, 2)]


# -- money


def test_amounts_stay_as_given_and_the_residual_is_shown(town: Town) -> None:
    """failures.md row 25."""
    bought = order("o1", line(qty=3, price=333), total_minor=1299, freight_minor=500, discount_minor=201)

    take_in(town, fact(bought))

    shown = see(town, "o1")
    assert (shown["total_minor"], shown["freight_minor"], shown["discount_minor"]) == (1299, 500, 201)
    assert shown["residual_minor"] == 1  # 1299 - 3 x 333 - 500 + 201


# -- large orders


def test_an_order_of_a_thousand_lines_is_held_to_the_last_line(town: Town) -> None:
    """failures.md row 22: nothing is cut at fifty lines."""
    stock_up(town, 1500)
    many = [line(qty=1, id=f"L{n}") for n in range(1000)]

    take_in(town, fact(order("big", *many)))
    assert (held(town, "big"), status(town, "big")) == ({"TEA": 1000}, ("allocated", None))

    take_in(town, fact(order("big", *many, state=OrderState.CANCELLED, version_at=later(9)), digest="b", read=(9, 10)))
    assert (on_shelf(town)["SH", "TEA"], status(town, "big")) == ((1500, 0), ("cancelled", None))
    assert verify_counters(town.ctx) == []


# -- whose turn it is


def test_the_order_that_was_paid_first_is_served_first_whatever_came_in_first(town: Town) -> None:
    """failures.md row 32."""
    stock_up(town, 1)
    late = fact(order("late", paid_at=later(60), ready_at=later(60)))
    early = fact(order("early", paid_at=later(5), ready_at=later(5)))

    take_in(town, late, early)

    assert status(town, "early") == ("allocated", None)
    assert status(town, "late") == ("backordered", None)


# -- statuses


def placed(state: OrderState, *bought: Line, **fields: object) -> object:
    return fact(order("o1", *bought, state=state, **fields))


@pytest.mark.parametrize(
    ("record", "shown"),
    [
        (placed(OrderState.UNPAID), "unpaid"),
        (placed(OrderState.PAID), "allocated"),
        (placed(OrderState.PAID, line(qty=99)), "backordered"),
        (placed(OrderState.PAID, line(qty=2, shipped_qty=1)), "partially_shipped"),
        (placed(OrderState.PAID, do_not_ship="risk"), "held"),
        (placed(OrderState.SHIPPED), "shipped"),
        (placed(OrderState.COMPLETED), "completed"),
        (placed(OrderState.CANCELLED), "cancelled"),
        (placed(OrderState.PAID, line(qty=2, cancelled_qty=2)), "cancelled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_status_is_the_first_that_fits(town: Town, record: object, shown: str) -> None:
    stock_up(town)
    take_in(town, record)  # type: ignore[arg-type]

    assert status(town, "o1")[0] == shown


def test_cash_on_delivery_is_due_without_being_paid(town: Town) -> None:
    stock_up(town)

    take_in(town, fact(order("o1", paid_at=None, paid_minor=0, ready_at=NOON)))

    assert status(town, "o1") == ("allocated", None)


def test_a_cancelled_order_gives_its_units_to_who_waits(town: Town) -> None:
    stock_up(town, 1)
    take_in(town, fact(order("o1")), fact(order("o2", paid_at=later(5))))

    take_in(town, fact(order("o1", state=OrderState.CANCELLED, version_at=later(9)), digest="b", read=(9, 10)))

    assert (status(town, "o1")[0], status(town, "o2")[0]) == ("cancelled", "allocated")
    assert "order.filled" in " ".join(story(town, "o2"))


# -- who gets it


@on_sqlite
def test_nothing_that_identifies_a_person_is_readable_in_the_database_file(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1))
    town.shop.place("o2", ("TEA", 1), broken=True)
    town.shop.place("o3", ("TEA", 1), strange=True)
    town.shop.orders["o1"]["total"] = 10**30
    settle_in(town)
    path = Path(str(town.store.engine.url.database))

    kept = b"".join(file.read_bytes() for file in path.parent.glob(path.name + "*"))

    assert b"$.total" in kept  # the dead letter's own text is there to be read
    for secret in ("王小明", "13800001111", "解放路"):
        assert kept.count(secret.encode()) == 0
        assert kept.count(secret.encode("unicode_escape")) == 0


def test_an_order_is_found_by_a_phone_number_that_is_stored_nowhere(town: Town) -> None:
    take_in(town, fact(order(recipient=Recipient(name="李", phone="+86 138-0000-1111", address="路"))))

    index = VAULT.phone_index("13800001111")

    assert rows(town, "SELECT external_id FROM orders WHERE phone_index = :index", index=index) == [("o1",)]
