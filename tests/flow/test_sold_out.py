"""When a SKU was sold out is kept: a forecast must not take a week without stock for one without demand."""

from collections.abc import Callable

from erpsync.core.policy import StockPolicy, WarehousePolicy
from erpsync.flows.inventory import counts
from erpsync.store.views.sku_story import tell_sku
from tests.support import looking, walk
from tests.support.shop import Town


def stretches(town: Town) -> list[tuple[str, bool]]:
    """Return (SKU, whether it goes on) of all stretches, oldest first."""
    query = "SELECT code, to_at IS NULL FROM sold_out JOIN sku ON sku.id = sku_id ORDER BY sold_out.id"
    return [(code, bool(open_)) for code, open_ in looking.rows(town, query)]


def put(town: Town, on_hand: int, *, warehouse: str = "SH", sku: str = "A") -> None:
    town.advance(60)
    counts.set_stock(town.ctx, warehouse=warehouse, sku=sku, on_hand=on_hand, actor="me")


def test_the_last_unit_promised_begins_it_and_the_first_that_comes_back_ends_it(town: Town) -> None:
    put(town, 2)
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    assert stretches(town) == [("A", True)]

    town.shop.change("o1", state="cancelled")
    walk.read(town)
    assert stretches(town) == [("A", False)]


def test_what_goes_on_is_not_begun_again(town: Town) -> None:
    put(town, 0)
    for order in ("o1", "o2"):
        town.shop.place(order, ("A", 1))
        walk.read(town)
    put(town, 1)  # it goes to who waits

    assert stretches(town) == [("A", True)]


def test_units_that_are_kept_back_or_lie_where_nothing_is_sold_are_none_to_be_had(
    make_town: Callable[..., Town],
) -> None:
    town = make_town(warehouses=[WarehousePolicy(id="SH", safety_stock=3), WarehousePolicy(id="B", sellable=False)])
    put(town, 3)
    put(town, 50, warehouse="B")
    assert stretches(town) == [("A", True)]

    put(town, 4)
    assert stretches(town) == [("A", False)]


def test_a_sku_that_is_to_be_had_in_another_warehouse_is_not_sold_out(make_town: Callable[..., Town]) -> None:
    town = make_town(
        names=("shop", "jd"),
        warehouses=[WarehousePolicy(id="SH"), WarehousePolicy(id="GZ")],
        stock={"shop": StockPolicy(warehouses=("SH",)), "jd": StockPolicy(warehouses=("GZ",))},
    )
    put(town, 5, warehouse="GZ")
    put(town, 0)

    assert stretches(town) == []


def test_a_sku_that_nobody_has_counted_is_unknown_and_not_sold_out(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    walk.read(town)
    put(town, 1, sku="B")

    assert stretches(town) == []


def test_the_story_of_a_sku_tells_when_it_was_sold_out(town: Town) -> None:
    put(town, 0)
    put(town, 3)

    with town.store.read() as connection:
        told = [each["what"] for each in tell_sku(connection, "A")["story"]]

    assert [what for what in told if what in ("sold out", "to be had again")] == ["sold out", "to be had again"]
