"""Orders that no channel knows: made once for their key, served like all others, told to nobody, ended here."""

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from erpsync.core.policy import WarehousePolicy
from erpsync.flows.errors import FieldRefused, Refused
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.explain.steps import Unwritten
from erpsync.flows.exports import orders
from erpsync.flows.exports.cells import Manner
from erpsync.flows.inventory import bundles, counts
from erpsync.flows.operations.counters import verify_counters
from erpsync.flows.operations.prune import prune
from erpsync.flows.orders.actions import cancel_order, end_hold, hold_order
from erpsync.flows.orders.recipient import reveal_recipient
from erpsync.flows.own_orders.complete import complete_own
from erpsync.flows.own_orders.create import Created
from erpsync.flows.own_orders.form import read_recipient
from erpsync.flows.own_orders.recipient import edit_recipient
from erpsync.flows.shipments.record import ShipLine, ship
from erpsync.languages import ENGLISH
from erpsync.store.views import OrderFilter
from tests.support import looking, walk
from tests.support.depot import build_depot, work
from tests.support.own_orders import ELSEWHERE, HOME, TEA, make
from tests.support.shop import Town


def wrong(town: Town, **said: Any) -> str:
    """Return what is said of a form that is refused; nothing is stored then."""
    with pytest.raises(FieldRefused) as refused:
        make(town, **said)
    assert looking.count(town, "orders") == 0
    return str(refused.value)


def test_it_is_numbered_holds_its_units_and_the_shop_is_told_at_once(stocked: Town) -> None:
    stocked.advance(5)
    walk.push_due(stocked)
    assert looking.told(stocked) == {"TEA": (10, True)}

    number = make(stocked, key="call-7").number
    walk.read(stocked)
    stocked.advance(5)
    walk.push_due(stocked)

    shown = looking.see(stocked, number)
    assert (shown["channel"], shown["kind"], shown["external_id"]) == ("internal", "phone", "call-7")
    assert (shown["status"], shown["total_minor"], shown["paid_minor"], shown["residual_minor"]) == (
        "allocated",
        2000,
        2000,
        0,
    )
    assert looking.held(stocked, number) == {"TEA": 2}
    assert looking.told(stocked) == {"TEA": (8, True)}
    assert [kind for kind, _ in looking.events(stocked, "order.")] == ["order.imported"]


def test_what_is_not_there_is_waited_for_and_served_when_it_comes(stocked: Town) -> None:
    number = make(stocked, lines=[{"sku": "TEA", "qty": 12, "price_minor": 1}]).number
    assert looking.status(stocked, number)[0] == "backordered"

    counts.set_stock(stocked.ctx, warehouse="SH", sku="TEA", on_hand=12, actor="me")

    assert (looking.status(stocked, number)[0], verify_counters(stocked.ctx)) == ("allocated", [])


def test_a_bundle_takes_its_parts(stocked: Town) -> None:
    counts.set_stock(stocked.ctx, warehouse="SH", sku="CUP", on_hand=4, actor="me")
    rows = [bundles.BundlePart(bundle="BOX", sku="TEA", qty=1), bundles.BundlePart(bundle="BOX", sku="CUP", qty=2)]
    bundles.import_bundles(stocked.ctx, rows, actor="me")

    number = make(stocked, lines=[{"sku": "BOX", "qty": 2, "price_minor": 5000}]).number

    assert looking.held(stocked, number) == {"TEA": 2, "CUP": 4}


def test_what_is_said_though_it_goes_without_saying_makes_no_other_order(stocked: Town) -> None:
    first = make(stocked, key="call-7")

    assert make(stocked, key="call-7", kind="phone", paid_at=None, buyer="") == Created(
        number=first.number, repeated=True
    )


def test_the_same_key_is_the_same_order_and_never_another(stocked: Town) -> None:
    first = make(stocked, key="call-7")

    assert make(stocked, key="call-7") == Created(number=first.number, repeated=True)
    with pytest.raises(FieldRefused, match=f"key: order {first.number} has this key already, and says something else"):
        make(stocked, key="call-7", kind="cod")
    assert looking.count(stocked, "orders") == 1


