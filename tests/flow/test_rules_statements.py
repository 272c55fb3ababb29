"""What rules ask the database for: a few statements for a whole batch, and none for one order of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from erpsync.core.facts import On
from erpsync.flows.inventory.counts import set_stock
from erpsync.flows.rules.facts import load_facts
from erpsync.sdk.types import Recipient
from erpsync.store.orders import read_orders
from tests.support.facts import OrderRecord, fact, order, take_in
from tests.support.looking import rows
from tests.support.ruled import put_in_force
from tests.support.shop import Town
from tests.support.sources import ROOT

TWELVE = (ROOT / "config" / "rules.example.yaml").read_text(encoding="utf-8")
ALL = TWELVE + (
    "  - id: all\n"
    "    when: {weight_g: {gt: 9}, buyer_refunds_90d: {gt: 9}, buyer_orders_open: {gt: 9}, buyer_new: true}\n"
    "    then: {tag: [all]}\n"
)


@contextmanager
def counted(town: Town) -> Iterator[list[str]]:
    """Yield the statements that are carried out meanwhile."""
    statements: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        statements.append(statement)

    event.listen(town.store.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(town.store.engine, "before_cursor_execute", note)


def sold(first: int, count: int) -> list[OrderRecord]:
    """Return orders of as many buyers, half of which have bought before."""
    return [
        fact(
            order(
                f"o{nth}",
                buyer=f"b{nth % 150}",
                buyer_note="快点",
                recipient=Recipient(
                    name="王小明", phone=f"1380000{nth:04}", province="浙江省", address="文三路 100 号"
                ),
            )
        )
        for nth in range(first, first + count)
    ]


@pytest.fixture
def town(make_town: Callable[..., Town]) -> Town:
    """A shop with 50 orders."""
    town = make_town()
    set_stock(town.ctx, warehouse="SH", sku="TEA", on_hand=10_000, actor="keeper")
    take_in(town, *sold(0, 50))
    return town


@pytest.mark.parametrize(("rules", "at_hand", "opening"), [(TWELVE, 2, 3), (ALL, 4, 5)])
def test_what_rules_ask_is_loaded_for_two_hundred_orders_in_four_statements(
    town: Town, rules: str, at_hand: int, opening: int
) -> None:
    put_in_force(town, rules)
    take_in(town, *sold(50, 200))
    ids = [id for (id,) in rows(town, "SELECT id FROM orders ORDER BY id DESC LIMIT 200")]
    asked = town.ctx.book.needs[On.ORDER]
    with town.store.read() as connection:
        batch = list(read_orders(connection, ids).values())
        with counted(town) as statements:
            loaded = load_facts(connection, town.store.vault, batch, asked, people={})
        assert (len(statements), len(loaded.people), len(loaded.goods)) == (opening, 200, 1)

        with counted(town) as statements:
            load_facts(connection, town.store.vault, batch, asked, people=loaded.people)
        assert len(statements) == at_hand


def test_a_larger_batch_takes_no_more_statements(town: Town) -> None:
    put_in_force(town, ALL)
    counts = []
    for first, count in ((50, 20), (100, 200)):
        with counted(town) as statements:
            take_in(town, *sold(first, count))
        counts.append(len(statements))

    assert counts[1] <= counts[0] + 2, counts  # a list of parameters may be cut once more
