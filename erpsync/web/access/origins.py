"""Where a request comes from: whose page sent it, from which address, and where it may lead to.

Why session cookies are `SameSite=Lax` and not `Strict`: a link to an order in a chat is then opened by whoever has
logged in, and not answered by a form to log in. A browser sends such a cookie along from another site only with a GET,
which changes nothing here. Every act is a POST that a browser says the origin of, and carries the session's token.
"""

import ipaddress
from urllib.parse import quote, urlsplit

from starlette.requests import Request

from erpsync.flows.access.sessions import Caller
from erpsync.web.protocol import peer_of

LONGEST_PATH = 2000
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OUTSIDE = ("/login", "/logout")


def is_foreign(request: Request) -> bool:
    """Whether a browser says that another site's page sent this.

    `Sec-Fetch-Site` comes first: it is right behind every proxy. Browsers that are old, or not asked by TLS, send
    `Origin` alone; it is held against the name that was asked for. What sends neither is no browser that a stranger's
    page could use: such a request still needs the session's token.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = request.headers.get("origin")
    return origin is not None and not _is_own(origin, request.headers.get("host", ""))


def _is_own(origin: str, host: str) -> bool:
    try:
        told = urlsplit(origin)
        port = _DEFAULT_PORTS[told.scheme]
        asked = urlsplit(f"{told.scheme}://{host}")
        return (told.hostname, told.port or port) == (asked.hostname, asked.port or port)
    except (KeyError, ValueError):  # "null", another scheme, or no address at all
        return False


def own_path(text: str) -> str:
    """Return a path of this console as it may be gone to, "/" for everything that could lead elsewhere."""
    if not text.startswith("/") or text.startswith("//") or len(text) > LONGEST_PATH:
        return "/"
    if "\\" in text or any(ord(sign) <= 32 or ord(sign) == 127 for sign in text):  # what browsers read as other signs
        return "/"
    return "/" if urlsplit(text).path in _OUTSIDE else text


def login_path(wanted: str) -> str:
    """Return where to log in, and to be led to a page afterwards."""
    own = own_path(wanted)
    return "/login" if own == "/" else f"/login?next={quote(own, safe='/')}"


def path_of(request: Request) -> str:
    """Return the path that was asked for, with its query."""
    raw: bytes = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii", "replace").partition("?")[0]
    return f"{path}?{request.url.query}" if request.url.query else path


def page_before(request: Request) -> str:
    """Return the path of our page that a form was sent from, "/" if that cannot be told."""
    referer = request.headers.get("referer", "")
    if not _is_own(referer, request.headers.get("host", "")):
        return "/"
    told = urlsplit(referer)
    return own_path(f"{told.path}?{told.query}" if told.query else told.path)


def caller_of(request: Request) -> Caller:
    """Return who asks, for people to look at: behind a proxy on this machine, the address that this proxy names."""
    address = request.client.host if request.client else ""
    if not peer_of(address):
        named = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        address = named if _is_address(named) else address
    agent = "".join(sign for sign in request.headers.get("user-agent", "") if sign.isprintable())
    return Caller(address=address, user_agent=agent)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
