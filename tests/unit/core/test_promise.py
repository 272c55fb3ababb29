"""When what waits can be there."""

from datetime import UTC, datetime, timedelta

from erpsync.core.allocation import HoldOwner
from erpsync.core.promise import Coming, Promise, Waiting, promise

NOW = datetime(2026, 11, 30, 9, tzinfo=UTC)
MUG = 1
DAY = timedelta(days=1)


def line(number: int) -> HoldOwner:
    return HoldOwner("order_line", number)


def waiting(number: int, qty: int, due: int, sku_id: int = MUG) -> Waiting:
    return Waiting(owner=line(number), sku_id=sku_id, qty=qty, due_at=NOW + due * DAY)


def coming(qty: int, due: int, late_by: int = 0) -> Coming:
    return Coming(sku_id=MUG, qty=qty, due_at=NOW + due * DAY, late_by=late_by * DAY)


def test_who_is_due_first_is_promised_the_first_units() -> None:
    got = promise([waiting(1, 4, due=9), waiting(2, 3, due=1)], [coming(5, due=6), coming(5, due=3)], NOW)

    assert got == {(line(2), MUG): Promise(NOW + 3 * DAY), (line(1), MUG): Promise(NOW + 6 * DAY)}


def test_units_that_come_in_pieces_are_there_when_the_last_one_is() -> None:
    assert promise([waiting(1, 7, due=1)], [coming(5, due=3), coming(5, due=6)], NOW)[line(1), MUG].at == NOW + 6 * DAY


def test_an_overdue_supply_counts_at_now_and_what_such_ones_are_late() -> None:
    assert promise([waiting(1, 1, due=1)], [coming(1, due=-5, late_by=2)], NOW)[line(1), MUG].at == NOW + 2 * DAY
    assert promise([waiting(1, 1, due=1)], [coming(1, due=-5)], NOW)[line(1), MUG].at == NOW


def test_no_date_has_its_reason() -> None:
    got = promise([waiting(1, 5, due=1), waiting(2, 1, due=2), waiting(3, 1, due=3, sku_id=2)], [coming(5, due=3)], NOW)

    assert got[line(2), MUG] == Promise(None, "taken_by_others")
    assert got[line(3), 2] == Promise(None, "nothing_coming")


def test_a_supply_with_nothing_left_is_none() -> None:
    assert promise([waiting(1, 1, due=1)], [coming(0, due=3)], NOW)[line(1), MUG] == Promise(None, "nothing_coming")


def test_lines_and_works_of_one_number_are_two_owners() -> None:
    work = Waiting(owner=HoldOwner("work", 1), sku_id=MUG, qty=1, due_at=NOW)

    assert len(promise([waiting(1, 1, due=1), work], [coming(2, due=3)], NOW)) == 2
