"""What a transport error says about how far a request got.

Why it matters: a request that never left may always be tried again, one that may have arrived may not.
"""

import ssl

import requests
import urllib3

from erpsync.sdk.doubt import note_lost
from erpsync.sdk.errors import (
    ConnectorError,
    NoAnswerError,
    NoOutcomeError,
    OutcomeUnknownError,
    RejectedError,
    TransientError,
)
from erpsync.sdk.targets import LocalTargetError

UNCALLABLE = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidHeader,
)
_TIME_OUTS = (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError)


def lost(problem: str, *, repeatable: bool, code: str = "") -> ConnectorError:
    """Return the error for a call that was sent and has no usable answer, and note it, see `sdk.doubt`."""
    note_lost()
    return (TransientError if repeatable else OutcomeUnknownError)(problem, code=code)


def failed(error: Exception, where: str, *, repeatable: bool) -> ConnectorError:
    """Return what to raise when no whole answer came.

    The text of the error holds the query, and with it tokens and signatures: only its kind is told.
    """
    if isinstance(error, UNCALLABLE):
        return RejectedError(f"{where or 'this'} is not an address that can be called")
    if any(isinstance(getattr(arg, "reason", arg), LocalTargetError) for arg in error.args):
        return RejectedError(f"{where} leads to this machine or a link-local address")
    problem = f"{type(error).__name__} at {where}"
    unsent = before_sending(error)
    if not unsent:
        note_lost()
    if is_timeout(error):
        return (NoAnswerError if repeatable or unsent else NoOutcomeError)(problem)
    return (TransientError if repeatable or unsent else OutcomeUnknownError)(problem)


def is_timeout(error: BaseException) -> bool:
    """Return whether the platform took longer than it had: to connect, to answer, or to end its answer.

    Requests calls a body that stops coming in a broken connection; what broke it stands inside.
    """
    causes = [error, error.__cause__, *error.args, *(getattr(arg, "reason", None) for arg in error.args)]
    refused = urllib3.exceptions.NewConnectionError  # a kind of time-out to urllib3
    return any(isinstance(cause, _TIME_OUTS) and not isinstance(cause, refused) for cause in causes)


def before_sending(error: BaseException) -> bool:
    """Return whether the request cannot have reached the platform: no address, no connection, or no trusted one.

    Source: requests wraps urllib3's reason as the first argument of its own error; tested with real sockets in
    tests/unit/sdk/test_http_sockets.py.
    """
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return True
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", None)
    if isinstance(error, requests.exceptions.SSLError):
        return _untrusted(cause) or _untrusted(reason)
    return isinstance(reason, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def _untrusted(error: object) -> bool:
    """Return whether an error is, or wraps, a certificate that is not trusted."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return True
    return isinstance(error, BaseException) and any(isinstance(arg, ssl.SSLCertVerificationError) for arg in error.args)
