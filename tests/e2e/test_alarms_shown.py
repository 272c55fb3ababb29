"""Where alarms are seen: the command, the status, the overview and the metrics, in both languages."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from erpsync.core.alarms import OF_ALL, OF_CHANNELS
from erpsync.settings.config import StatusLimits
from erpsync.store import tables
from erpsync.store.db.store import Store
from erpsync.web.metrics import FiguresCollector
from erpsync.web.site import Site
from tests.e2e.command_desk import Desk
from tests.e2e.test_console import words_of
from tests.support.visitor import visitor
from tests.support.web_shop import NOW, AppServer, add, open_shop, serve

SHOP = "tmall-flagship"
MINUTE = timedelta(minutes=1)


def raise_alarms(store: Store, channel_id: int | None) -> None:
    """One stands of a channel, one of a disk, one is over, and one was seen once and never told."""
    rows = [
        {"rule": "freshness", "subject": SHOP, "said": f"{SHOP}: orders were last read 20 min ago (limit 15 min)"},
        {"rule": "disk", "subject": "erp-1 /var", "said": "erp-1: 3 MB free in /var, for database (limit 500 MB)"},
        {"rule": "clock", "subject": SHOP, "said": f"this machine's clock is 15 min ahead of {SHOP}"},
        {"rule": "brake", "subject": SHOP, "said": "never told"},
    ]
    with store.begin() as tx:
        for at, row in enumerate(rows):
            of_channel = channel_id if row["subject"] == SHOP else None
            told = None if row["rule"] == "brake" else NOW - (9 - at) * MINUTE
            ended = NOW if row["rule"] == "clock" else None
            seen = {"seen_at": NOW - 10 * MINUTE, "raised_at": told, "ended_at": ended}
            add(tx, tables.alarm, row | seen | {"channel_id": of_channel})


@pytest.fixture
def house(sqlite_file: Path) -> Iterator[tuple[AppServer, Site, Store]]:
    store, ctx = open_shop(f"sqlite:///{sqlite_file}")
    raise_alarms(store, ctx.channel(SHOP).id)
    server, _ = serve(store, ctx, keep_s=0)
    yield server, Site(store=store, ctx=lambda: ctx, limits=StatusLimits, keep_s=0), store
    server.stop(2)
    store.close()


def test_the_overview_shows_what_stands_and_what_is_over(house: tuple[AppServer, Site, Store]) -> None:
    server, _, store = house
    page = words_of(visitor(store).get(server.url, timeout=60))

    assert "Alarms" in page
    assert f"{SHOP}: orders were last read 20 min ago (limit 15 min)" in page
    assert "erp-1: 3 MB free in /var, for database (limit 500 MB)" in page
    assert re.search("from 16:15 ?to 16:25 ?: over", page)
    assert "never told" not in page


def test_the_metrics_have_every_rule_and_one_for_those_that_stand(house: tuple[AppServer, Site, Store]) -> None:
    _, site, _ = house
    family = next(each for each in FiguresCollector(site).collect() if each.name == "erpsync_alarm")
    values = {(each.labels["check"], each.labels["channel"]): each.value for each in family.samples}

    assert {labels for labels, value in values.items() if value} == {("freshness", SHOP), ("disk", "")}
    assert {check for check, channel in values if channel == SHOP} == set(OF_CHANNELS)
    assert {check for check, channel in values if not channel} == set(OF_ALL)


def test_the_status_holds_those_that_stand(house: tuple[AppServer, Site, Store]) -> None:
    alarms = house[1].look().status["alarms"]

    assert [(alarm["check"], alarm["channel"]) for alarm in alarms] == [("disk", None), ("freshness", SHOP)]
    assert alarms[1]["since"] == "2026-03-02T08:15:00Z"
    assert alarms[1]["ended_at"] is None


def test_the_command_lists_those_that_stand_and_with_all_those_that_are_over(desk: Desk) -> None:
    assert desk.json("alarms", "list") == []
    assert desk.run("alarms", "list").err == "no alarm\n"
    desk.json("stock", "set", "--warehouse", "SH", "--sku", "A", "--on-hand", "7")
    store = Store.open(f"sqlite:///{desk.folder / 'var' / 'erpsync.db'}")
    raise_alarms(store, None)
    store.close()

    assert [row["check"] for row in desk.json("alarms", "list")] == ["disk", "freshness"]
    assert [row["check"] for row in desk.json("alarms", "list", "--all")] == ["disk", "freshness", "clock"]
    assert "3 MB free in /var" in desk.run("alarms", "list").out
    assert desk.run("alarms", "list", "--limit", "0").code == 2
