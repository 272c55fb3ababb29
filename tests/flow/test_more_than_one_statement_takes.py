"""Tens of thousands of rows at once: more than a database takes parameters in one statement. failures.md row 14."""

import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event

from erpsync.flows.inventory import counts, unmapped
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.catalogue import apply_listings
from erpsync.sdk.types import ListingPage, ListingRow
from tests.support import looking
from tests.support.facts import fact, line, order, take_in
from tests.support.shop import Town, build_town

MOST = 12_000


@pytest.fixture
def narrow(sqlite_file: Path) -> Iterator[Town]:
    """A town on an SQLite that takes as few parameters as its older builds; PostgreSQL takes 65,535."""

    def limit(connection: sqlite3.Connection, record: object) -> None:
        del record
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, MOST)

    town = build_town(f"sqlite:///{sqlite_file}")
    event.listen(town.store.engine, "connect", limit)
    town.store.close()
    yield town
    town.store.close()


def test_a_catalogue_that_nobody_mapped_yet_can_be_looked_at_whole(narrow: Town) -> None:
    """A shop begins with tens of thousands of listings that have no SKU; the safety net looks at all of them."""
    for start in range(0, MOST + 1000, 500):
        rows = tuple(ListingRow(channel_sku=f"T{n:05}", item_ref="") for n in range(start, start + 500))
        page = ListingPage(rows=rows, mark="1")
        narrow.store.retrying(partial(apply_listings, ctx=narrow.ctx, channel=narrow.channel(), page=page))

    assert unmapped.unmapped_codes(narrow.ctx) == []


def test_goods_that_thousands_wait_for_can_come_in(narrow: Town) -> None:
    """A pre-sale: every order waits for one SKU, and one delivery serves them all in one commit."""
    count = MOST + 1000
    for start in range(0, count, 500):
        take_in(narrow, *(fact(order(f"o{n}", line(qty=1, id=f"L{n}"))) for n in range(start, start + 500)))

    counts.set_stock(narrow.ctx, warehouse="SH", sku="TEA", on_hand=count, actor="keeper")

    assert looking.on_shelf(narrow)["SH", "TEA"] == (count, count)


def test_a_file_of_very_many_bundles_is_taken(narrow: Town) -> None:
    parts = [BundlePart(bundle=f"B{n:05}", sku=f"P{n:05}", qty=2) for n in range(MOST + 1000)]

    assert import_bundles(narrow.ctx, parts, actor="me").taken == MOST + 1000
