"""Windows lose nothing while rows move: failures.md rows 2 (lost between two windows) and 3 (failed page)."""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.sdk.errors import PayloadError
from erpsync.sdk.windows import Ask, ShrinkingWindow, WindowRules

T0 = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


@dataclass
class Table:
    """A platform's list call with no snapshot: rows are sorted anew for every request."""

    newest_first: bool
    end_inclusive: bool
    page_size: int
    changed: dict[int, datetime] = field(default_factory=dict)
    longest_span: timedelta = timedelta(0)

    def page(self, ask: Ask) -> list[tuple[int, datetime]]:
        self.longest_span = max(self.longest_span, ask.end - ask.start)
        last = ask.end if self.end_inclusive else ask.end - SECOND
        rows = sorted(
            ((row, when) for row, when in self.changed.items() if ask.start <= when <= last),
            key=lambda item: (item[1], item[0]),
            reverse=self.newest_first,
        )
        return rows[(ask.page - 1) * self.page_size : ask.page * self.page_size]

    def count(self, ask: Ask) -> int:
        last = ask.end if self.end_inclusive else ask.end - SECOND
        return sum(ask.start <= when <= last for when in self.changed.values())


@dataclass
class Shop:
    """The table, its clock and chance: between any two requests rows are touched, come in and come late."""

    table: Table
    rng: random.Random
    activity: float
    now: datetime = at(20_000)
    next_row: int = 1000
    told: str = "full"

    def stir(self, late_s: int) -> None:
        self.now += timedelta(seconds=self.rng.randint(0, 2))
        if self.rng.random() < self.activity and self.table.changed:
            self.table.changed[self.rng.choice(sorted(self.table.changed))] = self.now
        if self.rng.random() < self.activity:
            self.add(self.now - timedelta(seconds=self.rng.randint(0, late_s)))

    def add(self, when: datetime) -> None:
        self.table.changed[self.next_row] = when
        self.next_row += 1

    def feed(self, window: ShrinkingWindow) -> list[tuple[int, datetime]]:
        ask = window.request()
        rows = self.table.page(ask)
        times = [when for _, when in rows]
        if self.told == "total":
            window.advance(times, total=self.table.count(ask))
        elif self.told == "has_next":
            window.advance(times, full=self.table.count(ask) > ask.page * self.table.page_size)
        else:
            window.advance(times)
        return rows


def rules_for(table: Table, max_span_s: int) -> WindowRules:
    return WindowRules(
        page_size=table.page_size,
        newest_first=table.newest_first,
        max_span=timedelta(seconds=max_span_s),
        min_span=SECOND,
        end_slack=SECOND,
    )


tables = st.builds(
    Table, newest_first=st.booleans(), end_inclusive=st.booleans(), page_size=st.integers(min_value=1, max_value=5)
)
shops = st.builds(
    Shop,
    table=tables,
    rng=st.randoms(use_true_random=False),
    activity=st.sampled_from([0.0, 0.3, 0.9]),
    told=st.sampled_from(["full", "has_next", "total"]),
)


def fill(shop: Shop, crowds: list[tuple[int, int]]) -> None:
    """Add crowds of rows that share a second: (seconds after T0, how many)."""
    for second, count in crowds:
        for _ in range(count):
            shop.add(at(second))


crowds = st.lists(st.tuples(st.integers(0, 19_999), st.integers(1, 12)), max_size=8)


@settings(max_examples=80, deadline=None)
@given(shop=shops, crowds=crowds, max_span_s=st.sampled_from([60, 3600, 86_400]), crash=st.floats(0, 0.5))
def test_no_row_is_lost_while_rows_leave_and_enter_and_the_reader_crashes(
    shop: Shop, crowds: list[tuple[int, int]], max_span_s: int, crash: float
) -> None:
    """Row 2: late commits, equal stamps, rows that move during paging; row 3: a page that failed is read again."""
    fill(shop, crowds)
    rules = rules_for(shop.table, max_span_s)
    seen: set[tuple[int, datetime]] = set()
    mark: str | None = None
    quiet_passes = 0
    while quiet_passes < 2:
        window = ShrinkingWindow.resume(rules, mark, now=shop.now, overlap=timedelta(seconds=60), begin=T0)
        broken = False
        while not window.done:
            rows = shop.feed(window)
            if shop.activity:
                shop.stir(late_s=30)
            if shop.rng.random() < crash:
                broken = True
                break
            seen.update(rows)
            mark = window.mark()
        if broken:
            crash /= 2
            shop.activity = shop.activity if crash > 0.01 else 0.0
            continue
        shop.activity = 0.0
        shop.now += timedelta(seconds=1)
        quiet_passes += 1

    assert {(row, when) for row, when in shop.table.changed.items()} - seen == set()


@settings(max_examples=60, deadline=None)
@given(shop=shops, crowds=crowds)
def test_one_pass_hands_out_every_row_that_nobody_touched(shop: Shop, crowds: list[tuple[int, int]]) -> None:
    """Row 2: the overlap is not what saves the rows of a window."""
    fill(shop, crowds)
    before = set(shop.table.changed.items())
    window = ShrinkingWindow.over(rules_for(shop.table, 3600), T0, shop.now)
    seen: set[tuple[int, datetime]] = set()
    requests = 0
    while not window.done:
        seen.update(shop.feed(window))
        window = ShrinkingWindow.restore(window.rules, window.mark())
        shop.stir(late_s=0)
        requests += 1
        if requests > 400:
            shop.activity = 0.0

    assert before & set(shop.table.changed.items()) - seen == set()


