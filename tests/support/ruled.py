"""Rules in force for a flow test, written as a seller writes them."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import select

from erpsync.core.rules import compile_book
from erpsync.flows.audit.looks import judge_due
from erpsync.flows.context import Context
from erpsync.settings.rules import load_rules
from erpsync.store.order_rules import marks_of
from erpsync.store.tables import order_hold, orders
from tests.support.shop import SHANGHAI, Town


def put_in_force(town: Town, rules: str) -> None:
    """Put rules in force, as a reload does; open orders are judged by them."""
    town.ctx = with_rules(town, rules)
    judge_due(town.ctx)


def with_rules(town: Town, rules: str) -> Context:
    """Return a town's context with rules by which nothing was judged yet."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rules.yaml"
        file.write_text(rules, encoding="utf-8")
        config = load_rules(file, timezone=SHANGHAI).require()
    lines = {id: f"rules.yaml:{line}" for id, line in config.lines.items()}
    return replace(town.ctx, book=compile_book(config.rules, config.zones, SHANGHAI), rule_lines=lines)


def order_id(town: Town, order: str) -> int:
    with town.store.read() as connection:
        return int(connection.execute(select(orders.c.id).where(orders.c.external_id == order)).scalar_one())


def ruled_by(town: Town, order: str) -> dict[str, str]:
    """Return the holds of an order, by reason."""
    with town.store.read() as connection:
        held = select(order_hold).where(order_hold.c.order_id == order_id(town, order))
        return {row.reason: row.detail for row in connection.execute(held)}


def marked(town: Town, order: str) -> dict[str, str]:
    """Return the marks of an order, by name."""
    with town.store.read() as connection:
        marks: Any = marks_of(connection, [order_id(town, order)]).get(order_id(town, order), {})
    return {name: mark.value for name, mark in marks.items()}


def lines_of(town: Town, order: str) -> dict[str, tuple[int, int]]:
    """Return quantity and cancelled units of an order's lines, by their id."""
    from erpsync.store.orders import read_orders

    with town.store.read() as connection:
        found = read_orders(connection, [order_id(town, order)])[order_id(town, order)]
    return {line.external_id: (line.qty, line.cancelled_qty) for line in found.lines}
