"""A signed message of a type that nobody here knows: answered, kept, counted, told once, and no trouble."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from erpsync.flows.intake.unknown_messages import MOST_TYPES
from erpsync.settings.models import Status
from erpsync.store.status.counts import gather
from erpsync.store.status.figures import judge
from erpsync.store.tables import inbox, payload, task
from tests.connectors.webhook_json.shop import order as order_message
from tests.connectors.webhook_json.test_flow import Desk

COUPON = {"type": "coupon", "data": {"code": "SPRING"}}


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    made = Desk(database_url)
    yield made
    made.store.close()


def shop(desk: Desk) -> dict[str, Any]:
    """Return what `status` says of the shop."""
    with desk.store.read() as connection:
        found = judge(gather(connection, desk.ctx, desk.clock.now()), desk.ctx, Status())
    (channel,) = found["channels"]
    return dict(channel)


def tasks(desk: Desk) -> list[str]:
    with desk.store.read() as connection:
        return list(connection.execute(select(task.c.reason).where(task.c.closed_at.is_(None))).scalars())


def test_it_is_counted_in_status_and_the_shop_stays_well(desk: Desk) -> None:
    for number in range(3):
        desk.take(COUPON | {"n": number}, id=f"msg_{number}")

    seen = shop(desk)
    assert (seen["unknown_messages"], seen["state"], seen["beyond"]) == ({"coupon": 3}, "up", [])
    assert desk.letters() == []


def test_a_task_tells_of_the_first_of_a_type_and_not_again_once_it_is_done(desk: Desk) -> None:
    desk.take(COUPON, id="msg_1")
    (told,) = tasks(desk)
    assert told.startswith("own-shop sent a message of type 'coupon', which is not known here; it was answered 200")

    with desk.store.begin() as tx:
        tx.execute(task.update().values(closed_at=tx.now))
    desk.take(COUPON | {"again": True}, id="msg_2")
    assert tasks(desk) == []


def test_what_it_said_is_kept_and_a_delivery_that_comes_again_counts_once(desk: Desk) -> None:
    for _ in range(2):
        desk.take(COUPON, id="msg_1")

    assert (desk.count(payload), shop(desk)["unknown_messages"]) == (1, {"coupon": 1})
    with desk.store.read() as connection:
        row = connection.execute(select(payload)).one()
        assert list(connection.execute(select(inbox.c.state)).scalars()) == ["done"]
    assert desk.store.vault is not None
    kept = desk.store.vault.decrypt(row.body, row=f"payload|{row.channel_id}|{row.kind}|{row.external_id}")
    assert (row.kind, kept) == ("webhook", COUPON)


def test_a_shop_that_makes_up_types_fills_no_table_with_them(desk: Desk) -> None:
    for number in range(MOST_TYPES + 5):
        desk.take({"type": f"made-up-{number}"}, id=f"msg_{number}")

    counted = shop(desk)["unknown_messages"]
    assert (len(counted), counted["(other types)"]) == (MOST_TYPES + 1, 5)
    with desk.store.read() as connection:
        assert connection.execute(select(func.count()).select_from(task)).scalar_one() == MOST_TYPES + 1


def test_an_order_behind_it_is_taken_in_as_ever(desk: Desk) -> None:
    desk.take(COUPON, id="msg_1")
    desk.take(order_message(), id="msg_2")

    assert desk.order("W1")["status"] == "held"