@settings(max_examples=50, deadline=None)
@given(shop=shops, crowds=crowds)
def test_no_request_is_longer_than_the_platform_allows_or_ahead_of_its_clock(
    shop: Shop, crowds: list[tuple[int, int]]
) -> None:
    fill(shop, crowds)
    window = ShrinkingWindow.over(rules_for(shop.table, 60), T0, shop.now)
    while not window.done:
        ask = window.request()
        assert SECOND <= ask.end - ask.start <= timedelta(seconds=60)
        assert ask.end <= shop.now
        shop.feed(window)


def test_an_empty_window_costs_one_request() -> None:
    window = ShrinkingWindow.over(WindowRules(page_size=2), T0, at(60))

    window.advance([])

    assert window.done


def test_a_full_page_leaves_what_is_older_than_its_oldest_row() -> None:
    window = ShrinkingWindow.over(WindowRules(page_size=2), T0, at(60))

    window.advance([at(50), at(40)])

    assert window.request() == Ask(start=T0, end=at(40), page=1)


def test_a_full_page_of_a_rising_list_leaves_what_is_newer_than_its_newest_row() -> None:
    window = ShrinkingWindow.over(WindowRules(page_size=2, newest_first=False), T0, at(60))

    window.advance([at(10), at(20)])

    assert window.request() == Ask(start=at(20), end=at(60), page=1)


def test_a_second_that_fills_a_page_is_counted_back_from_its_last_page() -> None:
    window = ShrinkingWindow.over(WindowRules(page_size=2), T0, at(60))
    window.advance([at(60), at(60)])
    asked = []
    for times, total in (([60, 60], 5), ([60], 5), ([60, 60], 5), ([60, 60], 5)):
        asked.append(window.request())
        window.advance([at(s) for s in times], total=total)

    assert [(ask.start, ask.page) for ask in asked] == [(at(60), 1), (at(60), 3), (at(60), 2), (at(60), 1)]
    assert window.request() == Ask(start=T0, end=at(59), page=1)


def test_without_a_total_the_last_page_is_found_by_walking_up_first() -> None:
    window = ShrinkingWindow.over(WindowRules(page_size=2), at(60), at(60))
    window.advance([at(60), at(60)])
    pages = []
    for times in ([60, 60], [60, 60], [60], [60, 60], [60, 60]):
        pages.append(window.request().page)
        window.advance([at(s) for s in times])

    assert pages == [1, 2, 3, 2, 1]
    assert window.done


def test_rows_that_are_not_sorted_as_promised_are_counted_page_by_page() -> None:
    window = ShrinkingWindow.over(WindowRules(page_size=2), T0, at(60))

    window.advance([at(10), at(50)])
    window.advance([at(10), at(50)], total=3)

    assert window.request() == Ask(start=T0, end=at(60), page=2)


def test_the_overlap_is_read_again_whatever_the_length_of_the_window() -> None:
    rules = WindowRules(page_size=2)
    first = ShrinkingWindow.resume(rules, None, now=at(1000), overlap=timedelta(seconds=300))
    first.advance([])

    second = ShrinkingWindow.resume(rules, first.mark(), now=at(1001), overlap=timedelta(seconds=300))

    assert second.request() == Ask(start=at(700), end=at(1001), page=1)


def test_a_pass_that_was_broken_off_is_finished_and_then_read_up_to_now() -> None:
    rules = WindowRules(page_size=2)
    first = ShrinkingWindow.resume(rules, None, now=at(1000), overlap=timedelta(seconds=300))
    first.advance([at(900), at(800)])

    again = ShrinkingWindow.resume(rules, first.mark(), now=at(2000), overlap=timedelta(seconds=300))
    finished = again.request()
    again.advance([])

    assert finished == Ask(start=at(700), end=at(800), page=1)
    assert again.request() == Ask(start=at(700), end=at(2000), page=1)
    assert not again.done


def test_a_clock_that_was_set_back_is_followed() -> None:
    rules = WindowRules(page_size=2)
    first = ShrinkingWindow.resume(rules, None, now=at(1000), overlap=timedelta(seconds=300))
    first.advance([])

    second = ShrinkingWindow.resume(rules, first.mark(), now=at(400), overlap=timedelta(seconds=300))

    assert second.request() == Ask(start=at(100), end=at(400), page=1)


@pytest.mark.parametrize("mark", ["", "null", "[]", '{"page": 3}', '{"start": "yesterday"}'])
def test_a_mark_of_something_else_is_refused(mark: str) -> None:
    with pytest.raises(PayloadError, match="not a mark of a time window"):
        ShrinkingWindow.restore(WindowRules(page_size=2), mark)


def test_an_instant_without_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        ShrinkingWindow.over(WindowRules(page_size=2), datetime(2026, 3, 2), datetime(2026, 3, 3))
