"""Catalogue, message queue and check over the sandbox."""

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from erpsync.sdk.errors import AuthError
from erpsync.sdk.types import Cursor, ListingRow
from tests.connectors.taobao.shop import NOW, Shop


def catalogue(shop: Shop, mark: str | None = None) -> list[ListingRow]:
    return [row for page in shop.connector.pull_listings(Cursor(mark=mark)) for row in page.rows]


def test_the_catalogue_holds_what_is_on_sale_and_what_is_stored() -> None:
    shop = Shop()
    sold = shop.sandbox.add_item(skus={"S-1": 3, "": 4}, outer_id="SPU")
    stored = shop.item(qty=5, code="B-1", on_sale=False)
    got = {row.item_ref: (row.channel_sku, row.shown_qty) for row in catalogue(shop)}
    first, second = (ref for ref in sorted(shop.sandbox.stock()) if ref.startswith(sold))

    assert got == {first: ("S-1", 3), second: ("SPU", 4), stored: ("B-1", 5)}


def test_one_seller_code_on_two_items_is_two_listings() -> None:
    shop = Shop()
    shop.item(code="DUP")
    shop.item(code="DUP")

    assert [row.channel_sku for row in catalogue(shop)] == ["DUP", "DUP"]
    assert len({row.item_ref for row in catalogue(shop)}) == 2


def test_an_item_that_cannot_be_read_keeps_no_other_from_being_known() -> None:
    """failures.md row 14: the whole catalogue stopped at the first odd item, and no number behind it was ever told."""
    shop = Shop()
    good = shop.sandbox.add_item(skus={"S-1": 3})
    for odd in ({"num_iid": "?"}, {"outer_id": ["B-1"]}):
        record = shop.sandbox.items.records[shop.item(code="B-1")]
        shop.sandbox.items.put({**record, **odd})
    below_zero = shop.item(code="C-1", qty=1)
    shop.sandbox.items.put({**shop.sandbox.items.records[below_zero], "num": -2})
    pages = list(shop.connector.pull_listings(Cursor()))

    rows = {row.channel_sku: row.shown_qty for page in pages for row in page.rows}
    bad = [each for page in pages for each in page.bad]
    assert rows.keys() >= {"S-1", "C-1"}
    assert (rows["S-1"], rows["C-1"]) == (3, None)
    assert {each.error.path.rpartition(".")[2] for each in bad} == {"num_iid", "outer_id"}
    assert all(each.error.source.startswith("taobao.items.onsale.get") for each in bad)
    assert good


def test_an_item_edited_while_the_catalogue_is_read_hides_no_other() -> None:
    shop = Shop(page_size=5)
    items = []
    for number in range(40):
        items.append(shop.item(code=f"A-{number}"))
        shop.clock.advance(seconds=1)
    found: set[str] = set()
    for page in shop.connector.pull_listings(Cursor()):
        found |= {row.item_ref for row in page.rows}
        shop.clock.advance(seconds=1)
        for row in page.rows[-1:]:
            shop.sandbox.shift_shown(row.item_ref, 1)

    assert set(items) <= found


def test_a_reading_that_was_broken_off_goes_on_and_a_finished_one_begins_anew() -> None:
    shop = Shop(page_size=5)
    items = {shop.item(code=f"A-{n}", on_sale=n % 2 == 0) for n in range(30)}
    found, mark, marks = set(), None, 0
    while True:
        with closing(shop.another().pull_listings(Cursor(mark=mark))) as pages:
            page = next(pages)
        found |= {row.item_ref for row in page.rows}
        mark, marks = page.mark, marks + 1
        if mark == '{"step":"onsale"}':
            break

    assert found == items
    assert marks > 6
    assert {row.item_ref for row in catalogue(shop, mark)} == items


def test_messages_become_wishes_to_poll_and_are_confirmed_after_the_commit() -> None:
    shop = Shop(tmc=True)
    shop.item()
    tid = shop.sandbox.place_order([("A-1", 1)], pay=True)
    shop.sandbox.request_refund(tid)
    with closing(shop.connector.pull_hints()) as hints:
        assert set(next(hints)) == {"listings", "orders", "refunds"}
        waiting = len(shop.sandbox.messages)
        assert next(hints, None) is None

    assert waiting > 0
    assert shop.sandbox.messages == {}


def test_a_wish_that_was_not_committed_comes_again() -> None:
    shop = Shop(tmc=True)
    shop.item()
    with closing(shop.connector.pull_hints()) as hints:
        next(hints)
    early = list(shop.connector.pull_hints())
    shop.clock.advance(seconds=601)

    assert early == []
    assert list(shop.connector.pull_hints()) == [("listings",)]


def test_messages_about_our_own_stock_pushes_wake_nobody() -> None:
    shop = Shop(tmc=True)
    num_iid = shop.item()
    list(shop.connector.pull_hints())
    shop.sandbox.shift_shown(num_iid, 1)

    assert list(shop.connector.pull_hints()) == [()]


def test_without_the_setting_the_queue_is_left_alone() -> None:
    shop = Shop()

    assert list(shop.connector.pull_hints()) == []
    assert sum(shop.sandbox.counts.values()) == 0


def test_the_check_of_a_shop_that_works_has_little_to_say() -> None:
    shop = Shop(session_expires_at=NOW + timedelta(days=200))
    report = shop.connector.check()

    assert report.notes == ()
    assert report.clock_ahead_s == pytest.approx(0, abs=1)
    assert report.token_expires_at == NOW + timedelta(days=200)


def test_the_check_says_that_the_clock_is_off_and_the_session_ends() -> None:
    shop = Shop(session_expires_at="2026-11-25T00:00:00+08:00")
    shop.sandbox.ahead = timedelta(minutes=2)
    notes = shop.connector.check().notes

    assert any("120 s ahead" in note for note in notes)
    assert any("the session ends on 2026-11-25" in note for note in notes)
    assert shop.connector.token_expires_at() == datetime(2026, 11, 24, 16, tzinfo=UTC)


def test_the_check_says_that_nobody_watches_the_session() -> None:
    assert Shop().connector.check().notes == (
        "session_expires_at is not set, so the end of the session is not watched",
    )


def test_the_check_names_carriers_that_the_platforms_list_lacks() -> None:
    shop = Shop(session_expires_at=NOW + timedelta(days=200), company_codes={"JT": "JTSD"})

    assert shop.connector.check().notes == ("carriers that the platform's list lacks: JT (JTSD)",)


def test_the_check_fails_with_a_session_that_ended() -> None:
    shop = Shop()
    shop.sandbox.session = "another"

    with pytest.raises(AuthError):
        shop.connector.check()
