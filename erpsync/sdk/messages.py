"""What senders of messages share: text that fits, and the verdict in the answer of a chat group's robot.

Why the verdict is read here: WeCom, DingTalk and Feishu answer HTTP 200 to what they refuse, and say so in the body
alone; a sender that believes the status counts as told what nobody ever read.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from erpsync.sdk.errors import AuthError, ConnectorError, RateLimitedError, RejectedError, TransientError, refusal
from erpsync.sdk.http import HttpClient, HttpResponse, lost
from erpsync.sdk.text import read_json
from erpsync.sdk.types import Message

ELLIPSIS = "…"
MOST_SAID = 200


def cut(text: str, most_bytes: int) -> str:
    """Return the text, in UTF-8 no longer than so many bytes: cut on a character, `…` behind what is left."""
    if len(text.encode()) <= most_bytes:
        return text
    room = most_bytes - len(ELLIPSIS.encode())
    if room < 0:
        return ""
    return text.encode()[:room].decode(errors="ignore") + ELLIPSIS


def as_text(message: Message, *, most_bytes: int, title: bool = True, end: str = "") -> str:
    """Return a message as plain text: title, text, and at its end `#ID`, which is never cut off.

    Args:
        title: whether the title stands in it; not where the platform shows one of its own.
        end: what stands on the last line before the id, for example a word that a platform insists on.
    """
    mark = f"\n{end} #{message.id}" if end else f"\n#{message.id}"
    whole = f"{message.title}\n{message.text}" if title else message.text
    return cut(whole, most_bytes - len(mark.encode())) + mark


def limited(wait_s: float) -> Callable[[str, str], ConnectorError]:
    """Return what makes the error for a code that means "too fast", with the seconds its platform blocks for."""
    return lambda problem, code: RateLimitedError(problem, retry_after_s=wait_s, code=code)


def refused(problem: str, code: str) -> ConnectorError:
    """Return the error for a code that means that our credentials or the robot's settings do not fit."""
    return AuthError(problem, code=code)


def busy(problem: str, code: str) -> ConnectorError:
    """Return the error for a code that means that it may go well a little later."""
    return TransientError(problem, code=code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Robot:
    """How one platform's robots are spoken to.

    Args:
        name: for errors, for example `the DingTalk robot`.
        code: the keys of an answer that hold the verdict, 0 being accepted; the first one there counts.
        text: the keys that hold its reason.
        codes: what a verdict means that is not simply a refusal of this one message.
    """

    name: str
    code: tuple[str, ...]
    text: tuple[str, ...]
    codes: Mapping[int, Callable[[str, str], ConnectorError]] = field(default_factory=dict)

    def tell(
        self, http: HttpClient, url: str, body: Mapping[str, Any], *, params: Mapping[str, str] | None = None
    ) -> None:
        """Post a body and return once the robot has accepted it.

        Raises:
            OutcomeUnknownError: sent, and nobody knows: robots cannot be asked for what they said.
        """
        self._judge(self._answer(http, url, body, params, repeatable=False))

    def probe(self, http: HttpClient, url: str, body: Mapping[str, Any], *, params: Mapping[str, str]) -> None:
        """Post a body with nothing in it to say, which a robot refuses, and raise only where not for its emptiness."""
        answer = self._answer(http, url, body, params, repeatable=True)
        with suppress(RejectedError):
            self._judge(answer)

    def _answer(
        self,
        http: HttpClient,
        url: str,
        body: Mapping[str, Any],
        params: Mapping[str, str] | None,
        *,
        repeatable: bool,
    ) -> Mapping[str, Any]:
        def read(response: HttpResponse) -> Mapping[str, Any]:
            answer = _object(response)
            if any(isinstance(answer.get(key), int) for key in self.code):
                return answer
            if response.status >= 300:
                raise refusal(response.status, f"{self.name} answered", None)
            raise lost(f"the answer of {self.name} holds no verdict", repeatable=repeatable)

        return http.read(
            "POST",
            url,
            params=params,
            data=json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
            headers={"content-type": "application/json"},
            repeatable=repeatable,
            secret_path=True,
            into=read,
        )

    def _judge(self, answer: Mapping[str, Any]) -> None:
        code = next(answer[key] for key in self.code if isinstance(answer.get(key), int))
        if code == 0:
            return
        said = next((text for key in self.text if isinstance(text := answer.get(key), str) and text), "no reason")
        reason = said[:MOST_SAID]
        make = self.codes.get(code)
        problem = f"{self.name} refuses: {reason}"
        raise make(problem, str(code)) if make else RejectedError(problem, code=str(code))


def _object(response: HttpResponse) -> Mapping[str, Any]:
    """Return the answer if it is a JSON object, an empty one else."""
    try:
        answer = read_json(response.body)
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
