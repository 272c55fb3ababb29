"""Accounts with couriers: how they stand, what they refused, numbers that nobody used, what parcels cost by zone."""

from functools import partial
from typing import Any

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.couriers.acts import book, void
from erpsync.flows.couriers.report import DAYS, report
from erpsync.sdk.carriers import CARRIERS
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.desk.words import GROUND_WORDS, WAYBILL_WORDS, WORDS
from erpsync.web.console.kit import Kit

COLUMNS = ("spare", "wanted", "unsure", "handed", "booked", "cancelling")
"""States of numbers that have not ended."""

TO_BE_BOOKED = ("wanted", "unsure", "handed")

Page = dict[str, Any]


class Couriers:
    """The page `/couriers`, and what is done on it."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/couriers", self.couriers, role="read"),
            door.act("/waybills/book", self.book, role="operate"),
            door.act("/waybills/void", self.void, role="operate"),
        ]

    def couriers(self, visit: Visit) -> Response:
        """Answer how the accounts stand now."""
        ctx = self._kit.site.ctx()
        found = report(ctx)
        states = [account.states for account in found.accounts]
        page: Page = {
            "report": found,
            "days": DAYS,
            "stale_h": round(ctx.couriers.stale_h),
            "columns": COLUMNS,
            "waybill_words": WAYBILL_WORDS,
            "ground_words": GROUND_WORDS,
            "carriers": CARRIERS,
            "waits": sum(each.get(state, 0) for each in states for state in TO_BE_BOOKED),
            "booked": sum(each.get("booked", 0) for each in states),
        }
        return self._kit.pages.answer("desk/couriers.html", page | WORDS, visit)

    def book(self, visit: Visit) -> Response:
        """Let a release get a number again."""
        return self._kit.acts.carry_out(visit, partial(_book, visit))

    def void(self, visit: Visit) -> Response:
        """Let a number be void."""
        return self._kit.acts.carry_out(visit, partial(_void, visit))


def _book(visit: Visit, ctx: Context) -> Said:
    number = visit.form.text("release")
    book(ctx, number, actor=visit.actor)
    return Said(text=f"release {number} is to be booked")


def _void(visit: Visit, ctx: Context) -> Said:
    number = visit.form.text("number")
    void(ctx, number, actor=visit.actor)
    return Said(text=f"waybill {number} is to be void")
