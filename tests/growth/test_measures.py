"""What `make growth` measures: nothing that can be asked for is left out, and what it drives still works."""

from collections.abc import Iterator

import pytest

from tests.growth import chores, commands, pages, trade
from tests.growth.cache import fill
from tests.growth.ground import Ground, ground
from tests.growth.known import UNKNOWN

ORDERS = 200


@pytest.fixture(scope="module")
def over(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A small seeded database, that the tests here share and write to."""
    url = f"sqlite:///{tmp_path_factory.mktemp('growth') / 'seeded.db'}"
    fill(url, ORDERS)
    with ground(url, ORDERS) as found:
        yield found


@pytest.fixture
def visitor(over: Ground) -> Iterator[pages.Visitor]:
    """Somebody who asks for pages."""
    found = pages.Visitor(over)
    yield found
    found.close()


def test_every_argument_of_a_reading_command_has_a_value(over: Ground) -> None:
    lines = [" ".join(words) for words in commands.command_lines(over.names)]

    assert [line for line in lines if UNKNOWN in line] == []
    assert {"orders list --status held", "explain SKU-00001", "status"} <= set(lines)


def test_every_page_can_be_asked_for_and_is_there(over: Ground, visitor: pages.Visitor) -> None:
    found = [measure.name for measure in pages.measures(over, visitor)]

    assert [name for name in found if UNKNOWN in name] == []
    assert {"GET /", "GET /orders?status=held", "GET /metrics", "GET /api/v1/orders?channel=jd-main"} <= set(found)
    assert {"GET /orders/new", "GET /orders?channel=internal"} <= set(found)
    for plain in (name.removeprefix("GET ") for name in found if "?" not in name and "<" not in name):
        visitor.get(plain)


def test_a_days_trade_and_all_chores_can_be_measured(over: Ground, visitor: pages.Visitor) -> None:
    found = {measure.name: measure.run() for measure in (*trade.measures(over, visitor), *chores.measures(over))}

    assert min(found.values()) > 0
    assert {"stock numbers told, hot SKUs", "prune", "claim 20 numbers"} <= found.keys()
