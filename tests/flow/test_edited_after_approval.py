"""Approved, then edited, then sent: what somebody approved leaves as he saw it, or not at all."""

from collections.abc import Iterator

import pytest

from erpsync.flows.audit.approve import approve
from erpsync.flows.desk.scans import leave
from erpsync.flows.errors import Refused
from tests.support import looking
from tests.support.courier import build_courier_desk, push
from tests.support.desk import printed, states, work
from tests.support.ruled import put_in_force, ruled_by
from tests.support.shop import Town

RULES = "rules:\n- {id: far, when: {province: [浙江, 新疆]}, then: {hold: 路远, ask: true}}\n"


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    """A desk that asks about orders that go far, o1 approved, booked and printed."""
    town, _ = build_courier_desk(database_url, idempotent=True)
    put_in_force(town, RULES)
    town.shop.place("o1", ("A", 2), province="浙江省", city="杭州市")
    work(town)
    approve(town.ctx, "o1", ["far"], actor="wang")
    work(town)
    push(town)
    [number] = states(town)
    printed(town, number)
    yield town
    town.store.close()


def test_an_edit_of_what_was_approved_takes_the_parcel_out_although_it_is_printed(town: Town) -> None:
    """Row 35."""
    [number] = states(town)

    town.shop.change("o1", province="新疆维吾尔自治区", city="乌鲁木齐市")
    work(town)

    assert list(ruled_by(town, "o1")) == ["rule:far"]
    assert states(town) == {number: "recalled"}
    with pytest.raises(Refused):
        leave(town.ctx, number, actor="li")
    assert looking.count(town, "shipment") == 0


def test_an_edit_of_something_else_asks_nobody_again(town: Town) -> None:
    """Row 35: the approval is for the province."""
    [number] = states(town)

    town.shop.change("o1", seller_note="老客户")
    work(town)

    assert (ruled_by(town, "o1"), states(town)) == ({}, {number: "told"})
