"""Why an order is held, split, short, not handed over or not told: by which fact or setting, and what ends it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from erpsync.core.policy import OrderPolicy, WarehousePolicy
from erpsync.flows.channels.control import pause_channel
from erpsync.flows.explain.explain import explain, explain_order
from erpsync.flows.inventory import counts
from erpsync.flows.orders.actions import cancel_order, hold_order
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError, TransientError
from erpsync.store.db.bulk import insert_many
from erpsync.store.tables import backorder, hold, stock
from erpsync.store.views.values import NotFound
from tests.support import looking, walk
from tests.support.depot import Depot, work
from tests.support.explaining import Written, codes, flat, named, one
from tests.support.shop import Town

MakeTown = Callable[..., Town]
TWO = (WarehousePolicy(id="SH", priority=1), WarehousePolicy(id="GZ", priority=2))


def put(town: Town, on_hand: int, code: str = "A", *, warehouse: str = "SH") -> None:
    counts.set_stock(town.ctx, warehouse=warehouse, sku=code, on_hand=on_hand, actor="me")


def why(town: Town, order: str = "o1") -> dict[str, Any]:
    return explain_order(town.ctx, order, Written())


def number(town: Town, order: str = "o1") -> str:
    return str(looking.see(town, order)["number"])


def texts(step: dict[str, Any]) -> list[str]:
    return [each["text"] for each in step["steps"]]


def test_an_order_that_can_be_sent_says_from_where_since_when_and_by_when(make_town: MakeTown) -> None:
    town = make_town(warehouses=TWO)
    put(town, 5)
    put(town, 9, warehouse="GZ")
    town.shop.place("o1", ("A", 2))
    walk.read(town)

    got = why(town)

    assert got["summary"] == f"all of {number(town)} is held in SH and can be sent"
    assert codes(got["steps"]) == ["allocated", "sourcing", "free", "free", "ship_by"]
    held, sourcing, due = got["steps"]
    assert (held["amount"], held["text"], held["since"] is not None) == (2, "of A for line o1-1, held in SH", True)
    assert sourcing["text"] == "SH and GZ may serve shop, preferred first"
    assert sourcing["setting"] == {"file": "shop.yaml", "line": len("stock.warehouses")}
    assert [step["amount"] for step in sourcing["steps"]] == [3, 9]
    assert due["setting"] == {"file": "shop.yaml", "line": len("orders.ship_within_h")}
    assert due["until"].startswith("2026-03-04T12:00")


def test_an_order_out_of_two_warehouses_says_where_its_units_lie_and_invents_nothing(make_town: MakeTown) -> None:
    town = make_town(warehouses=TWO)
    put(town, 3)
    put(town, 3, warehouse="GZ")
    town.shop.place("o1", ("A", 5))
    walk.read(town)

    got = why(town)

    assert [step["amount"] for step in got["steps"] if step["what"] == "allocated"] == [3, 2]
    assert "split over SH and GZ" in one(got["steps"], "split")["text"]
    assert "what each had then is not kept" in one(got["steps"], "split")["text"]


def test_an_order_that_waits_for_units_says_how_many_and_who_comes_first(town: Town) -> None:
    put(town, 1)
    for nth, qty in enumerate([2, 3, 4, 2], 1):
        town.shop.place(f"o{nth}", ("A", qty))
    walk.read(town)

    first, last = why(town), why(town, "o4")

    assert first["summary"] == f"{number(town)} waits for 1 unit of A and is served first"
    assert last["summary"] == f"{number(town, 'o4')} waits for 2 units of A; it is served after 3 orders paid before it"
    ahead = one(last["steps"], "ahead")
    assert (ahead["amount"], named(ahead)) == (
        8,
        [(number(town, f"o{nth}"), qty) for nth, qty in [(1, 1), (2, 3), (3, 4)]],
    )
    assert one(last["steps"], "backordered")["text"] == "of A missing for line o4-1"
    assert "nothing of A is known to be on its way" in one(last["steps"], "nothing_on_its_way")["text"]
    assert last["next"][0].startswith("`erpsync stock add` or `stock import` what arrives")


def test_who_waits_longer_and_is_no_order_is_named_as_such(town: Town) -> None:
    put(town, 4)
    town.shop.place("o1", ("A", 5))
    walk.read(town)
    ((sku_id, place),) = looking.rows(town, select(stock.c.sku_id, stock.c.warehouse_id))
    owner = {"owner_kind": "work", "owner_id": 7, "sku_id": sku_id}
    with town.store.begin() as tx:
        earlier = town.clock.now() - timedelta(hours=1)
        insert_many(tx, backorder, [owner | {"qty": 2, "due_at": earlier, "number": "W1", "waits": True}])
        insert_many(tx, hold, [owner | {"warehouse_id": place, "qty": 3}])

    got = why(town)

    assert got["summary"] == f"{number(town)} waits for 1 unit of A; those who wait longer go first"
    assert one(got["steps"], "ahead")["text"] == "go first to those who wait longer, orders and others"
    assert named(one(got["steps"], "ahead")) == [(None, 2)]
    assert [step["amount"] for step in got["steps"] if step["what"] == "allocated"] == [4]


def test_an_unpaid_order_says_since_when_and_by_which_setting_it_holds_nothing(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2), paid=False)
    walk.read(town)

    got = why(town)

    assert got["summary"] == f"{number(town)} waits for the buyer's payment since 2026-03-02T12:00:00Z"
    assert codes(got["steps"]) == ["unpaid", "reserves_nothing"]
    assert one(got["steps"], "reserves_nothing")["setting"] == {"file": "shop.yaml", "line": len("orders.reserve")}


def test_a_reservation_says_when_it_ends(make_town: MakeTown) -> None:
    town = make_town(orders=OrderPolicy(reserve="placement", reserve_minutes=30))
    put(town, 5)
    town.shop.place("o1", ("A", 2), paid=False)
    walk.read(town)

    step = one(why(town)["steps"], "reserved")

    assert step["until"].startswith("2026-03-02T12:30:00")
    assert step["setting"]["line"] == len("orders.reserve_minutes")


def test_a_refund_that_is_asked_for_holds_the_order_and_names_its_units(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    town.shop.refund("r1", "o1", n1=2)
    walk.read(town, "refunds")

    got = why(town)

    assert got["summary"] == f"{number(town)} is held: a refund is asked for on shop: r1"
    step = got["steps"][0]
    assert (step["what"], step["since"] is not None) == ("refund_open", True)
    assert texts(step)[0] == "in refund r1, which is open, of line o1-1"
    assert texts(step)[1].startswith("grant or refuse it on the channel")


def test_a_hold_by_hand_names_who_and_why_and_its_end(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    hold_order(town.ctx, "o1", reason="the buyer calls back", actor="ana")

    step = one(why(town)["steps"], "operator")

    assert step["text"] == "ana holds it: the buyer calls back"
    assert texts(step) == [f"`erpsync orders release {number(town)}` ends the hold"]


def test_a_newer_view_that_was_not_understood_names_its_dead_letter(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    town.shop.change("o1", broken=True)
    walk.read(town)

    step = one(why(town)["steps"], "unread_update")

    assert step["steps"][0]["what"] == "dead_letter"
    assert "expected an amount like 12.50" in texts(step)[0]


def test_codes_that_nobody_has_mapped_are_named(town: Town) -> None:
    town.shop.place("o1", ("NOBODY-KNOWS", 2))
    walk.read(town)

    step = one(why(town)["steps"], "unmapped_sku")

    assert step["text"] == "nobody has tied these seller codes of shop to a SKU: NOBODY-KNOWS"
    assert texts(step)[-1].startswith("`erpsync listings import FILE` ties")


@pytest.mark.parametrize(
    ("fields", "what", "setting"),
    [
        ({"address": ""}, "incomplete_address", {"file": "shop.yaml", "line": len("orders.require_address")}),
        ({"do_not_ship": "presale"}, "do_not_ship", None),
    ],
)
def test_what_else_holds_an_order_names_the_setting_behind_it(
    town: Town, fields: dict[str, str], what: str, setting: dict[str, Any] | None
) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2), **fields)
    walk.read(town)

    assert one(why(town)["steps"], what)["setting"] == setting


def test_a_line_that_could_not_be_read_names_its_dead_letter(town: Town) -> None:
    put(town, 5)
    row = town.shop.place("o1", ("A", 1), ("A", 2))
    row["lines"][1]["bad"] = True
    walk.read(town)

    step = one(why(town)["steps"], "bad_line")

    assert "expected a quantity" in texts(step)[0]


def test_a_parcel_that_waits_at_the_gate_says_why(left: Town) -> None:
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)

    got = why(left)

    assert got["summary"] == f"{number(left)} has left; shop does not know of 1 parcel yet"
    gate = one(got["steps"], "gate")
    assert gate["text"] == "it waits at the gate: refund_open: r1"
    assert texts(gate) == ["end the refund or the hold on the channel; it goes on by itself"]


def test_a_parcel_that_is_told_or_to_be_told_says_so(left: Town) -> None:
    assert codes(why(left)["steps"])[:2] == ["parcel_pending", "due"]

    walk.read(left)
    walk.tell(left)
    got = why(left)
    assert got["summary"] == f"{number(left)} has left, and nothing is to be told to shop any more"
    assert (one(got["steps"], "parcel_sent")["since"] or "").startswith("2026-03-02T12:")


def test_a_parcel_whose_outcome_is_unknown_says_that_nobody_knows(left: Town) -> None:
    walk.read(left)
    left.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    left.shop.trouble["find"] = [TransientError("504")] * 9
    walk.tell(left)

    assert "had no answer" in one(why(left)["steps"], "unknown")["text"]


def test_a_parcel_that_the_shop_refuses_names_its_dead_letter(left: Town) -> None:
    walk.read(left)
    left.shop.trouble["ship before"] = [RejectedError("no such logistics company", code="B01")]
    walk.tell(left)

    got = why(left)

    assert one(got["steps"], "parcel_refused")["text"].endswith("shop refuses to know of it")
    letter = one(got["steps"], "dead_letter")
    assert "no such logistics company" in letter["text"]
    assert texts(letter)[0].startswith("mend what the channel refuses")


def test_a_paused_shop_is_named_while_something_is_to_be_told(left: Town) -> None:
    pause_channel(left.ctx, "shop", reason="stocktaking", actor="ana")

    assert one(why(left)["steps"], "paused")["text"] == "shop is paused by ana: stocktaking"


def test_an_order_that_was_given_up_says_that_nothing_is_sent(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2))
    walk.read(town)
    cancel_order(town.ctx, "o1", reason="the buyer called", actor="ana")

    got = why(town)

    assert got["summary"] == f"nothing of {number(town)} is to be sent: it was cancelled or refunded"
    assert got["why"] == [got["summary"]]


def test_an_order_that_is_handed_over_names_its_release(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    town.shop.place("o1", ("A", 2))
    work(town)

    got = why(town)

    assert got["summary"] == f"{number(town)} is handed over to SH, which sends it"
    assert one(got["steps"], "release_told")["text"] == f"SH has release {depot.numbers[0]} and sends it"
    assert one(got["steps"], "released")["amount"] == 2


def test_an_order_that_is_not_handed_over_says_what_it_waits_for(pair: tuple[Town, Depot]) -> None:
    town, _ = pair
    town.shop.place("o1", ("A", 2))
    town.shop.place("o2", ("A", 20))
    walk.read(town, "orders", "backfill")

    assert "before the refunds of shop were read to the end" in one(why(town)["steps"], "refunds")["text"]
    assert "before all of it is there" in one(why(town, "o2")["steps"], "not_whole")["text"]

    walk.read(town)
    got = why(town)
    assert one(got["steps"], "release_due")["text"] == "it is handed over to SH with the next round of the daemon"
    assert got["summary"].startswith(
        f"all of {number(town)} is held in SH and is not handed over yet: it is handed over"
    )


def test_a_release_without_an_answer_is_unsure(pair: tuple[Town, Depot]) -> None:
    town, depot = pair
    depot.trouble["release before"] = [OutcomeUnknownError("no answer")] * 9
    town.shop.place("o1", ("A", 2))
    work(town)

    got = why(town)
    assert "nobody knows whether it arrived" in one(got["steps"], "release_unsure")["text"]
    assert got["summary"].startswith(f"{number(town)} is with a warehouse: release R")


def test_a_name_is_that_of_an_order_or_of_a_sku(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2))
    walk.read(town)

    assert "order" in explain(town.ctx, "o1")
    assert "levels" in explain(town.ctx, "A")
    with pytest.raises(NotFound, match="no order and no SKU nothing"):
        explain(town.ctx, "nothing")


def test_every_sentence_of_the_first_steps_stands_with_its_number(town: Town) -> None:
    put(town, 5)
    town.shop.place("o1", ("A", 2))
    walk.read(town)

    got = why(town)

    assert got["why"][:2] == [got["summary"], "2 of A for line o1-1, held in SH"]
    assert all(step["text"] for step in flat(got["steps"]))