def test_without_a_key_the_same_words_are_the_same_order(stocked: Town) -> None:
    first = make(stocked)
    stocked.advance(3600)

    assert make(stocked) == Created(number=first.number, repeated=True)
    assert make(stocked, buyer_note="and a second one").number != first.number
    assert make(stocked, key="again").number != first.number


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"lines": [{"sku": "NOPE", "qty": 1, "price_minor": 1}]}, "lines[0].sku: there is no SKU NOPE"),
        ({"lines": [{"sku": "TEA", "qty": 0, "price_minor": 1}]}, "lines[0].qty: must be at least 1"),
        ({"lines": [{"sku": "TEA", "qty": 1, "price_minor": 1.5}]}, "lines[0].price_minor: must be a whole number"),
        ({"lines": []}, "lines: must not be empty"),
        ({"recipient": {"name": "王小明"}}, "recipient.phone: must be given"),
        ({"recipient": HOME | {"phone": "none"}}, "recipient.phone: must be a whole phone number"),
        ({"recipient": HOME | {"phone": "138****1111"}}, "recipient.phone: must be a whole phone number"),
        ({"recipient": HOME | {"name": "王\n小明"}}, "recipient.name: must be one line of readable text"),
        ({"recipient": HOME | {"address": "\u202e1 号"}}, "recipient.address: must be one line of readable text"),
        ({"recipient": HOME | {"city": "杭\ufffd市"}}, "recipient.city: must be one line of readable text"),
        ({"recipient": HOME | {"address": "路" * 201}}, "recipient.address: must be at most 200 characters long"),
        ({"recipient": "王小明"}, "recipient: must be a JSON object"),
        ({"buyer_note": "ring\x07"}, "buyer_note: must be readable text"),
        ({"buyer": 7, "lines": {}}, "buyer: must be text (and 1 more)"),
        ({"lines": [TEA] * 10_000}, "lines: must have 1000 entries at most"),
        ({"lines": [TEA | {"qty": 10**6, "price_minor": 10**14}]}, "lines: cost more than any amount may be"),
        ({"lines": [TEA | {"qty": 10**6 + 1}]}, "lines[0].qty: must be at most 1000000"),
        ({"lines": [TEA | {"qty": True}]}, "lines[0].qty: must be a whole number"),
        ({"recipient": HOME | {"phone": "  "}}, "recipient.phone: must not be empty"),
        ({"currency": "RMB"}, "currency: is no currency"),
        ({"kind": "gift"}, "kind: must be 'phone', 'b2b' or 'cod'"),
        ({"ship_by": "2026-03-04T12:00:00Z"}, "ship_by: there is no such field"),
        ({"placed_at": "2026-03-04T12:00:00Z"}, "placed_at: lies in the future"),
        ({"placed_at": "2026-03-01"}, "placed_at: expected an instant"),
        ({"ship_by_at": "2026-03-01T12:00:00Z"}, "ship_by_at: lies before placed_at"),
        ({"discount_minor": 2001}, "discount_minor: is more than goods and postage together"),
        ({"kind": "cod", "paid_at": "2026-03-01T12:00:00Z"}, "paid_at: must be left out"),
        ({"invoice_note": "某某公司"}, "invoice_note: is for b2b orders only"),
        ({"key": "two\nlines"}, "key: must be 1 to 100 characters in one line"),
    ],
)
def test_what_is_wrong_is_named_by_its_field_and_nothing_is_stored(
    stocked: Town, said: dict[str, Any], told: str
) -> None:
    assert wrong(stocked, **said).startswith(told)


def test_one_to_be_paid_on_delivery_leaves_unpaid(stocked: Town) -> None:
    number = make(stocked, kind="cod", freight_minor=500).number
    shown = looking.see(stocked, number)

    assert (shown["status"], shown["paid_at"], shown["paid_minor"], shown["total_minor"]) == (
        "allocated",
        None,
        None,
        2500,
    )
    assert ship(stocked.ctx, order=number, carrier="SF", tracking="SF1", actor="me").order == number


