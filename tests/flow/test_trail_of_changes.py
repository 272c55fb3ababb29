"""A change says from what to what it was made, and a task that is closed says by whom."""

from typing import Any

import pytest

from erpsync.flows.channels.control import ask_poll, pause_channel, resume_channel
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations.tasks import finish_task
from erpsync.flows.orders.actions import end_hold, hold_order
from erpsync.store.tasks import Task, close_tasks, open_tasks
from erpsync.store.views import TrailFilter, iter_trail, tell_order
from tests.support import looking, walk
from tests.support.depot import build_depot, work
from tests.support.shop import Town


def told(town: Town, kind: str) -> list[dict[str, Any]]:
    """Return the events of a kind, oldest first."""
    with town.store.read() as connection:
        found = list(iter_trail(connection, TrailFilter(), 0))
    return [each for each in reversed(found) if each["kind"] == kind]


def details(town: Town, kind: str) -> list[dict[str, Any]]:
    return [each["detail"] for each in told(town, kind)]


@pytest.fixture
def known(town: Town) -> Town:
    """RED, BLUE and LID are known."""
    for code in ("RED", "BLUE", "LID"):
        set_stock(town.ctx, warehouse="SH", sku=code, on_hand=9, actor="me")
    return town


def listed(town: Town, sku: str, factor: int = 1, item_ref: str = "") -> None:
    row = ListingMapping(channel="shop", channel_sku="CUP", sku=sku, factor=factor, item_ref=item_ref)
    import_listings(town.ctx, [row], actor="li")


def bundled(town: Town, *parts: tuple[str, int]) -> None:
    import_bundles(town.ctx, [BundlePart(bundle="SET", sku=sku, qty=qty) for sku, qty in parts], actor="li")


def test_a_corrected_mapping_says_what_it_was(known: Town) -> None:
    listed(known, "RED")
    listed(known, "RED")
    listed(known, "BLUE", 2)

    first, second = told(known, "listing.mapped")
    assert first["detail"] == {"listing": "CUP", "from": None, "to": {"sku": "RED", "factor": 1}}
    assert second["detail"]["from"] == {"sku": "RED", "factor": 1}
    assert second["detail"]["to"] == {"sku": "BLUE", "factor": 2}
    assert (second["channel"], second["sku"], second["actor"]) == ("shop", "BLUE", "li")


def test_a_mapping_of_a_seller_code_is_told_of_every_item_it_changes(known: Town) -> None:
    listed(known, "RED", item_ref="i1")
    listed(known, "BLUE")

    changed = [(each["listing"], each["to"]["sku"]) for each in details(known, "listing.mapped")]

    assert changed == [("CUP i1", "RED"), ("CUP", "BLUE"), ("CUP i1", "BLUE")]


def test_a_changed_bundle_says_what_it_held(known: Town) -> None:
    bundled(known, ("RED", 1), ("LID", 1))
    bundled(known, ("RED", 1), ("LID", 1))
    bundled(known, ("BLUE", 2))

    first, second = told(known, "bundle.changed")
    assert (first["detail"]["from"], first["sku"]) == ([], "SET")
    assert second["detail"] == {
        "from": [{"sku": "RED", "qty": 1}, {"sku": "LID", "qty": 1}],
        "to": [{"sku": "BLUE", "qty": 2}],
    }


def test_a_pause_and_its_end_say_how_the_channel_stood(town: Town) -> None:
    pause_channel(town.ctx, "shop", reason="盘点", actor="li")
    pause_channel(town.ctx, "shop", reason="still", actor="wang")
    resume_channel(town.ctx, "shop", actor="li")

    assert details(town, "channel.paused") == [
        {"reason": "盘点", "from": "running", "to": "paused"},
        {"reason": "still", "from": "paused by li: 盘点", "to": "paused"},
    ]
    assert details(town, "channel.resumed") == [{"from": "paused by wang: still", "to": "running"}]


def test_a_pass_that_is_asked_for_names_its_streams(town: Town) -> None:
    ask_poll(town.ctx, "shop", ["orders"], actor="li")

    assert details(town, "channel.poll_asked") == [{"streams": ["orders"]}]


def test_a_change_of_an_order_says_what_it_was(known: Town) -> None:
    known.shop.place("o1", ("RED", 1), paid=False)
    walk.read(known)
    known.shop.change("o1", state="paid", paid_at=known.clock.now().isoformat())
    walk.read(known)
    hold_order(known.ctx, "o1", reason="ask", actor="li")
    end_hold(known.ctx, "o1", actor="li")

    (changed,) = details(known, "order.changed")
    assert (changed["from"]["state"], changed["to"]["state"]) == ("unpaid", "paid")
    assert (changed["from"]["phase"], changed["to"]["phase"]) == ("unpaid", "ready")
    (held,) = details(known, "order.held")
    assert (held["from"], held["to"]) == (
        {"phase": "ready", "held": {}},
        {"phase": "held", "held": {"operator": "ask"}},
    )


def test_a_new_order_changes_from_nothing(known: Town) -> None:
    known.shop.place("o1", ("RED", 1))
    walk.read(known)

    (imported,) = details(known, "order.imported")
    assert "from" not in imported


def test_a_release_names_its_warehouse(database_url: str) -> None:
    town, _ = build_depot(database_url)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=3, actor="me")
    town.shop.place("o1", ("A", 1))
    work(town)
    names = [each["warehouse"] for each in details(town, "release.told")]
    town.store.close()

    assert names == ["SH"]


@pytest.fixture
def asked(known: Town) -> Town:
    """An order with two open tasks."""
    known.shop.place("o1", ("RED", 1))
    walk.read(known)
    ((order_id,),) = looking.rows(known, "SELECT id FROM orders")
    with known.store.begin() as tx:
        open_tasks(tx, [Task(kind="stock_short", key=key, reason="look", order_id=order_id) for key in ("k1", "k2")])
    return known


def test_a_task_that_closes_by_itself_is_told(asked: Town) -> None:
    with asked.store.begin() as tx:
        assert close_tasks(tx, "stock_short", ["k1", "k2", "k3"], by="erpsync") == 2
    with asked.store.begin() as tx:
        assert close_tasks(tx, "stock_short", ["k1"], by="erpsync") == 0

    first, second = told(asked, "task.done")
    assert (first["detail"]["task"], first["detail"]["key"], second["detail"]["key"]) == ("stock_short", "k1", "k2")
    assert (first["external_id"], first["actor"]) == ("o1", "erpsync")


def test_a_task_that_a_person_closes_is_told_once_and_stands_once_in_the_story(asked: Town) -> None:
    ((task_id,),) = looking.rows(asked, "SELECT id FROM task WHERE key = 'k1'")
    finish_task(asked.ctx, task_id, actor="li")

    (closed,) = told(asked, "task.done")
    assert (closed["detail"], closed["actor"]) == ({"id": task_id, "task": "stock_short", "key": "k1"}, "li")
    with asked.store.read() as connection:
        story = tell_order(connection, "o1")["story"]
    assert [each["about"] for each in story if "closed" in each["what"]] == ["task"]
