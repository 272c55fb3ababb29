"""One order: what was bought, held, shipped and paid back, why it stands where it stands, and what can be done.

Why people are masked here: who looks after orders need not know who bought. An admin is shown them by a button, once,
and that leaves an event.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from starlette.responses import Response

from erpsync.core.order_holds import ORDER_HOLDS, HoldReason, kind_of
from erpsync.flows.audit.desk import order_rules
from erpsync.flows.audit.marks import SEAL
from erpsync.flows.audit.specify import may_be_said
from erpsync.flows.errors import Refused
from erpsync.flows.explain.explain import explain_order
from erpsync.flows.orders.recipient import glimpse_recipient, reveal_recipient
from erpsync.sdk.carriers import CARRIERS
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.order_rules import OFF
from erpsync.store.views import find_order, list_shipments
from erpsync.store.views.goods import titles_of
from erpsync.store.views.marks import TAG
from erpsync.store.views.paper_trail import releases_of
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.audit.words import WORDS
from erpsync.web.console.desk.words import WORDS as DESK_WORDS
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.details import Details
from erpsync.web.console.orders.next_steps import to_do
from erpsync.web.console.orders.timeline import timeline

PART = "part:"
STEP_WORDS = ("Placed", "Paid", "Allocated", "Shipped", "Completed")
_REACHED = {"allocated": 3, "released": 3, "partially_shipped": 3, "shipped": 4, "completed": 5}

Page = dict[str, Any]


class OneOrder:
    """The page of an order."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.act("/orders/reveal", self.reveal, role="admin"),
            door.page("/orders/{order:path}", self.order, role="read"),
        ]

    def order(self, visit: Visit) -> Response:
        """Answer one order's story, why it is so, and what can be done about it."""
        site = self._kit.site
        ctx, name = site.ctx(), visit.request.path_params["order"]
        explained = explain_order(ctx, name, site.settings())
        order = explained["order"]
        with site.store.read() as connection:
            order_id = find_order(connection, order["number"])
            shipments = list_shipments(connection, order_id=order_id, limit=0)
            releases = releases_of(connection, order_id)
            titles = titles_of(connection, [order["number"]])
        page = {
            "order": order,
            "summary": explained["summary"],
            # What each rule says has a page of its own, in words and not in the codes of the file.
            "why": [step for step in explained["steps"] if step["what"] not in ("ends", "rules")],
            "next": to_do(explained["next"], order=order["number"], channel=order["channel"]),
            "timeline": timeline(explained["story"]),
            "details_in": Details,
            "shipments": shipments,
            "releases": releases,
            "titles": titles.get(order["number"], {}),
            "steps": steps(order, shipments),
            "people": glimpse_recipient(ctx, order_id),
            "may": possible(order, [step["what"] for step in explained["steps"]]),
            "carriers": CARRIERS.values(),
            "ruled": order_rules(ctx, order_id),
            "marked": marked(order),
            "wishes_of": may_be_said(ctx, order_id),
        }
        return self._kit.pages.answer("orders/order.html", page | WORDS | DESK_WORDS, visit)

    def reveal(self, visit: Visit) -> Response:
        """Answer who bought an order, who gets it and what they wrote; who asked is on record before."""
        order = visit.form.text("order")
        try:
            revealed = reveal_recipient(self._kit.site.ctx(), order, actor=visit.actor)
        except LookupError as error:
            raise Refused("who gets it cannot be read here: this process has no keys for personal data") from error
        except PrivacyError as error:
            raise Refused("who gets it cannot be read here: the keys at hand do not open it") from error
        return self._kit.pages.answer("orders/revealed.html", {"order": order, "people": revealed}, visit)


def possible(order: Json, reasons: Iterable[str]) -> Page:
    """Return what may be done about an order now: hold, release, cancel, ship, and why a parcel would be refused.

    Args:
        reasons: the codes of what its explanation rests on; reasons of holds are among them.
    """
    holds = [kind for reason in reasons if (kind := kind_of(reason)) in ORDER_HOLDS]
    left = {line["external_id"]: line["qty"] - line["cancelled_qty"] - line["shipped_qty"] for line in order["lines"]}
    is_open = any(left.values())
    return {
        "left": left,
        "hold": is_open and HoldReason.OPERATOR not in holds,
        "release": any(ORDER_HOLDS[kind].by_hand for kind in holds),
        "cancel": is_open,
        "ship": is_open and order["status"] != "cancelled",
        "refused_for": [reason for reason in holds if ORDER_HOLDS[reason].refusal],
        "unpaid": order["ready_at"] is None,
    }


def marked(order: Json) -> Page:
    """Return what an order is marked with, each with its value and who wants it, as far as it counts."""
    standing = {mark["name"]: mark for mark in order["marks"] if mark["value"] != OFF}
    return {
        "tags": {name.removeprefix(TAG): mark for name, mark in standing.items() if name.startswith(TAG)},
        "parts": {name.removeprefix(PART): mark for name, mark in standing.items() if name.startswith(PART)},
    } | {name: standing.get(name) for name in (SEAL, "carrier", "warehouse", "tell")}


def steps(order: Mapping[str, Any], shipments: Sequence[Mapping[str, Any]]) -> list[Page]:
    """Return the five steps of an order's way and which of them are behind it.

    They need not be taken in turn: with cash on delivery an order leaves long before it is paid.
    """
    reached = _REACHED.get(order["status"], 1)
    left_at = min((parcel["shipped_at"] for parcel in shipments), default=None)
    partly = order["status"] == "partially_shipped"
    instants = (order["placed_at"], order["paid_at"], None, left_at, None)
    done = (True, order["paid_at"] is not None, reached >= 3, reached >= 4, reached >= 5)
    stages = [
        {"name": name, "done": on, "at": at, "said": ""}
        for name, on, at in zip(STEP_WORDS, done, instants, strict=True)
    ]
    stages[3]["said"] = "partly, " if partly else ""
    return stages
