"""What is not understood of an order holds it: nothing of it leaves before that was read, or a person has looked."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from erpsync.core.orders import KnownOrder
from erpsync.flows.errors import Refused
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.unmapped import relook_unread
from erpsync.flows.operations.dead_letters import drop_letter, replay_letter
from erpsync.flows.orders.find import find_order
from erpsync.flows.retry import GIVES_UP_AFTER
from erpsync.flows.shipments.gate import UnreadError, reread
from erpsync.flows.shipments.record import ship
from erpsync.flows.warehouses.releasable import releasable
from erpsync.sdk.errors import RejectedError, TransientError
from erpsync.store.views.story import tell_order
from tests.support.calling import deliver, with_calls
from tests.support.facts import fact, later, line, order, take_in
from tests.support.looking import count, held, letter_id, letters, lines, rows, status, tasks
from tests.support.shop import Town
from tests.support.walk import poll, settle_in

LOCKED = {"state": "locked"}


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop with ten TEA and ten CUP in SH, and an order of both that may leave."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    set_stock(town.ctx, warehouse="SH", sku="CUP", on_hand=10, actor="keeper")
    town.shop.place("o1", ("TEA", 1), ("CUP", 2))
    settle_in(town)
    assert status(town, "o1") == ("allocated", None)
    return town


def next_steps(town: Town, order: str) -> list[str]:
    with town.store.read() as connection:
        return list(tell_order(connection, order)["next"])


def known(town: Town, order: str) -> KnownOrder:
    with town.store.begin() as tx:
        return find_order(tx, order)


def hold_of(town: Town, order: str) -> str:
    query = "SELECT detail FROM order_hold JOIN orders ON orders.id = order_id WHERE external_id = :o"
    return str(rows(town, query, o=order)[0][0])


def ask_to_ship(town: Town, order: str = "o1") -> str:
    with pytest.raises(Refused) as refused:
        ship(town.ctx, order=order, carrier="SF", tracking="SF1")
    return str(refused.value)


# -- held


@pytest.mark.parametrize("change", [LOCKED, {"broken": True}, {"strange": True}, {"total": 10**30}])
def test_a_newer_view_that_cannot_be_read_holds_its_order_and_keeps_its_units(
    town: Town, change: dict[str, object]
) -> None:
    town.shop.change("o1", **change)
    poll(town)

    assert (status(town, "o1"), held(town, "o1")) == (("held", "unread_update"), {"TEA": 1, "CUP": 2})
    assert f"`erpsync dead show {letter_id(town, 'o1')}`" in hold_of(town, "o1")
    assert "was not understood" in ask_to_ship(town)


def test_an_order_that_the_channel_does_not_show_any_more_is_held(town: Town) -> None:
    town.shop.place("o2", ("TEA", 1))
    town.shop.hidden.add("o1")
    town.shop.change("o1")
    poll(town)

    assert status(town, "o1") == ("held", "unread_update")
    assert status(town, "o2") == ("allocated", None)


def test_a_refund_that_cannot_be_read_holds_the_order_it_concerns(town: Town) -> None:
    town.shop.refund("r1", "o1")
    town.shop.refunds["r1"]["broken"] = True
    poll(town, "refunds")
    assert status(town, "o1") == ("held", "unread_update")

    town.shop.refund("r1", "o1", state="closed")
    poll(town, "refunds")
    assert (status(town, "o1"), letters(town)) == (("allocated", None), [])


def test_a_webhook_that_cannot_be_read_holds_its_order(town: Town) -> None:
    calling = with_calls(town)
    deliver(calling, town.shop.change("o1", **LOCKED))
    apply_inbox(calling.ctx)

    assert status(town, "o1") == ("held", "unread_update")


def test_a_person_may_still_send_it_and_a_warehouse_is_not_told_to(town: Town) -> None:
    town.shop.change("o1", **LOCKED)
    poll(town)

    with town.store.read() as connection:
        [query] = releasable(town.ctx, [1], [town.channel().id])
        assert connection.execute(query).all() == []
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1", force=True, reason="the platform said yes by phone")
    assert status(town, "o1")[0] == "shipped"


def test_explain_says_which_letter_and_what_to_do(town: Town) -> None:
    town.shop.change("o1", broken=True)
    poll(town)

    told = next_steps(town, "o1")
    assert "erpsync dead replay" in told[0]
    assert any(step.startswith(f"dead letter {letter_id(town, 'o1')}:") for step in told)


def test_an_order_that_has_left_is_not_held(town: Town) -> None:
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1")
    town.shop.change("o1", **LOCKED)
    poll(town)

    assert (status(town, "o1"), letters(town)) == (("shipped", None), [("order", "o1")])


# -- freed


def test_a_newer_view_that_can_be_read_frees_it(town: Town) -> None:
    town.shop.change("o1", **LOCKED)
    poll(town)
    town.shop.change("o1", state="paid")
    poll(town)

    assert (status(town, "o1"), letters(town, "superseded")) == (("allocated", None), [("order", "o1")])


def test_a_view_older_than_the_unread_one_does_not_free_it(town: Town) -> None:
    town.shop.change("o1", **LOCKED)
    poll(town)
    between = rows(town, "SELECT max(version_at) FROM orders")[0][0]
    town.shop.change("o1", **LOCKED)
    poll(town)

    take_in(town, fact(order("o1", line(id="o1-1"), version_at=later(1.5)), digest="b", read=(20, 21)))

    assert between is not None
    assert status(town, "o1") == ("held", "unread_update")


def test_an_unread_view_that_is_older_than_the_stored_one_holds_nothing(town: Town) -> None:
    calling = with_calls(town)
    late = town.shop.change("o1", **LOCKED)
    town.shop.change("o1", state="paid")
    poll(town)
    deliver(calling, late)
    apply_inbox(calling.ctx)

    assert (status(town, "o1"), letters(town)) == (("allocated", None), [("order", "o1")])


def test_an_older_unread_view_does_not_take_the_place_of_a_newer_one(town: Town) -> None:
    calling = with_calls(town)
    older = town.shop.change("o1", state="frozen")
    town.shop.change("o1", **LOCKED)
    poll(town)
    deliver(calling, older)
    apply_inbox(calling.ctx)

    assert rows(town, "SELECT unknown_status FROM dead_letter") == [("locked",)]


def test_a_letter_that_is_dropped_frees_it_and_the_same_view_does_not_hold_it_again(town: Town) -> None:
    calling = with_calls(town)
    view = town.shop.change("o1", broken=True)
    deliver(calling, view)
    apply_inbox(calling.ctx)
    drop_letter(town.ctx, letter_id(town, "o1"), actor="ana")
    assert status(town, "o1") == ("allocated", None)

    deliver(calling, view)
    apply_inbox(calling.ctx)

    assert (status(town, "o1"), letters(town)) == (("allocated", None), [])


def test_what_the_gate_cannot_read_holds_the_order_once(town: Town) -> None:
    town.shop.orders["o1"]["broken"] = True
    town.advance(3600)
    for _ in range(2):
        with pytest.raises(UnreadError):
            reread(town.ctx, town.channel(), known(town, "o1"))
        for _, key in letters(town):
            drop_letter(town.ctx, letter_id(town, key), actor="ana")

    assert (status(town, "o1"), len(letters(town, "dropped"))) == (("allocated", None), 1)


def test_a_replay_by_a_connector_that_reads_it_frees_it(town: Town) -> None:
    row = town.shop.change("o1", lines=[{**each, "bad": True} for each in town.shop.orders["o1"]["lines"]])
    poll(town)
    assert status(town, "o1") == ("held", "unread_update")

    town.channel().connector.forgiving = True  # type: ignore[union-attr]
    replay_letter(town.ctx, letter_id(town, "o1"), actor="ana")

    assert row["state"] == "paid"
    assert (status(town, "o1"), letters(town)) == (("allocated", None), [])


@pytest.mark.parametrize("bad", [[0, 1], [1]])
def test_dropping_a_letter_about_a_changed_line_leaves_the_order_held_by_hand(town: Town, bad: list[int]) -> None:
    changed = [{**each, "bad": n in bad} for n, each in enumerate(town.shop.orders["o1"]["lines"])]
    town.shop.change("o1", lines=changed)
    poll(town)
    [(_, key)] = letters(town)

    drop_letter(town.ctx, letter_id(town, key), actor="ana")

    assert (status(town, "o1"), letters(town)) == (("held", "operator"), [])
    assert "compare them with the channel" in hold_of(town, "o1")
    assert "is held" in ask_to_ship(town)


def test_a_line_that_could_not_be_read_refuses_a_parcel(town: Town) -> None:
    lines_ = [{**each, "bad": n == 1} for n, each in enumerate(town.shop.orders["o1"]["lines"])]
    town.shop.change("o1", lines=lines_)
    poll(town)

    assert "has a line that was not understood" in ask_to_ship(town)


def test_an_order_the_channel_says_not_to_ship_refuses_a_parcel(town: Town) -> None:
    town.shop.change("o1", do_not_ship="presale")
    poll(town)

    assert "must not leave yet" in ask_to_ship(town)


def test_an_order_first_read_behind_an_unread_newer_view_is_stored_held(town: Town) -> None:
    town.shop.place("o2", ("TEA", 1), **LOCKED)
    poll(town)
    take_in(town, fact(order("o2"), digest="b", read=(0, 1)))

    assert status(town, "o2") == ("held", "unread_update")
    assert rows(town, "SELECT order_id IS NOT NULL FROM dead_letter") in ([(True,)], [(1,)])


def test_letters_of_an_older_version_hold_their_orders_too(town: Town) -> None:
    town.shop.change("o1", **LOCKED)
    poll(town)
    with town.store.begin() as tx:
        tx.connection.exec_driver_sql("DELETE FROM order_hold")

    assert (relook_unread(town.ctx), relook_unread(town.ctx)) == (1, 0)
    assert status(town, "o1") == ("held", "unread_update")


# -- one task for a status


def test_many_orders_of_one_unknown_status_are_one_task_that_closes_with_the_last(town: Town) -> None:
    for name in ("o2", "o3"):
        town.shop.place(name, ("TEA", 1))
    settle_in(town)
    for name in ("o1", "o2", "o3"):
        town.shop.change(name, **LOCKED)
    poll(town)
    assert tasks(town) == ["unknown_status"]
    assert "calls 3 orders 'locked'" in rows(town, "SELECT reason FROM task")[0][0]

    town.shop.change("o1", state="paid")
    poll(town)
    assert "calls 2 orders 'locked'" in rows(town, "SELECT reason FROM task")[0][0]
    for name in ("o2", "o3"):
        drop_letter(town.ctx, letter_id(town, name), actor="ana")
    assert tasks(town) == []


def test_an_order_that_cannot_be_applied_is_held(town: Town) -> None:
    """The parcel cannot be told from here why: something is wrong with the record, whatever it is."""
    town.shop.change("o1", ship_by_at="9999-12-31T23:59:59+00:00", total=10**18)
    town.shop.trouble["complete"] = [RejectedError("no such order", code="isv.trade-not-exist")]
    poll(town)

    assert status(town, "o1") == ("held", "unread_update")
    assert count(town, "dead_letter") == 1


def test_a_delivery_that_was_given_up_holds_its_order_until_it_was_applied(town: Town) -> None:
    calling = with_calls(town)
    changed = [{**each, "qty": 1} for each in town.shop.orders["o1"]["lines"]]
    town.shop.orders["o1"] = town.shop.orders["o1"] | {"lines": changed}
    town.shop.trouble["complete"] = [TransientError("down")]
    deliver(calling, town.shop.orders["o1"])
    with town.store.begin() as tx:
        tx.connection.exec_driver_sql(f"UPDATE inbox SET attempts = {GIVES_UP_AFTER - 1}")
    apply_inbox(calling.ctx)
    [(kind, key)] = letters(town)
    assert (kind, status(town, "o1")) == ("inbox", ("held", "unread_update"))

    replay_letter(calling.ctx, letter_id(town, key), actor="ana")
    assert status(town, "o1") == ("held", "unread_update")
    town.advance(5)
    apply_inbox(calling.ctx)
    assert (status(town, "o1"), lines(town, "o1")["o1-2"]) == (("allocated", None), (1, 0, 0))


@pytest.mark.concurrent("threads")
def test_a_person_who_drops_letters_while_newer_views_come_in_waits_for_nobody(town: Town) -> None:
    calling = with_calls(town)
    names = [f"p{n}" for n in range(6)]
    for name in names:
        town.shop.place(name, ("TEA", 1))
    settle_in(town)
    for name in names:
        town.shop.change(name, **LOCKED)
    poll(town)
    ids = [letter_id(town, name) for name in reversed(names)]
    for name in names:
        deliver(calling, town.shop.change(name, state="paid"))

    def drop_all() -> None:
        for id in ids:
            with suppress(Refused):
                drop_letter(calling.ctx, id, actor="ana")

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(drop_all), pool.submit(apply_inbox, calling.ctx)]:
            done.result()
    apply_inbox(calling.ctx)

    assert {status(town, name) for name in names} == {("allocated", None)}
    assert (letters(town), tasks(town)) == ([], [])


# -- a line of none


def test_a_line_of_none_was_taken_out_and_its_unit_is_free(town: Town) -> None:
    changed = [{**each, "qty": 0 if n == 1 else each["qty"]} for n, each in enumerate(town.shop.orders["o1"]["lines"])]
    town.shop.change("o1", lines=changed)
    poll(town)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 1})
    assert lines(town, "o1") == {"o1-1": (1, 0, 0), "o1-2": (2, 2, 0)}


def test_a_new_order_of_nothing_is_a_dead_letter_and_spoils_nothing_beside_it(town: Town) -> None:
    town.shop.place("o2", ("TEA", 0))
    town.shop.place("o3", ("TEA", 1), ("CUP", 0))
    poll(town)

    assert letters(town) == [("order", "o2")]
    assert lines(town, "o3") == {"o3-1": (1, 0, 0)}


def test_an_order_of_which_every_line_was_taken_out_is_cancelled(town: Town) -> None:
    town.shop.change("o1", lines=[{**each, "qty": 0} for each in town.shop.orders["o1"]["lines"]])
    poll(town)

    assert status(town, "o1") == ("cancelled", None)
