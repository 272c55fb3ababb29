"""What a transport error says about how far a request got.

Why it matters: a request that never left may always be tried again, one that may have arrived may not.
"""

import ssl

import requests
import urllib3


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
