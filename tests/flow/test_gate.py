"""Between a parcel's leaving and the channel's being told of it, the order is looked at once more."""

import pytest

from erpsync.core.policy import OrderPolicy
from erpsync.flows.inventory import counts
from erpsync.flows.operations import tasks
from erpsync.flows.shipments import record
from erpsync.sdk.errors import OutcomeUnknownError, TransientError
from erpsync.store.outbox.queue import SHIPMENT
from erpsync.store.tables import task
from tests.support import looking, walk
from tests.support.shop import Town


@pytest.fixture
def left(town: Town) -> Town:
    """A parcel of an order of two lines has left and was not told yet."""
    for code in ("A", "B"):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), ("B", 1))
    walk.read(town)
    leave(town)
    return town


def leave(town: Town, *, force: bool = False) -> None:
    reason = "promised" if force else ""
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", force=force, reason=reason, actor="me")


def test_a_refund_asked_for_in_between_holds_the_parcel_until_it_is_closed(left: Town) -> None:
    """failures.md row 6."""
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)
    assert (looking.parcel_state(left), left.shop.parcels, looking.tasks(left)) == ("waiting", [], ["gate"])

    left.shop.refund("r1", "o1", state="closed", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)
    assert (looking.parcel_state(left), len(left.shop.parcels), looking.tasks(left)) == ("sent", 1, [])


def test_a_refund_granted_in_between_drops_it_and_the_parcel_is_asked_back(left: Town) -> None:
    """failures.md row 6."""
    left.shop.refund("r1", "o1", n1=2, n2=1)
    walk.read(left, "refunds")
    walk.tell(left)
    left.shop.refund("r1", "o1", state="granted", n1=2, n2=1)
    walk.read(left, "refunds")
    walk.tell(left)

    assert (looking.parcel_state(left), left.shop.parcels, looking.tasks(left)) == ("dropped", [], ["gate"])
    assert looking.on_shelf(left)["SH", "A"] == (3, 0)  # what has left is never restocked by a refund


def test_a_cancel_that_no_poll_has_brought_yet_is_read_at_the_gate(left: Town) -> None:
    """failures.md row 6: the gate reads the order itself when its data is older than gate_s."""
    left.shop.change("o1", state="cancelled")
    left.advance(6)
    walk.tell(left)

    assert (looking.parcel_state(left), left.shop.parcels, looking.tasks(left)) == ("dropped", [], ["gate"])


def test_an_order_read_a_moment_ago_is_not_read_again(left: Town) -> None:
    left.shop.reads.clear()
    walk.tell(left)
    assert left.shop.reads == []


def test_an_order_whose_data_is_old_is_read_again(left: Town) -> None:
    left.shop.reads.clear()
    left.advance(OrderPolicy().gate_s + 1)
    walk.tell(left)
    assert left.shop.reads == ["o1"]
    assert looking.parcel_state(left) == "sent"


def test_while_the_channel_cannot_be_read_nothing_is_told(left: Town) -> None:
    """failures.md row 6."""
    left.shop.trouble["complete"] = [TransientError("away")]
    left.advance(6)
    walk.tell(left)
    assert (left.shop.parcels, looking.effects(left, SHIPMENT)) == ([], [("pending", "", 0)])

    left.advance(6)
    walk.tell(left)
    assert looking.parcel_state(left) == "sent"


def test_a_parcel_waits_while_the_channel_says_do_not_ship(left: Town) -> None:
    left.shop.change("o1", do_not_ship="risk control")
    left.advance(6)
    walk.tell(left)
    assert looking.parcel_state(left) == "waiting"

    left.shop.change("o1", do_not_ship="")
    walk.read(left, "orders")
    walk.tell(left)
    assert looking.parcel_state(left) == "sent"


def test_force_passes_an_open_refund_but_not_a_cancel(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 1))
    town.shop.refund("r1", "o1", n1=1)
    walk.read(town)
    leave(town, force=True)
    town.shop.trouble["ship before"] = [TransientError("busy")]
    walk.tell(town)
    town.shop.change("o1", state="cancelled")
    town.advance(10)
    walk.tell(town)
    assert (looking.parcel_state(town), town.shop.parcels) == ("dropped", [])


