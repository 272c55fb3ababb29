"""What a channel may answer that nobody foresaw: no order, stream or row may be stuck for it. failures.md row 14."""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from erpsync.flows.availability import push
from erpsync.flows.intake.webhooks import apply_inbox
from erpsync.flows.inventory import counts, unmapped
from erpsync.flows.inventory.bundles import BundlePart, import_bundles
from erpsync.flows.inventory.catalogue import apply_listings
from erpsync.flows.inventory.listings import ListingMapping, import_listings
from erpsync.flows.operations import dead_letters as dead
from erpsync.flows.shipments.record import ship
from erpsync.sdk.errors import PayloadError, RateLimitedError
from erpsync.sdk.types import BadLine, ListingPage, ListingRow
from erpsync.store.tables import listing, sku
from tests.support import looking, walk
from tests.support.calling import deliver, with_calls
from tests.support.facts import fact, line, order, take_in
from tests.support.shop import Town, build_town

HALF = "half an emoji: \ud83d"
NUL = "a NUL: \x00"


@pytest.mark.parametrize("text", [HALF, NUL])
@pytest.mark.parametrize("place", ["id", "name", "title", "broken"])
def test_text_that_no_database_takes_stops_no_other_order(town: Town, text: str, place: str) -> None:
    """A platform that cuts a name in the middle of an emoji must not stop its shop for ever."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    walk.settle_in(town)
    if place == "id":
        town.shop.place(text, ("TEA", 1))
    elif place == "title":
        town.shop.place("odd", (text, 1))
    elif place == "name":
        town.shop.place("odd", ("TEA", 1), name=text)
    else:
        town.shop.place(f"odd {text}", ("TEA", 1), broken=True)
    town.shop.place("good", ("TEA", 1))

    report = walk.poll(town)

    assert (report.failed, report.error) == (False, "")
    assert looking.status(town, "good") == ("allocated", None)
    town.shop.place("next", ("TEA", 1))
    assert not walk.poll(town).failed
    assert looking.status(town, "next") == ("allocated", None)


def test_a_channel_that_asks_to_wait_no_time_at_all_is_not_called_without_pause(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="A", on_hand=5, actor="me")
    import_listings(town.ctx, [ListingMapping(channel="shop", channel_sku="A", sku="A")], actor="me")
    town.shop.trouble["stock before"] = [RateLimitedError("slow down", retry_after_s=0) for _ in range(50)]
    walk.settle_in(town)
    walk.fan(town)
    town.advance(3)

    handled = [push.push_stock(town.ctx, town.channel()) for _ in range(10)]

    assert sum(handled) == 1


def test_a_database_that_is_away_for_a_moment_buries_no_parcel(town: Town) -> None:
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    town.shop.place("o1", ("TEA", 1))
    walk.settle_in(town)
    ship(town.ctx, order="o1", carrier="SF", tracking="SF1")
    town.shop.trouble["ship before"] = [OperationalError("select", {}, OSError("connection reset"))]  # type: ignore[list-item]
    walk.push_due(town)
    assert town.shop.parcels == []

    town.advance(5)
    walk.push_due(town)

    assert [parcel.tracking for parcel in town.shop.parcels] == ["SF1"]
    assert looking.letters(town) == []


def test_a_listing_that_cannot_be_read_is_a_dead_letter_until_it_can(town: Town) -> None:
    """failures.md row 14: the rest of the catalogue is known at once."""
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    tea = ListingRow(channel_sku="TEA", item_ref="1")
    odd = BadLine(key="2", error=PayloadError("expected text", path="$.title", source="page 1"), row={"id": "2"})

    def read(page: ListingPage) -> None:
        town.store.retrying(lambda tx: apply_listings(tx, ctx=town.ctx, channel=town.channel(), page=page))

    for _ in range(2):
        read(ListingPage(rows=(tea,), bad=(odd,), mark="1"))
    known, told = looking.rows(town, select(listing.c.channel_sku)), looking.letters(town)
    read(ListingPage(rows=(tea, ListingRow(channel_sku="CUP", item_ref="2")), mark="1"))

    assert ([row[0] for row in known], told) == (["TEA"], [("listing", "2")])
    assert looking.letters(town) == []


def test_an_item_that_was_mapped_by_its_own_id_stays_so_beside_its_seller_code(town: Town) -> None:
    """One seller code on two items: the file names one of them, and the rest by the code alone."""
    things = tuple(ListingRow(channel_sku="A", item_ref=ref) for ref in ("red", "blue"))
    page = ListingPage(rows=things, mark="1")
    town.store.retrying(lambda tx: apply_listings(tx, ctx=town.ctx, channel=town.channel(), page=page))
    rows = [
        ListingMapping(channel="shop", channel_sku="A", sku="BLUE"),
        ListingMapping(channel="shop", channel_sku="A", item_ref="red", sku="RED"),
    ]

    import_listings(town.ctx, rows, actor="me")

    mapped = select(listing.c.item_ref, sku.c.code).join(sku, sku.c.id == listing.c.sku_id)
    assert dict(looking.rows(town, mapped)) == {"": "BLUE", "red": "RED", "blue": "BLUE"}


def test_a_webhook_that_was_given_up_can_be_tried_again_by_a_person(make_town: Callable[..., Town]) -> None:
    """failures.md row 8: what was answered 200 is never lost, however long its channel was not configured."""
    town = with_calls(make_town(names=("shop",)))
    counts.set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10, actor="keeper")
    deliver(town, town.shop.place("o1", ("TEA", 2)), id="d1")
    without = replace(town.ctx, channels={})
    for _ in range(61):
        town.advance(400)
        apply_inbox(without)
    (key,) = (key for kind, key in looking.letters(town) if kind == "inbox")

    dead.replay_letter(town.ctx, looking.letter_id(town, key), actor="me")
    apply_inbox(town.ctx)

    assert (looking.status(town, "o1"), looking.held(town, "o1")) == (("allocated", None), {"TEA": 2})
    assert looking.letters(town) == []


MOST = 12_000


@pytest.fixture
def narrow(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Town]:
    """A town on an SQLite that takes as few parameters as its older builds; PostgreSQL takes 65,535."""

    def limit(connection: sqlite3.Connection, record: object) -> None:
        del record
        connection.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, MOST)

    path = tmp_path / "erpsync.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    town = build_town(f"sqlite:///{path}")
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


@pytest.mark.parametrize(("qty", "price"), [(10**9, 10**13), (10**30, 1), (1, 10**30)])
def test_a_sum_that_no_column_holds_is_told_as_what_it_is(town: Town, qty: int, price: int) -> None:
    walk.settle_in(town)
    row = town.shop.place("huge", ("TEA", 1))
    row["lines"][0] |= {"qty": qty, "price": price}
    town.shop.change("huge", total=10)
    town.shop.place("good", ("TEA", 1))
    walk.poll(town)

    ((key, error),) = looking.rows(town, 'SELECT "key", error FROM dead_letter')
    assert (key, "larger than any amount" in error, "defect" in error) == ("huge", True, False)
    assert looking.status(town, "good")[0] != ""


def test_a_refund_that_no_column_holds_is_told_as_what_it_is(town: Town) -> None:
    walk.settle_in(town)
    town.shop.place("o1", ("TEA", 1))
    walk.poll(town)
    town.shop.refund("r1", "o1", amount=10**30)
    walk.poll(town, "refunds")

    ((error,),) = looking.rows(town, "SELECT error FROM dead_letter")
    assert "larger than any amount" in error
