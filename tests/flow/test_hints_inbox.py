"""Webhooks and message queues: stored before they are answered, applied once. failures.md rows 7, 8 and 14."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy.event import listen

from erpsync.flows.intake.hints import pull_hints
from erpsync.flows.intake.schedule import due_streams
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.operations import dead_letters as dead
from erpsync.flows.operations.counters import verify_counters
from erpsync.sdk.errors import AuthError, TransientError
from tests.support.calling import caller, deliver, with_calls
from tests.support.looking import count, held, letter_id, letters, lines, on_shelf, rows, see, status
from tests.support.shop import Town
from tests.support.walk import poll, settle_in


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """One shop that calls us, with ten TEA in SH; all its streams were read."""
    town = with_calls(make_town())
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    settle_in(town)
    return town


def test_an_order_that_a_webhook_brings_is_applied_like_one_that_was_read(town: Town) -> None:
    received = deliver(town, town.shop.place("o1", ("TEA", 2)))
    assert (received.status, count(town, "orders")) == ("stored", 0)

    assert apply_inbox(town.ctx) == 1

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 2})


def test_a_delivery_that_comes_again_has_no_effect(town: Town) -> None:
    """failures.md row 7."""
    row = town.shop.place("o1", ("TEA", 2))
    deliver(town, row, id="same")
    apply_inbox(town.ctx)

    assert deliver(town, row, id="same").status == "duplicate"
    assert apply_inbox(town.ctx) == 0
    assert (count(town, "orders"), held(town, "o1")) == (1, {"TEA": 2})


def test_a_delivery_without_a_good_signature_is_not_stored(town: Town) -> None:
    with pytest.raises(AuthError):
        deliver(town, town.shop.place("o1", ("TEA", 2)), signature="forged")

    assert count(town, "inbox") == 0


def test_a_stored_delivery_outlives_the_process(make_town: Callable[..., Town], town: Town) -> None:
    """failures.md row 8: answered means stored; whoever comes next applies it."""
    deliver(town, town.shop.place("o1", ("TEA", 2)))

    town.advance(1)
    again = with_calls(make_town(town=town))
    apply_inbox(again.ctx)

    assert status(again, "o1") == ("allocated", None)


def test_an_order_that_no_webhook_announced_is_found_by_the_poll(town: Town) -> None:
    """failures.md row 8."""
    town.shop.place("lost", ("TEA", 2))
    town.advance(60)

    settle_in(town)

    assert status(town, "lost") == ("allocated", None)


def test_what_was_applied_keeps_no_body(town: Town) -> None:
    deliver(town, town.shop.place("o1", ("TEA", 2)))
    apply_inbox(town.ctx)

    assert rows(town, "SELECT state, body FROM inbox") == [("done", None)]


def test_a_late_webhook_changes_nothing(town: Town) -> None:
    early = town.shop.place("o1", ("TEA", 2))
    deliver(town, town.shop.change("o1", state="cancelled"))
    apply_inbox(town.ctx)

    deliver(town, early)
    apply_inbox(town.ctx)

    assert status(town, "o1") == ("cancelled", None)


def test_a_record_that_cannot_be_read_is_a_dead_letter_and_stops_no_other(town: Town) -> None:
    """failures.md row 14: in one delivery, and over deliveries."""
    good, broken = town.shop.place("o1", ("TEA", 1)), town.shop.place("o2", ("TEA", 1), broken=True)
    poison = town.shop.place("o3", ("TEA", 1), total=10**30)
    deliver(town, broken, poison, good)
    deliver(town, town.shop.place("o4", ("TEA", 1)))

    apply_inbox(town.ctx)

    assert [status(town, order) for order in ("o1", "o4")] == [("allocated", None)] * 2
    assert sorted(letters(town)) == [("order", "o2"), ("order", "o3")]
    assert count(town, "inbox WHERE state = 'done'") == 2


def test_a_refund_by_webhook_holds_its_order(town: Town) -> None:
    deliver(town, town.shop.place("o1", ("TEA", 2)))
    town.shop.refund("r1", "o1", n1=1)
    deliver(town, town.shop.refunds["r1"])

    apply_inbox(town.ctx)

    assert status(town, "o1") == ("held", "refund_open")


def test_an_order_and_its_refund_in_one_delivery_are_applied_together(town: Town) -> None:
    order = town.shop.place("o1", ("TEA", 2))
    town.shop.refund("r1", "o1", state="granted", n1=1)

    deliver(town, town.shop.refunds["r1"], order)
    apply_inbox(town.ctx)

    assert (lines(town, "o1"), see(town, "o1")["refunds"][0]["state"]) == ({"o1-1": (2, 1, 0)}, "granted")


def test_a_webhook_that_only_hints_asks_for_a_pass(town: Town) -> None:
    assert due_streams(town.ctx, town.channel()) == []

    deliver(town, hints=("orders", "weather"))
    apply_inbox(town.ctx)

    assert due_streams(town.ctx, town.channel()) == ["orders"]


def test_a_queue_that_names_a_stream_asks_for_a_pass_and_is_then_acknowledged(town: Town) -> None:
    caller(town).queue = [("refunds",), ("orders",)]

    assert pull_hints(town.ctx, town.channel()) is True

    assert due_streams(town.ctx, town.channel()) == ["orders", "refunds"]
    assert (caller(town).queue, len(caller(town).acked)) == ([], 2)


@pytest.mark.parametrize("queue", [[], [()], [("weather",)]])
def test_a_queue_that_names_no_stream_says_nothing(town: Town, queue: list[tuple[str, ...]]) -> None:
    caller(town).queue = queue

    assert pull_hints(town.ctx, town.channel()) is False
    assert due_streams(town.ctx, town.channel()) == []


def test_a_queue_that_is_away_stops_nothing(town: Town) -> None:
    town.shop.trouble["hints"] = [TransientError("reset")]

    assert pull_hints(town.ctx, town.channel()) is False


@pytest.mark.concurrent("threads")
def test_a_webhook_and_a_poll_that_bring_the_same_new_order_at_once_make_one(town: Town) -> None:
    """failures.md row 7: whoever comes second finds what the first one stored; neither becomes a dead letter."""
    names = [f"o{n}" for n in range(8)]
    for name in names:
        deliver(town, town.shop.place(name, ("TEA", 1)))

    with ThreadPoolExecutor(3) as pool:
        ways = [lambda: poll(town).failed, lambda: apply_inbox(town.ctx), lambda: apply_inbox(town.ctx)]
        done = [future.result() for future in [pool.submit(way) for way in ways]]
    apply_inbox(town.ctx)

    assert done[0] is False
    assert (count(town, "orders"), letters(town), count(town, "inbox WHERE state = 'done'")) == (8, [], 8)
    assert on_shelf(town)["SH", "TEA"] == (10, 8)
    assert verify_counters(town.ctx) == []


def test_a_crowd_of_deliveries_is_applied_in_one_commit(town: Town) -> None:
    """failures.md row 5: in a flash sale a commit per order falls behind."""
    commits: list[object] = []
    for number in range(30):
        deliver(town, town.shop.place(f"o{number:02}", ("TEA", 1)))
    listen(town.store.engine, "commit", commits.append)

    assert apply_inbox(town.ctx) == 30

    assert len(commits) == 1
    assert [status(town, f"o{number:02}")[0] for number in (0, 9, 10, 29)] == ["allocated"] * 2 + ["backordered"] * 2
    assert rows(town, "SELECT DISTINCT state FROM inbox") == [("done",)]


def test_two_deliveries_about_one_order_are_applied_in_turn(town: Town) -> None:
    """What could not be read is put right by what comes after it."""
    first = town.shop.place("o1", ("TEA", 2))
    deliver(town, {**first, "broken": True}, id="one")
    deliver(town, first, id="two")
    deliver(town, town.shop.place("o2", ("TEA", 1)), id="three")

    assert apply_inbox(town.ctx) == 3

    assert (held(town, "o1"), held(town, "o2")) == ({"TEA": 2}, {"TEA": 1})
    assert letters(town) == []


@pytest.mark.concurrent("threads")
def test_two_nodes_share_what_came_in_and_apply_nothing_twice(make_town: Callable[..., Town], town: Town) -> None:
    for number in range(60):
        deliver(town, town.shop.place(f"o{number:02}", ("TEA", 1)))
    other = with_calls(make_town(town=town))

    def drain(node: Town) -> int:
        return sum(apply_inbox(node.ctx) for _ in range(40))

    with ThreadPoolExecutor(2) as pool:
        taken = list(pool.map(drain, (town, other)))

    assert (sum(taken), count(town, "orders"), count(town, "hold")) == (60, 60, 10)
    assert verify_counters(town.ctx) == []


def test_a_webhook_that_was_given_up_can_be_tried_again_by_a_person(make_town: Callable[..., Town]) -> None:
    """failures.md row 8: what was answered 200 is never lost, however long its channel was not configured."""
    town = with_calls(make_town(names=("shop",)))
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    deliver(town, town.shop.place("o1", ("TEA", 2)), id="d1")
    without = replace(town.ctx, channels={})
    for _ in range(61):
        town.advance(400)
        apply_inbox(without)
    (key,) = (key for kind, key in letters(town) if kind == "inbox")

    dead.replay_letter(town.ctx, letter_id(town, key), actor="me")
    apply_inbox(town.ctx)

    assert (status(town, "o1"), held(town, "o1")) == (("allocated", None), {"TEA": 2})
    assert letters(town) == []
