"""What can go wrong between us and a platform, by who acts next.

Why so few classes: the daemon does one thing per class, so a connector only decides who has to act.

    ConnectorError
    ├── TransientError        the daemon tries again
    │   ├── TooLateError      not sent: its time was up; says nothing about the channel
    │   └── NoAnswerError     timed out, and it may be repeated (TimedOut)
    ├── RateLimitedError      the daemon waits; costs no attempt
    ├── OutcomeUnknownError   sent, no answer: the sink's `repeat` rule decides
    │   └── NoOutcomeError    timed out, and it must not be repeated (TimedOut)
    ├── AuthError             an operator: the channel pauses, one alarm
    ├── RejectedError         an operator: dead letter with the channel's own code and text
    └── PayloadError          a developer: dead letter naming the field
"""

_LONGEST_WAIT_S = 86_400.0


class ConnectorError(Exception):
    """Base of all errors a connector may raise.

    Args:
        problem: lower case, what is wrong and what was found, free of secrets and personal data.
        code: the channel's own error code, if it gave one.
    """

    def __init__(self, problem: str, *, code: str = "") -> None:
        super().__init__(problem)
        self.problem = problem
        self.code = code

    def __str__(self) -> str:
        return f"{self.problem} ({self.code})" if self.code else self.problem


class TransientError(ConnectorError):
    """Nothing happened on the channel, or it does not matter; the same call may succeed later."""


class TimedOut:
    """Mixed into errors of a call that took longer than its time: many of them in a row isolate a channel."""


class NoAnswerError(TransientError, TimedOut):
    """A call that may be repeated got no answer in time, or no connection."""


class TooLateError(TransientError):
    """The call was not made, because its own time or that of its lease was up; the channel had no part in that."""


class RateLimitedError(ConnectorError):
    """The channel asks us to wait `retry_after_s` seconds; nothing happened there.

    No time at all counts as a second, for a channel that means it would not have refused; a day is the longest.
    """

    def __init__(self, problem: str, *, retry_after_s: float, code: str = "") -> None:
        super().__init__(problem, code=code)
        self.retry_after_s = min(retry_after_s, _LONGEST_WAIT_S) if retry_after_s > 0 else 1.0


class OutcomeUnknownError(ConnectorError):
    """The request may have taken effect: it was sent and no usable answer came."""


class NoOutcomeError(OutcomeUnknownError, TimedOut):
    """A call that must not be repeated blindly was sent and got no answer in time."""


class AuthError(ConnectorError):
    """The channel does not accept our credentials or permissions; only an operator can mend that."""


class RejectedError(ConnectorError):
    """The channel understood the request and refuses it; repeating it unchanged is useless."""


class PayloadError(ConnectorError):
    """A payload that we cannot read; `path` names the field, `source` the file and line when there is one.

    Args:
        broken: no other code or setting could read it, as of a line that is no CSV; only its source can mend it.
        unknown_status: the text, where all that is wrong is that it is in no table of states; it may be shown.
        of_line: a line of the record may have been changed or taken out by what cannot be read.
    """

    def __init__(
        self,
        problem: str,
        *,
        path: str,
        source: str = "",
        broken: bool = False,
        unknown_status: str = "",
        of_line: bool = False,
    ) -> None:
        super().__init__(problem)
        self.path = path
        self.source = source
        self.broken = broken
        self.unknown_status = unknown_status
        self.of_line = of_line

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"


_REFUSALS: dict[int, type[ConnectorError]] = {401: AuthError, 403: AuthError, 407: AuthError, 425: TransientError}


def refusal(status: int, said: str, reason: object) -> ConnectorError:
    """Return the error for a status that `HttpClient` leaves to the connector, as most systems mean it.

    Args:
        said: who answered, for people; the status follows.
        reason: what the answer gives as its reason, told where it is text.
    """
    text = f": {reason[:200]}" if isinstance(reason, str) else ""
    return _REFUSALS.get(status, RejectedError)(f"{said} {status}{text}", code=str(status))
