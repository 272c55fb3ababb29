"""Codes with leading zeros are wrapped so that a spreadsheet keeps them; every file is read without the wrapping.

Seen in: kaue/jsonexport#20, dweeves/magmi-git#529.
"""

from pathlib import Path

import pytest

from tests.e2e.command_desk import Desk, open_desk
from tests.support.export import CASES


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return open_desk(tmp_path)


def test_a_count_is_of_the_code_and_not_of_its_wrapping(desk: Desk) -> None:
    counts = desk.write("counts.csv", (CASES / "09-equals-quotes-in-a-count/counts.csv").read_text(encoding="utf-8"))
    ran = desk.run("stock", "import", counts)

    assert (ran.code, ran.out, ran.err) == (0, "2 rows taken, 0 refused\n", "")
    assert {row["sku"]: row["on_hand"] for row in desk.json("stock", "list")} == {"00123": 5, "00124": 5}


def test_listings_and_bundles_are_read_alike(desk: Desk) -> None:
    listings = desk.write("listings.csv", 'channel;channel_sku;sku;factor\nshop;="0077";`0099;１\n')
    bundles = desk.write("bundles.csv", '礼盒\nbundle\tsku\tqty\n\'00500\t="00123"\t2\n合计\t\t2\n')

    taken = desk.run("listings", "import", listings)
    assert taken.out == "1 row taken, 0 refused\n", taken.err
    assert [(row["channel_sku"], row["sku"]) for row in desk.json("listings", "list")] == [("0077", "0099")]
    ran = desk.run("bundles", "import", bundles)
    assert ran.out == "1 row taken, 0 refused\n"
    assert ran.err.endswith("bundles.csv: passed over 1 title line (1), 1 sum row (4)\n")
    assert desk.json("bundles", "list") == [{"bundle": "00500", "sku": "00123", "qty": 2}]
