"""Whoever holds units or waits for them: work of an order line's id is another owner, and as safe."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from erpsync.core.allocation import Due, HoldOwner, StockKey, Wanted
from erpsync.core.movements import Movement, Reason
from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.core.sourcing import Sourcing
from erpsync.flows.allocation.kinds import KINDS
from erpsync.flows.allocation.owners import News, OwnerKind, Turn
from erpsync.flows.allocation.stock_plan import StockPlan
from erpsync.flows.inventory import counts
from erpsync.flows.operations import counters
from erpsync.flows.operations.config_change import replan_changed
from erpsync.flows.orders import actions
from erpsync.store.db.bulk import insert_many
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate, migrations_folder
from erpsync.store.db.store import Tx
from erpsync.store.stock_book import Backorder
from erpsync.store.tables import backorder, dirty_sku, hold, order_line, sku, stock, warehouse
from tests.support import looking, walk
from tests.support.depot import Depot, work
from tests.support.shop import NOON, Town

WORK = "guild"
EARLY, LATE = (NOON - timedelta(days=1), "W1"), (NOON + timedelta(days=1), "W1")


def ids(town: Town, code: str = "A") -> tuple[int, int, int]:
    """Return the ids of a SKU, of SH, and of the first line."""
    known = select(sku.c.id).where(sku.c.code == code), select(warehouse.c.id).where(warehouse.c.code == "SH")
    first = select(func.min(order_line.c.id))
    ((sku_id, place, line),) = looking.rows(town, select(*(each.scalar_subquery() for each in (*known, first))))
    return sku_id, place, line


def give_work(town: Town, *, held: int = 0, short: int = 0, code: str = "A") -> None:
    """Let work of the first line's id hold units in SH that are free, and wait for more since long ago."""
    sku_id, place, line = ids(town, code)
    owner = {"owner_kind": WORK, "owner_id": line, "sku_id": sku_id}
    with town.store.begin() as tx:
        if held:
            insert_many(tx, hold, [owner | {"warehouse_id": place, "qty": held}])
            more = update(stock).where(stock.c.sku_id == sku_id, stock.c.warehouse_id == place)
            tx.execute(more.values(reserved=stock.c.reserved + held))
        if short:
            row = owner | {"qty": short, "order_id": None, "channel_id": None}
            insert_many(tx, backorder, [row | {"due_at": EARLY[0], "number": EARLY[1], "waits": True}])


def of_work(town: Town) -> tuple[int, int]:
    """Return the units that work holds and waits for."""
    held, short = (
        looking.rows(town, select(table.c.qty).where(table.c.owner_kind == WORK)) for table in (hold, backorder)
    )
    return sum(qty for (qty,) in held), sum(qty for (qty,) in short)


