"""Bundles: what is sold as one and is sent as several, and what is in each."""

from functools import partial

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.bundles import BundlePart, drop_bundle, import_bundles
from erpsync.store.views.bundle_page import page_of_bundles
from erpsync.store.views.sku_page import unknown_skus
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.goods.fields import needed, pasted_lines
from erpsync.web.console.goods.stock import named_lines
from erpsync.web.console.kit import Kit

PAGE = 50
_BUNDLE = "the SKU of the bundle is needed"


class Bundles:
    """All bundles, page by page, and how they are changed."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/bundles", self.bundles, role="read"),
            door.act("/bundles/drop", self.drop, role="operate"),
            door.act("/bundles/set", self.put, role="operate"),
        ]

    def bundles(self, visit: Visit) -> Response:
        """Answer a page of bundles."""
        asked = visit.request.query_params
        text, after = asked.get("text", "").strip()[:200], asked.get("after") or None
        with self._kit.site.store.read() as connection:
            rows = page_of_bundles(connection, text, PAGE + 1, after)
        page = {
            "rows": rows[:PAGE],
            "more": rows[PAGE - 1]["bundle"] if len(rows) > PAGE else None,
            "text": text,
            "after": after,
        }
        return self._kit.pages.answer("goods/bundles.html", page, visit)

    def put(self, visit: Visit) -> Response:
        """Set what is in a bundle, replaced whole; nothing of it where a line is bad."""
        return self._kit.acts.carry_out(visit, partial(self._put, visit), again=True)

    def _put(self, visit: Visit, ctx: Context) -> Said:
        name = needed(visit.form, "bundle", _BUNDLE)
        lines, problems = pasted_lines(visit.form.text("parts"), least=1)
        if not lines and not problems:
            raise Refused("write at least one part: a SKU, then a comma, then how many are in one bundle")
        with self._kit.site.store.read() as connection:
            unknown = set(unknown_skus(connection, [line.sku for line in lines]))
        problems += [(line.number, f"there is no SKU {line.sku}") for line in lines if line.sku in unknown]
        if problems:
            return Said(refused=named_lines(problems))
        parts = [BundlePart(bundle=name, sku=line.sku, qty=line.qty, source=str(line.number)) for line in lines]
        result = import_bundles(ctx, parts, actor=visit.actor)
        if result.refused:
            return Said(refused=named_lines([(int(source), problem) for source, problem in result.refused]))
        return Said(text=f"What is in {name} is set; orders that wait for it are served by that.")

    def drop(self, visit: Visit) -> Response:
        """Let a bundle be goods of its own again."""
        return self._kit.acts.carry_out(visit, partial(self._drop, visit))

    def _drop(self, visit: Visit, ctx: Context) -> Said:
        name = needed(visit.form, "bundle", _BUNDLE)
        drop_bundle(ctx, name, actor=visit.actor)
        return Said(text=f"{name} is no bundle any more: it is counted by itself from now on.")
