"""Stock by SKU: what lies where, what may still be promised, what is owed, what shops were told; many counts.

Why a SKU that nobody knows is refused here unless asked for: a count of a mistyped code would make a new SKU, and the
right one would keep its old number.
"""

from functools import partial

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.counts import Count, import_counts
from erpsync.store.views.shelves import ONLY, ShelfFilter, page_of_shelves
from erpsync.store.views.sku_page import unknown_skus
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.goods.fields import PastedLine, needed, pasted_lines
from erpsync.web.console.kit import Kit

PAGE = 50
MOST_COLUMNS = 5
"""So many warehouses have a column of their own."""

MOST_TOLD = 100
"""So many refused lines are named; more say the same over and over."""

ONLY_WORDS = {
    "owed": "units owed",
    "low": "below safety stock",
    "out": "nothing left to sell",
    "unknown": "never counted",
    "unsure": "number in doubt",
    "paused": "paused",
}


class Stock:
    """All SKUs, page by page."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/stock", self.stock, role="read"),
            door.act("/stock/import", self.count_many, role="operate"),
        ]

    def stock(self, visit: Visit) -> Response:
        """Answer a page of SKUs."""
        asked, ctx = visit.request.query_params, self._kit.site.ctx()
        only = asked.get("only", "")
        wanted = ShelfFilter(
            text=asked.get("text", "").strip()[:200],
            warehouse=asked.get("warehouse") or None,
            only=only if only in ONLY else "",
        )
        after = asked.get("after") or None
        with self._kit.site.store.read() as connection:
            rows = page_of_shelves(connection, wanted, PAGE + 1, after)
        codes = [ctx.warehouses[id].id for id in sorted(ctx.warehouses, key=lambda id: ctx.warehouses[id].priority)]
        shown = [code for code in codes if wanted.warehouse in (None, code)]
        page = {
            "rows": rows[:PAGE],
            "more": rows[PAGE - 1]["sku"] if len(rows) > PAGE else None,
            "wanted": wanted,
            "after": after,
            "warehouses": codes,
            "columns": shown if len(shown) <= MOST_COLUMNS else [],
            "only_words": ONLY_WORDS,
        }
        return self._kit.pages.answer("goods/stock.html", page, visit)

    def count_many(self, visit: Visit) -> Response:
        """Take counts that were pasted; what cannot be taken is named by its line."""
        return self._kit.acts.carry_out(visit, partial(self._count_many, visit), again=True)

    def _count_many(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        place = needed(form, "warehouse", "a warehouse is needed")
        lines, problems = pasted_lines(form.text("counts"))
        if not lines and not problems:
            raise Refused("paste at least one line: a SKU, then a tab or a comma, then the number counted")
        if not form.text("new"):
            lines, unknown = self._only_known(lines)
            problems += unknown
        rows = [Count(warehouse=place, sku=line.sku, on_hand=line.qty, source=str(line.number)) for line in lines]
        result = import_counts(ctx, rows, actor=visit.actor, reason=form.text("reason").strip()[:200])
        problems += [(int(source), problem) for source, problem in result.refused]
        return Said(text=counts_taken(result.taken, place), refused=named_lines(problems))

    def _only_known(self, lines: list[PastedLine]) -> tuple[list[PastedLine], list[tuple[int, str]]]:
        with self._kit.site.store.read() as connection:
            unknown = set(unknown_skus(connection, [line.sku for line in lines]))
        problems = [(line.number, f"there is no SKU {line.sku}") for line in lines if line.sku in unknown]
        return [line for line in lines if line.sku not in unknown], problems


def counts_taken(taken: int, place: str) -> str:
    """Say how many counts were taken."""
    if not taken:
        return ""
    return f"1 count of {place} was taken." if taken == 1 else f"{taken} counts of {place} were taken."


def named_lines(problems: list[tuple[int, str]]) -> tuple[tuple[str, str], ...]:
    """Return what is wrong with lines, by their numbers; of very many only the first."""
    told = [("", f"in line {number}: {problem}") for number, problem in sorted(problems)]
    if len(told) > MOST_TOLD:
        more = len(told) - MOST_TOLD
        rest = "1 more line was not taken either" if more == 1 else f"{more} more lines were not taken either"
        told = [*told[:MOST_TOLD], ("", rest)]
    return tuple(told)
