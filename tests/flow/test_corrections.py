"""A wrong tracking number is corrected: the channel is told the right one once, or a person is told where."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from erpsync.flows.errors import Refused
from erpsync.flows.inventory import counts
from erpsync.flows.operations import tasks, upkeep
from erpsync.flows.operations.dead_letters import replay_letter
from erpsync.flows.shipments import push, record
from erpsync.flows.shipments.corrections import Corrected, correct
from erpsync.flows.shipments.record import ShipLine
from erpsync.sdk.errors import OutcomeUnknownError, RejectedError
from erpsync.sdk.roles import ShipmentCorrector
from erpsync.sdk.types import Repeat, Shipment
from erpsync.store.outbox.queue import CORRECTION, claim, mark_sent
from tests.support import looking, walk
from tests.support.shop import ShopConnector, Town


class Correcting(ShopConnector, ShipmentCorrector):
    """A platform that takes another number for a parcel it has."""

    said: list[str]

    def correct_shipment(self, shipment: Shipment) -> None:
        """Take it."""
        self.shop.fail("correct before")
        self.said.append(shipment.tracking)
        self.shop.parcels[:] = [shipment if each.number == shipment.number else each for each in self.shop.parcels]
        self.shop.fail("correct after")

    def find_shipment(self, shipment: Shipment) -> bool:
        """Whether it has the parcel under this number."""
        return any((each.number, each.tracking) == (shipment.number, shipment.tracking) for each in self.shop.parcels)


def able(town: Town) -> Correcting:
    """Let the town's shop take corrections."""
    connector = Correcting(town.shop, town.clock)
    connector.said = []
    town.ctx = replace(
        town.ctx, channels={id: replace(each, connector=connector) for id, each in town.ctx.channels.items()}
    )
    return connector


@pytest.fixture
def left(town: Town) -> Town:
    """A parcel of one of two lines has left and was not told yet."""
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    town.shop.place("o1", ("A", 2), ("A", 1))
    walk.read(town)
    record.ship(town.ctx, order="o1", carrier="SF", tracking="SF1", lines=[ShipLine(line="o1-1")], actor="me")
    return town


def number(town: Town) -> str:
    return str(looking.rows(town, "SELECT number FROM shipment")[0][0])


def tell(town: Town) -> None:
    while push.push_shipments(town.ctx, town.channel()):
        pass


def right(town: Town, tracking: str, **more: str) -> Corrected:
    return correct(town.ctx, number=number(town), tracking=tracking, actor="ana", **more)


def test_a_channel_that_has_a_call_is_told_the_right_number_once(left: Town) -> None:
    connector = able(left)
    tell(left)

    assert right(left, "SF2").follows == "told"
    tell(left)
    tell(left)

    assert (looking.told_parcels(left), connector.said, looking.tasks(left)) == (["SF2"], ["SF2"], [])
    assert "shipment.corrected" in looking.story(left, "o1")
    ((actor, detail),) = looking.rows(left, "SELECT actor, detail FROM event WHERE kind = 'shipment.corrected'")
    assert actor == "ana"
    assert '"from": "SF SF1", "to": "SF SF2"' in detail


def test_a_channel_without_a_call_leaves_a_task_that_a_person_finishes(left: Town) -> None:
    tell(left)

    assert right(left, "YT2", carrier="YTO").follows == "task"
    tell(left)

    assert (looking.told_parcels(left), looking.tasks(left)) == (["SF1"], ["tracking_changed"])
    (reason,) = looking.rows(left, "SELECT reason FROM task")[0]
    assert "travels as YTO YT2, and shop was told SF SF1; correct it there" in reason
    tasks.finish_task(left.ctx, int(looking.rows(left, "SELECT id FROM task")[0][0]), actor="ana")
    assert looking.tasks(left) == []


def test_a_parcel_that_was_not_told_yet_is_told_with_the_right_number(left: Town) -> None:
    connector = able(left)

    assert right(left, "SF2").follows == "later"
    tell(left)

    assert (looking.told_parcels(left), connector.said) == (["SF2"], [])


def test_a_parcel_that_the_channel_refused_for_its_number_is_told_anew_with_the_right_one(left: Town) -> None:
    able(left)
    left.shop.trouble["ship before"] = [RejectedError("the waybill number is not valid")]
    tell(left)

    assert right(left, "SF2").follows == "replay"
    replay_letter(left.ctx, looking.letter_id(left, number(left)), actor="ana")
    tell(left)

    assert looking.told_parcels(left) == ["SF2"]


def test_of_two_corrections_the_last_one_is_told_once(left: Town) -> None:
    connector = able(left)
    tell(left)
    right(left, "SF2")
    right(left, "SF3")
    tell(left)

    assert (looking.told_parcels(left), connector.said) == (["SF3"], ["SF3"])


def test_the_same_correction_again_changes_and_tells_nothing(left: Town) -> None:
    connector = able(left)
    tell(left)
    for _ in range(2):
        follows = right(left, "SF2").follows
        tell(left)

    assert (follows, connector.said) == ("nothing", ["SF2"])


