"""What the compiled book says is what a judge says that reads the rules as they stand, and it looks again in time."""

import os
from datetime import UTC, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from erpsync.core.facts import OrderFacts
from erpsync.core.rules import Rule, Verdict, compile_book, judge
from tests.unit.core.rules.brute import Brute, Said
from tests.unit.core.rules.builders import NEW_YORK, SHANGHAI, ZONES, facts, some_rules

EXAMPLES = 100_000 if os.environ.get("ERPSYNC_SOAK") else 400
MICROSECOND = timedelta(microseconds=1)
DAYS = (
    datetime(2027, 3, 2, tzinfo=UTC),
    datetime(2027, 3, 13, 12, tzinfo=UTC),  # before New York's clocks go ahead
    datetime(2027, 11, 6, 12, tzinfo=UTC),  # before they go back
)
many = settings(max_examples=EXAMPLES, deadline=None)
seeds = st.integers(0, 2**32)


def case_of(seed: int) -> tuple[list[Rule], OrderFacts, datetime, ZoneInfo]:
    chance = Random(seed)
    now = chance.choice(DAYS) + timedelta(minutes=chance.randrange(1440), microseconds=chance.randint(-1, 1))
    return some_rules(chance, now), facts(chance, now), now, chance.choice([SHANGHAI, NEW_YORK])


def as_said(verdict: Verdict) -> Said:
    """Return a verdict as the other judge gives it."""
    return Said(
        holds=[(hold.rule, hold.text, hold.asks, hold.void) for hold in verdict.holds],
        marks={mark.name: (mark.value, mark.rule) for mark in verdict.marks},
        gifts=[(each.rule, each.gift.sku) for each in verdict.gifts],
        outcomes=[each.outcome for each in verdict.because],
        passed_over=[(each.rule, each.effect, each.won_by) for each in verdict.passed_over],
    )


def without_grounds(said: Said) -> Said:
    said.grounds = {}
    return said


@many
@given(seeds)
def test_the_book_says_what_a_judge_says_that_neither_compiles_nor_indexes(seed: int) -> None:
    given_rules, order, now, zone = case_of(seed)
    found = judge(compile_book(given_rules, ZONES, zone), order, now)
    wanted = Brute(ZONES, zone, order, now).judge(given_rules)

    for hold in found.holds:
        if hold.asks:
            assert {name for name, _, _ in hold.seen} == wanted.grounds[hold.rule]
    assert as_said(found) == without_grounds(wanted)


@many
@given(seeds)
def test_nothing_changes_before_the_instant_of_the_next_look(seed: int) -> None:
    given_rules, order, now, zone = case_of(seed)
    book = compile_book(given_rules, ZONES, zone)
    found = judge(book, order, now)
    flips = Brute(ZONES, zone, order, now).flips(given_rules)
    end = found.look_at or now + timedelta(days=9)

    for at in [*[flip for flip in flips if flip < end][:20], end - MICROSECOND]:
        later = judge(book, order, at)
        assert as_said(later) == as_said(found)
        assert later.look_at is None or (found.look_at is not None and later.look_at >= found.look_at)
    if found.look_at:
        assert found.look_at in flips
        looked = without_grounds(Brute(ZONES, zone, order, found.look_at).judge(given_rules))
        assert as_said(judge(book, order, found.look_at)) == looked


@many
@given(seeds)
def test_who_looks_again_whenever_told_to_misses_no_change(seed: int) -> None:
    given_rules, order, now, zone = case_of(seed)
    book = compile_book(given_rules, ZONES, zone)
    brute = Brute(ZONES, zone, order, now)
    at, end, seen = now, now + timedelta(days=2), {}
    while at is not None and at < end:
        found = judge(book, order, at)
        seen[at] = as_said(found)
        assert found.look_at is None or found.look_at > at
        at = found.look_at

    for flip in [flip for flip in brute.flips(given_rules) if flip < end][:30]:
        last = max(each for each in seen if each <= flip)
        assert seen[last] == without_grounds(Brute(ZONES, zone, order, flip).judge(given_rules))
