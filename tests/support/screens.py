"""Pictures of the console, taken by a browser: `python -m tests.support.screens FOLDER`.

One of every page, in both languages, by day and by night, at a desk and on a phone; with `--docs` those that
README and docs/console.md show.
"""

import argparse
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser
from starlette.applications import Starlette

from erpsync.settings.config import StatusLimits
from erpsync.store.db.engine import make_engine
from erpsync.store.db.schema import migrate
from erpsync.store.db.store import Store
from erpsync.web.app import create_app
from erpsync.web.server import AppServer
from erpsync.web.site import Site
from tests.support.audit_shop import VAULT, ruled_shop
from tests.support.browser import LONG_MS, a_chromium
from tests.support.console_walk import addresses
from tests.support.desk_shop import with_desk
from tests.support.visitor import cookie_for
from tests.support.web_shop import NOW, fill, open_shop

Scheme = Literal["light", "dark"]
WIDTHS = {"desk": (1280, 860), "phone": (390, 844)}
TONGUES = {"en": "en-GB", "zh": "zh-CN"}
SHOWN = (
    ("console", "", "desk"),
    ("console-orders", "orders", "desk"),
    ("console-audit", "audit?rule=big", "desk"),
    ("console-phone", "", "phone"),
)
"""What README and docs/console.md show: the picture's name, the address, and how wide."""


@contextmanager
def filled_shop() -> Iterator[tuple[Starlette, AppServer, Store]]:
    """Serve a shop with a day's trade."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/erpsync.db"
        engine = make_engine(url)
        migrate(engine)
        engine.dispose()
        store, empty = open_shop(url, vault=VAULT)
        fill(store, empty)
        ctx = with_desk(store, ruled_shop(store, empty))
        app = create_app(Site(store=store, ctx=lambda: ctx, limits=StatusLimits, keep_s=0))
        server = AppServer(app)
        server.start()
        yield app, server, store
        server.stop(1)
        store.close()


def take(
    browser: Browser,
    server: AppServer,
    store: Store,
    pictures: dict[str, Path],
    *,
    tongue: str,
    scheme: Scheme,
    width: str,
) -> None:
    """Take a picture of each address."""
    wide, high = WIDTHS[width]
    context = browser.new_context(
        viewport={"width": wide, "height": high},
        color_scheme=scheme,
        locale=TONGUES[tongue],
        has_touch=width == "phone",
        is_mobile=width == "phone",
    )
    context.set_default_timeout(LONG_MS)
    context.add_cookies([cookie_for(store, server.url)])
    page = context.new_page()
    page.clock.install(time=NOW)
    for address, path in pictures.items():
        page.goto(server.url + address)
        page.screenshot(path=path, full_page=not path.stem.startswith("console-"))
    context.close()


def main() -> None:
    """Take the pictures that were asked for."""
    reader = argparse.ArgumentParser(prog="python -m tests.support.screens", description=__doc__)
    reader.add_argument("folder", type=Path)
    reader.add_argument("--docs", action="store_true", help="only those of README and docs/console.md")
    asked = reader.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    with a_chromium() as browser, filled_shop() as (app, server, store):
        if asked.docs:
            for name, address, width in SHOWN:
                pictures = {address: asked.folder / f"{name}.png"}
                take(browser, server, store, pictures, tongue="en", scheme="light", width=width)
            return
        for tongue, scheme, width in product(TONGUES, ("light", "dark"), WIDTHS):
            pictures = {
                address: asked.folder / f"{_named(address)}-{tongue}-{scheme}-{width}.png" for address in addresses(app)
            }
            take(browser, server, store, pictures, tongue=tongue, scheme=scheme, width=width)


def _named(address: str) -> str:
    return re.sub(r"\W+", "_", address).strip("_") or "overview"


if __name__ == "__main__":
    main()
