"""What was sent and not answered is unknown, never failed: sent again, looked for, or asked about.

failures.md rows 15 and 26. One death per commit point: claimed; noted as about to be sent; sent and not acknowledged.
"""

from dataclasses import replace

import pytest
from sqlalchemy import select

from erpsync.flows.errors import Refused
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.operations import tasks, upkeep
from erpsync.flows.shipments.packing import load_parcel
from erpsync.sdk.errors import ConnectorError, OutcomeUnknownError, RejectedError, TransientError
from erpsync.sdk.types import Repeat, Shipment
from erpsync.settings.config import StatusLimits
from erpsync.store.outbox.queue import SHIPMENT, claim, mark_sent
from erpsync.store.status import figures
from erpsync.store.tables import task
from erpsync.store.views import list_shipments
from tests.support import looking, walk
from tests.support.shop import ShopConnector, Town

DEATHS = ("claimed", "noted", "sent")


class Patient(ShopConnector):
    """A platform on which the same parcel may be told twice and counts once."""

    def push_shipment(self, shipment: Shipment) -> None:
        """Take a parcel; one that is there changes nothing."""
        if not self.find_shipment(shipment):
            super().push_shipment(shipment)


def with_repeat(town: Town, repeat: Repeat) -> None:
    connector = (Patient if repeat is Repeat.SAFE else ShopConnector)(town.shop, town.clock)
    connector.repeat = repeat
    others = {id: replace(channel, connector=connector) for id, channel in town.ctx.channels.items()}
    town.ctx = replace(town.ctx, channels=others)


def die(town: Town, repeat: Repeat, at: str) -> None:
    """Let a worker take the parcel and die at a commit point; its lease runs out and is taken back."""
    with town.store.begin() as tx:
        (row,) = claim(tx, "ghost", town.channel().id, SHIPMENT, limit=1, lease_s=60)
        if at != "claimed" and repeat is not Repeat.SAFE:
            mark_sent(tx, [row])
    if at == "sent":
        with town.store.begin() as tx:
            load = load_parcel(tx, row.ref_id).shipment
        assert isinstance(town.channel().connector, ShopConnector)
        town.channel().connector.push_shipment(load)
    town.advance(61)
    upkeep.reclaim_leases(town.ctx)


def shown(town: Town) -> str:
    with town.store.read() as connection:
        (parcel,) = list_shipments(connection)
    return str(parcel["state"])


def question(town: Town) -> tuple[int, str]:
    query = select(task.c.id, task.c.reason).where(task.c.kind == "unknown", task.c.closed_at.is_(None))
    ((id, text),) = looking.rows(town, query)
    return int(id), str(text)


@pytest.mark.parametrize("at", DEATHS)
@pytest.mark.parametrize("repeat", [Repeat.SAFE, Repeat.LOOK_FIRST])
def test_wherever_the_worker_dies_the_parcel_is_told_once_and_nobody_is_asked(
    left: Town, repeat: Repeat, at: str
) -> None:
    with_repeat(left, repeat)
    die(left, repeat, at)
    walk.tell(left)

    assert ([parcel.tracking for parcel in left.shop.parcels], shown(left)) == (["SF1"], "sent")
    assert looking.tasks(left) == []


@pytest.mark.parametrize("at", DEATHS)
def test_where_nobody_can_look_a_person_is_asked_as_soon_as_it_may_have_been_sent(left: Town, at: str) -> None:
    with_repeat(left, Repeat.NEVER)
    die(left, Repeat.NEVER, at)
    walk.tell(left)
    if at == "claimed":
        assert (shown(left), len(left.shop.parcels)) == ("sent", 1)
        return
    there = at == "sent"
    assert (shown(left), len(left.shop.parcels)) == ("unknown", int(there))
    left.advance(86_400)
    walk.tell(left)

    tasks.finish_task(left.ctx, question(left)[0], arrived=there, actor="me")
    walk.tell(left)
    assert (shown(left), [parcel.tracking for parcel in left.shop.parcels]) == ("sent", ["SF1"])
    assert looking.tasks(left) == []


@pytest.mark.parametrize("error", [RejectedError("no right to look"), TransientError("no route")], ids=repr)
@pytest.mark.parametrize("arrived", [True, False])
def test_what_looking_cannot_settle_is_a_question_and_never_a_refusal(
    left: Town, error: ConnectorError, arrived: bool
) -> None:
    left.shop.trouble["ship after" if arrived else "ship before"] = [OutcomeUnknownError("no answer")]
    left.shop.trouble["find"] = [error] * 100
    for _ in range(62):
        walk.tell(left)
        left.advance(400)

    assert (shown(left), looking.letters(left), looking.tasks(left)) == ("unknown", [], ["unknown"])
    tasks.finish_task(left.ctx, question(left)[0], arrived=arrived, actor="me")
    walk.tell(left)
    assert (shown(left), [parcel.tracking for parcel in left.shop.parcels]) == ("sent", ["SF1"])


def test_the_person_is_told_what_was_sent_when_to_whom_and_how_to_answer(left: Town) -> None:
    with_repeat(left, Repeat.NEVER)
    left.shop.trouble["ship after"] = [OutcomeUnknownError("no answer within 30 s")]
    walk.tell(left)

    _, text = question(left)
    for fact in ("o1", "SF SF1", "to shop", "2026-03-02T12:00", "no answer within 30 s", "--arrived"):
        assert fact in text
    assert looking.letters(left) == []


def test_only_a_question_about_arrival_can_be_answered_with_it_arrived(left: Town) -> None:
    left.shop.refund("r1", "o1", n1=2)
    walk.read(left, "refunds")
    walk.tell(left)
    ((gate,),) = looking.rows(left, select(task.c.id))

    with pytest.raises(Refused, match="does not ask"):
        tasks.finish_task(left.ctx, gate, arrived=True, actor="me")
    assert looking.tasks(left) == ["gate"]


@pytest.mark.parametrize("repeat", [Repeat.LOOK_FIRST, Repeat.NEVER])
def test_lists_stories_and_figures_call_it_unknown(left: Town, repeat: Repeat) -> None:
    with_repeat(left, repeat)
    left.shop.trouble["ship before"] = [OutcomeUnknownError("no answer")]
    walk.tell(left)

    with left.store.read() as connection:
        facts = figures.status(connection, left.ctx, StatusLimits(), left.clock.now())
        found = list_shipments(connection, state="unknown")
    story = explain_order(left.ctx, "o1")
    (channel,) = facts["channels"]
    assert len(found) == 1
    assert story["order"]["shipments"][0]["state"] == "unknown"
    assert "had no answer" in str(story["steps"])
    assert any(entry["what"].startswith("shipment unknown") for entry in story["story"])
    assert (channel["unknown_outcomes"], channel["queue"]["kinds"]["shipment"]["unknown"]) == (1, 1)


def test_a_parcel_that_is_just_being_sent_is_not_in_doubt(left: Town) -> None:
    with left.store.begin() as tx:
        mark_sent(tx, claim(tx, "worker", left.channel().id, SHIPMENT, limit=1, lease_s=60))

    assert shown(left) == "pending"