@pytest.mark.parametrize("point", ["claimed", "noted", "sent"])
def test_a_node_that_dies_on_the_way_tells_it_once_all_the_same(left: Town, point: str) -> None:
    connector = able(left)
    tell(left)
    right(left, "SF2")
    with left.store.begin() as tx:
        (row,) = claim(tx, "ghost", left.channel().id, CORRECTION, limit=1, lease_s=60)
        if point != "claimed":
            mark_sent(tx, [row])
    with pytest.raises(Refused, match="is being told of shipment"):
        right(left, "SF3")
    if point == "sent":
        connector.correct_shipment(replace(left.shop.parcels[0], tracking="SF2"))
    left.advance(61)
    upkeep.reclaim_leases(left.ctx)
    tell(left)

    assert (looking.told_parcels(left), connector.said, looking.tasks(left)) == (["SF2"], ["SF2"], [])


def test_nothing_is_corrected_while_nobody_knows_whether_the_channel_was_told(left: Town) -> None:
    connector = able(left)
    connector.repeat = Repeat.NEVER
    left.shop.trouble["ship after"] = [OutcomeUnknownError("no answer")]
    tell(left)

    with pytest.raises(Refused, match="nobody knows whether the channel was told"):
        right(left, "SF2")
    assert looking.rows(left, "SELECT tracking FROM shipment") == [("SF1",)]


def test_a_correction_that_got_no_answer_is_looked_for_or_asked_about(left: Town) -> None:
    connector = able(left)
    connector.correction_repeat = Repeat.NEVER
    tell(left)
    right(left, "SF2")
    left.shop.trouble["correct after"] = [OutcomeUnknownError("no answer")]
    tell(left)
    assert looking.tasks(left) == ["unknown"]
    with pytest.raises(Refused, match="nobody knows"):
        right(left, "SF3")

    task = int(looking.rows(left, "SELECT id FROM task")[0][0])
    tasks.finish_task(left.ctx, task, actor="ana", arrived=True)
    tell(left)

    assert (connector.said, looking.rows(left, "SELECT state FROM shipment")) == (["SF2"], [("sent",)])


def test_a_correction_that_the_channel_refuses_is_a_dead_letter_that_a_newer_one_ends(left: Town) -> None:
    connector = able(left)
    tell(left)
    left.shop.trouble["correct before"] = [RejectedError("not after 50 days")]
    right(left, "SF2")
    tell(left)
    ((kind, _),) = looking.letters(left)
    assert kind == "correction"

    right(left, "SF3")
    tell(left)

    assert (looking.letters(left), connector.said) == ([], ["SF3"])


def test_a_refused_correction_can_be_tried_again(left: Town) -> None:
    connector = able(left)
    tell(left)
    left.shop.trouble["correct before"] = [RejectedError("not now")]
    right(left, "SF2")
    tell(left)

    replay_letter(left.ctx, looking.letter_id(left, number(left)), actor="ana")
    tell(left)

    assert (looking.told_parcels(left), connector.said) == (["SF2"], ["SF2"])


@pytest.mark.parametrize(("shipment", "tracking", "says"), [("X-1", "SF2", "is not known"), (None, " ", "is needed")])
def test_what_cannot_be_corrected_is_refused_in_one_line(
    left: Town, shipment: str | None, tracking: str, says: str
) -> None:
    with pytest.raises(Refused, match=says):
        correct(left.ctx, number=shipment or number(left), tracking=tracking, actor="ana")


def test_a_dropped_parcel_and_the_number_of_another_parcel_are_refused(left: Town) -> None:
    record.ship(left.ctx, order="o1", carrier="SF", tracking="SF9", actor="me")
    with pytest.raises(Refused, match=r"tracking SF9 is recorded as S.*-2 already"):
        right(left, "SF9")

    left.shop.change("o1", state="cancelled")
    walk.read(left, "orders")
    tell(left)
    with pytest.raises(Refused, match="was dropped: its order was cancelled"):
        right(left, "SF2")


def test_a_report_that_still_names_the_wrong_number_is_no_second_parcel(left: Town) -> None:
    right(left, "SF2")

    again = record.ship(
        left.ctx, order="o1", carrier="SF", tracking="SF1", lines=[ShipLine(line="o1-1")], actor="warehouse"
    )

    assert (again.repeated, looking.count(left, "shipment")) == (True, 1)


def test_the_order_is_found_by_both_numbers(left: Town) -> None:
    right(left, "SF2")

    known = " ".join(str(name).upper() for (name,) in looking.rows(left, "SELECT name FROM order_name"))
    assert "SF1" in known
    assert "SF2" in known


@pytest.mark.concurrent("threads")
def test_two_nodes_that_correct_at_once_leave_one_number_and_tell_it(
    left: Town, make_town: Callable[..., Town]
) -> None:
    connector = able(left)
    tell(left)
    other = make_town(town=left)
    other.ctx = replace(other.ctx, channels=left.ctx.channels)

    def give(town: Town, tracking: str) -> Any:
        return right(town, tracking)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(give, left, "SF2"), pool.submit(give, other, "SF3")]:
            done.result()
    tell(left)

    ((now,),) = looking.rows(left, "SELECT tracking FROM shipment")
    assert (looking.told_parcels(left), connector.said) == ([now], [now])
