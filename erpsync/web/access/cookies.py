"""The cookies of the console: the session's, and the mark of a browser in which somebody has logged in.

Why the session's has another name over TLS: a name that begins with `__Host-` can only be set over TLS by this very
host, so nobody who sits on the way of an unencrypted page, or owns a neighbouring name, can plant a session.
Source: RFC 6265bis section 4.1.3.2.
"""

from starlette.requests import Request
from starlette.responses import Response

from erpsync.web.access.encryption import came_by_tls

KNOWN_S = 180 * 86_400
_SESSION, _KNOWN = "erpsync", "erpsync-known"


def _named(request: Request, name: str) -> str:
    return f"__Host-{name}" if came_by_tls(request.scope) else name


def session_secret(request: Request) -> str:
    """Return the secret of the session that a browser claims to have, "" for none."""
    return request.cookies.get(_named(request, _SESSION), "")


def known_mark(request: Request) -> str:
    """Return the mark that a browser carries in which somebody has logged in, "" for none."""
    return request.cookies.get(_named(request, _KNOWN), "")


def give_session(request: Request, response: Response, secret: str, mark: str) -> None:
    """Have a browser keep a session until it is closed, and the mark for half a year."""
    _set(request, response, _SESSION, secret, max_age=None)
    _set(request, response, _KNOWN, mark, max_age=KNOWN_S)


def take_session(request: Request, response: Response) -> None:
    """Have a browser forget its session."""
    _set(request, response, _SESSION, "", max_age=0)


def _set(request: Request, response: Response, name: str, value: str, *, max_age: int | None) -> None:
    response.set_cookie(
        _named(request, name),
        value,
        max_age=max_age,
        path="/",
        secure=came_by_tls(request.scope),
        httponly=True,
        samesite="lax",
    )
