"""Wishes that meet on several nodes, and nodes that die: equal ones are one SKU, and nobody waits for two."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.support.engraved import makes, wants
from tests.support.facts import fact, line, order, take_in
from tests.support.looking import problems, rows
from tests.support.shop import Town

pytestmark = pytest.mark.concurrent("threads")

NODES = 3
TEXTS = ("甲", "乙", "丙", "丁")


@pytest.fixture
def nodes(make_town: Callable[..., Town]) -> list[Town]:
    """Three nodes on one database, that make mugs."""
    first = make_town()
    makes(first)
    others = [make_town(town=first) for _ in range(NODES - 1)]
    for node in others:
        node.ctx = replace(node.ctx, specs=first.ctx.specs)
    return [first, *others]


def test_nodes_that_read_the_same_wishes_at_once_make_one_sku_of_each(nodes: list[Town]) -> None:
    gate = threading.Barrier(NODES)

    def buy(node: Town, name: str, texts: tuple[str, ...]) -> None:
        wanted = [line("MUG", id=f"{name}-{nth}", properties=(("刻字", text),)) for nth, text in enumerate(texts)]
        gate.wait(60)
        take_in(node, fact(order(name, *wanted)))

    with ThreadPoolExecutor(NODES) as pool:
        turned = [TEXTS, TEXTS[::-1], TEXTS[1:] + TEXTS[:1]]
        for done in [pool.submit(buy, node, f"o{nth}", turned[nth]) for nth, node in enumerate(nodes)]:
            done.result(120)

    assert sorted(spec["text"] for spec in wants(nodes[0]).values()) == sorted(TEXTS)
    assert rows(nodes[0], "SELECT count(*), sum(qty) FROM backorder") == [(12, 12)]
    assert problems(nodes[0]) == []
