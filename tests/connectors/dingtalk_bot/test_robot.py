"""The DingTalk robot: signed once, by the vectors; blocked for ten minutes when too fast; its keyword always there."""

import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest

from connectors.dingtalk_bot.connector import DingtalkBotConnector
from connectors.dingtalk_bot.sandbox import ACCESS_TOKEN, SECRET, DingtalkRobot
from connectors.dingtalk_bot.settings import DingtalkBotSettings
from connectors.dingtalk_bot.signing import sign
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse, serve
from erpsync.sdk.types import Message, MessageLevel

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "answers.json").read_text(encoding="utf-8"))
VECTORS = json.loads((HERE / "sign.json").read_text(encoding="utf-8"))["vectors"]
SETTINGS = {"gateway": "http://robot.invalid/robot/send", "access_token": ACCESS_TOKEN, "secret": SECRET}
MESSAGE = Message(id="sales-1", title="销售 · 订单挂起", text="订单 S1 挂起")


def connector(robot: DingtalkRobot, **more: Any) -> DingtalkBotConnector:
    http = HttpClient(clock=robot.clock, mount=robot.handle, rng=Random(0))
    return DingtalkBotConnector(DingtalkBotSettings.model_validate(SETTINGS | more), http, robot.clock)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_call_is_signed_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert sign(vector["secret"], vector["params"]["timestamp"]) == vector["expected"]


@pytest.mark.parametrize("vector", VECTORS)
def test_the_signature_is_encoded_exactly_once_on_the_wire(vector: dict[str, Any]) -> None:
    asked: list[SandboxRequest] = []

    def hears(request: SandboxRequest) -> SandboxResponse:
        asked.append(request)
        return SandboxResponse.of_json({"errcode": 0, "errmsg": "ok"})

    clock = ManualClock(datetime.fromtimestamp(int(vector["params"]["timestamp"]) / 1000, UTC))
    settings = DingtalkBotSettings.model_validate(SETTINGS | {"secret": vector["secret"]})
    DingtalkBotConnector(settings, HttpClient(clock=clock, mount=hears), clock).push_message(MESSAGE)

    assert asked[0].query == {
        "access_token": ACCESS_TOKEN,
        "timestamp": vector["params"]["timestamp"],
        "sign": vector["expected"],
    }


def test_the_robot_checks_signature_and_clock_over_a_real_socket() -> None:
    clock = ManualClock()
    robot = DingtalkRobot(clock=clock)
    with serve({"robot": robot}) as server:
        http = HttpClient(clock=clock)
        settings = DingtalkBotSettings.model_validate(SETTINGS | {"gateway": server.url("robot") + "/robot/send"})
        DingtalkBotConnector(settings, http, clock).push_message(MESSAGE)
        robot.clock = ManualClock(datetime(2026, 3, 3, tzinfo=UTC))
        with pytest.raises(AuthError, match="sign not match"):
            DingtalkBotConnector(settings, http, clock).push_message(MESSAGE)
        http.close()

    assert robot.bodies == [GOLDEN["message"]]


@pytest.mark.parametrize("case", GOLDEN["answers"], ids=lambda case: str(case["answer"].get("errmsg", "none")))
def test_an_answer_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    clock = ManualClock()
    http = HttpClient(clock=clock, mount=lambda request: SandboxResponse.of_json(case["answer"]))
    robot = DingtalkBotConnector(DingtalkBotSettings.model_validate(SETTINGS), http, clock)
    if case["means"] is None:
        robot.push_message(MESSAGE)
        return
    with pytest.raises(ConnectorError) as raised:
        robot.push_message(MESSAGE)

    assert type(raised.value).__name__ == case["means"]
    assert getattr(raised.value, "retry_after_s", None) == case.get("wait_s")
    assert not any(secret in repr(raised.value) for secret in (ACCESS_TOKEN, SECRET))


def test_a_robot_that_is_too_fast_is_waited_for_ten_minutes() -> None:
    clock = ManualClock()
    robot = DingtalkRobot(clock=clock)
    sender = connector(robot)
    for _ in range(20):
        sender.push_message(MESSAGE)
    with pytest.raises(RateLimitedError) as raised:
        sender.push_message(MESSAGE)

    clock.advance(seconds=61)
    with pytest.raises(RateLimitedError):
        sender.push_message(MESSAGE)
    clock.advance(seconds=raised.value.retry_after_s)
    sender.push_message(MESSAGE)

    assert len(robot.texts) == 21


def test_a_keyword_the_robot_insists_on_is_put_where_it_lacks() -> None:
    robot = DingtalkRobot(clock=ManualClock())
    robot.keyword = "发货"
    with pytest.raises(AuthError, match="keywords not in content"):
        connector(robot).push_message(MESSAGE)

    connector(robot, keyword="发货").push_message(MESSAGE)
    robot.keyword = "订单"
    connector(robot, keyword="订单").push_message(MESSAGE)

    assert [text.rpartition("\n")[2] for text in robot.texts] == ["发货 #sales-1", "#sales-1"]


def test_people_are_called_by_name_in_an_alarm_only() -> None:
    robot = DingtalkRobot(clock=ManualClock())
    sender = connector(robot, mention=["wang", "all"])
    for level in (MessageLevel.WARN, MessageLevel.ALARM):
        sender.push_message(Message(id="a", title="t", text="x", level=level))

    assert [body.get("at") for body in robot.bodies] == [None, {"atUserIds": ["wang"], "isAtAll": True}]
