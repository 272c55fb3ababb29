"""Stock as a CSV file: a row for each SKU and warehouse, which `stock import` takes back, or one for each SKU.

Why two: numbers of one kind stand in one column of the first, so that they can be changed and imported; the second is
read across, what lies, what is owed and what each shop was told beside each other.

Why the first says as of when each row holds: between export and import orders leave. Their units are taken off at the
import, as those of any count; without the instant a file of this morning would put back what was sold since.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from erpsync.flows.exports.cells import Manner, Piece, lines
from erpsync.languages import LANGUAGES, Language, language
from erpsync.store.db.store import Store
from erpsync.store.registry import channels
from erpsync.store.views.as_of import count_skus, stock_as_of
from erpsync.store.views.shelves import ShelfFilter, page_of_shelves
from erpsync.store.views.values import Json

PAGE = 500

COLUMNS = ("warehouse", "sku", "title", "on_hand", "reserved", "available", "owed", "as_of")
HEAD_WORDS = ("Warehouse", "SKU", "Goods", "On hand", "Reserved", "Available", "Owed", "As of")
ONLY_READ = frozenset({"title", "reserved", "available", "owed"})
"""Columns that an import passes over: nobody sets them by hand."""

SKU_COLUMNS = ("sku", "title", "on_hand", "reserved", "available", "owed", "waiting_orders")
SKU_HEAD_WORDS = ("SKU", "Goods", "On hand", "Reserved", "Available", "Owed", "Orders that wait")
END_COLUMNS = ("unsure", "refused")
END_HEAD_WORDS = ("Unsure", "Refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class StockFilter:
    """Which SKUs: with a row in this warehouse, and this one alone."""

    warehouse: str | None = None
    sku: str | None = None


def by_warehouse(store: Store, wanted: StockFilter, manner: Manner) -> Iterator[Piece]:
    """Yield a file with a row for each SKU and warehouse; the pieces count SKUs.

    What is owed of a SKU stands in its first row only, so that the column adds up. A SKU that nobody has counted has
    no row.
    """
    yield manner.head(COLUMNS, HEAD_WORDS)
    for page in _pages(store, wanted):
        rows = [row for shelf in page.shelves for row in _place_rows(shelf, page, manner)]
        yield Piece(content=lines(rows), rows=len(page.shelves), of=page.of)


def by_sku(store: Store, wanted: StockFilter, manner: Manner) -> Iterator[Piece]:
    """Yield a file with a row for each SKU, and a column for each channel with the number it was told.

    A channel that was told several numbers, of several listings, has them all in its cell. Behind stand the channels of
    which nobody is sure that they show the number, and those that refused it. Stock that nobody has counted is an empty
    cell, which is not 0.
    """
    with store.read() as connection:
        shops = sorted(channels(connection))
    codes, told = [f"told:{shop}" for shop in shops], [f"Told {shop}" for shop in shops]
    yield manner.head((*SKU_COLUMNS, *codes, *END_COLUMNS), (*SKU_HEAD_WORDS, *told, *END_HEAD_WORDS))
    for page in _pages(store, wanted):
        rows = [_sku_row(shelf, shops, manner) for shelf in page.shelves]
        yield Piece(content=lines(rows), rows=len(rows), of=page.of)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    shelves: list[Json]
    as_of: dict[tuple[str, str], datetime]
    read_at: datetime
    of: int


def _pages(store: Store, wanted: StockFilter) -> Iterator[_Page]:
    """Yield SKUs by code, each page in a snapshot of its own."""
    filters, after, done = ShelfFilter(warehouse=wanted.warehouse, code=wanted.sku), None, 0
    while True:
        read_at = store.clock.now()
        with store.read() as connection:
            shelves = page_of_shelves(connection, filters, PAGE, after)
            done += len(shelves)
            of = count_skus(connection) if len(shelves) == PAGE else done
            as_of = stock_as_of(connection, [shelf["sku"] for shelf in shelves])
        yield _Page(shelves=shelves, as_of=as_of, read_at=read_at, of=of)
        if len(shelves) < PAGE:
            return
        after = shelves[-1]["sku"]


def _place_rows(shelf: Json, page: _Page, manner: Manner) -> Iterator[list[str]]:
    for number, (place, row) in enumerate(shelf["places"].items()):
        at = page.as_of.get((place, shelf["sku"]), page.read_at)
        yield [
            manner.identity(place),
            manner.identity(shelf["sku"]),
            manner.text(shelf["title"]),
            *(str(row[name]) for name in ("on_hand", "reserved", "available")),
            str(shelf["owed"]) if number == 0 else "",
            _exactly(at, manner.zone),
        ]


def _exactly(at: datetime, zone: tzinfo) -> str:
    """Return an instant to its last digit: a movement of the same second is before it or behind it."""
    return at.astimezone(zone).isoformat()


def _sku_row(shelf: Json, shops: Sequence[str], manner: Manner) -> list[str]:
    places = shelf["places"].values()
    told = [row for row in shelf["told"] if row["told_qty"] is not None]
    numbers = {shop: " | ".join(str(row["told_qty"]) for row in told if row["channel"] == shop) for shop in shops}
    unsure = dict.fromkeys(row["channel"] for row in told if not row["told_sure"])
    refused = dict.fromkeys(row["channel"] for row in shelf["told"] if row["refused"])
    return [
        manner.identity(shelf["sku"]),
        manner.text(shelf["title"]),
        *(str(sum(row[name] for row in places)) if places else "" for name in ("on_hand", "reserved", "available")),
        str(shelf["owed"]),
        str(shelf["orders"]),
        *numbers.values(),
        manner.text(" ".join(unsure)),
        manner.text(" ".join(refused)),
    ]


def understood_heads() -> dict[str, str]:
    """Return the heads of the file with a row for each SKU and warehouse, in all languages and small letters.

    Each leads to the name of its column, "" where an import passes it over.
    """
    heads: dict[str, str] = {}
    for speech in map(language, LANGUAGES):
        heads |= _heads_in(speech)
    return heads


def _heads_in(speech: Language) -> dict[str, str]:
    columns = ["" if code in ONLY_READ else code for code in COLUMNS]
    said = [speech.say(word).lower() for word in HEAD_WORDS]
    return dict(zip(COLUMNS, columns, strict=True)) | dict(zip(said, columns, strict=True))
