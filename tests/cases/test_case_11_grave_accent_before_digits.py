"""A grave accent before digits keeps a spreadsheet program's hands off them.

Seen in: binarywang/WxJava#1275, chinabugotech/hutool#2477.
"""

from collections.abc import Callable

from tests.support.export import Export

HEADER = "external_id,status,placed_at,paid_at,channel_sku,qty,price,recipient,phone,address"
FILE = "11-grave-accent-before-digits/orders.csv"


def test_a_grave_accent_is_read_like_an_apostrophe(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop_case(FILE)

    assert shop.order("2026112200001")["lines"][0]["channel_sku"] == "CUP"
    assert (shop.status("2026112200001"), shop.letters()) == (("allocated", None), [])


def test_the_same_order_with_and_without_the_sign_is_one(export: Callable[..., Export]) -> None:
    shop = export(profile="generic")
    shop.drop_case(FILE)
    row = "2026112200001,paid,2026-11-22 10:01:02,2026-11-22 10:02:00,CUP,2,25.80,李雷,13800000000,文三路1号"
    shop.drop(f"{HEADER}\n{row}\n", "again.csv")

    assert shop.reserved() == {"CUP": 2}
