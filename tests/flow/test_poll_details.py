"""Details that fail now and then: what was read stays read, and the cursor waits for the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest

from erpsync.flows.intake.poll import DETAILS_AT_ONCE, poll_stream
from erpsync.flows.intake.schedule import due_streams
from erpsync.sdk.errors import TransientError
from erpsync.sdk.types import Cursor, Head, ListingPage, OrderPage, Raw
from erpsync.store.cursors import read_cursor
from erpsync.store.views import OrderFilter, list_orders
from tests.support.looking import letters
from tests.support.shop import ShopConnector, Town


@pytest.fixture
def crowded(make_town: Callable[..., Town]) -> Town:
    """A shop whose one page holds twenty new orders."""
    town = make_town()
    poll_stream(town.ctx, town.channel(), "orders")
    for number in range(20):
        town.shop.place(f"o{number:02}", ("TEA", 1))
    return town


class OnePage(ShopConnector):
    """Gives all changes as one page; the detail call of each order in `unlucky` fails once."""

    unlucky: set[str]

    def pull_orders(self, cursor: Cursor) -> Iterator[OrderPage]:
        pages = list(super().pull_orders(cursor))
        yield OrderPage(heads=tuple(head for page in pages for head in page.heads), mark=pages[-1].mark)

    def complete(self, heads: Sequence[Head]) -> list[Raw]:
        for head in heads:
            if head.external_id in self.unlucky:
                self.unlucky.remove(head.external_id)
                raise TransientError("remote service timeout")
        return super().complete(heads)


def read(town: Town, connector: ShopConnector) -> bool:
    """Read the orders once; return whether the pass ended well."""
    channel = replace(town.channel(), connector=connector)
    return not poll_stream(town.ctx, channel, "orders").failed


def stored(town: Town) -> list[str]:
    with town.store.read() as connection:
        return sorted(order["external_id"] for order in list_orders(connection, OrderFilter(), 0))


def mark(town: Town) -> str | None:
    with town.store.read() as connection:
        return read_cursor(connection, town.channel().id, "orders").mark


def test_orders_read_before_a_detail_call_fails_are_stored_and_the_cursor_stays(crowded: Town) -> None:
    connector = OnePage(crowded.shop, crowded.clock)
    connector.unlucky = {"o12"}
    before = mark(crowded)

    assert not read(crowded, connector)
    assert stored(crowded) == [f"o{number:02}" for number in range(10)]
    assert mark(crowded) == before


def test_what_was_read_is_not_read_again_and_the_next_pass_brings_the_rest(crowded: Town) -> None:
    connector = OnePage(crowded.shop, crowded.clock)
    connector.unlucky = {"o12"}
    read(crowded, connector)
    crowded.shop.reads.clear()

    assert read(crowded, connector)
    assert stored(crowded) == [f"o{number:02}" for number in range(20)]
    assert crowded.shop.reads == [f"o{number:02}" for number in range(10, 20)]


def test_a_page_is_read_to_its_end_although_every_few_details_fail(crowded: Town) -> None:
    """Rows 3 and 13: with one call in ten failing, a page of a hundred is never read in one go."""
    connector = OnePage(crowded.shop, crowded.clock)
    connector.unlucky = {f"o{number:02}" for number in range(0, 20, DETAILS_AT_ONCE)}
    passes = 1

    while not read(crowded, connector):
        passes += 1

    assert passes == 5
    assert len(stored(crowded)) == 20


class NoCatalogueYet(ShopConnector):
    """Fails to give its catalogue once."""

    failed = False

    def pull_listings(self, cursor: Cursor) -> Iterator[ListingPage]:
        if not self.failed:
            self.failed = True
            raise TransientError("remote service timeout")
        yield from super().pull_listings(cursor)


def test_orders_in_a_row_that_the_shop_does_not_show_stop_no_other(crowded: Town) -> None:
    """failures.md row 14: as many as one call asks for, so that a call shows nothing at all."""
    connector = OnePage(crowded.shop, crowded.clock)
    connector.unlucky = set()
    crowded.shop.hidden = {f"o{number:02}" for number in range(DETAILS_AT_ONCE)}

    assert read(crowded, connector)

    assert stored(crowded) == [f"o{number:02}" for number in range(DETAILS_AT_ONCE, 20)]
    assert sorted(letters(crowded)) == [("order", order) for order in sorted(crowded.shop.hidden)]


def test_a_catalogue_that_could_not_be_read_is_read_again_soon_and_not_an_hour_later(town: Town) -> None:
    channel = replace(town.channel(), connector=NoCatalogueYet(town.shop, town.clock))
    assert poll_stream(town.ctx, channel, "listings").failed

    town.advance(31)

    assert "listings" in due_streams(town.ctx, channel)
    assert not poll_stream(town.ctx, channel, "listings").failed
    town.advance(60)
    assert "listings" not in due_streams(town.ctx, channel)