@pytest.fixture
def shared(town: Town) -> Town:
    """Four A: two for the order o1, two for work of its line's id, which waits for one more."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=4, actor="me")
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    give_work(town, held=2, short=1)
    assert (looking.promised(town), of_work(town)) == ({"o1": 2}, (2, 1))
    return town


def test_where_stock_shrinks_an_owner_of_a_kind_nobody_knows_keeps_its_units(shared: Town) -> None:
    counts.set_stock(shared.ctx, warehouse="SH", sku="A", on_hand=2, actor="me")

    assert (looking.promised(shared), looking.owed(shared), of_work(shared)) == ({}, {"o1": 2}, (2, 1))
    assert not looking.problems(shared)
    assert looking.tasks(shared) == []


def test_where_it_would_have_to_give_some_back_a_person_is_asked(shared: Town) -> None:
    counts.set_stock(shared.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")

    assert of_work(shared) == (2, 1)
    assert not counters.verify_counters(shared.ctx)
    assert looking.tasks(shared) == ["stock_short"]


def test_units_that_come_are_not_given_to_a_kind_nobody_knows(shared: Town) -> None:
    counts.add_stock(shared.ctx, warehouse="SH", sku="A", qty=5, reason="arrival", actor="me")
    shared.shop.place("o2", ("A", 5))
    walk.read(shared)

    assert (looking.promised(shared), looking.owed(shared), of_work(shared)) == ({"o1": 2, "o2": 5}, {}, (2, 1))
    assert not looking.problems(shared)


def test_an_order_that_is_cancelled_frees_its_own_units_and_no_others(shared: Town) -> None:
    actions.cancel_order(shared.ctx, "o1", reason="x", actor="me")

    assert (looking.promised(shared), of_work(shared)) == ({}, (2, 1))
    assert looking.on_shelf(shared) == {("SH", "A"): (4, 2)}
    assert not looking.problems(shared)


def test_a_changed_configuration_plans_what_waits_for_the_warehouses_of_no_channel(
    make_town: Callable[..., Town],
) -> None:
    warehouses = (WarehousePolicy(id="SH"), WarehousePolicy(id="GZ", priority=2))
    town = make_town(warehouses=warehouses, stock=StockPolicy(warehouses=("SH",)))
    town.shop.place("o1", ("A", 1))
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=1, actor="me")
    counts.set_stock(town.ctx, warehouse="SH", sku="B", on_hand=0, actor="me")
    walk.read(town)
    give_work(town, short=1, code="B")
    replan_changed(town.ctx)
    walk.fan(town)
    assert looking.rows(town, select(dirty_sku.c.sku_id)) == []

    town = make_town(warehouses=warehouses, town=town)
    replan_changed(town.ctx)

    assert ids(town, "B")[:1] in looking.rows(town, select(dirty_sku.c.sku_id))


def test_a_release_and_its_recall_are_about_the_order_s_own_units(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    give_work(town, held=3)
    work(town, shop=False)
    assert [[(line.sku, line.qty) for line in one.lines] for one in depot.got] == [[("A", 2)]]

    actions.cancel_order(town.ctx, "o1", reason="x", actor="me")
    work(town, shop=False)

    assert depot.asked == depot.numbers
    assert (looking.promised(town), of_work(town)) == ({}, (3, 0))
    assert looking.on_shelf(town) == {("SH", "A"): (10, 3)}
    assert not looking.problems(town)


class Works(OwnerKind):
    """Work that may take from every warehouse, all of it due at one time."""

    def __init__(self, due: Due) -> None:
        self.due = due
        self.told: list[str] = []

    def turns(self, tx: Tx, ids: Collection[int]) -> Mapping[int, Turn]:
        return {row_id: Turn(due=self.due, waits_as=self._waits(row_id)) for row_id in ids}

    def _waits(self, row_id: int) -> Backorder:
        return Backorder(qty=0, group=HoldOwner(WORK, row_id), channel_id=None, due=self.due, waits=True)

    def warehouses(self, sourcing: Sourcing, owner: HoldOwner, waiting: Backorder) -> tuple[int, ...]:
        return tuple(sorted(sourcing.selling))

    def tell(self, tx: Tx, news: News) -> None:
        self.told += [f"given {each.units.qty}" for each in news.served if each.group.kind == WORK]
        self.told += [f"lost {each.units.qty}" for each in news.taken_back if each.group.kind == WORK]


def plan(town: Town, works: Works, *, moved: int = 0, wants: Iterable[Wanted] = ()) -> None:
    """Plan what work wants, and so many A more or less in SH."""
    sku_id, place, _ = ids(town)
    wants = list(wants)
    with town.store.begin() as tx:
        made = StockPlan.load(tx, town.ctx, {**KINDS, WORK: works}, wants, touched=[sku_id])
        made.move([Movement(place=StockKey(sku_id, place), qty=moved, reason=Reason.ADJUST)], "me")
        made.serve()
        made.write(None)


@pytest.mark.parametrize(("due", "promised", "works"), [(EARLY, {"o1": 1}, (2, 1)), (LATE, {"o1": 2}, (1, 2))])
def test_who_is_due_last_gives_back_first_whatever_kind_it_is_of(
    shared: Town, due: Due, promised: dict[str, int], works: tuple[int, int]
) -> None:
    made = Works(due)

    plan(shared, made, moved=-1)

    assert (looking.promised(shared), of_work(shared)) == (promised, works)
    assert made.told == ([] if due == EARLY else ["lost 1"])
    assert looking.story(shared, "o1").count("order.taken_back") == (due == EARLY)
    assert not looking.problems(shared)


def test_work_that_waits_longest_is_served_first_and_the_order_that_waited_is_told_of_its_units(shared: Town) -> None:
    shared.shop.place("o2", ("A", 2))
    walk.read(shared)
    made = Works(EARLY)

    plan(shared, made, moved=2)

    assert (looking.promised(shared), looking.owed(shared), of_work(shared)) == ({"o1": 2, "o2": 1}, {"o2": 1}, (3, 0))
    assert made.told == ["given 1"]
    assert looking.story(shared, "o2").count("order.filled") == 1
    assert not looking.problems(shared)


def test_what_work_wants_is_held_or_waited_for_and_twice_is_as_once(shared: Town) -> None:
    sku_id, place, line = ids(shared)
    owner = HoldOwner(WORK, line)

    for qty, found in ((5, (2, 3)), (5, (2, 3)), (0, (0, 0)), (0, (0, 0))):
        want = Wanted(owner=owner, group=owner, units={sku_id: qty}, due=EARLY, warehouses=(place,))
        plan(shared, Works(EARLY), wants=[want])
        assert (looking.promised(shared), of_work(shared)) == ({"o1": 2}, found)

    assert looking.on_shelf(shared) == {("SH", "A"): (4, 2)}
    assert not looking.problems(shared)


@pytest.mark.parametrize("missing", ["order_id", "channel_id"])
def test_a_line_waits_for_an_order_of_a_channel_always(shared: Town, missing: str) -> None:
    shared.shop.place("o2", ("A", 2))
    walk.read(shared)

    with pytest.raises(IntegrityError, match="line_has_order"), shared.store.begin() as tx:
        tx.execute(update(backorder).where(backorder.c.owner_kind == "line").values({missing: None}))


CHANNEL = "INSERT INTO channel (id, name, connector) VALUES (1, 'shop', 'x')"
GOODS = "INSERT INTO sku (id, code) VALUES (1, 'A')"
ORDER = (
    "INSERT INTO orders (id, channel_id, external_id, number, phase, state, version_at, read_from_at, read_to_at,"
    " placed_at, imported_at, currency, total_minor) VALUES (1, 1, 'o', 'S1', 'ready', 'paid', 1, 1, 1, 1, 1, 'CNY', 1)"
)
WAITING = (
    "INSERT INTO backorder (owner_kind, owner_id, sku_id, qty, order_id, channel_id, due_at, number, waits)"
    " VALUES ('line', 7, 1, 3, 1, 1, 5, 'S1', true)"
)


def test_what_waited_before_others_than_lines_could_waits_still(empty_database_url: str) -> None:
    engine = make_engine(empty_database_url)
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0020")
        for statement in (CHANNEL, GOODS, ORDER, WAITING):
            connection.execute(text(statement))

    migrate(engine)

    with engine.begin() as connection:
        assert [tuple(row) for row in connection.execute(select(backorder.c.owner_id, backorder.c.qty))] == [(7, 3)]
    engine.dispose()