def test_of_a_business_the_invoice_is_noted_and_sealed(stocked: Town) -> None:
    number = make(stocked, kind="b2b", invoice_note="某某公司 91330000", buyer="某某公司").number

    revealed = reveal_recipient(stocked.ctx, number, actor="me")
    assert revealed.notes == {"buyer": "某某公司", "invoice_note": "某某公司 91330000"}
    sealed = looking.rows(stocked, "SELECT notes FROM orders")[0][0]
    assert "某某公司".encode() not in bytes(sealed)


def test_one_without_an_address_is_held_until_it_has_one(stocked: Town) -> None:
    number = make(stocked, recipient={"phone": "13800001111"}).number
    assert looking.status(stocked, number) == ("held", "incomplete_address")

    edit_recipient(stocked.ctx, number, read_recipient(HOME), actor="me")

    assert looking.status(stocked, number) == ("allocated", None)
    revealed = reveal_recipient(stocked.ctx, number, actor="me")
    assert revealed.recipient is not None
    assert (revealed.recipient["name"], revealed.recipient["address"]) == ("王小明", "解放路 1 号")


def test_a_parcel_of_it_is_told_to_nobody_and_ends_it_after_the_days_that_are_set(stocked: Town) -> None:
    number = make(stocked).number
    ship(stocked.ctx, order=number, carrier="SF", tracking="SF1", actor="me")
    assert looking.status(stocked, number)[0] == "shipped"
    assert looking.rows(stocked, "SELECT state, whole FROM shipment") == [("kept", True)]
    assert looking.rows(stocked, "SELECT count(*) FROM outbox WHERE kind = 'shipment'") == [(0,)]
    assert looking.on_shelf(stocked)["SH", "TEA"] == (8, 0)

    stocked.advance(timedelta(days=15).total_seconds() - 1)
    assert complete_own(stocked.ctx) == 0
    stocked.advance(2)

    assert (complete_own(stocked.ctx), complete_own(stocked.ctx)) == (1, 0)
    assert looking.status(stocked, number)[0] == "completed"


def test_the_last_parcel_counts_for_its_end(stocked: Town) -> None:
    number = make(stocked, lines=[{"sku": "TEA", "qty": 1, "price_minor": 1}] * 2).number
    ctx = replace(stocked.ctx, complete_days=1)
    shipped: list[str] = []
    for line in ("1", "2"):
        record = walk_line(stocked, number, line)
        shipped.append(record)
        stocked.advance(timedelta(hours=20).total_seconds())

    assert (len(set(shipped)), complete_own(ctx)) == (2, 0)
    stocked.advance(timedelta(hours=5).total_seconds())
    assert complete_own(ctx) == 1


def walk_line(town: Town, number: str, line: str) -> str:
    return ship(
        town.ctx, order=number, carrier="SF", tracking=f"SF{line}", lines=[ShipLine(line=line)], actor="me"
    ).number


def test_one_of_a_channel_is_never_completed_by_the_clock(stocked: Town) -> None:
    stocked.shop.place("o1", ("TEA", 1))
    walk.read(stocked)
    ship(stocked.ctx, order="o1", carrier="SF", tracking="SF1", actor="me")
    stocked.advance(timedelta(days=100).total_seconds())

    assert (complete_own(stocked.ctx), looking.status(stocked, "o1")[0]) == (0, "shipped")


def test_a_person_holds_and_cancels_it_and_its_units_are_free_again(stocked: Town) -> None:
    number = make(stocked).number
    hold_order(stocked.ctx, number, reason="they call back", actor="me")
    assert looking.status(stocked, number) == ("held", "operator")
    end_hold(stocked.ctx, number, actor="me")

    cancel_order(stocked.ctx, number, reason="they changed their mind", actor="me")

    assert (looking.status(stocked, number)[0], looking.promised(stocked)) == ("cancelled", {})
    stocked.advance(timedelta(days=100).total_seconds())
    assert (complete_own(stocked.ctx), looking.status(stocked, number)[0]) == (0, "cancelled")


