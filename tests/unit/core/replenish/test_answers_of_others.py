"""Plans and quantiles against answers that others worked out."""

from statistics import NormalDist

from erpsync.core.forecast import BackTest, pool
from erpsync.core.replenish import safety_qty
from tests.unit.core.replenish.builders import buy, expected, made_of, make, need, planned, short

A, B, C, D, E, Z = range(1, 7)


def test_item_a_is_ordered_lot_for_lot() -> None:
    """Ten weeks of demand, 120 on hand, a lead of two. Source: tutorsglobe.com 51623292; a week is a day here, and the
    first of them is tomorrow, with which its table begins."""
    demand = [41, 44, 84, 42, 84, 86, 7, 18, 49, 30]
    needs = [need(A, week, qty) for week, qty in enumerate(demand)]

    got = planned(*needs, on_hand={A: 120}, items={A: buy(lead_days=2)}).suggestions

    assert [(start + 1, qty) for _, start, _, qty in short(got)] == [
        *((1, 49), (2, 42), (3, 84), (4, 86)),
        *((5, 7), (6, 18), (7, 49), (8, 30)),
    ]
    assert all(each.late_days == 0 for each in got)


def test_product_z_is_planned_through_three_levels() -> None:
    """59 units on day 10. Source: tutorsglobe.com 557214; the answers beside it were worked by hand."""
    boms = {Z: made_of((A, 2), (B, 3)), A: made_of((C, 4), (D, 4)), D: made_of((E, 2))}
    items = {Z: make(lead_days=2), A: make(lead_days=1), B: buy(lead_days=1), C: buy(lead_days=1)}
    items |= {D: make(lead_days=1), E: buy(lead_days=3)}

    got = planned(need(Z, 10, 59), boms=boms, items=items).suggestions

    assert sorted((sku_id, start, qty) for sku_id, start, _, qty in short(got)) == [
        *((A, 7, 118), (B, 7, 177), (C, 6, 472)),
        *((D, 6, 472), (E, 3, 944), (Z, 8, 59)),
    ]


def test_scrap_of_fifteen_and_of_ten_percent_is_begun_on_top() -> None:
    """Worked by hand: 100 good ÷ 0.85 are 118 to begin, which need 118 parts, ÷ 0.90 are 132."""
    got = planned(
        need(Z, 10, 100), boms={Z: made_of((A, 1))}, items={Z: make(scrap_ppm=150_000), A: make(scrap_ppm=100_000)}
    )
    made = planned(
        need(Z, 10, 100),
        boms={Z: made_of((A, 1)), A: made_of((B, 1))},
        items={Z: make(scrap_ppm=150_000), A: make(scrap_ppm=100_000), B: buy()},
    )

    assert [each.begin_qty for each in got.suggestions] == [118]
    assert [(each.qty, each.begin_qty) for each in made.suggestions] == [(100, 118), (118, 132), (132, 132)]


def test_the_newsvendor_of_a_normal_demand_has_its_units() -> None:
    """132.8155 of a mean of 120, a deviation of 10, a unit too many at 2 and one too few at 18, which is a service of
    0.9. Source: stockpyl 1.0.2, `newsvendor_normal`, after Snyder and Shen, Fundamentals of Supply Chain Theory."""
    service = 18 / (2 + 18)
    spread = NormalDist(120, 10)

    quantile = pool(BackTest(120, 120, spread.inv_cdf(at / 10_000)) for at in range(1, 10_000)).at(120, service)

    assert abs(spread.inv_cdf(service) - 132.8155) < 1e-4
    assert quantile == 133
    assert safety_qty(quantile, 120) == 13


def test_what_is_forecast_is_planned_as_what_is_ordered() -> None:
    got = planned(forecast=[expected(A, week * 7, 10) for week in range(1, 4)], items={A: buy(lead_days=5)})

    assert short(got.suggestions) == [(A, 2, 7, 10), (A, 9, 14, 10), (A, 16, 21, 10)]
