"""What a person has to see stands in the status: a brake, an outcome nobody knows, how long things take."""

from collections.abc import Callable
from typing import Any

from erpsync.cli.status import took
from erpsync.core.policy import BrakePolicy, StockPolicy, WarehousePolicy
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.shipments import push, record
from erpsync.sdk.errors import OutcomeUnknownError
from erpsync.settings.config import StatusLimits
from erpsync.store.status import figures
from erpsync.store.status.latencies import said
from erpsync.store.views import list_stock
from tests.support import looking, walk
from tests.support.calling import deliver, with_calls
from tests.support.shop import Town

MakeTown = Callable[..., Town]


def status(town: Town) -> dict[str, Any]:
    with town.store.read() as connection:
        return figures.status(connection, town.ctx, StatusLimits(), town.clock.now())


def problems(town: Town) -> list[str]:
    return [each["text"] for each in status(town)["problems"]]


def known(town: Town, *codes: str) -> None:
    for code in codes:
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=9, actor="me")
    rows = [ListingMapping(channel="shop", channel_sku=code, sku=code) for code in codes]
    import_listings(town.ctx, rows, actor="me")
    walk.run(town)


def test_a_brake_that_has_tripped_makes_the_status_red_until_a_right_count(make_town: MakeTown) -> None:
    town = make_town(stock=StockPolicy(brake=BrakePolicy(zero_share=0.1, min_listings=2)))
    known(town, "A", "B")
    assert problems(town) == []
    for code in "AB":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=0, actor="me")
    walk.run(town)
    said_now = "shop: the brake has tripped: 2 numbers wait until you `erpsync stock confirm shop`"
    assert problems(town) == [said_now]

    for code in "AB":
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=8, actor="me")
    walk.run(town)
    assert (problems(town), looking.tasks(town)) == ([], [])


def test_an_outcome_that_nobody_knows_makes_the_status_red(town: Town) -> None:
    known(town, "A")
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    town.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    push.push_shipments(town.ctx, town.channel())

    walk.read(town, "orders")  # the channel answers again, and is not red for that

    found = status(town)

    assert (found["ok"], found["channels"][0]["beyond"]) == (False, ["unknown_outcomes"])
    assert found["problems"][0]["text"].startswith("shop: 1 effect was sent and has had no answer")


def test_how_long_orders_numbers_and_webhooks_took_stands_in_the_status(make_town: MakeTown) -> None:
    town = with_calls(make_town())
    known(town, "A")
    deliver(town, town.shop.place("o1", ("A", 2)))
    town.advance(3)
    apply_inbox(town.ctx)

    (channel,) = status(town)["channels"]

    assert set(channel["latencies"]) == {"order", "stock", "webhook"}
    assert {round(each) for each in channel["latencies"]["webhook"].values()} == {3}
    assert round(channel["latencies"]["order"]["0.95"]) == 4
    assert took(channel["latencies"]) == f"4.0 s / {said(channel['latencies']['stock']['0.95'])} / 3.0 s"


def test_nothing_is_called_available_in_a_warehouse_that_feeds_nobody(make_town: MakeTown) -> None:
    places = [WarehousePolicy(id="SH"), WarehousePolicy(id="GZ"), WarehousePolicy(id="BAD", sellable=False)]
    town = make_town(warehouses=places, stock=StockPolicy(warehouses=("SH",)))
    for place in ("SH", "GZ", "BAD"):
        counts.set_stock(town.ctx, warehouse=place, sku="A", on_hand=5, actor="me")

    assert available(town) == {"SH": 5, "GZ": 0, "BAD": 0}

    both = make_town(town=town, warehouses=places, stock=StockPolicy(warehouses=("SH", "GZ")))
    assert available(both) == {"SH": 5, "GZ": 5, "BAD": 0}


def available(town: Town) -> dict[str, int]:
    with town.store.read() as connection:
        return {row["warehouse"]: row["available"] for row in list_stock(connection)}
