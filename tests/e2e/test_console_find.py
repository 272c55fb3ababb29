"""The console's search: what is found, how it is told, and that a phone number stays out of it."""

import re

from erpsync.store.sku_mapping import Thing, note_listings
from tests.e2e.test_console import OTHER, Console, console, words_of

__all__ = ["console"]


def numbers(page: str) -> list[str]:
    return re.findall(r'href="/orders/(S\d+)"', page)


def test_a_part_of_a_number_leads_to_the_orders_that_have_it(console: Console) -> None:
    console.put_order(number=1)
    console.put_order(number=12)

    answer = console.get("/orders?q=000012")

    assert (answer.status_code, numbers(answer.text)) == (200, ["S20260302000012"])
    assert "Found for “000012”" in words_of(answer)
    assert 'value="000012"' in answer.text


def test_an_id_that_two_channels_use_shows_both_orders(console: Console) -> None:
    console.put_order(number=1, external_id="88")
    console.put_order(OTHER, number=2, external_id="88")

    page = console.get("/orders?q=88")

    assert numbers(page.text) == ["S20260302000002", "S20260302000001"]
    assert "channel&#39;s id" in page.text


def test_goods_are_found_by_their_title(console: Console) -> None:
    console.put_order(number=3)
    with console.store.begin() as tx:
        channel = console.ctx.channel("tmall-flagship").id
        note_listings(tx, channel, {Thing("LINEN-W-L", ""): "亚麻短袖衬衫"}, {})

    assert numbers(console.get("/orders?q=短袖").text) == ["S20260302000003"]


def test_what_nothing_fits_is_said_and_what_was_typed_is_shown_as_text(console: Console) -> None:
    answer = console.get("/orders?q=<b>nothing</b>")

    assert answer.status_code == 200
    assert "Nothing found for" in words_of(answer)
    assert "<b>nothing" not in answer.text


def test_a_phone_number_in_an_address_is_not_looked_for_and_not_repeated(console: Console) -> None:
    console.put_order(number=1)

    answer = console.get("/orders?q=13812345678")

    assert "13812345678" not in answer.text
    assert "This may be a phone number, which must not stand in an address." in words_of(answer)
    assert 'action="/orders/find-by-phone"' in answer.text
