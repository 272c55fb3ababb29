"""What shops sell, tied to our SKUs: what is tied to none comes first, each with what it may be."""

from collections.abc import Iterable, Sequence
from functools import partial

from starlette.responses import Response

from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.store.views.listing_page import (
    STATES,
    ListingFilter,
    listings_of,
    orders_without_sku,
    page_of_listings,
    still_unmapped,
    waiting_orders,
)
from erpsync.store.views.sku_page import unknown_skus
from erpsync.store.views.suggestions import suggestions_for
from erpsync.store.views.values import Json
from erpsync.web.access.door import Guarded
from erpsync.web.access.visit import Visit
from erpsync.web.acts import Said
from erpsync.web.console.goods.fields import needed, units_of
from erpsync.web.console.kit import Kit

PAGE = 50
STATE_WORDS = {
    "unmapped": "not mapped",
    "mapped": "mapped",
    "no_goods": "keeps no stock",
    "refused": "number refused",
    "all": "all listings",
}
WHY_WORDS = {
    "equal": "the same code",
    "barcode": "the code is its barcode",
    "twin": "the same code is mapped so elsewhere",
    "spelling": "the same code but for case and dashes",
    "part": "one code is part of the other",
    "title": "titles are alike",
}
_CHOOSE = "choose at least one listing"
_GONE = "this listing is not there any more: load the page again"

Mapping = tuple[Json, ListingMapping]