def test_its_recipient_is_edited_until_it_is_on_its_way(stocked: Town) -> None:
    stocked.shop.place("o1", ("TEA", 1))
    walk.read(stocked)
    number = make(stocked).number
    edit_recipient(stocked.ctx, number, read_recipient(ELSEWHERE), actor="me")
    edit_recipient(stocked.ctx, number, read_recipient(ELSEWHERE), actor="me")
    assert [detail["changes"] for kind, detail in looking.events(stocked, "order.changed")] == [["recipient"]]

    with pytest.raises(Refused, match="is of a channel: its recipient is edited there"):
        edit_recipient(stocked.ctx, "o1", read_recipient(HOME), actor="me")
    ship(stocked.ctx, order=number, carrier="SF", tracking="SF1", actor="me")
    with pytest.raises(Refused, match=f"order {number} is shipped; there is nothing left to send"):
        edit_recipient(stocked.ctx, number, read_recipient(HOME), actor="me")


def test_the_system_of_a_warehouse_sends_it_and_nobody_else_hears_of_it(database_url: str) -> None:
    town, depot = build_depot(database_url)
    try:
        counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="me")
        number = make(town).number
        edit_recipient(town.ctx, number, read_recipient(ELSEWHERE), actor="me")
        work(town)

        (told,) = depot.got
        assert (told.order, told.recipient.name) == (number, "李四")
        with pytest.raises(Refused, match=f"a warehouse was told to send order {number}"):
            edit_recipient(town.ctx, number, read_recipient(HOME), actor="me")
    finally:
        town.store.close()


def test_every_sellable_warehouse_serves_it_and_no_other(make_town: Callable[..., Town]) -> None:
    places = (WarehousePolicy(id="SH"), WarehousePolicy(id="BAD", sellable=False, priority=0))
    town = make_town(warehouses=places)
    counts.set_stock(town.ctx, warehouse="BAD", sku="TEA", on_hand=10, actor="me")
    number = make(town).number
    assert looking.status(town, number)[0] == "backordered"

    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="me")

    assert looking.status(town, number)[0] == "allocated"


def test_it_is_explained_without_a_word_of_a_channel_that_is_to_be_told(stocked: Town) -> None:
    number = make(stocked).number
    open_one = explain_order(stocked.ctx, number, Unwritten())
    ship(stocked.ctx, order=number, carrier="SF", tracking="SF1", actor="me")
    left = explain_order(stocked.ctx, number, Unwritten())

    assert "it is to leave by 2026-03-04T12:00:00Z" in " ".join(open_one["why"])
    assert left["summary"] == f"{number} has left"
    assert "told" not in " ".join([*open_one["why"], *left["why"]])


def test_who_bought_is_forgotten_when_its_days_are_over(stocked: Town) -> None:
    number = make(stocked, buyer_note="please call first").number
    ship(stocked.ctx, order=number, carrier="SF", tracking="SF1", actor="me")
    stocked.advance(timedelta(days=31).total_seconds())

    prune(stocked.ctx, 30)

    assert looking.rows(stocked, text("SELECT recipient, notes FROM orders")) == [(None, None)]
    assert looking.see(stocked, number)["total_minor"] == 2000


def test_it_is_there_without_configuration_and_nothing_is_to_be_read_or_pushed_there(town: Town) -> None:
    assert (town.ctx.own.name, town.ctx.own.connector) == ("internal", None)
    assert "internal" not in {channel.name for channel in town.ctx.channels.values()}


def test_a_file_of_orders_says_of_each_whose_it_is_and_how_it_came(stocked: Town) -> None:
    stocked.shop.place("o1", ("TEA", 1))
    walk.read(stocked)
    stocked.advance(1)
    for kind in ("phone", "b2b", "cod"):
        make(stocked, kind=kind)
        stocked.advance(1)

    def kinds(column: str, manner: Manner) -> list[str]:
        pieces = orders.written(orders.pages_of(stocked.store, OrderFilter()), manner)
        text = b"".join(piece.content for piece in pieces).decode("utf-8-sig")
        return [row[column] for row in csv.DictReader(io.StringIO(text, newline=""))]

    zone = stocked.ctx.timezone
    assert kinds("kind", Manner(speech=ENGLISH, zone=zone, plain=True)) == ["cod", "b2b", "phone", "channel"]
    assert kinds("Kind of order", Manner(speech=ENGLISH, zone=zone)) == [
        "paid on delivery",
        "for a business",
        "by phone",
        "of a channel",
    ]
