"""Messages to departments in Chinese: a sentence for every kind of event, with nothing of English left in it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from erpsync.core.messages import RoutePolicy
from erpsync.flows.messages.compose import message_of, trial_message
from erpsync.flows.messages.facts import Happened
from erpsync.flows.messages.levels import level_of
from erpsync.flows.messages.words import WORDS
from erpsync.languages.codes import CHECKS, EVENTS, HOLD_REASONS, TASKS
from tests.languages.leftovers import left_over
from tests.support.whens import when

AT = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
ROUTE = RoutePolicy(id="a", to="b", when=when(event="order."), department="仓库")
FACTS = {
    "order": "S1",
    "channel": "淘宝",
    "sku": "TEA",
    "warehouses": ("SH",),
    "number": "R1",
    "kind_of": "refund_late",
}


def happened(kind: str, **more: object) -> Happened:
    return Happened(**{"id": 1, "at": AT, "kind": kind, "level": level_of(kind)} | FACTS | more)  # type: ignore[arg-type]


def said(*events: Happened) -> str:
    message = message_of(ROUTE, events, zone=ZoneInfo("Asia/Shanghai"), console_url="")
    return f"{message.title} {message.text}"


@pytest.mark.parametrize("kind", EVENTS)
def test_every_kind_of_event_is_said_in_chinese(kind: str) -> None:
    assert left_over(said(happened(kind))) == []


@pytest.mark.parametrize("kind", ["order.held", "order.imported", "order.changed"])
def test_every_reason_to_hold_is_said_in_chinese(kind: str) -> None:
    assert left_over(said(happened(kind, hold_reasons=HOLD_REASONS))) == []


@pytest.mark.parametrize(
    "event",
    [
        *(happened(kind, check=check) for check in CHECKS for kind in ("alarm.raised", "alarm.ended")),
        *(happened("task.opened", kind_of=kind, channel=channel) for kind in TASKS for channel in ("", "淘宝")),
        happened("alarm.raised", check="oversell", channel=""),
        happened("alarm.ended", check="oversell", channel=""),
        happened("order.backordered", skus=("A", "B")),
        happened("shipment.held", number=""),
    ],
    ids=lambda event: f"{event.kind} {event.check or event.kind_of}",
)
def test_every_alarm_and_task_is_said_in_chinese(event: Happened) -> None:
    assert left_over(said(event)) == []


def test_a_digest_and_a_test_are_said_in_chinese() -> None:
    digest = said(*(happened(kind) for kind in WORDS))
    test = trial_message(ROUTE, at=AT, console_url="")

    assert left_over(digest) == []
    assert left_over(f"{test.title} {test.text}") == []
    assert digest.startswith("告警 · 仓库 · ")
