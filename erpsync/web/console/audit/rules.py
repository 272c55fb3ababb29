"""The rules in force: what each says and does, how often, and what all of them say of one order."""

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from starlette.responses import Response

from erpsync.core.facts import On
from erpsync.core.rules.book import Compiled
from erpsync.flows.audit.desk import NO_KEYS, Answers, answers
from erpsync.flows.audit.trial import NEWEST, Coverage, coverage
from erpsync.flows.context import Context
from erpsync.flows.rules.facts import TO_LEAVE
from erpsync.store.db.privacy import PrivacyError
from erpsync.store.views import NotFound, find_order
from erpsync.store.views.held import held_by_rules
from erpsync.store.views.marks import wanted_by_rules
from erpsync.store.views.orders import load_orders
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.console.audit.words import WORDS, said, tree
from erpsync.web.console.kit import Kit
from erpsync.web.shared import Shared

KEPT_S = 60
"""So long it is not counted anew how often rules matched: a thousand orders are judged for it."""

MOST_CHARS = 200

Page = dict[str, Any]


class Rules:
    """The page `/rules`."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._counts = kit.site.shared(self._count)
        self._covered: tuple[str, Shared[tuple[Coverage, str]]] | None = None

    def routes(self) -> list[Guarded]:
        """Return its address."""
        return [self._kit.door.page("/rules", self.rules, role="read")]

    def rules(self, visit: Visit) -> Response:
        """Answer the rules; with `order` what each says of it, with `matched` how often each matched."""
        ctx, asked = self._kit.site.ctx(), visit.request.query_params
        name = asked.get("order", "").strip()[:MOST_CHARS]
        order, tried, missing = self._tried(ctx, name) if name else ("", Answers(), "")
        covered, problem = self._matched(ctx) if asked.get("matched") else (None, "")
        holds, wants = self._counts.get()
        rows = list(_rows(ctx, tried, covered, holds, wants))
        page: Page = {"asked": name, "order": order, "missing": missing, "look_at": tried.look_at, "rows": rows}
        page |= {"zones": ctx.book.zones, "covered": covered, "newest": NEWEST, "problem": problem or tried.problem}
        return self._kit.pages.answer("audit/rules.html", page | WORDS, visit)

    def _tried(self, ctx: Context, name: str) -> tuple[str, Answers, str]:
        """Return an order's number and what the rules say of it, or why there is no such order."""
        try:
            with self._kit.site.store.read() as connection:
                order_id = find_order(connection, name)
                number = load_orders(connection, [order_id])[order_id]["number"]
        except NotFound as error:
            return "", Answers(), str(error)
        return number, answers(ctx, order_id), ""

    def _count(self) -> tuple[Counter[str], Counter[str]]:
        with self._kit.site.store.read() as connection:
            return held_by_rules(connection), wanted_by_rules(connection, TO_LEAVE)

    def _matched(self, ctx: Context) -> tuple[Coverage | None, str]:
        """Return how often the rules in force matched, or why that cannot be said; of others nothing is kept."""
        site, kept = self._kit.site, self._covered
        if kept is None or kept[0] != ctx.book.digest:
            count = partial(_coverage, ctx)
            kept = (ctx.book.digest, Shared(lambda: count, site.store.clock, keep_s=KEPT_S, wait_s=site.wait_s))
            self._covered = kept
        found, problem = kept[1].get()
        return (None if problem else found), problem


def _coverage(ctx: Context) -> tuple[Coverage, str]:
    try:
        return coverage(ctx), ""
    except (LookupError, PrivacyError):
        return Coverage(), NO_KEYS


def _rows(
    ctx: Context, tried: Answers, covered: Coverage | None, holds: Mapping[str, int], wants: Mapping[str, int]
) -> Iterator[Page]:
    """Yield what the page says of each rule, in the order of the file."""
    for rule in ctx.book.rules:
        about = rule.source.on
        yield {
            "id": rule.id,
            "line": ctx.rule_lines.get(rule.id, ""),
            "about": about,
            "when": tree(rule.source.when, about),
            "does": list(said(rule.then)),
            "from_at": rule.source.from_at,
            "until_at": rule.source.until_at,
            "holds": holds.get(rule.id, 0),
            "wants": wants.get(rule.id, 0),
            "outcomes": _outcomes(rule, covered),
            "answer": tried.rules.get(rule.id),
        }


def _outcomes(rule: Compiled, covered: Coverage | None) -> Page | None:
    if covered is None or rule.source.on is not On.ORDER:
        return None
    counted: Mapping[str, int] = covered.outcomes.get(rule.id, {})
    return {"matched": counted.get("matched", 0), "unknown": counted.get("unknown", 0)}
