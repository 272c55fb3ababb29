"""Reading streams: page and cursor in one commit, nothing lost whatever dies when. failures.md rows 2, 3 and 12."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from erpsync.core.policy import PollPolicy
from erpsync.flows.channels.control import ask_backfill
from erpsync.flows.intake.poll import poll_stream
from erpsync.flows.intake.schedule import due_streams
from erpsync.flows.operations.dead_letters import replay_letter
from erpsync.sdk.errors import TransientError
from erpsync.sdk.types import Cursor, ListingRow, OrderPage
from erpsync.store.leases import end_leases, take_lease
from tests.support.looking import count, letter_id, letters, mark, rows, see, status
from tests.support.shop import NOON, ShopConnector, Town, days
from tests.support.walk import poll, settle_in

SEVEN = [f"o{n}" for n in range(7)]  # three pages of three


def open_shop(town: Town) -> None:
    for order in SEVEN:
        town.shop.place(order, ("TEA", 1))


def stored(town: Town) -> list[str]:
    return [row[0] for row in rows(town, "SELECT external_id FROM orders ORDER BY external_id")]


class NotingConnector(ShopConnector):
    """Notes which pages it was told are committed, and how many orders were stored by then."""

    def __init__(self, town: Town) -> None:
        super().__init__(town.shop, town.clock)
        self.town = town
        self.acknowledged: list[int] = []

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        for page in super().pull_orders(cursor):
            yield page
            self.acknowledged.append(count(self.town, "orders"))


def noting(town: Town) -> tuple[Town, NotingConnector]:
    connector, channel = NotingConnector(town), town.channel()
    noted = replace(channel, connector=connector)
    return replace(town, ctx=replace(town.ctx, channels={channel.id: noted})), connector


# -- page by page


def test_code_behind_a_yield_runs_only_when_its_page_is_committed(town: Town) -> None:
    open_shop(town)
    town, connector = noting(town)

    poll(town)

    assert connector.acknowledged == [3, 6, 7, 7]


def test_a_page_that_is_not_committed_is_never_acknowledged(town: Town) -> None:
    open_shop(town)
    town, connector = noting(town)
    lost = take_lease(town.store, "orders")
    take_lease(town.store, "orders")  # somebody took it again: the first one's epoch is over

    report = poll_stream(town.ctx, town.channel(), "orders", lease=lost)

    assert report.failed
    assert (connector.acknowledged, stored(town), mark(town, "orders")) == ([], [], None)
    end_leases(town.store)


def test_a_daemon_that_stops_between_pages_goes_on_behind_the_last_one(town: Town) -> None:
    open_shop(town)
    poll_stream(town.ctx, town.channel(), "orders", stopping=lambda: True)
    assert stored(town) == SEVEN[:3]

    poll(town)

    assert (stored(town), count(town, "payload")) == (SEVEN, 7)


@pytest.mark.parametrize("page", [1, 2, 3])
def test_a_failed_page_is_not_taken_for_the_end(town: Town, page: int) -> None:
    """failures.md row 3: an error on every page in turn; nothing is missing and the cursor never leaves its data."""
    open_shop(town)
    town.shop.trouble[f"orders page {page}"] = [TransientError("503")]

    assert poll(town).failed
    assert stored(town) == SEVEN[: 3 * (page - 1)]
    assert (mark(town, "orders") is None) == (page == 1)
    if page > 1:
        assert mark(town, "orders") == town.shop.orders[stored(town)[-1]]["changed_at"].isoformat()

    poll(town)
    assert (stored(town), count(town, "payload")) == (SEVEN, 7)


def test_a_detail_call_that_fails_leaves_the_cursor_before_its_page(town: Town) -> None:
    open_shop(town)
    town.shop.trouble["complete"] = [TransientError("reset")]

    assert poll(town).failed
    assert (stored(town), mark(town, "orders")) == ([], None)
    poll(town)
    assert stored(town) == SEVEN


def test_a_daemon_that_was_killed_after_a_commit_reads_on_where_it_was(make_town: Callable[..., Town]) -> None:
    town = make_town()
    open_shop(town)
    poll_stream(town.ctx, town.channel(), "orders", stopping=lambda: True)
    killed_at = mark(town, "orders")

    again = make_town(town=town)
    assert mark(again, "orders") == killed_at
    poll(again)

    assert (stored(again), count(again, "payload")) == (SEVEN, 7)


def test_what_is_known_is_not_read_in_detail_again(town: Town) -> None:
    open_shop(town)
    poll(town)
    town.shop.reads.clear()
    town.shop.change("o3", do_not_ship="risk")

    poll(town)

    assert town.shop.reads == ["o3"]


def test_an_order_that_changes_between_two_polls_is_seen_however_close_they_are(town: Town) -> None:
    """failures.md row 2: the overlap is read again each time, whatever the length of the window."""
    open_shop(town)
    settle_in(town)
    for second in range(5):
        town.shop.change("o0", total=second)
        poll(town)
        assert see(town, "o0")["total_minor"] == second


# -- back-fill and refunds


def test_the_stream_of_changes_begins_before_the_back_fill(town: Town) -> None:
    town.shop.place("old", ("TEA", 1), placed_at=NOON - days(3))
    assert due_streams(town.ctx, town.channel())[0] == "orders"
    assert "backfill" not in due_streams(town.ctx, town.channel())

    poll(town)

    assert "backfill" in due_streams(town.ctx, town.channel())


def test_a_back_fill_waits_for_a_stream_of_changes_that_could_not_begin(town: Town) -> None:
    """failures.md row 2: what changes during the back-fill would be in neither."""
    town.shop.trouble["orders"] = [TransientError("503")]

    poll(town)

    assert "backfill" not in due_streams(town.ctx, town.channel())
    poll(town)
    assert "backfill" in due_streams(town.ctx, town.channel())


def test_an_order_that_changes_while_the_back_fill_runs_is_not_lost(town: Town) -> None:
    for n in range(7):
        town.shop.place(f"o{n}", ("TEA", 1), placed_at=NOON - days(5) + days(n / 10))
    town.advance(900)
    poll(town)
    poll_stream(town.ctx, town.channel(), "backfill", stopping=lambda: True)
    town.shop.change("o0", state="cancelled")
    town.advance(900)
    poll(town, "backfill")

    poll(town)

    assert status(town, "o0") == ("cancelled", None)


def test_the_back_fill_goes_on_page_by_page_and_ends_once(town: Town) -> None:
    for n in range(7):
        town.shop.place(f"o{n}", ("TEA", 1), placed_at=NOON - days(5) + days(n / 10))
    town.advance(900)
    poll(town)
    assert stored(town) == []
    for pages in (3, 5, 7):
        poll_stream(town.ctx, town.channel(), "backfill", stopping=lambda: True)
        assert len(stored(town)) == pages

    settle_in(town)

    assert stored(town) == SEVEN
    assert "backfill" not in due_streams(town.ctx, town.channel())


def test_the_reach_of_a_back_fill_is_fixed_when_it_begins(town: Town) -> None:
    town.shop.place("edge", ("TEA", 1), placed_at=NOON - days(7) + days(0.01))
    town.shop.place("beyond", ("TEA", 1), placed_at=NOON - days(8))
    town.shop.trouble["backfill"] = [TransientError("503")]
    poll(town)
    poll(town, "backfill")
    town.advance(86_400)

    settle_in(town)

    assert "edge" in stored(town)
    reach = rows(town, "SELECT count(*) FROM cursor WHERE stream = 'backfill' AND since_at IS NOT NULL")
    assert reach == [(1,)]


def test_a_back_fill_that_is_asked_for_while_one_runs_is_read_from_its_own_beginning(town: Town) -> None:
    for n in range(4):
        town.shop.place(f"old{n}", ("TEA", 1), placed_at=NOON - days(20) + days(n / 10))
        town.shop.place(f"new{n}", ("TEA", 1), placed_at=NOON - days(5) + days(n / 10))
    town.advance(900)
    poll(town)
    town.shop.at_page = lambda: ask_backfill(town.ctx, "shop", days=30, actor="me")
    poll(town, "backfill")
    assert "backfill" in due_streams(town.ctx, town.channel())

    settle_in(town)

    assert stored(town) == [*(f"new{n}" for n in range(4)), *(f"old{n}" for n in range(4))]
    assert "backfill" not in due_streams(town.ctx, town.channel())


def test_refunds_are_read_when_the_back_fill_is_done_and_reach_the_oldest_open_order(town: Town) -> None:
    town.shop.place("old", ("TEA", 2), placed_at=NOON - days(5))
    town.advance(-days(4).total_seconds())
    town.shop.refund("r1", "old", state="open", amount=500)
    town.advance(days(4).total_seconds())
    poll(town)
    assert "refunds" not in due_streams(town.ctx, town.channel())

    settle_in(town)

    assert status(town, "old") == ("held", "refund_open")


def test_a_shop_is_asked_again_when_its_interval_is_over(make_town: Callable[..., Town]) -> None:
    town = make_town(poll=PollPolicy(orders_s=30, refunds_s=60))
    settle_in(town)

    town.advance(31)
    assert due_streams(town.ctx, town.channel()) == ["orders"]
    town.advance(30)
    assert due_streams(town.ctx, town.channel()) == ["orders", "refunds"]


# -- records that cannot be read


def test_one_order_that_cannot_be_read_stops_no_other(town: Town) -> None:
    """failures.md row 14."""
    open_shop(town)
    town.shop.orders["o4"]["broken"] = True

    poll(town)

    assert stored(town) == [order for order in SEVEN if order != "o4"]
    assert letters(town) == [("order", "o4")]


def test_a_defect_in_reading_one_order_stops_no_other_and_tells_nobody_its_content(town: Town) -> None:
    """failures.md row 14: what nobody foresaw is a dead letter too; its text may hold a name and is left out."""
    open_shop(town)
    town.shop.orders["o4"]["strange"] = True

    poll(town)

    assert stored(town) == [order for order in SEVEN if order != "o4"]
    [(error,)] = rows(town, "SELECT error FROM dead_letter")
    assert error.startswith("KeyError at shop.py:")
    assert "王小明" not in error


@pytest.mark.parametrize("poisoned", [{"o0"}, {"o3"}, {"o6"}, {"o1", "o2", "o5"}])
def test_an_order_that_the_database_refuses_is_found_by_halving(town: Town, poisoned: set[str]) -> None:
    """failures.md row 14: n - 1 delivered, wherever the poison is."""
    open_shop(town)
    for order in poisoned:
        town.shop.orders[order]["total"] = 10**30

    report = poll(town)

    assert not report.failed
    assert stored(town) == [order for order in SEVEN if order not in poisoned]
    assert sorted(letters(town)) == [("order", order) for order in sorted(poisoned)]


def test_the_same_order_that_cannot_be_read_is_counted_not_doubled(town: Town) -> None:
    town.shop.place("o1", ("TEA", 1), broken=True)
    for _ in range(3):
        poll(town)

    assert rows(town, "SELECT attempts FROM dead_letter WHERE state = 'open'") == [(3,)]


def test_one_order_that_the_shop_lists_but_does_not_show_stops_no_other(town: Town) -> None:
    """failures.md row 14."""
    open_shop(town)
    town.shop.hidden = {"o1", "o5"}

    report = poll(town)

    assert not report.failed
    assert stored(town) == [order for order in SEVEN if order not in town.shop.hidden]
    assert sorted(letters(town)) == [("order", "o1"), ("order", "o5")]

    town.shop.hidden = set()
    replay_letter(town.ctx, letter_id(town, "o1"), actor="ana")
    assert see(town, "o1")["total_minor"] == 1000


def test_a_shop_that_shows_no_order_at_all_is_down_and_its_cursor_waits(town: Town) -> None:
    open_shop(town)
    town.shop.hidden = set(SEVEN)

    assert poll(town).failed
    assert (letters(town), mark(town, "orders")) == ([], None)

    town.shop.hidden = set()
    poll(town)
    assert stored(town) == SEVEN


# -- the catalogue


def catalogue(town: Town, *, shows: int) -> None:
    town.shop.catalogue = [ListingRow(channel_sku=code, item_ref="", shown_qty=shows) for code in SEVEN]


def shown(town: Town) -> dict[str, int]:
    return dict(rows(town, "SELECT channel_sku, shown_qty FROM listing"))  # type: ignore[arg-type]


def test_the_catalogue_is_read_from_its_beginning_again_after_a_whole_pass(town: Town) -> None:
    catalogue(town, shows=1)
    poll(town, "listings")
    catalogue(town, shows=2)
    poll(town, "listings")

    assert shown(town) == dict.fromkeys(SEVEN, 2)


def test_a_reading_of_the_catalogue_that_broke_off_goes_on_where_it_was(town: Town) -> None:
    catalogue(town, shows=1)
    town.shop.trouble["catalogue page 2"] = [TransientError("away")]
    assert poll(town, "listings").failed
    assert len(shown(town)) == 3
    catalogue(town, shows=2)
    poll(town, "listings")

    assert [qty for _, qty in sorted(shown(town).items())] == [1, 1, 1, 2, 2, 2, 2]


# -- time


@pytest.mark.parametrize("hours", [14, -12])
def test_an_instant_is_the_same_wherever_the_shop_writes_it(town: Town, hours: int) -> None:
    """failures.md row 12: what a shop writes in its own zone is stored as the instant it is."""
    there = timezone(timedelta(hours=hours))
    town.shop.place("o1", ("TEA", 1), placed_at=NOON.astimezone(there))

    poll(town)

    assert datetime.fromisoformat(see(town, "o1")["placed_at"]) == NOON
