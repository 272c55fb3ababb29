"""Orders whose lines want the same SKU; real invoices have such lines, and such an order once left units lying."""

from datetime import UTC, datetime

from erpsync.core.allocation import Allocation, HoldOwner, Need, StockKey, plan

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SKU, SH, GZ = 7, 1, 2


def demand(line: int, qty: int) -> Need:
    owner, group = HoldOwner("line", line), HoldOwner("order", 1)
    return Need(owner=owner, group=group, sku_id=SKU, qty=qty, due=(NOON, "S1"), warehouses=(SH, GZ))


def take(line: int, warehouse: int, qty: int) -> Allocation:
    return Allocation(owner=HoldOwner("line", line), sku_id=SKU, warehouse_id=warehouse, qty=qty)


def test_the_second_line_of_the_same_sku_gets_what_the_first_one_left() -> None:
    """Invoice 536741: two lines of six units each, seven units there; the seventh stayed free beside its backorder."""
    got = plan([demand(1, 6), demand(2, 6)], {StockKey(SKU, SH): 7})

    assert got == [take(1, SH, 6), take(2, SH, 1)]


def test_lines_of_the_same_sku_together_never_get_more_than_there_is() -> None:
    got = plan([demand(1, 2), demand(2, 2), demand(3, 2)], {StockKey(SKU, SH): 3, StockKey(SKU, GZ): 2})

    assert got == [take(1, SH, 2), take(2, GZ, 2), take(3, SH, 1)]
