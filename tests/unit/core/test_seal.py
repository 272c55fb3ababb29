"""When a stretch of a channel's past counts as read whole, without a database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erpsync.core.drift import Drift, drift, remembered
from erpsync.core.seal import Scan, Window, due_at, grid, hash_of, hash_of_all, in_turn, judged, why_open

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = Window(start=NOON, end=NOON + HOUR)


def scan(after_h: float, *ids: str, missed: int = 0, unheld: int = 0, gone: int = 0) -> Scan:
    at = NOON + HOUR + timedelta(hours=after_h)
    return Scan(at=at, count=len(set(ids)), hash=hash_of(ids), missed=missed, unheld=unheld, gone=gone)


def after(*scans: Scan) -> Window:
    window = WINDOW
    for each in scans:
        window = judged(window, each, after=HOUR)
    return window


def test_a_hash_is_128_bits_however_many_ids_it_stands_for() -> None:
    assert {len(hash_of(map(str, range(count)))) for count in (0, 1, 2, 1000)} == {32}


def test_one_scan_seals_nothing() -> None:
    assert after(scan(0, "a")).sealed_at is None


def test_two_scans_that_agree_an_hour_apart_seal_the_window() -> None:
    assert after(scan(0, "a", "b"), scan(1, "b", "a")).sealed_at == NOON + 2 * HOUR


@pytest.mark.parametrize(("before", "later"), [(["a"], ["a", "b"]), (["a", "b"], ["a"])])
def test_a_scan_that_found_more_or_less_than_the_one_before_begins_anew(before: list[str], later: list[str]) -> None:
    assert after(scan(0, *before), scan(1, *later)).sealed_at is None


def test_two_scans_that_agree_too_soon_do_not_and_the_first_of_them_still_counts_for_the_third() -> None:
    early = after(scan(0, "a"), scan(0.5, "a"))

    assert early.sealed_at is None
    assert judged(early, scan(1, "a"), after=HOUR).sealed_at is not None


def test_equal_counts_of_different_orders_do_not_agree() -> None:
    assert after(scan(0, "a"), scan(1, "b")).sealed_at is None


def test_a_scan_that_found_a_missed_order_cannot_seal_even_if_the_lists_agree() -> None:
    assert after(scan(0, "a"), scan(1, "a", missed=1)).sealed_at is None


def test_a_scan_with_an_order_that_cannot_be_stored_cannot_seal() -> None:
    assert after(scan(0, "a"), scan(1, "a", unheld=1)).sealed_at is None


def test_a_list_that_was_cut_off_twice_is_given_away_by_the_orders_we_have() -> None:
    assert after(scan(0, gone=3), scan(1, gone=3)).sealed_at is None


def test_a_late_order_opens_a_sealed_window_again_and_it_is_counted() -> None:
    opened = after(scan(0, "a"), scan(1, "a"), scan(25, "a", "b", missed=1))

    assert (opened.sealed_at, opened.reopened) == (None, 1)
    assert judged(opened, scan(26, "a", "b"), after=HOUR).sealed_at is not None


def test_a_sealed_window_that_is_scanned_again_keeps_the_time_of_its_seal() -> None:
    again = after(scan(0, "a"), scan(1, "a"), scan(25, "a"))

    assert (again.sealed_at, again.reopened) == (NOON + 2 * HOUR, 0)


def test_a_window_that_is_open_is_not_opened_again_by_a_scan_that_differs() -> None:
    assert after(scan(0, "a"), scan(1, "b"), scan(2, "c")).reopened == 0


@pytest.mark.parametrize(
    ("last", "why"),
    [
        (scan(0), "a second scan that agrees has to follow"),
        (scan(0, missed=2), "2 orders had been missed; a scan that finds none has to follow"),
        (scan(0, missed=2, gone=3), "the list lacks 3 orders that were read before"),
        (scan(0, missed=2, gone=3, unheld=4), "4 orders of the list cannot be stored; see the dead letters"),
    ],
)
def test_why_a_window_stays_open_is_told_by_what_a_person_can_do_most_about(last: Scan, why: str) -> None:
    assert why_open(after(last), last) == why


def test_a_sealed_window_needs_no_reason() -> None:
    last = scan(1, "a")

    assert why_open(after(scan(0, "a"), last), last) == ""


def seen(*, scanned_h: float, since_h: float, sealed: bool = False) -> Window:
    scanned, since = (NOON + timedelta(hours=hour) for hour in (scanned_h, since_h))
    return Window(
        start=NOON, end=NOON + HOUR, scanned_at=scanned, since_at=since, sealed_at=scanned if sealed else None
    )


@pytest.mark.parametrize(
    ("window", "now_h", "after_h", "due_h"),
    [
        (WINDOW, 0, 1, 1),
        (seen(scanned_h=5, since_h=5), 5, 1, 6),
        (seen(scanned_h=5, since_h=5), 73, 1, 6),
        (seen(scanned_h=5, since_h=4), 72.9, 1, 6),
        (seen(scanned_h=5, since_h=4), 73, 1, 29),
        (seen(scanned_h=65, since_h=5), 73, 48, 113),
        (seen(scanned_h=5, since_h=4, sealed=True), 72.9, 1, 29),
        (seen(scanned_h=5, since_h=4, sealed=True), 73, 1, None),
    ],
    ids=["never scanned", "open", "old", "agrees", "agrees and old", "long apart", "sealed", "sealed and old"],
)
def test_an_open_window_is_due_after_a_pause_and_a_sealed_one_a_day_later_for_three_days(
    window: Window, now_h: float, after_h: int, due_h: int | None
) -> None:
    due = due_at(window, after=after_h * HOUR, now=NOON + timedelta(hours=now_h))

    assert due == (None if due_h is None else NOON + due_h * HOUR)


def test_a_window_is_scanned_from_the_instant_on_that_it_is_due() -> None:
    assert in_turn([WINDOW], after=HOUR, now=NOON + HOUR) == [WINDOW]
    assert in_turn([WINDOW], after=HOUR, now=NOON + timedelta(minutes=59)) == []


def test_windows_lie_on_whole_hours_and_only_whole_ones_count() -> None:
    found = list(grid(NOON + timedelta(minutes=5), NOON + timedelta(hours=3, minutes=59), HOUR))

    assert [(each.start.hour, each.end.hour) for each in found] == [(13, 14), (14, 15)]


def test_open_windows_are_scanned_before_sealed_ones_and_older_ones_first() -> None:
    sealed = Window(start=NOON, end=NOON + HOUR, scanned_at=NOON + HOUR, sealed_at=NOON + HOUR)
    older = Window(start=NOON + HOUR, end=NOON + 2 * HOUR)
    newer = Window(start=NOON + 2 * HOUR, end=NOON + 3 * HOUR)

    found = in_turn([newer, sealed, older], after=HOUR, now=NOON + timedelta(days=1, hours=2))

    assert found == [older, newer, sealed]


def test_a_sealed_window_is_left_alone_after_three_days() -> None:
    sealed = Window(start=NOON, end=NOON + HOUR, scanned_at=NOON + HOUR, sealed_at=NOON + HOUR)

    assert in_turn([sealed], after=HOUR, now=NOON + timedelta(days=3, hours=2)) == []


def test_an_old_window_that_only_a_person_can_close_is_scanned_once_a_day() -> None:
    stuck = after(scan(100, "a", unheld=1), scan(101, "a", unheld=1))

    assert in_turn([stuck], after=HOUR, now=NOON + timedelta(hours=104)) == []
    assert in_turn([stuck], after=HOUR, now=NOON + timedelta(hours=127)) == [stuck]


@given(st.lists(st.text(), unique=True), st.lists(st.text()))
def test_the_hash_depends_on_the_orders_alone_not_on_their_order_or_on_repeats(ids: list[str], more: list[str]) -> None:
    assert hash_of([*ids, *more]) == hash_of([*reversed(more), *ids, *ids])


@given(st.sets(st.text()), st.sets(st.text()))
def test_the_hash_of_two_windows_is_that_of_all_their_orders(first: set[str], second: set[str]) -> None:
    assert hash_of_all([hash_of(first), hash_of(second - first)]) == hash_of(first | second)


def test_the_hash_of_one_order_is_the_head_of_its_sha256() -> None:
    assert hash_of(["abc"]) == "ba7816bf8f01cfea414140de5dae2223"


def test_what_a_channel_shows_is_told_apart() -> None:
    def seen(shown: int) -> Drift:
        return drift(shown, told_qty=10, ordered_qty=3, earlier=(12, 4))

    assert [seen(10), seen(8), seen(7)] == [Drift.ECHO, Drift.SALE, Drift.SALE]
    assert [seen(12), seen(4)] == [Drift.LOST_PUSH, Drift.LOST_PUSH]
    assert [seen(6), seen(99)] == [Drift.HAND_EDIT, Drift.HAND_EDIT]


def test_buyers_who_ordered_more_than_was_told_explain_a_zero() -> None:
    assert drift(0, told_qty=2, ordered_qty=5, earlier=()) is Drift.SALE
    assert drift(-1, told_qty=2, ordered_qty=5, earlier=()) is Drift.HAND_EDIT


def test_an_earlier_number_that_sales_explain_is_a_sale() -> None:
    assert drift(8, told_qty=10, ordered_qty=3, earlier=(8,)) is Drift.SALE


def test_a_channel_remembers_a_few_earlier_numbers_the_latest_first() -> None:
    assert remembered((7, 6, 5, 4), 8, 9) == (8, 7, 6, 5)
    assert remembered((7,), 8, 7) == (8,)
    assert remembered((7,), 8, 8) == (7,)
    assert remembered((), None, 8) == ()
    assert remembered((7, 8, 6), 8, 9) == (8, 7, 6)
