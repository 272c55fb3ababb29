"""The Feishu bot: its unusual signature, its twin verdicts, text that calls nobody, the token in no error."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
import structlog

from connectors.feishu_bot.connector import FeishuBotConnector
from connectors.feishu_bot.sandbox import SECRET, TOKEN, FeishuBot
from connectors.feishu_bot.settings import FeishuBotSettings
from connectors.feishu_bot.signing import sign
from erpsync.sdk.clock import ManualClock
from erpsync.sdk.errors import AuthError, ConnectorError, OutcomeUnknownError, RateLimitedError
from erpsync.sdk.http import HttpClient
from erpsync.sdk.sandbox import Fault, SandboxResponse
from erpsync.sdk.types import Message, MessageLevel

HERE = Path(__file__).parent
GOLDEN = json.loads((HERE / "golden" / "answers.json").read_text(encoding="utf-8"))
VECTORS = json.loads((HERE / "sign.json").read_text(encoding="utf-8"))["vectors"]
SETTINGS = {"gateway": "http://robot.invalid/open-apis/bot/v2/hook", "token": TOKEN, "secret": SECRET}
MESSAGE = Message(id="sales-1", title="销售 · 订单挂起", text="订单 S1 挂起")


def connector(bot: FeishuBot, **more: Any) -> FeishuBotConnector:
    http = HttpClient(clock=bot.clock, mount=bot.handle, rng=Random(0))
    return FeishuBotConnector(FeishuBotSettings.model_validate(SETTINGS | more), http, bot.clock)


@pytest.mark.parametrize("vector", VECTORS)
def test_a_call_is_signed_as_the_vectors_say(vector: dict[str, Any]) -> None:
    assert sign(vector["secret"], vector["params"]["timestamp"]) == vector["expected"]


def test_a_message_stands_in_the_group_as_its_golden_copy_says() -> None:
    bot = FeishuBot(clock=ManualClock())

    connector(bot).push_message(MESSAGE)

    assert bot.posts == [GOLDEN["message"]]


@pytest.mark.parametrize("case", GOLDEN["answers"], ids=lambda case: json.dumps(case["answer"])[:30])
def test_an_answer_means_what_its_golden_copy_says(case: dict[str, Any]) -> None:
    clock = ManualClock()
    http = HttpClient(clock=clock, mount=lambda request: SandboxResponse.of_json(case["answer"]))
    bot = FeishuBotConnector(FeishuBotSettings.model_validate(SETTINGS), http, clock)
    if case["means"] is None:
        bot.push_message(MESSAGE)
        return
    with pytest.raises(ConnectorError) as raised:
        bot.push_message(MESSAGE)

    assert type(raised.value).__name__ == case["means"]
    assert getattr(raised.value, "retry_after_s", None) == case.get("wait_s")


def test_a_clock_that_is_an_hour_off_is_refused() -> None:
    clock = ManualClock()
    bot = FeishuBot(clock=clock)
    sender = connector(bot)
    bot.clock = ManualClock()
    bot.clock.advance(seconds=3700)

    with pytest.raises(AuthError, match="timestamp"):
        sender.push_message(MESSAGE)


def test_the_sixth_message_of_a_second_is_waited_for() -> None:
    clock = ManualClock()
    bot = FeishuBot(clock=clock)
    sender = connector(bot)
    for _ in range(5):
        sender.push_message(MESSAGE)

    with pytest.raises(RateLimitedError):
        sender.push_message(MESSAGE)


def test_what_looks_like_a_tag_calls_nobody_and_people_are_called_in_an_alarm() -> None:
    bot = FeishuBot(clock=ManualClock())
    sender = connector(bot, mention=["ou_1"])
    sender.push_message(Message(id="a", title="t", text='SKU <at user_id="all">x</at>'))
    sender.push_message(Message(id="b", title="t", text="x", level=MessageLevel.ALARM))

    quiet, alarm = (post["content"][0] for post in bot.posts)
    assert [piece["tag"] for piece in quiet] == ["text"]
    assert alarm[1:] == [{"tag": "at", "user_id": "ou_1"}]


def test_the_token_in_the_address_stands_in_no_error_and_no_log() -> None:
    bot = FeishuBot(clock=ManualClock())
    bot.faults.force(Fault.ERROR_5XX_AFTER)
    with structlog.testing.capture_logs() as logs, pytest.raises(OutcomeUnknownError) as raised:
        connector(bot).push_message(MESSAGE)

    assert logs
    assert TOKEN not in repr(raised.value) + repr(logs)
