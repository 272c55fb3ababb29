"""Everything that waits for somebody has its advice, and the documentation repeats it word for word."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from erpsync.core import advice
from erpsync.core.order_holds import ORDER_HOLDS, HoldReason
from erpsync.flows.api.subscriptions import TASK as EVENTS
from erpsync.store.outbox import queue
from erpsync.store.routes import BROKEN
from erpsync.web.words import STATE_WORDS
from tests.support.sources import ROOT

FLOWS = sorted((ROOT / "erpsync" / "flows").rglob("*.py"))


def named(calls: str, keyword: str) -> Iterator[str]:
    """Yield what stands for a keyword in calls of a function anywhere in flows; a name is looked up in its file."""
    for file in FLOWS:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        known = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute):
                continue
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if re.fullmatch(calls, called):
                yield from (_text(each.value, known, file) for each in node.keywords if each.arg == keyword)


def _text(value: ast.expr, known: dict[str, object], file: Path) -> str:
    if isinstance(value, ast.Constant):
        return str(value.value)
    if isinstance(value, ast.Name):
        return str(known.get(value.id, getattr(queue, value.id, f"{file.name}: {value.id}")))
    return ""  # handed on: the place where it comes from is looked at


def test_every_reason_to_hold_an_order_has_its_row() -> None:
    assert list(ORDER_HOLDS) == list(HoldReason)


def test_every_kind_of_task_has_its_advice() -> None:
    elsewhere = {"event_webhooks.py: TASK": EVENTS, "trouble.py: BROKEN": BROKEN}
    kinds = {elsewhere.get(each, each) for each in named("Task", "kind")}

    assert kinds == set(advice.TASKS)


def test_everything_an_effect_waits_for_has_its_advice() -> None:
    waits = {*named("park|park_many|free_waiting", "waiting_for"), *named("Ruling", "waits_for")} - {""}

    assert {"person" if each.endswith("PERSON") else each for each in waits} == set(advice.WAITS)


def test_every_kind_of_dead_letter_has_its_advice() -> None:
    kinds = set(named("DeadLetter", "kind")) - {""} - {each for each in named("DeadLetter", "kind") if ": " in each}
    kinds |= {
        "order",
        "refund",
        "line",
        "shipment",
        "correction",
        "release",
        "release_cancel",
        "waybill",
        "waybill_cancel",
        "warehouse_report",
        "waybill_report",
    }  # by variable

    assert kinds == {*advice.REPLAYS, *advice.MENDS}
    assert all("dead drop" not in text for text in (*advice.REPLAYS.values(), *advice.MENDS.values()))
    assert all("dead replay" in text for text in advice.REPLAYS.values())
    assert not any("dead replay" in text for text in (*advice.MENDS.values(), advice.DROP))


def test_every_state_of_a_channel_that_is_not_up_has_its_advice() -> None:
    assert set(advice.CHANNELS) == set(STATE_WORDS) - {"up"}


def test_the_table_of_everyday_work_says_what_the_pages_say() -> None:
    everyday = (ROOT / "docs" / "everyday.md").read_text(encoding="utf-8")
    told = dict(
        re.findall(r"^\| (?:an order is \*\*held\*\*: )?`(\w+)` \|[^|]*\| ([^|]*) \|[^|]*\|$", everyday, re.MULTILINE)
    )

    assert {reason: told.get(reason) for reason in advice.HOLDS} == {
        reason: advice.fill(text).replace("`erpsync ", "`") for reason, text in advice.HOLDS.items()
    }
    assert f"| {advice.STOCK['backordered'].replace('`erpsync ', '`')} |" in everyday
