"""Whose turn it is when there are fewer gifts than orders that want one, told again by a few lines of a judge."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from erpsync.flows.audit.looks import judge_due
from erpsync.flows.inventory.counts import set_stock
from tests.support.facts import HOME, fact, later, order, take_in
from tests.support.looking import rows
from tests.support.real_data import SOAK
from tests.support.ruled import put_in_force
from tests.support.shop import Town

MOST = 3
GIFT = f"rules: [{{id: few, when: {{total: {{ge: 50}}}}, then: {{gift: {{sku: FAN, most: {MOST}, once: buyer}}}}}}]"
HAVING = "SELECT o.external_id FROM order_gift g JOIN orders o ON o.id = g.order_id WHERE g.state = 'given'"


@pytest.mark.parametrize("seed", range(200 if SOAK else 3))
@pytest.mark.parametrize("dialect", [pytest.param("sqlite", marks=pytest.mark.sqlite)], indirect=True)
def test_who_was_judged_first_keeps_a_gift_and_who_came_first_has_the_next(
    make_town: Callable[..., Town], seed: int
) -> None:
    """One order after the other comes, or has another total; three gifts in all, one for each buyer."""
    town, chance = make_town(), Random(seed)
    set_stock(town.ctx, warehouse="SH", sku="FAN", on_hand=10, actor="keeper")
    put_in_force(town, GIFT)
    buyers = {f"o{n}": f"b{n // 2}" for n in range(12)}
    wanting, having, known = set[str](), set[str](), list[str]()
    for step in range(30):
        id, wants = chance.choice(list(buyers)), chance.random() < 0.6
        known += [] if id in known else [id]
        wanting = wanting | {id} if wants else wanting - {id}
        having &= wanting
        for each in [id, *known]:
            taken = {buyers[other] for other in having}
            if each in wanting - having and len(having) < MOST and buyers[each] not in taken:
                having.add(each)

        item = order(
            id,
            version_at=later(step),
            total_minor=9000 if wants else 1000,
            buyer=buyers[id],
            recipient=replace(HOME, phone=f"1380000{int(buyers[id][1:]):04}"),
        )
        take_in(town, fact(item, digest=str(step), read=(step, step)))
        while judge_due(town.ctx):
            pass

        assert {id for (id,) in rows(town, HAVING)} == having, step
