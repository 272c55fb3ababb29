"""The WeCom robot: bytes counted, people called only in an alarm, the key told to nobody."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.wecom_bot.connector import WecomBotConnector
from connectors.wecom_bot.sandbox import KEY, WecomRobot
from connectors.wecom_bot.settings import WecomBotSettings
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, ConnectorError, OutcomeUnknownError, RateLimitedError, TransientError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import SandboxRequest, SandboxResponse
from erpsync.sdk.types import Message, MessageLevel

GOLDEN = json.loads((Path(__file__).parent / "golden" / "answers.json").read_text(encoding="utf-8"))
SETTINGS = {"gateway": "http://robot.invalid/cgi-bin/webhook/send", "key": KEY}


def message(text: str = "订单 S1 挂起", *, number: int = 1, level: MessageLevel = MessageLevel.INFO) -> Message:
    return Message(id=f"sales-{number}", title="销售 · 订单挂起", text=text, level=level)


def connector(robot: WecomRobot, **more: Any) -> WecomBotConnector:
    http = HttpClient(clock=robot.clock, mount=robot.handle, rng=Random(0))
    return WecomBotConnector(WecomBotSettings.model_validate(SETTINGS | more), http, robot.clock)


def test_a_message_stands_in_the_group_as_its_golden_copy_says() -> None:
    robot = WecomRobot(clock=ManualClock())

    connector(robot).push_message(message())

    assert robot.texts == [GOLDEN["message"]]


@pytest.mark.parametrize("case", GOLDEN["answers"], ids=lambda case: str(case["answer"].get("errcode", "none")))
def test_an_answer_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    """Whatever it means, the status is 200."""

    def answers(request: SandboxRequest) -> SandboxResponse:
        return SandboxResponse.of_json(case["answer"])

    clock = ManualClock()
    robot = WecomBotConnector(WecomBotSettings.model_validate(SETTINGS), HttpClient(clock=clock, mount=answers), clock)
    if case["means"] is None:
        robot.push_message(message())
        return
    with pytest.raises(ConnectorError) as raised:
        robot.push_message(message())

    assert type(raised.value).__name__ == case["means"]
    assert getattr(raised.value, "retry_after_s", None) == case.get("wait_s")
    assert KEY not in repr(raised.value)


def test_a_long_chinese_text_fits_in_2048_bytes_and_not_in_2048_characters() -> None:
    robot = WecomRobot(clock=ManualClock())

    connector(robot).push_message(message("挂" * 2000))

    [text] = robot.texts
    assert 2040 < len(text.encode()) <= 2048
    assert text.endswith("…\n#sales-1")


def test_the_twenty_first_message_of_a_minute_is_waited_for() -> None:
    clock = ManualClock()
    robot = WecomRobot(clock=clock)
    sender = connector(robot)
    for number in range(20):
        sender.push_message(message(number=number))

    with pytest.raises(RateLimitedError) as raised:
        sender.push_message(message(number=20))
    clock.advance(seconds=raised.value.retry_after_s)
    sender.push_message(message(number=20))

    assert len(robot.texts) == 21


def test_people_are_called_by_name_in_an_alarm_only() -> None:
    robot = WecomRobot(clock=ManualClock())
    sender = connector(robot, mention=["wang", "@all"])

    for level in MessageLevel:
        sender.push_message(message(level=level))

    assert robot.mentioned == [[], [], ["wang", "@all"]]


def test_a_check_says_nothing_in_the_group() -> None:
    robot = WecomRobot(clock=ManualClock())

    connector(robot).check()

    assert robot.texts == []
    with pytest.raises(AuthError):
        connector(robot, key="another").check()


def test_a_gateway_that_is_none_does_not_pass_the_check() -> None:
    def nothing_here(request: SandboxRequest) -> SandboxResponse:
        return SandboxResponse(status=404, body=b"<html>")

    clock = ManualClock()
    http = HttpClient(clock=clock, mount=nothing_here, rng=Random(0))
    robot = WecomBotConnector(WecomBotSettings.model_validate(SETTINGS), http, clock)

    for act in (robot.check, lambda: robot.push_message(message())):
        with pytest.raises(ConnectorError, match="the WeCom robot answered 404"):
            act()


def test_an_answer_without_a_verdict_is_no_success() -> None:
    clock = ManualClock()
    http = HttpClient(clock=clock, mount=lambda request: SandboxResponse.of_json({"ok": True}), rng=Random(0))
    robot = WecomBotConnector(WecomBotSettings.model_validate(SETTINGS), http, clock)

    with pytest.raises(OutcomeUnknownError):
        robot.push_message(message())
    with pytest.raises(TransientError):
        robot.check()


@pytest.mark.parametrize("key", ["", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=a", "key=a"])
def test_a_whole_address_in_place_of_the_key_is_refused_without_telling_it(key: str) -> None:
    with pytest.raises(ValidationError) as raised:
        WecomBotSettings.model_validate({"key": key})

    assert raised.value.errors()[0]["msg"].endswith("must be only what stands behind key= in the robot's address")
