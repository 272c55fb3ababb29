"""Two views of one change time that differ, of a sender that cannot be asked again: none is dropped in silence."""

from collections.abc import Callable

import pytest

from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory.counts import set_stock
from tests.support.calling import deliver, with_calls
from tests.support.looking import count, lines, rows, status, tasks
from tests.support.shop import Town
from tests.support.walk import poll, settle_in


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """A shop that only calls, with ten TEA in SH and one order of it."""
    town = with_calls(make_town())
    town.channel().connector.rereads = False  # type: ignore[union-attr]
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    town.shop.place("o1", ("TEA", 1))
    settle_in(town)
    return town


def say(town: Town, **changes: object) -> None:
    """Deliver the order with these changes and an unchanged time of change, and apply it."""
    town.advance(1)
    deliver(town, town.shop.orders["o1"] | changes)
    apply_inbox(town.ctx)


def two(town: Town) -> list[dict[str, object]]:
    return [{**line, "qty": 2} for line in town.shop.orders["o1"]["lines"]]


def test_the_view_that_arrived_later_counts(town: Town) -> None:
    say(town, lines=two(town))

    assert lines(town, "o1") == {"o1-1": (2, 0, 0)}
    assert tasks(town) == []


def test_a_cancel_of_the_same_second_counts_and_a_late_repeat_does_not_undo_it(town: Town) -> None:
    say(town, state="cancelled")
    say(town, note="once more")

    assert status(town, "o1") == ("cancelled", None)
    assert tasks(town) == ["same_version"]
    told = rows(town, "SELECT reason FROM task")[0][0]
    assert "cancelled (came at" in told
    assert "and paid (came at" in told


def test_what_was_not_applied_is_kept(town: Town) -> None:
    before = count(town, "payload")
    say(town, state="shipped")
    say(town, note="to be shipped after all")

    assert (status(town, "o1")[0], count(town, "payload")) == ("shipped", before + 2)


def test_equal_content_once_more_changes_nothing(town: Town) -> None:
    say(town, lines=two(town))
    before = count(town, "event")
    say(town, lines=two(town))

    assert (count(town, "event"), tasks(town)) == (before, [])


def test_a_view_that_arrived_first_and_is_applied_last_changes_nothing(town: Town) -> None:
    """Cancels overtake every order that waits."""
    town.advance(1)
    deliver(town, town.shop.orders["o1"] | {"lines": two(town)})
    town.advance(1)
    deliver(town, town.shop.orders["o1"] | {"state": "cancelled"})
    apply_inbox(town.ctx)

    assert (status(town, "o1"), tasks(town)) == (("cancelled", None), [])


def test_a_refund_that_was_granted_is_not_asked_for_again_without_a_word(town: Town) -> None:
    town.shop.refund("r1", "o1", state="granted", n1=1)
    poll(town, "refunds")
    town.advance(1)
    deliver(town, town.shop.refunds["r1"] | {"state": "open"})
    apply_inbox(town.ctx)

    assert status(town, "o1") == ("cancelled", None)
    assert tasks(town) == ["same_version"]
