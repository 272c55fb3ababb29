"""What is counted or adjusted leaves its trace: what was known before, what after, who said so and why."""

from typing import Any

import pytest
from sqlalchemy.event import listen

from erpsync.flows.inventory.counts import Count, add_stock, import_counts, set_stock
from erpsync.store.views import TrailFilter, iter_trail
from tests.support.depot import build_depot, work
from tests.support.shop import Town


def told(town: Town, sku: str) -> list[tuple[str, dict[str, Any], str]]:
    """Return (kind, detail, actor) of what happened to a SKU, oldest first."""
    with town.store.read() as connection:
        found = list(iter_trail(connection, TrailFilter(sku=sku), 0))
    return [(each["kind"], each["detail"], each["actor"]) for each in reversed(found)]


def test_what_a_person_counts_is_told_with_before_and_after_and_why(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=7, actor="li")
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="wang", reason="盘点")

    assert told(town, "A") == [
        ("stock.counted", {"warehouse": "SH", "from": None, "to": 7}, "li"),
        ("stock.counted", {"warehouse": "SH", "from": 7, "to": 5, "reason": "盘点"}, "wang"),
    ]


def test_a_first_count_of_nothing_is_news_and_an_unchanged_one_is_not(town: Town) -> None:
    for _ in range(2):
        set_stock(town.ctx, warehouse="SH", sku="A", on_hand=0, actor="li", reason="every evening")
        town.advance(60)

    assert [detail["to"] for _, detail, _ in told(town, "A")] == [0]


def test_a_file_of_counts_has_one_reason(town: Town) -> None:
    rows = [Count(warehouse="SH", sku="A", on_hand=1), Count(warehouse="SH", sku="B", on_hand=2)]

    import_counts(town.ctx, rows, actor="li", reason="年终")

    assert [detail["reason"] for sku in "AB" for _, detail, _ in told(town, sku)] == ["年终", "年终"]


def test_a_refused_count_leaves_no_event(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=7, actor="li")
    old = Count(warehouse="SH", sku="A", on_hand=1, as_of=town.clock.now().replace(year=2020))

    assert len(import_counts(town.ctx, [old], actor="li").refused) == 1
    assert len(told(town, "A")) == 1


def test_what_is_added_by_hand_is_told_too(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=7, actor="li")
    add_stock(town.ctx, warehouse="SH", sku="A", qty=-2, reason="broken", actor="wang")

    detail = {"warehouse": "SH", "from": 7, "to": 5, "reason": "broken"}
    assert told(town, "A")[-1] == ("stock.adjusted", detail, "wang")


def test_what_a_warehouse_counts_is_told_as_its_word(database_url: str) -> None:
    town, depot = build_depot(database_url)
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=7, actor="li")
    town.advance(60)
    depot.count("A", 4, town.clock.now(), "SH")
    work(town)
    last = told(town, "A")[-1]
    town.store.close()

    assert last == ("stock.counted", {"warehouse": "SH", "from": 7, "to": 4}, "channel wms")


@pytest.mark.parametrize("units", [1, 2])
def test_many_counts_leave_their_events_in_one_statement(town: Town, units: int) -> None:
    counts = [Count(warehouse="SH", sku=f"T{n:03}", on_hand=units) for n in range(300)]
    asked: list[str] = []
    listen(town.store.engine, "before_cursor_execute", lambda *args: asked.append(args[2]))

    import_counts(town.ctx, counts, actor="li")

    assert len([text for text in asked if 'INTO "event"' in text]) == 1
    assert len(told(town, "T299")) == 1
