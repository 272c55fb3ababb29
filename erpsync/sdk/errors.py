"""What can go wrong between us and a platform, by who acts next.

Why so few classes: the daemon does one thing per class, so a connector only decides who has to act.

    ConnectorError
    ├── TransientError        the daemon tries again
    ├── RateLimitedError      the daemon waits; costs no attempt
    ├── OutcomeUnknownError   sent, no answer: the sink's `repeat` rule decides
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


class RateLimitedError(ConnectorError):
    """The channel asks us to wait `retry_after_s` seconds; nothing happened there.

    No time at all counts as a second, for a channel that means it would not have refused; a day is the longest.
    """

    def __init__(self, problem: str, *, retry_after_s: float, code: str = "") -> None:
        super().__init__(problem, code=code)
        self.retry_after_s = min(retry_after_s, _LONGEST_WAIT_S) if retry_after_s > 0 else 1.0


class OutcomeUnknownError(ConnectorError):
    """The request may have taken effect: it was sent and no usable answer came."""


class AuthError(ConnectorError):
    """The channel does not accept our credentials or permissions; only an operator can mend that."""


class RejectedError(ConnectorError):
    """The channel understood the request and refuses it; repeating it unchanged is useless."""


class PayloadError(ConnectorError):
    """A payload that we cannot read; `path` names the field, `source` the file and line when there is one.

    Args:
        broken: no other code or setting could read it, as of a line that is no CSV; only its source can mend it.
    """

    def __init__(self, problem: str, *, path: str, source: str = "", broken: bool = False) -> None:
        super().__init__(problem)
        self.path = path
        self.source = source
        self.broken = broken

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}"
