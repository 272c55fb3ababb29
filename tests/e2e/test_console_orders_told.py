"""How an order's story and next steps are put at the console: sorted, in words, with buttons instead of commands."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from erpsync.core import advice
from erpsync.languages import language
from erpsync.languages.codes import EVENTS
from erpsync.web.console.orders.details import Details
from erpsync.web.console.orders.next_steps import PLACE_WORDS, to_do
from erpsync.web.console.orders.timeline import EFFECTS, FACTS, SEEN, sort_of, timeline
from erpsync.web.pages import TEMPLATES
from erpsync.web.words import Clockface

ZONE = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 3, 2, 12, tzinfo=UTC)


def entry(about: str, what: str) -> dict[str, object]:
    return {"at": "2026-03-02T12:00:00Z", "about": about, "what": what, "detail": {}, "actor": ""}


def pairs(detail: dict[str, object], code: str = "en") -> dict[str, str]:
    speech = language(code)
    return dict(Details(speech, Clockface(AT, ZONE, speech), "CNY").pairs(detail))


@pytest.mark.parametrize(
    ("about", "what", "sort"),
    [
        ("event", "order.imported", "fact"),
        ("event", "order.held", "decision"),
        ("event", "shipment.told", "effect"),
        ("event", "order.recipient_shown", "seen"),
        ("push", "shipment pending", "effect"),
        ("stock", "shipped", "stock"),
        ("task", "opened", "trouble"),
        ("dead letter", "open", "trouble"),
    ],
)
def test_facts_decisions_and_effects_are_told_apart(about: str, what: str, sort: str) -> None:
    assert sort_of(entry(about, what)) == sort


def test_every_kind_that_is_sorted_is_one_that_there_is() -> None:
    assert set(EVENTS) >= FACTS | EFFECTS | SEEN


def test_a_story_is_told_newest_first() -> None:
    told = timeline([entry("event", "order.imported"), entry("event", "order.held")])

    assert [row["what"] for row in told] == ["order.held", "order.imported"]


def test_what_changed_is_told_once_as_what_was_and_what_is() -> None:
    detail = {
        "phase": "held",
        "held": {"operator": "look at it"},
        "changes": ["total_minor"],
        "from": {"phase": "ready", "held": {}, "total_minor": 9000},
        "to": {"phase": "held", "held": {"operator": "look at it"}, "total_minor": 500},
    }

    assert pairs(detail) == {
        "phase": "ready → held",
        "held": "– → operator look at it",
        "total": "CN¥90.00 → CN¥5.00",
    }
    assert pairs(detail, "zh")["状态"] == "待发货 → 挂起"


def test_codes_are_told_in_words_and_what_people_wrote_as_they_wrote_it() -> None:
    assert pairs({"phase": "partially_shipped", "reason": "wait_for.Li"}) == {
        "phase": "partially shipped",
        "reason": "wait_for.Li",
    }


def test_units_are_told_as_pages_write_them_and_what_says_nothing_is_left_out() -> None:
    detail = {
        "takes": [{"line": "1", "sku": "A", "warehouse": "SH", "qty": 2}, {"line": "2", "sku": "B", "qty": 1}],
        "shipments": ["S1-1", "S1-2"],
        "error": "",
        "attempts": 0,
        "run_at": "2026-03-02T12:00:00Z",
    }

    assert pairs(detail) == {
        "takes": "A ×2 SH, B ×1",
        "shipments": "S1-1, S1-2",
        "run at": "2026-03-02 20:00:00",
    }


def said(*sentences: str) -> list[tuple[str, str]]:
    return [(step.text, step.page) for step in to_do(sentences, order="S1", channel="shop")]


@pytest.mark.parametrize("reason", sorted(set(advice.HOLDS) - {"incomplete_address"}))
def test_no_reason_of_a_hold_is_answered_by_a_command(reason: str) -> None:
    """An address that is missing may be done without by a setting, for which there is no button."""
    [(text, _)] = said(advice.fill(advice.HOLDS[reason], order="S1"))

    assert "`" not in text


@pytest.mark.parametrize("wait", sorted(advice.WAITS))
def test_nothing_a_parcel_waits_for_is_answered_by_a_command(wait: str) -> None:
    [(text, _)] = said(advice.fill(advice.WAITS[wait], channel="shop"))

    assert "`" not in text


def test_what_is_done_elsewhere_names_the_page() -> None:
    assert said(
        "task 5: look on the channel; `erpsync tasks done 5` when it may go or is settled",
        "dead letter 7: mend what the channel refuses, then `erpsync dead replay 7`",
        "shop is paused: `erpsync channels resume shop` ends the pause",
        advice.STOCK["backordered"],
        "send it, then `erpsync ship S1 --carrier CODE --tracking NUMBER`",
        "nothing to do: it is completed",
    ) == [
        ("task 5 is open about it: do what it says", "/tasks"),
        ("dead letter 7 is open about it: mend its cause, then replay it", "/dead-letters"),
        ("channel shop does not work now: see why, and what ends it", "/channels"),
        ("enter what arrives: the oldest paid order is served first, at once", "/stock"),
        ("send it, then record the parcel with “Ship”", ""),
        ("nothing to do: it is completed", ""),
    ]


def test_every_page_that_is_named_is_in_the_menu() -> None:
    menu = re.findall(r'"(/[a-z-]+)"', (TEMPLATES / "base.html").read_text(encoding="utf-8"))

    assert set(PLACE_WORDS) <= set(menu)
