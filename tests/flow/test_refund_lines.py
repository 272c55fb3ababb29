"""A refund that is asked for keeps the lines it names; the others may leave, if it names any. failures.md row 6."""

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.shipments import push, record
from erpsync.flows.shipments.record import ShipLine
from tests.support import looking, walk
from tests.support.shop import Town


@pytest.fixture
def two(town: Town) -> Town:
    """An order of two lines, and what is asked of its first."""
    for sku in ("A", "B"):
        counts.set_stock(town.ctx, warehouse="SH", sku=sku, on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), ("B", 1))
    walk.read(town)
    return town


def send(town: Town, *names: str, tracking: str = "SF1") -> None:
    chosen = [ShipLine(line=name) for name in names]
    record.ship(town.ctx, order="o1", carrier="SF", tracking=tracking, lines=chosen, actor="me")
    push.push_shipments(town.ctx, town.channel())


def test_the_line_that_no_refund_names_leaves_and_is_told(two: Town) -> None:
    two.shop.refund("r1", "o1", n1=2)
    walk.read(two, "refunds")
    assert looking.status(two, "o1") == ("held", "refund_open")

    send(two, "o1-2")

    assert ([state for _, state in looking.shipments(two)], len(two.shop.parcels)) == (["sent"], 1)
    assert (looking.lines(two, "o1"), looking.tasks(two)) == ({"o1-1": (2, 0, 0), "o1-2": (1, 0, 1)}, [])


@pytest.mark.parametrize("names", [("o1-1",), ("o1-1", "o1-2"), ()])
def test_a_parcel_with_the_line_of_the_refund_stays(two: Town, names: tuple[str, ...]) -> None:
    two.shop.refund("r1", "o1", n1=2)
    walk.read(two, "refunds")

    with pytest.raises(Refused, match="an open refund of line o1-1; --line ships the others"):
        send(two, *names)


def test_a_refund_that_names_no_units_keeps_the_whole_order(two: Town) -> None:
    two.shop.refund("r1", "o1", amount=100)
    walk.read(two, "refunds")

    with pytest.raises(Refused, match=r"has an open refund; --force"):
        send(two, "o1-2")


def test_a_refund_that_only_the_view_names_keeps_the_whole_order_until_its_lines_are_known(two: Town) -> None:
    two.shop.change("o1", refund_asked="r1")
    walk.read(two, "orders")
    with pytest.raises(Refused, match="an open refund"):
        send(two, "o1-2")

    two.shop.refund("r1", "o1", n1=2)
    walk.read(two, "refunds")
    send(two, "o1-2")

    assert [state for _, state in looking.shipments(two)] == ["sent"]


def test_a_view_that_names_a_line_keeps_that_line(two: Town) -> None:
    two.shop.change("o1", refund_asked="line o1-1")
    walk.read(two, "orders")
    send(two, "o1-2")

    assert [state for _, state in looking.shipments(two)] == ["sent"]


def test_a_refund_asked_for_while_the_parcel_waits_holds_only_the_parcel_with_its_line(two: Town) -> None:
    for name, tracking in (("o1-1", "SF1"), ("o1-2", "SF2")):
        record.ship(two.ctx, order="o1", carrier="SF", tracking=tracking, lines=[ShipLine(line=name)], actor="me")
    two.shop.refund("r1", "o1", n1=2)
    walk.read(two, "refunds")
    for _ in range(2):
        push.push_shipments(two.ctx, two.channel())

    assert sorted(state for _, state in looking.shipments(two)) == ["sent", "waiting"]
    assert looking.tasks(two) == ["gate"]


def test_a_parcel_that_waits_goes_on_when_the_refund_turns_out_to_be_of_another_line(two: Town) -> None:
    record.ship(two.ctx, order="o1", carrier="SF", tracking="SF1", lines=[ShipLine(line="o1-2")], actor="me")
    two.shop.refund("r1", "o1", amount=100)
    walk.read(two, "refunds")
    push.push_shipments(two.ctx, two.channel())
    assert ([state for _, state in looking.shipments(two)], looking.tasks(two)) == (["waiting"], ["gate"])

    two.shop.refund("r1", "o1", amount=100, n1=2)
    walk.read(two, "refunds")
    push.push_shipments(two.ctx, two.channel())

    assert ([state for _, state in looking.shipments(two)], looking.tasks(two)) == (["sent"], [])


def test_a_parcel_of_other_lines_is_not_late_for_a_refund_that_became_known_afterwards(two: Town) -> None:
    two.shop.refund("r1", "o1", n1=2)
    send(two, "o1-2")
    walk.read(two, "refunds")

    assert looking.tasks(two) == []
