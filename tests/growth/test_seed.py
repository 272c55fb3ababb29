"""The seeder writes what a daemon would have written: on both databases nothing of it contradicts anything else."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, ForeignKeyConstraint, Table, and_, exists, func, select

from erpsync.core.fulfilment import needs
from erpsync.core.numbering import number as make_number
from erpsync.core.numbering import prefix
from erpsync.core.order_holds import first_reason
from erpsync.core.orders import phase
from erpsync.sdk.clock import ManualClock
from erpsync.store import views
from erpsync.store.db.bulk import new_ids
from erpsync.store.db.sequence import take_numbers
from erpsync.store.db.store import Store
from erpsync.store.encrypted import recipient_row
from erpsync.store.orders import lock_order_ids
from erpsync.store.status.counts import gather
from erpsync.store.tables import backorder, hold, metadata, order_line, orders, shipment
from erpsync.store.views.find import search_orders
from tests.growth.seed import seed
from tests.growth.town import NOW, SELLERS, VAULT, ZONE, Goods, context_over
from tests.support import looking
from tests.support.shop import Town

ORDERS = 600


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=getattr(pytest.mark, name)) for name in ("sqlite", "postgresql")]
)
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a database of half a year, made once and read by all tests here."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path_factory.mktemp("seeded") / "seeded.db")
        seed(f"sqlite:///{path}", ORDERS, skus=300)
        yield f"sqlite:///{path}"
    else:
        server = request.getfixturevalue("postgres_server")
        address = server.create("seeded", template=request.getfixturevalue("migrated_postgres"))
        seed(address, ORDERS, skus=300)
        yield address
        server.drop("seeded")


@pytest.fixture
def seeded(url: str) -> Iterator[Town]:
    """The town over it."""
    clock = ManualClock(NOW)
    store = Store.open(url, clock=clock, vault=VAULT)
    yield Town(store=store, clock=clock, ctx=context_over(store), shops={})
    store.close()


def test_counters_equal_their_sums_and_nobody_waits_beside_free_units(seeded: Town) -> None:
    assert looking.problems(seeded) == []


def test_every_reference_is_to_a_row_that_is_there(seeded: Town) -> None:
    with seeded.store.read() as connection:
        assert [lost for table in metadata.sorted_tables for lost in _lost(connection, table)] == []


def _lost(connection: Connection, table: Table) -> Iterator[str]:
    for key in (each for each in table.constraints if isinstance(each, ForeignKeyConstraint)):
        target = key.referred_table.alias("target")
        same = [target.c[part.column.name] == part.parent for part in key.elements]
        given = [part.parent.is_not(None) for part in key.elements]
        query = select(func.count()).select_from(table).where(and_(*given), ~exists().where(*same))
        if found := connection.execute(query).scalar():
            yield f"{key.name}: {found}"


def test_each_order_is_in_the_phase_it_must_be_in_and_holds_what_it_wants(seeded: Town) -> None:
    with seeded.store.begin() as tx:
        known = lock_order_ids(tx, range(1, ORDERS + 1))
        stored = {row.id: row for row in tx.all(select(orders.c.id, orders.c.phase, orders.c.hold_reason))}
        units: dict[tuple[Any, ...], int] = {}
        for table in (hold, backorder):
            for row in tx.all(select(table.c.owner_id, table.c.sku_id, table.c.qty)):
                units[row.owner_id, row.sku_id] = units.get((row.owner_id, row.sku_id), 0) + row.qty

    assert len(known) == ORDERS
    assert {i: (phase(o), first_reason(o.holds)) for i, o in known.items()} == {
        i: (row.phase, row.hold_reason) for i, row in stored.items()
    }
    wanted = [needs(order, reserve_until=None, now=NOW) for order in known.values()]
    assert {(owner.id, sku_id): qty for each in wanted for (owner, sku_id), qty in each.items()} == units


def test_there_are_orders_of_every_status_but_open_and_of_every_reason(seeded: Town) -> None:
    """`open` is a status of the moment: what is ready and mapped holds units or waits for them at every commit."""
    with seeded.store.read() as connection:
        found = views.list_orders(connection, limit=0)

    assert {order["status"] for order in found} == set(views.STATUSES) - {"open"}
    assert len({order["hold_reason"] for order in found if order["status"] == "held"}) == 6
    assert sum(order["status"] in ("completed", "shipped", "cancelled") for order in found) >= ORDERS * 0.95


def test_channels_were_told_the_numbers_they_should_show(seeded: Town) -> None:
    for seller in SELLERS:
        if seller.pushed:
            told = {code: qty for code, (qty, _) in looking.told(seeded, seller.name).items()}
            assert told == looking.right_numbers(seeded, seller.name)


def test_every_page_of_what_people_are_shown_can_be_read(seeded: Town) -> None:
    with seeded.store.read() as connection:
        story = views.tell_sku(connection, Goods.code(1))
        by_status = {order["status"]: order["number"] for order in views.list_orders(connection, limit=0)}
        shown = [
            *(views.tell_order(connection, number) for number in by_status.values()),
            *(views.show_channel(connection, seller.name) for seller in SELLERS),
            views.list_shipments(connection, limit=50),
            views.list_stock(connection),
            views.list_listings(connection),
            views.list_dead(connection),
            views.list_tasks(connection),
        ]
        figures = gather(connection, seeded.ctx, NOW)

    assert story
    assert all(shown)
    assert figures


def test_orders_are_found_by_parts_of_what_they_are_called(seeded: Town) -> None:
    with seeded.store.read() as connection:
        order = next(each for each in views.list_orders(connection, limit=0) if each["shipments"])
        names = (order["number"], order["external_id"], order["shipments"][0]["tracking"])
        found = [search_orders(connection, part).orders for name in names for part in (name[:-1], name[1:])]

    assert all(order["number"] in [each["number"] for each in orders] for orders in found)


def test_who_gets_a_parcel_can_be_opened_with_the_keys_at_hand(seeded: Town) -> None:
    with seeded.store.read() as connection:
        row = connection.execute(select(orders).where(orders.c.recipient.is_not(None)).limit(1)).one()

    assert "买家" in VAULT.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id))["name"]


def test_new_orders_go_on_counting_where_the_seeded_ones_end(seeded: Town) -> None:
    with seeded.store.begin() as tx:
        last = tx.execute(select(orders.c.number).order_by(orders.c.number.desc()).limit(1)).scalar_one()
        filled = prefix("S{yyyymmdd}{seq:06}", channel="", at=NOW.astimezone(ZONE))
        numbers = take_numbers(tx, filled, 1)
        ids = [new_ids(tx, table, 1)[0] for table in (orders, order_line, shipment)]
        taken = [tx.execute(select(func.max(table.c.id))).scalar_one() for table in (orders, order_line, shipment)]

    assert make_number(filled, numbers[0]) > last
    assert ids == [each + 1 for each in taken]


def test_the_same_seed_gives_the_same_orders_again(seeded: Town, migrated_sqlite: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.db"
    shutil.copy(migrated_sqlite, again)
    seed(f"sqlite:///{again}", ORDERS, skus=300)
    twin = Store.open(f"sqlite:///{again}", clock=ManualClock(NOW), vault=VAULT)
    found = []
    for store in (seeded.store, twin):
        with store.read() as connection:
            found.append(views.list_orders(connection, limit=0))
    twin.close()

    assert found[0] == found[1]
