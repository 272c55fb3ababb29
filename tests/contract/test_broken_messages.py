"""The suite catches senders of messages that break their promises, by the name of the defect.

Each is the WeCom robot's connector with one thing gone wrong, as notifiers were found to be wrong.
"""

import json
from collections.abc import Callable

import pytest

from connectors.wecom_bot.connector import MOST_BYTES, ROBOT, WecomBotConnector, text_of
from erpsync.sdk.errors import OutcomeUnknownError, RateLimitedError, RejectedError
from erpsync.sdk.messages import as_text
from erpsync.sdk.testing import Finding, Harness, audit
from erpsync.sdk.types import Message
from tests.connectors.wecom_bot.test_conformance import RobotHarness


class Says(WecomBotConnector):
    """Says a text of its own."""

    def text(self, message: Message) -> str:
        return as_text(message, most_bytes=MOST_BYTES)

    def push_message(self, message: Message) -> None:
        ROBOT.tell(self.http, self.settings.gateway, text_of(self.text(message)), params=self._params())


class BelievesTheStatus(WecomBotConnector):
    def push_message(self, message: Message) -> None:
        body = text_of(as_text(message, most_bytes=MOST_BYTES))
        url = self.settings.gateway
        self.http.request("POST", url, params=self._params(), data=json.dumps(body), repeatable=False)


class GivesUpWhatMayHaveArrived(WecomBotConnector):
    def push_message(self, message: Message) -> None:
        try:
            super().push_message(message)
        except OutcomeUnknownError as error:
            raise RejectedError(error.problem) from error


class TakesTooFastForARefusal(WecomBotConnector):
    def push_message(self, message: Message) -> None:
        try:
            super().push_message(message)
        except RateLimitedError as error:
            raise RejectedError(error.problem) from error


class TellsTheKey(WecomBotConnector):
    def push_message(self, message: Message) -> None:
        try:
            super().push_message(message)
        except OutcomeUnknownError as error:
            raise OutcomeUnknownError(f"{error.problem} {self._params()}") from error


class CutsWithinACharacter(Says):
    def text(self, message: Message) -> str:
        mark = f"\n#{message.id}"
        whole = f"{message.title}\n{message.text}"
        return whole.encode()[: MOST_BYTES - 40].decode(errors="replace") + mark


class CountsCharacters(Says):
    def text(self, message: Message) -> str:
        mark = f"\n#{message.id}"
        return f"{message.title}\n{message.text}"[: MOST_BYTES - len(mark)] + mark


class ForgetsTheId(Says):
    def text(self, message: Message) -> str:
        return f"{message.title}\n{message.text}"[:100]


BROKEN = [
    (BelievesTheStatus, "message_error_tells_the_truth", Finding.EFFECT_CLAIMED),
    (GivesUpWhatMayHaveArrived, "message_error_tells_the_truth", Finding.EFFECT_DENIED),
    (TakesTooFastForARefusal, "message_that_fails_says_who_acts", Finding.WRONG_ERROR_CLASS),
    (TellsTheKey, "message_error_tells_the_truth", Finding.TOLD_SECRET),
    (CutsWithinACharacter, "message_that_is_too_long_is_cut_on_a_character", Finding.BROKEN_TEXT),
    (CountsCharacters, "message_that_is_too_long_is_cut_on_a_character", Finding.WRONG_ERROR_CLASS),
    (ForgetsTheId, "message_sent_again_carries_the_same_id", Finding.UNKNOWN_KEY),
]


def harness_of(broken: type) -> Callable[[], Harness]:
    """Return harnesses whose connector is of another class than the one they were written for."""

    class Broken(RobotHarness):
        def connector(self) -> WecomBotConnector:
            made = super().connector()
            return broken(made.settings, made.http, made.clock)  # type: ignore[no-any-return]

    return Broken


@pytest.mark.parametrize(("broken", "check", "finding"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_a_broken_sender_is_caught_by_the_name_of_its_defect(broken: type, check: str, finding: Finding) -> None:
    found = audit(harness_of(broken), only=[check])

    assert found[check].finding is finding