def test_a_forced_parcel_with_an_open_refund_is_told(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 1))
    town.shop.refund("r1", "o1", n1=1)
    walk.read(town)
    leave(town, force=True)
    walk.tell(town)
    assert looking.parcel_state(town) == "sent"


def test_before_the_refunds_were_read_to_the_end_nothing_is_told(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 1))
    walk.read(town, "orders", "backfill")
    leave(town)
    walk.tell(town)
    assert (looking.parcel_state(town), looking.tasks(town)) == ("waiting", [])

    walk.read(town, "refunds")
    walk.tell(town)
    assert looking.parcel_state(town) == "sent"


def test_when_some_of_its_units_were_refunded_a_person_sees_to_them_first(left: Town) -> None:
    left.shop.refund("r1", "o1", state="granted", n2=1)
    walk.read(left, "refunds")
    walk.tell(left)
    assert (looking.parcel_state(left), looking.effects(left, SHIPMENT)) == ("waiting", [("waiting", "person", 0)])

    ((task_id,),) = looking.rows(left, task.select().with_only_columns(task.c.id).where(task.c.closed_at.is_(None)))
    tasks.finish_task(left.ctx, task_id, actor="me")
    walk.tell(left)
    assert looking.parcel_state(left) == "sent"


@pytest.mark.parametrize("end", ["closed", "cancelled"])
def test_a_parcel_that_waits_for_a_person_is_ruled_on_anew_when_its_order_goes_on(left: Town, end: str) -> None:
    """failures.md row 15: what ends another hold, or the order, must not end the only question about the parcel."""
    left.shop.refund("r1", "o1", state="granted", n2=1)
    walk.read(left, "refunds")
    walk.tell(left)
    if end == "closed":
        for now in ("open", "closed"):
            left.shop.refund("r2", "o1", state=now, n1=1)
            walk.read(left, "refunds")
    else:
        left.shop.change("o1", state="cancelled")
        walk.read(left, "orders")
    walk.tell(left)

    assert (looking.parcel_state(left), looking.tasks(left)) == ("waiting" if end == "closed" else "dropped", ["gate"])
    assert left.shop.parcels == []


def test_the_wish_to_have_a_parcel_back_outlives_another_refund_of_the_order(town: Town) -> None:
    """failures.md row 6: the parcel is still on its way, whatever is asked and closed about the other lines."""
    for code in ("A", "B"):
        counts.set_stock(town.ctx, warehouse="SH", sku=code, on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), ("B", 1))
    walk.read(town)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", lines=[record.ShipLine(line="o1-2")], actor="me")
    town.shop.refund("r1", "o1", state="granted", n2=1)
    walk.read(town, "refunds")
    walk.tell(town)
    assert (looking.parcel_state(town), looking.tasks(town)) == ("dropped", ["gate"])

    for now in ("open", "closed"):
        town.shop.refund("r2", "o1", state=now, n1=1)
        walk.read(town, "refunds")
    assert looking.tasks(town) == ["gate"]


def test_a_refund_and_then_a_cancel_do_not_leave_the_parcel_waiting_for_ever(left: Town) -> None:
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)
    left.shop.change("o1", state="cancelled")
    walk.read(left, "orders")
    walk.tell(left)

    assert looking.parcel_state(left) == "dropped"


def test_a_parcel_whose_sending_was_in_doubt_and_did_not_arrive_goes_through_the_gate_again(left: Town) -> None:
    """failures.md rows 6 and 26: the second try is a sending like the first."""
    left.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    walk.tell(left)
    left.shop.change("o1", state="cancelled")
    left.advance(10)
    walk.tell(left)

    assert (looking.parcel_state(left), left.shop.parcels) == ("dropped", [])


def test_a_parcel_that_did_arrive_is_told_whatever_happened_since(left: Town) -> None:
    left.shop.trouble["ship after"] = [OutcomeUnknownError("no answer")]
    walk.tell(left)
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    left.advance(10)
    walk.tell(left)

    assert (looking.parcel_state(left), len(left.shop.parcels)) == ("sent", 1)
