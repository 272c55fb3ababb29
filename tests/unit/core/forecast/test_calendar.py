"""Events: when they are, and how many times as much is bought in them."""

from datetime import date

import pytest

from erpsync.core.forecast import Event, Factor, FestivalDays, Lived, Span, YearDays, factors, uplifted

DOUBLE_11 = Event(name="双11", days=YearDays((10, 20), (11, 11)))
SPRING = FestivalDays(21, 7)


def test_an_event_is_on_the_same_days_of_each_year() -> None:
    assert DOUBLE_11.days.between(date(2025, 11, 11), date(2026, 10, 20)) == [
        Span(date(2025, 10, 20), date(2025, 11, 11)),
        Span(date(2026, 10, 20), date(2026, 11, 11)),
    ]
    assert DOUBLE_11.days.between(date(2026, 1, 1), date(2026, 10, 19)) == []


def test_an_event_over_the_turn_of_the_year_is_one() -> None:
    assert YearDays((12, 24), (1, 3)).between(date(2027, 1, 2), date(2027, 1, 2)) == [
        Span(date(2026, 12, 24), date(2027, 1, 3))
    ]


def test_the_last_of_february_is_the_28th_where_there_is_no_29th() -> None:
    days = YearDays((2, 29), (2, 29))

    assert days.between(date(2028, 1, 1), date(2029, 12, 31)) == [
        Span(date(2028, 2, 29), date(2028, 2, 29)),
        Span(date(2029, 2, 28), date(2029, 2, 28)),
    ]


def test_an_event_around_the_spring_festival_moves_with_it() -> None:
    assert SPRING.between(date(2026, 1, 1), date(2027, 12, 31)) == [
        Span(date(2026, 1, 27), date(2026, 2, 24)),
        Span(date(2027, 1, 16), date(2027, 2, 13)),
    ]
    assert FestivalDays(40, 0).between(date(2022, 12, 20), date(2022, 12, 20))[0].last == date(2023, 1, 22)


def test_the_last_year_of_the_table_can_be_planned_and_the_one_after_it_not() -> None:
    assert len(SPRING.between(date(2050, 1, 1), date(2050, 12, 31))) == 1
    with pytest.raises(ValueError, match="not for 2051"):
        SPRING.between(date(2051, 1, 1), date(2051, 1, 2))


def test_a_group_shares_a_factor_and_a_sku_of_its_own_is_shrunk_to_it() -> None:
    group, own = factors(DOUBLE_11, [Lived(1, 90, 10), Lived(2, 10, 10), Lived(2, 10, 10)])

    assert group.value == pytest.approx(110 / 30)
    assert own[1].value == pytest.approx((90 + 80 * 110 / 30) / 90)
    assert own[2].value == pytest.approx((20 + 80 * 110 / 30) / 100)


def test_what_a_person_says_counts_until_an_event_was_lived_through() -> None:
    said = Event(name="618", days=DOUBLE_11.days, uplift=3.5)
    fixed = Event(name="618", days=DOUBLE_11.days, uplift=3.5, fixed=True)
    lived = [Lived(1, 20, 10)]

    assert factors(said, []) == (Factor(3.5, "said"), {})
    assert factors(said, lived)[0] == Factor(2, "lived")
    assert factors(fixed, lived) == (Factor(3.5, "said"), {})


def test_an_event_that_nobody_knows_changes_nothing_and_says_so() -> None:
    assert factors(DOUBLE_11, [Lived(1, 20, 0)]) == (Factor(1, "unknown"), {})


def test_days_that_come_are_worth_more_in_an_event_and_the_stronger_of_two_counts() -> None:
    sale = Span(date(2026, 12, 3), date(2026, 12, 4))
    rest = Span(date(2026, 12, 4), date(2026, 12, 5))
    spans = [(sale, Factor(3, "lived")), (rest, Factor(0.5, "said"))]

    assert uplifted(date(2026, 12, 1), 7, spans) == 1 + 1 + 3 + 3 + 0.5 + 1 + 1
