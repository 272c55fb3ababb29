"""Exports write null where nothing is.

Seen in: neilotoole/sq#189, dbeaver/dbeaver#4223.
"""

from collections.abc import Callable

import pytest

from tests.support.export import Export

HEADER = "external_id,status,placed_at,paid_at,channel_sku,qty,price,recipient,phone,address"


def test_a_word_for_nothing_is_neither_a_recipient_nor_a_seller_code(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop_case("05-the-word-null/orders.csv")

    assert shop.status("N1") == ("held", "incomplete_address")
    assert shop.status("N3") == ("held", "incomplete_address")
    assert shop.letters() == [("orders.csv:3", "channel_sku: is empty")]


@pytest.mark.parametrize("word", ["NULL", "None", "无", "N/A", "-", '"=""null"""'])
def test_every_word_for_nothing_is_one(export: Callable[..., Export], word: str) -> None:
    shop = export(profile="generic")
    shop.drop(f"{HEADER}\nN4,paid,2026-11-22 10:01:02,2026-11-22 10:02:00,CUP,1,10,李雷,{word},文三路1号\n")

    assert shop.status("N4") == ("held", "incomplete_address")
