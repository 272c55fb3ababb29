"""The audit desk: what rules hold, by rule, and a person's yes or no to what they ask.

Why each order comes with a digest of what the page showed: what changed meanwhile is neither approved nor cancelled,
and the page says which orders those are.
"""

from collections.abc import Callable, Mapping
from functools import partial

from starlette.exceptions import HTTPException
from starlette.responses import Response

from erpsync.flows.audit.approve import approve
from erpsync.flows.audit.desk import NO_KEYS, groups, held_page
from erpsync.flows.audit.give_up import give_up
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.views.goods import titles_of
from erpsync.store.views.held import place_of, text_of
from erpsync.store.views.orders import load_orders
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said, each
from erpsync.web.console.audit.words import WORDS
from erpsync.web.console.kit import Kit
from erpsync.web.console.orders.deeds import MOST_ORDERS, short_reason

PAGE = 50
NO_REAL_ORDER = "no real order"


class Desk:
    """What rules hold."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/audit", self.audit, role="read"),
            door.act("/audit/approve", self.approve, role="operate"),
            door.act("/audit/cancel", self.cancel, role="operate"),
        ]

    def audit(self, visit: Visit) -> Response:
        """Answer what is held by rule; with `rule` the orders that this one holds."""
        ctx, asked = self._kit.site.ctx(), visit.request.query_params
        rule = asked.get("rule", "")
        found = groups(ctx)
        if not rule:
            return self._kit.pages.answer("audit/desk.html", {"groups": found}, visit)
        try:
            held = held_page(ctx, rule, size=PAGE, after=place_of(asked.get("after", "")))
        except ValueError as error:
            raise HTTPException(400, str(error)) from error
        with self._kit.site.store.read() as connection:
            orders = load_orders(connection, list(held.holds))
            titles = titles_of(connection, [order["number"] for order in orders.values()])
        page = {
            "rule": rule,
            "groups": [group for group in found if group.held.rule == rule],
            "rows": [(orders[id], hold) for id, hold in held.holds.items()],
            "titles": titles,
            "problem": held.problem,
            "after": asked.get("after", ""),
            "more": text_of(held.more),
        }
        return self._kit.pages.answer("audit/held.html", page | WORDS, visit)

    def approve(self, visit: Visit) -> Response:
        """Say yes to what a rule asks of the chosen orders."""
        return self._kit.acts.carry_out(visit, partial(self._approve, visit), again=True)

    def cancel(self, visit: Visit) -> Response:
        """Cancel the chosen orders, for they are no real ones."""
        return self._kit.acts.carry_out(visit, partial(self._cancel, visit), again=True)

    def _approve(self, visit: Visit, ctx: Context) -> Said:
        rule, seen, reason = visit.form.text("rule"), _seen(visit), short_reason(visit)

        def act(order: str) -> None:
            approve(ctx, order, [rule], actor=visit.actor, reason=reason, seen={rule: seen[order]})

        return _said(
            seen,
            act,
            lambda number: f"what rule {rule} asks of order {number} is approved",
            lambda count: f"what rule {rule} asks of {count} orders is approved",
        )

    def _cancel(self, visit: Visit, ctx: Context) -> Said:
        rule, seen, reason = visit.form.text("rule"), _seen(visit), short_reason(visit) or NO_REAL_ORDER
        known = set[str]()

        def act(order: str) -> None:
            if give_up(ctx, order, rule, actor=visit.actor, reason=reason, seen=seen[order]):
                known.add(order)

        def one(number: str) -> str:
            if number not in known:
                return f"order {number} is cancelled"
            return f"order {number} is cancelled; cancel it on its channel too"

        return _said(seen, act, one, lambda count: f"{count} orders are cancelled; cancel them on their channels too")


def _seen(visit: Visit) -> dict[str, str]:
    """Return by order the digest of what was shown of it, of those that are chosen."""
    chosen = [text.rpartition(" ") for text in visit.form.all("asked")]
    if not chosen:
        raise Refused("no order is chosen: tick those that are meant")
    if len(chosen) > MOST_ORDERS:
        raise Refused(f"{MOST_ORDERS} orders at most can be decided on at once")
    return {order: digest for order, _, digest in chosen}


def _said(
    seen: Mapping[str, str], act: Callable[[str], None], one: Callable[[str], str], more: Callable[[int], str]
) -> Said:
    try:
        done, refused = each(seen, act)
    except (LookupError, PrivacyError) as error:
        raise Refused(NO_KEYS) from error
    if len(done) > 1:
        return Said(text=more(len(done)), refused=refused)
    return Said(text=one(done[0]) if done else "", refused=refused)
