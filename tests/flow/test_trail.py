"""The trail: what was done, by whom and why, read back."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from erpsync.flows.channels.control import pause_channel, resume_channel
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.orders.actions import hold_order
from erpsync.store.events import Event, write_events
from erpsync.store.registry import sku_ids
from erpsync.store.tables import event
from erpsync.store.views import NotFound, TrailFilter, iter_trail
from erpsync.store.views.trail import PAGE
from tests.support.facts import fact, line, order, take_in
from tests.support.shop import Town


def trail(town: Town, limit: int = 0, after: int | None = None, **wanted: Any) -> list[dict[str, Any]]:
    with town.store.read() as connection:
        return list(iter_trail(connection, TrailFilter(**wanted), limit, after))


def kinds(told: list[dict[str, Any]]) -> list[str]:
    return [each["kind"] for each in told]


def note(town: Town, *kinds: str, sku: str = "", actor: str = "") -> None:
    """Leave events of these kinds, each at an instant of its own."""
    for kind in kinds:
        with town.store.begin() as tx:
            sku_id = sku_ids(tx.connection, [sku])[sku] if sku else None
            write_events(tx, [Event(kind=kind, sku_id=sku_id, actor=actor)])
        town.advance(60)


@pytest.fixture
def busy(town: Town) -> Town:
    """A shop with one order of TEA, held by Li; Wang paused the shop."""
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=5, actor="keeper")
    take_in(town, fact(order("o1", line("TEA", 2))))
    town.advance(60)
    hold_order(town.ctx, "o1", reason="call the buyer", actor="li")
    town.advance(60)
    pause_channel(town.ctx, "shop", reason="counting", actor="wang")
    return town


def test_what_was_done_is_told_newest_first_with_who_and_why(busy: Town) -> None:
    last, before = trail(busy, limit=2)

    assert (last["kind"], last["channel"], last["actor"]) == ("channel.paused", "shop", "wang")
    assert last["detail"]["reason"] == "counting"
    assert (before["kind"], before["external_id"], before["actor"]) == ("order.held", "o1", "li")


def test_the_trail_of_an_order_is_found_by_either_of_its_numbers(busy: Town) -> None:
    mine = trail(busy, order="o1")

    assert kinds(mine) == ["order.held", "order.imported"]
    assert trail(busy, order=mine[0]["order"]) == mine
    assert kinds(trail(busy, order="o1", actor="li")) == ["order.held"]


def test_the_trail_of_a_sku_and_of_a_person_is_theirs_alone(busy: Town) -> None:
    note(busy, "stock.tried", sku="TEA")
    note(busy, "stock.tried_again", sku="TEA", actor="li")

    assert kinds(trail(busy, sku="TEA"))[:2] == ["stock.tried_again", "stock.tried"]
    assert kinds(trail(busy, actor="li")) == ["stock.tried_again", "order.held"]
    assert kinds(trail(busy, actor="li", sku="TEA")) == ["stock.tried_again"]
    assert trail(busy, actor="nobody") == []


def test_a_name_that_nothing_has_is_no_empty_trail(busy: Town) -> None:
    for wanted in ({"order": "o2"}, {"sku": "TEE"}):
        with pytest.raises(NotFound):
            trail(busy, **wanted)


def test_a_trail_begins_at_the_instant_that_is_asked_for(busy: Town) -> None:
    busy.advance(60)
    since = busy.clock.now()
    resume_channel(busy.ctx, "shop", actor="wang")

    assert kinds(trail(busy, since=since)) == ["channel.resumed"]
    assert kinds(trail(busy, since=since, actor="li")) == []


def test_what_a_slow_transaction_noted_late_ends_no_trail(busy: Town) -> None:
    since = busy.clock.now()
    note(busy, "shop.quick", "shop.slow")
    with busy.store.begin() as tx:
        tx.execute(update(event).where(event.c.kind == "shop.slow").values(at=since - timedelta(seconds=30)))

    assert kinds(trail(busy, limit=1, since=since)) == ["shop.quick"]


def test_a_trail_goes_on_after_the_last_event_of_a_page(busy: Town) -> None:
    whole = trail(busy)
    pages, after = list[dict[str, Any]](), None
    while page := trail(busy, limit=1, after=after):
        pages += page
        after = page[-1]["id"]

    assert pages == whole


def test_a_trail_of_many_pages_has_every_event_once(busy: Town) -> None:
    with busy.store.begin() as tx:
        write_events(tx, [Event(kind="shop.tried", actor="li", detail={"n": n}) for n in range(PAGE + 3)])

    told = trail(busy, actor="li")

    assert [each["detail"].get("n") for each in told[:-1]] == list(reversed(range(PAGE + 3)))
