"""The search: a text is looked for by an address, a telephone number never.

Why the box at the top is sent by POST: what stands in an address is kept by browsers, proxies and logs. What is no
telephone number is led on to an address of its own, which can be linked; a number is answered at once.
"""

from typing import Any
from urllib.parse import quote, urlencode

from sqlalchemy import Connection
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from erpsync.core.phones import spellings
from erpsync.flows.errors import Refused
from erpsync.flows.orders.find_by_phone import find_by_phone
from erpsync.store.views import NotFound, show_order
from erpsync.store.views.find import search_orders
from erpsync.store.views.goods import titles_of
from erpsync.store.views.paper_trail import place_of_number
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.kit import Kit

MOST = 50
MOST_CHARS = 200

Page = dict[str, Any]


class Search:
    """What is typed into the box at the top, and the one for telephone numbers."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses; to search again does no harm, so neither is carried out once."""
        act = self._kit.door.act
        return [
            act("/orders/find", self.find, role="read"),
            act("/orders/find-by-phone", self.find_by_phone, role="operate"),
        ]

    def find(self, visit: Visit) -> Response:
        """Answer what a text fits: at an address of its own, or here where it is a telephone number."""
        text = visit.form.text("q").strip()[:MOST_CHARS]
        if not spellings(text):
            return RedirectResponse(f"/orders?{urlencode({'q': text})}" if text else "/orders", 303)
        if not visit.may("operate"):
            return text_page(self._kit, visit, text, phone=True)
        return self._by_phone(visit, text, also=self._by_text(text))

    def find_by_phone(self, visit: Visit) -> Response:
        """Answer the orders of a telephone number."""
        return self._by_phone(visit, visit.form.text("phone").strip()[:MOST_CHARS], also={})

    def _by_text(self, text: str) -> dict[str, tuple[Json, str]]:
        """Return what is called as a text that may be a number of an order as well: order and what of it fits."""
        try:
            with self._kit.site.store.read() as connection:
                result = search_orders(connection, text, MOST)
        except ValueError:  # nothing in it to look for but digits of another script
            return {}
        return {order["number"]: (order, result.matched[order["number"]]) for order in result.orders}

    def _by_phone(self, visit: Visit, phone: str, *, also: dict[str, tuple[Json, str]]) -> Response:
        problem, called = "", []
        try:
            called = find_by_phone(self._kit.site.ctx(), phone, actor=visit.actor, limit=MOST)
        except Refused as error:
            problem = str(error)
        except LookupError:
            problem = "phone numbers cannot be looked for here: this process has no keys for personal data"
        matched = {order["number"]: "phone" for order in called}
        matched |= {number: what for number, (_, what) in also.items() if number not in matched}
        others = [order for number, (order, _) in also.items() if matched[number] != "phone"]
        orders = [*called, *others][:MOST]
        page = _page(visit, orders, matched, phone=False, asked_by_phone=True, problem=problem)
        return _answer(self._kit, visit, page)


def text_page(kit: Kit, visit: Visit, text: str, *, phone: bool) -> Response:
    """Answer what a text fits; to the one order, release or wave that has exactly this number, go at once.

    Args:
        phone: the text is a telephone number as well: it is not repeated, and the page offers to look for it as such.
    """
    try:
        with kit.site.store.read() as connection:
            path = page_of(connection, text)
            result = search_orders(connection, text, MOST) if path is None else None
    except ValueError as error:
        raise HTTPException(400, str(error)) from error
    if result is None:
        return RedirectResponse(path or "/orders", 303)
    page = _page(visit, result.orders, result.matched, phone=phone, skus=result.skus, notes=result.notes)
    return _answer(kit, visit, page | {"query": "" if phone else text})


def page_of(connection: Connection, name: str) -> str | None:
    """Return the page of what has exactly this number: an order, a release, also by its courier's number, a wave."""
    order = named_exactly(connection, name)
    if order is not None:
        return f"/orders/{quote(order, safe='')}"
    found = place_of_number(connection, name)
    if found is None:
        return None
    what, number = found
    return f"/releases/{quote(number)}" if what == "release" else f"/waves/{quote(number)}"


def named_exactly(connection: Connection, name: str) -> str | None:
    """Return the number of the one order that has this number or channel id."""
    try:
        return str(show_order(connection, name)["number"])
    except NotFound:
        return None


def _page(visit: Visit, orders: list[Json], matched: dict[str, str], **more: Any) -> Page:
    page = {"orders": orders, "matched": matched, "most": MOST, "query": "", "skus": [], "notes": [], "problem": ""}
    return page | {"asked_by_phone": False, "may_phone": visit.may("operate")} | more


def _answer(kit: Kit, visit: Visit, page: Page) -> Response:
    with kit.site.store.read() as connection:
        titles = titles_of(connection, [order["number"] for order in page["orders"]])
    return kit.pages.answer("orders/found.html", page | {"titles": titles}, visit)
