"""Where the real Tmall month is not at hand, the tests run on one that is made: same columns, shares and rhythms."""

from collections import Counter
from decimal import Decimal
from pathlib import Path

from tests.support import real_data, tmall_month
from tests.support.real_data import COMMITTED, made_month, retail_file

NUMBER, TOTAL, PAID, PROVINCE, PLACED_AT, PAID_AT, REFUNDED = range(7)


def test_the_made_month_has_the_columns_and_the_counts_of_the_real_one() -> None:
    head, *lines = made_month().read_text(encoding="utf-8").splitlines()
    rows = [line.split(",") for line in lines]

    assert head == "订单编号,总金额,买家实际支付金额,收货地址 ,订单创建时间,订单付款时间 ,退款金额"
    assert len({row[NUMBER] for row in rows}) == len(rows) == 28_010
    assert sum(not row[PAID_AT] for row in rows) == 3_923
    assert sum(bool(row[PAID_AT]) and row[REFUNDED] == row[TOTAL] for row in rows) == 5_132
    assert sum(0 < float(row[REFUNDED]) < float(row[TOTAL]) for row in rows) == 514


def test_what_was_paid_and_given_back_is_the_total_of_every_paid_order() -> None:
    rows = list(tmall_month.month(rows=2_000))

    assert all(_sum(row) == Decimal(row[TOTAL]) for row in rows if row[PAID_AT])
    assert all((row[PAID], row[REFUNDED]) == ("0.0", "0.0") for row in rows if not row[PAID_AT])
    assert all(row[PLACED_AT] < row[PAID_AT] for row in rows if row[PAID_AT])


def _sum(row: tuple[str, ...]) -> Decimal:
    return Decimal(row[PAID]) + Decimal(row[REFUNDED])


def test_evenings_and_the_end_of_the_month_are_busy_and_most_parcels_go_to_the_coast() -> None:
    rows = list(tmall_month.month(rows=5_000))
    hours = Counter(row[PLACED_AT][11:13] for row in rows)

    assert hours["21"] > 5 * hours["05"]
    assert sum(row[PLACED_AT] >= "2020-02-18" for row in rows) > 4_000
    assert Counter(row[PROVINCE] for row in rows).most_common(1)[0][0] == "上海"


def test_a_seed_makes_the_same_month_again_and_another_one_another() -> None:
    assert [*tmall_month.month(rows=50, seed=7)] == [*tmall_month.month(rows=50, seed=7)]
    assert [*tmall_month.month(rows=50, seed=7)] != [*tmall_month.month(rows=50, seed=8)]


def test_no_test_needs_a_file_that_is_not_in_the_repository(tmp_path: Path) -> None:
    assert real_data.tmall_file(tmp_path) == made_month()
    assert retail_file().parent == COMMITTED