class Listings:
    """All listings, page by page, and how they are tied."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit

    def routes(self) -> list[Guarded]:
        """Return its addresses."""
        door = self._kit.door
        return [
            door.page("/listings", self.listings, role="read"),
            door.act("/listings/accept", self.accept, role="operate"),
            door.act("/listings/map", self.map, role="operate"),
            door.act("/listings/no-goods", self.no_goods, role="operate"),
        ]

    def listings(self, visit: Visit) -> Response:
        """Answer a page of listings; those that are not mapped where nothing else is asked for."""
        asked = visit.request.query_params
        state, after = asked.get("state", ""), asked.get("after", "")
        wanted = ListingFilter(
            channel=asked.get("channel") or None,
            text=asked.get("text", "").strip()[:200],
            state=state if state in STATES else STATES[0],
        )
        with self._kit.site.store.read() as connection:
            rows = page_of_listings(connection, wanted, PAGE + 1, int(after[:18]) if after.isdecimal() else 0)
            unmapped = [row for row in rows[:PAGE] if row["sku"] is None and not row["no_stock"]]
            suggestions = suggestions_for(connection, unmapped)
            waiting = waiting_orders(connection, [row["channel_sku"] for row in unmapped])
        page = {
            "rows": rows[:PAGE],
            "more": rows[PAGE - 1]["id"] if len(rows) > PAGE else None,
            "wanted": wanted,
            "after": after,
            "states": STATE_WORDS,
            "channels": sorted(channel.name for channel in self._kit.site.ctx().channels.values()),
            "suggestions": suggestions,
            "why_words": WHY_WORDS,
            "waiting": waiting,
        }
        return self._kit.pages.answer("goods/listings.html", page, visit)

    def map(self, visit: Visit) -> Response:
        """Tie one listing to a SKU."""
        return self._kit.acts.carry_out(visit, partial(self._map, visit), again=True)

    def _map(self, visit: Visit, ctx: Context) -> Said:
        form = visit.form
        [row] = self._chosen([form.text("listing")])
        sku = needed(form, "sku", "a SKU is needed")
        factor = units_of(form, "factor", least=1) if form.text("factor") else 1
        if not form.text("new"):
            self._refuse_unknown([sku])
        return self._carry_out(visit, ctx, [(row, _mapping(row, sku, factor))])

    def accept(self, visit: Visit) -> Response:
        """Tie each chosen listing to the first SKU that was suggested for it on the page."""
        return self._kit.acts.carry_out(visit, partial(self._accept, visit), again=True)

    def _accept(self, visit: Visit, ctx: Context) -> Said:
        suggested = {id: rest for id, rest in map(_parted, visit.form.all("listing")) if id}
        rows = self._chosen(suggested)
        wanted, refused = list[Mapping](), list[tuple[str, str]]()
        for row in rows:
            factor, _, sku = suggested[str(row["id"])].partition(" ")
            if row["sku"] is not None or row["no_stock"]:
                refused.append((row["channel_sku"], "it is mapped already"))
            elif not sku or not factor.isdecimal():
                refused.append((row["channel_sku"], "nothing was suggested for it: choose a SKU by hand"))
            else:
                wanted.append((row, _mapping(row, sku, int(factor[:9]))))
        self._refuse_unknown([mapping.sku for _, mapping in wanted])
        return self._carry_out(visit, ctx, wanted, tuple(refused))

    def no_goods(self, visit: Visit) -> Response:
        """Say of listings that they are no goods: postage, a gift card, a service."""
        return self._kit.acts.carry_out(visit, partial(self._no_goods, visit), again=True)

    def _no_goods(self, visit: Visit, ctx: Context) -> Said:
        rows = self._chosen(id for id, _ in map(_parted, visit.form.all("listing")))
        return self._carry_out(visit, ctx, [(row, _mapping(row, "", 1, no_stock=True)) for row in rows])

    def _chosen(self, ids: Iterable[str]) -> list[Json]:
        """Return the listings of these ids; raises `Refused` where none was chosen or one is gone."""
        wanted = [int(id[:18]) for id in dict.fromkeys(ids) if id.isdecimal()]
        if not wanted:
            raise Refused(_CHOOSE)
        with self._kit.site.store.read() as connection:
            listings = listings_of(connection, wanted)
        if len(listings) < len(wanted):
            raise Refused(_GONE)
        return [listings[id] for id in wanted]

    def _refuse_unknown(self, skus: Sequence[str]) -> None:
        with self._kit.site.store.read() as connection:
            unknown = unknown_skus(connection, skus)
        if unknown:
            raise Refused(f"there is no SKU {unknown[0]}; tick the box to make it a new one")

    def _carry_out(
        self, visit: Visit, ctx: Context, wanted: Sequence[Mapping], refused: tuple[tuple[str, str], ...] = ()
    ) -> Said:
        things = [(row["channel"], row["channel_sku"]) for row, _ in wanted]
        with ctx.store.read() as connection:
            before = orders_without_sku(connection, things)
        result = import_listings(ctx, [mapping for _, mapping in wanted], actor=visit.actor)
        with ctx.store.read() as connection:
            left = still_unmapped(connection, before)
        problems = (*refused, *result.refused)
        if not result.taken:
            return Said(refused=problems)
        said = "1 listing is mapped" if result.taken == 1 else f"{result.taken} listings are mapped"
        if len(wanted) == 1:
            said = _said(wanted[0][1])
        return Said(text="; ".join([said, *_went_on(len(before) - len(left), len(left))]), refused=problems)


def _parted(value: str) -> tuple[str, str]:
    """Return a listing's id and what was suggested for it."""
    id, _, rest = value.partition(" ")
    return id, rest


def _mapping(row: Json, sku: str, factor: int, *, no_stock: bool = False) -> ListingMapping:
    thing = {name: row[name] for name in ("channel", "channel_sku", "item_ref")}
    return ListingMapping(**thing, sku=sku, factor=factor, no_stock=no_stock, source=row["channel_sku"])


def _said(mapping: ListingMapping) -> str:
    code, shop = mapping.channel_sku, mapping.channel
    if mapping.no_stock:
        return f"each {code} that {shop} sells takes no stock from now on"
    return f"each {code} that {shop} sells takes {mapping.factor} × {mapping.sku} from now on"


def _went_on(mapped: int, left: int) -> list[str]:
    """Say what became of the orders that waited for the codes."""
    told = []
    if mapped:
        told.append("1 order that waited goes on" if mapped == 1 else f"{mapped} orders that waited go on")
    if left:
        told.append("1 order waits for another code" if left == 1 else f"{left} orders wait for another code")
    return told
