"""Every page of the console by its address: what is walked by the tests of all pages, and by the maker of pictures."""

import re
from collections.abc import Iterator

from starlette.applications import Starlette

from erpsync.web.access.door import Guarded

FILLED = {
    "channel": "tmall-flagship",
    "letter": "1",
    "name": "tmall-flagship",
    "route": "sales",
    "order": "S20260302000104",
    "release": "R20260302000001",
    "sku": "TEA-LJ-250",
    "token": "1",
    "user": "ana",
    "wave": "W202603020001",
}
"""What fills the parameters of an address, in a shop that `tests.support.web_shop.fill` filled."""

MORE = (
    *("orders?status=held", "orders?q=0001", "orders?q=zzzz", "orders/none", "nowhere"),
    *("audit?rule=big", "audit?rule=brush", "rules?order=S20260302000900&matched=1", "orders/S20260302000900"),
    *("desk?warehouse=SH", "desk/scan?do=stop", "releases/R20260302000003", "waves/none"),
)
"""States of pages, and what is said when an address leads nowhere."""

NO_PAGES = {"stream", "live", "export"}
"""What is fetched by a script or kept as a file, and not looked at, has one of these in its path."""

_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")


def addresses(app: Starlette) -> list[str]:
    """Return the address of every page of an application, without the first slash."""
    return [*(_filled(path) for path in paths(app)), *MORE]


def acts(app: Starlette) -> Iterator[tuple[str, str]]:
    """Yield the address of every act, without the first slash, and the role that it takes."""
    for route in app.routes:
        if isinstance(route, Guarded) and "POST" in (route.methods or ()):
            yield _filled(route.path), route.role


def paths(app: Starlette) -> Iterator[str]:
    """Yield the path of every page, with the parameters in it."""
    for route in app.routes:
        if not isinstance(route, Guarded) or "GET" not in (route.methods or ()):
            continue
        if NO_PAGES.isdisjoint(route.path.split("/")):
            yield route.path


def _filled(path: str) -> str:
    return _PLACE.sub(lambda place: FILLED[place[1]], path).lstrip("/")
