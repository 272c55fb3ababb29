"""Files of orders and stock, read page by page on either database while the shop goes on."""

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from erpsync.flows.exports import orders, stock
from erpsync.flows.exports.cells import Manner, Piece
from erpsync.flows.exports.stock import StockFilter, by_sku, by_warehouse, understood_heads
from erpsync.flows.intake import poll
from erpsync.flows.inventory.counts import Count, add_stock, import_counts, set_stock
from erpsync.languages import ENGLISH, language
from erpsync.sdk.sheets import clean
from erpsync.store.registry import make_skus
from erpsync.store.tables import listing
from erpsync.store.views import OrderFilter
from erpsync.store.views.orders import first_placed_at
from tests.support.shop import Town, build_town

SHANGHAI = ZoneInfo("Asia/Shanghai")
READER = Manner(speech=ENGLISH, zone=SHANGHAI)
PROGRAM = Manner(speech=language("zh"), zone=SHANGHAI, plain=True)


@pytest.fixture
def town(database_url: str) -> Iterator[Town]:
    built = build_town(database_url)
    yield built
    built.store.close()


def read(town: Town) -> None:
    for stream in ("backfill", "orders"):
        poll.poll_stream(town.ctx, town.channel(), stream)


def rows(pieces: Iterable[Piece]) -> list[dict[str, str]]:
    text = b"".join(piece.content for piece in pieces).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_order_is_in_a_file_of_many_pages_once_though_others_come_meanwhile(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="wang")
    for number in range(2 * orders.PAGE + 1):
        town.shop.place(f"o{number}", ("A", 1))
    read(town)
    pages = orders.pages_of(town.store, OrderFilter())
    first = next(pages)
    town.shop.place("late", ("A", 1))
    town.advance(60)
    read(town)
    found = [order["external_id"] for page in (first, *pages) for order in page.orders]

    assert len(found) == 2 * orders.PAGE + 1
    assert set(found) == {f"o{number}" for number in range(2 * orders.PAGE + 1)}


def test_no_page_is_longer_than_was_asked_for(town: Town) -> None:
    for number in range(5):
        town.shop.place(f"o{number}", ("A", 1))
    read(town)

    assert [len(page.orders) for page in orders.pages_of(town.store, OrderFilter(), limit=3)] == [3]
    assert [len(page.orders) for page in orders.pages_of(town.store, OrderFilter(), limit=5)] == [5]
    assert [page.of for page in orders.pages_of(town.store, OrderFilter())] == [5]
    assert [len(page.orders) for page in orders.pages_of(town.store, OrderFilter(sku="nobody's"))] == [0]


def test_how_many_there_are_is_guessed_from_how_far_back_the_pages_have_come(town: Town) -> None:
    for number in range(4 * orders.PAGE):
        town.shop.place(f"o{number}", ("A", 1))
        town.advance(1)
    read(town)
    guesses = [page.of or 0 for page in orders.pages_of(town.store, OrderFilter())]
    limited = [page.of for page in orders.pages_of(town.store, OrderFilter(), limit=orders.PAGE + 1)]

    assert all(abs(guess - 4 * orders.PAGE) <= 5 for guess in guesses)
    assert limited[-1] == orders.PAGE + 1


def test_an_empty_shop_has_no_first_order(town: Town) -> None:
    with town.store.read() as connection:
        assert first_placed_at(connection) is None
    assert rows(orders.written(orders.pages_of(town.store, OrderFilter()), READER)) == []


def test_more_skus_than_a_page_are_all_in_the_file_once(town: Town) -> None:
    counts = [Count(warehouse="SH", sku=f"K{number:04}", on_hand=number) for number in range(stock.PAGE + 2)]
    import_counts(town.ctx, counts, actor="wang")
    pieces = list(by_warehouse(town.store, StockFilter(), READER))

    assert [(row["SKU"], row["On hand"]) for row in rows(pieces)] == [(c.sku, str(c.on_hand)) for c in counts]
    assert [(piece.rows, piece.of) for piece in pieces[1:]] == [(stock.PAGE, stock.PAGE + 2), (2, stock.PAGE + 2)]


def test_a_row_says_as_of_the_latest_change_that_is_in_it(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="wang")
    town.advance(10)
    before = town.store.clock.now()
    add_stock(town.ctx, warehouse="SH", sku="A", qty=2, reason="arrival", actor="wang")
    after = town.store.clock.now()
    town.advance(3600)
    [row] = rows(by_warehouse(town.store, StockFilter(), PROGRAM))

    assert before <= datetime.fromisoformat(row["as_of"]) <= after


def test_a_count_that_changed_nothing_is_a_change_all_the_same(town: Town) -> None:
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="wang")
    town.advance(3600)
    before = town.store.clock.now()
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="wang")
    after = town.store.clock.now()
    [row] = rows(by_warehouse(town.store, StockFilter(), PROGRAM))

    assert before <= datetime.fromisoformat(row["as_of"]) <= after


def test_numbers_told_stand_side_by_side_and_doubts_behind_them(town: Town) -> None:
    town.shop.place("o1", ("A", 1))
    set_stock(town.ctx, warehouse="SH", sku="A", on_hand=9, actor="wang")
    read(town)
    with town.store.begin() as tx:
        tx.execute(update(listing).values(told_qty=7, told_sure=False, refused="gone"))
    found = {row["SKU"]: row for row in rows(by_sku(town.store, StockFilter(sku="A"), READER))}

    assert list(found) == ["A"]
    assert (found["A"]["Told shop"], found["A"]["Unsure"], found["A"]["Refused"]) == ("7", "shop", "shop")


def test_what_nobody_has_counted_is_empty_and_not_0(town: Town) -> None:
    town.shop.place("o1", ("A", 3))
    set_stock(town.ctx, warehouse="SH", sku="B", on_hand=1, actor="wang")
    with town.store.begin() as tx:
        make_skus(tx, ["A"])
    found = {row["SKU"]: row["On hand"] for row in rows(by_sku(town.store, StockFilter(), READER))}

    assert found == {"A": "", "B": "1"}
    assert [row["SKU"] for row in rows(by_warehouse(town.store, StockFilter(), READER))] == ["B"]


def test_the_heads_that_an_import_understands_are_those_of_every_language() -> None:
    heads = understood_heads()

    assert (heads["on hand"], heads["on_hand"], heads["实际库存"]) == ("on_hand", "on_hand", "on_hand")
    assert (heads["goods"], heads["owed"], heads["欠货"]) == ("", "", "")


@pytest.mark.parametrize("code", ["00123", "6917878012345", "1E5", "3-4", "3/4", "1.50", "MAR1", "1-Dec", "TRUE", "-5"])
def test_a_code_that_a_spreadsheet_would_change_is_set_as_text_and_comes_back(code: str) -> None:
    assert READER.identity(code) == f"'{code}"
    assert clean(READER.identity(code)) == code
    assert PROGRAM.identity(code) == code


@pytest.mark.parametrize("code", ["A", "123", "CUP-RED", "亚麻-01", "SH", "10500", "MARBLE-1", "A-3-4"])
def test_a_code_that_a_spreadsheet_leaves_alone_stands_as_it_is(code: str) -> None:
    assert READER.identity(code) == code
