"""The form for an order that no channel knows; what was typed stays in it until the order is made."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from starlette.responses import RedirectResponse, Response

from erpsync.flows.errors import Refused
from erpsync.flows.own_orders.create import create_order, key_of
from erpsync.flows.own_orders.form import MOST_LINES, OwnOrder
from erpsync.sdk.errors import PayloadError
from erpsync.sdk.money import decimals
from erpsync.sdk.read import minor
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import on_record
from erpsync.web.console.kit import Kit

RECIPIENT = ("name", "phone", "province", "city", "district", "address")
TEXTS = ("buyer", "buyer_note", "seller_note", "invoice_note")
FIELDS = ("kind", "currency", "lines", "freight", "discount", *RECIPIENT, *TEXTS)
_BETWEEN = re.compile("[,，\t]")


class OwnOrders:
    """Making an order at the console."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/orders/new", self.new, role="operate"),
            door.act("/orders/create", self.create, role="operate"),
        ]

    def new(self, visit: Visit) -> Response:
        """Answer the empty form."""
        return self._form(visit, {"kind": "phone", "currency": "CNY"})

    def create(self, visit: Visit) -> Response:
        """Make the order and lead to its page; what is wrong is said above the form, which keeps what was typed.

        The form is one order however often it is sent: the key of its page names it.
        """
        ctx = on_record(self._kit.site.ctx(), visit)
        if ctx.store.vault is None:
            raise Refused("an order cannot be made here: this process has no keys for personal data")
        typed = {name: visit.form.text(name) for name in FIELDS}
        key = key_of({"user": visit.visitor.user_id, "once": visit.form.text("once")})
        try:
            made = create_order(ctx, OwnOrder.read(_said(typed)), actor=visit.actor, key=key)
        except Refused as error:
            return self._form(visit, typed, wrong=str(error), status=422)
        return RedirectResponse(f"/orders/{quote(made.number, safe='')}", 303)

    def _form(self, visit: Visit, typed: dict[str, str], *, wrong: str = "", status: int = 200) -> Response:
        page = {"typed": dict.fromkeys(FIELDS, "") | typed, "wrong": wrong}
        return self._kit.pages.answer("orders/new.html", page, visit, status)


def _said(typed: dict[str, str]) -> dict[str, Any]:
    """Return what was typed as `OwnOrder` reads it; raises `Refused` for an amount or a line that is none."""
    currency = typed["currency"].strip().upper()
    amounts = {f"{name}_minor": _amount(typed[name], currency, name) for name in ("freight", "discount") if typed[name]}
    return {
        "kind": typed["kind"],
        "currency": currency,
        "recipient": {name: typed[name] for name in RECIPIENT},
        "lines": list(_lines(typed["lines"], currency)),
        **amounts,
        **{name: typed[name] for name in TEXTS if typed[name].strip()},
    }


def _lines(text: str, currency: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of a pasted text, each `SKU, units, price`; empty ones are passed over."""
    rows = [(number, row) for number, row in enumerate(text.splitlines(), 1) if row.strip()]
    if len(rows) > MOST_LINES:
        raise Refused(f"an order has {MOST_LINES} lines at most")
    for number, row in rows:
        cells = [cell.strip() for cell in _BETWEEN.split(row)]
        if len(cells) != 3 or not (cells[1].isascii() and cells[1].isdecimal() and len(cells[1]) < 10):
            raise Refused(f"line {number} of the goods must be a SKU, how many units and the price of one")
        sku, units, price = cells
        yield {"sku": sku, "qty": int(units), "price_minor": _amount(price, currency, f"line {number}")}


def _amount(text: str, currency: str, name: str) -> int:
    try:
        return minor(text.strip(), decimals=decimals(currency), path=name)
    except PayloadError:
        raise Refused(f"{name}: must be an amount like 12.50") from None
