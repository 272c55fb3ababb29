"""600 orders for 200 units over three channels, with real daemons (failures.md rows 1, 5, 7, 15)."""

import json
import random
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.arena import CODE, LONG_S, Arena, eventually
from tests.support.dialects import on_postgresql

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200), pytest.mark.concurrent("processes")]
UNITS = 200
EACH = 200


@pytest.fixture
def make_arena(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Arena]]:
    made: list[Arena] = []

    def make(**options: float) -> Arena:
        made.append(Arena(folder=tmp_path, database=database_url, **options))
        return made[-1]

    yield make
    for arena in made:
        arena.close()


def open_sale(arena: Arena, *, daemons: int) -> None:
    """Start daemons, stock the SKU, and wait until every shop shows all units."""
    arena.taobao.add_item(skus={CODE: 0}, outer_id=CODE)
    arena.jd.add_item(code=CODE)
    for _ in range(daemons):
        arena.add_node()
    counts = arena.folder / "counts.csv"
    counts.write_text(f"warehouse,sku,on_hand\nSH,{CODE},{UNITS}\n", encoding="utf-8")
    listings = arena.folder / "listings.csv"
    listings.write_text(f"channel,channel_sku,sku,factor\nown,{CODE},{CODE},1\n", encoding="utf-8")
    arena.erpsync("stock", "import", str(counts))
    arena.erpsync("listings", "import", str(listings))
    for node in arena.nodes:
        arena.start(node)
    assert eventually(lambda: arena.shown() == {"taobao": UNITS, "jd": UNITS, "own": UNITS}), arena.shown()


def orders_of(arena: Arena) -> list[dict[str, object]]:
    return list(json.loads(arena.erpsync("orders", "list", "--json", "--limit", "0")))


def assert_sold_once(arena: Arena) -> None:
    """Wait for the end of the sale and hold the shops' books against the store."""
    assert eventually(lambda: arena.stored().total() == 3 * EACH), arena.stored()
    assert eventually(lambda: arena.shown() == {"taobao": 0, "jd": 0, "own": 0}), arena.shown()
    stored = orders_of(arena)
    taken = sum(a["qty"] for order in stored for line in order["lines"] for a in line["allocations"])
    owed = sum(line["backordered_qty"] for order in stored for line in order["lines"])
    (place,) = json.loads(arena.erpsync("stock", "list", "--json"))
    assert len({(order["channel"], order["external_id"]) for order in stored}) == 3 * EACH
    assert (taken, owed) == (UNITS, 3 * EACH - UNITS)
    assert (place["on_hand"], place["reserved"], place["available"]) == (UNITS, UNITS, 0)


def daemons_for(url: str) -> int:
    """One daemon owns an SQLite file; two share a PostgreSQL."""
    return 1 if url.startswith("sqlite") else 2


def test_six_hundred_buyers_get_two_hundred_units_and_nobody_gets_one_twice(
    make_arena: Callable[..., Arena], database_url: str
) -> None:
    arena = make_arena()
    open_sale(arena, daemons=daemons_for(database_url))

    crowd = arena.buyers(EACH)
    for buyer in crowd:
        buyer.start()
    for buyer in crowd:
        buyer.join(LONG_S)

    assert_sold_once(arena)


def test_the_sale_ends_the_same_when_daemons_are_killed_at_random(
    make_arena: Callable[..., Arena], database_url: str
) -> None:
    arena = make_arena(seed=7)
    open_sale(arena, daemons=daemons_for(database_url))
    for plan in arena.plans:
        plan.rate = 0.05
    rng = random.Random(7)
    pause = threading.Event()

    crowd = arena.buyers(EACH)
    for buyer in crowd:
        buyer.start()
    for _ in range(4):
        pause.wait(rng.uniform(0.5, 2))
        node = rng.choice(arena.nodes)
        arena.kill(node)
        pause.wait(rng.uniform(0, 0.5))
        arena.start(node)
    for plan in arena.plans:
        plan.clear()
        plan.rate = 0
    for buyer in crowd:
        buyer.join(LONG_S)

    assert_sold_once(arena)


@on_postgresql  # an SQLite file has one daemon only
def test_a_killed_daemon_hands_its_channels_over(make_arena: Callable[..., Arena]) -> None:
    arena = make_arena()
    open_sale(arena, daemons=2)

    arena.kill(arena.nodes[0])
    arena.taobao.place_order([(CODE, 1)], pay=True)
    arena.jd.place_order([(CODE, 1)], pay=True)

    assert eventually(lambda: set(arena.stored()) == {"taobao", "jd"})
