"""A person says how a line is to be made, or asks what was said: what was written goes nowhere else.

Why what is said is kept apart from the line: it counts more than what the channel tells later, until it is taken back.
"""

from collections.abc import Mapping

from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.core.specs import Parameter, Texts, read
from erpsync.flows.context import Context
from erpsync.flows.errors import Refused
from erpsync.flows.orders.decide import redecide
from erpsync.flows.orders.find import find_order
from erpsync.flows.specs.words import problem_text
from erpsync.store.db.store import Tx
from erpsync.store.events import Event, write_events
from erpsync.store.orders import read_orders
from erpsync.store.variants import Custom, clear_spec, customs_of, opened_specs, say_spec, specs_said

Specs = Mapping[str, Mapping[str, str]]
"""Values by parameter, by the line's external id."""


def specify(ctx: Context, order: str, line: str, values: Mapping[str, str], *, actor: str) -> None:
    """Say how a line is to be made; what was said before of other parameters stays.

    Raises `Refused` where the line is not made as somebody wants it, has left, or may not be made like that.
    """

    def say(tx: Tx) -> None:
        stored = find_order(tx, order)
        wanted = _line(stored, line)
        _check(line, _parameters(tx, ctx, wanted), values)
        said = specs_said(tx, [wanted.id]).get(wanted.id, {}) | dict(values)
        say_spec(tx, wanted.id, said, actor=actor)
        _decide(tx, ctx, stored, wanted, {"line": line, "names": sorted(values)}, actor)

    ctx.store.retrying(say)


def unspecify(ctx: Context, order: str, line: str, *, actor: str) -> None:
    """Take back what was said of a line: what the channel tells counts again. `Refused` where nothing was."""

    def take_back(tx: Tx) -> None:
        stored = find_order(tx, order)
        wanted = _line(stored, line)
        if not clear_spec(tx, wanted.id):
            raise Refused(f"nobody has said how line {line} is to be made")
        _decide(tx, ctx, stored, wanted, {"line": line, "names": []}, actor)

    ctx.store.retrying(take_back)


def reveal_specs(ctx: Context, order: str, *, actor: str) -> Specs:
    """Return how the lines of an order are made, those that are; who asked is on record before it is returned.

    Raises `Refused` when no order, or more than one, is meant; `PrivacyError` when no key at hand opens it.
    """

    def look(tx: Tx) -> Specs:
        stored = find_order(tx, order)
        specs = opened_specs(tx, {sku_id for line in stored.lines for sku_id in line.parts})
        made: dict[str, dict[str, str]] = {}
        for line in stored.lines:
            for sku_id in line.parts.keys() & specs.keys():
                made.setdefault(line.external_id, {}).update(specs[sku_id])
        write_events(tx, [Event(kind="order.spec_shown", order_id=stored.id, actor=actor)])
        return made

    return ctx.store.retrying(look)


def may_be_said(ctx: Context, order_id: int) -> dict[str, tuple[str, ...]]:
    """Return the parameters that may be said of an order's lines that are still to leave, by external id."""
    if not ctx.specs:
        return {}
    with ctx.store.read() as connection:
        order = read_orders(connection, [order_id])[order_id]
        lines = [line for line in order.lines if line.parts and line.open_qty and not line.shipped_qty]
        customs = customs_of(connection, {sku_id for line in lines for sku_id in line.parts})
    said = {line.external_id: tuple(_named(ctx, customs, line)) for line in lines}
    return {line: names for line, names in said.items() if names}


def _line(order: KnownOrder, name: str) -> KnownLine:
    for line in order.lines:
        if line.external_id == name:
            if line.shipped_qty or not line.open_qty:
                raise Refused(f"nothing of line {name} is still to be made, or some of it has left")
            return line
    known = ", ".join(line.external_id for line in order.lines)
    raise Refused(
        f"order {order.number} has no line {name}; its lines are {known}",
        kept="the order has no line of that name",
    )


def _parameters(tx: Tx, ctx: Context, line: KnownLine) -> dict[str, Parameter]:
    """Return what may be said of a line, by name."""
    parameters = _named(ctx, customs_of(tx.connection, line.parts), line)
    if not parameters:
        raise Refused(f"line {line.external_id} is not made as a buyer wants it; `items list` says what is")
    return parameters


def _named(ctx: Context, customs: Mapping[int, Custom], line: KnownLine) -> dict[str, Parameter]:
    sets = [ctx.specs.get(customs[sku_id].rules, ()) for sku_id in line.parts if sku_id in customs]
    return {parameter.name: parameter for rules in sets for parameter in rules}


def _check(line: str, parameters: Mapping[str, Parameter], values: Mapping[str, str]) -> None:
    for name in values:
        if name not in parameters:
            known = ", ".join(parameters)
            raise Refused(f"line {line} has no parameter {name}; it has {known}", kept="no parameter of that name")
    reading = read([parameters[name] for name in values], Texts(), values)
    for problem in reading.problems:
        raise Refused(problem_text(line, problem))


def _decide(tx: Tx, ctx: Context, order: KnownOrder, line: KnownLine, detail: Mapping[str, object], actor: str) -> None:
    event = "order.specified"
    redecide(tx, ctx, [(order, order)], event=event, actor=actor, detail=detail, respecify=[line.id])
