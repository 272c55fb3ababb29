"""What no single value of a route can tell: ids used twice, names of nothing, channels that cannot send."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from erpsync.settings.checks import ReadChannel, ReadMain, text_of, warehouse_rows
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.problems import Path
from erpsync.settings.secrets import Sources, Unresolved, is_reference
from erpsync.settings.tree import Mapping as MappingNode
from erpsync.settings.tree import Node, Scalar, Sequence, core_scalar, locate

if TYPE_CHECKING:
    from erpsync.core.rules.model import Condition

_NUMBERS = ("lt", "le", "gt", "ge")


def check_routes(
    main: ReadMain, channels: Mapping[str, ReadChannel], sources: Sources, *, rules: Collection[str] | None = None
) -> list["Condition | None"]:
    """Note what is wrong with routes; return what each has under `when`, None where that is wrong.

    Args:
        sources: what references under `when` are resolved by; those that lead nowhere were noted.
        rules: ids of all rules; None where they cannot be told, and may be any.
    """
    first: dict[str, int] = {}
    conditions = []
    for n, row in enumerate(_items(main.at("routes"))):
        if not isinstance(row, MappingNode):
            continue
        _check_id(main, n, text_of(row.items.get("id")), first)
        _check_to(main, n, text_of(row.items.get("to")), channels)
        when = row.items.get("when")
        conditions.append(None if when is None else _condition(main, n, when, channels, sources, rules))
    return conditions


def _condition(
    main: ReadMain,
    n: int,
    when: Node,
    channels: Collection[str],
    sources: Sources,
    rules: Collection[str] | None,
) -> "Condition | None":
    """Return what a route asks of events, after noting what is wrong with it."""
    from erpsync.core.facts import On
    from erpsync.core.rules.events import kinds_of
    from erpsync.core.rules.lint import never_match
    from erpsync.settings.conditions import Conditions, Known

    path: Path = ("routes", n, "when")
    try:
        said = _resolved(when, sources)
    except Unresolved:
        return None
    known = Known(channels=channels, warehouses={id for _, id in warehouse_rows(main)}, rules=rules)
    condition = Conditions(findings=main.findings, on=On.EVENT, zones=(), known=known).read(said, path)
    if condition is None:
        return None
    if not kinds_of(condition):
        main.add((*path, "event"), "is missing: say of which kinds of events it tells, under `any` in each of them")
    elif fact := never_match(condition, On.EVENT, {}):
        main.add(path, f"can never hold: {fact} would have to be two things at once")
    return condition


def _resolved(node: Node, sources: Sources, key: str = "") -> Node:
    """Return the tree with the text of each reference in its place, a number where it is compared with one."""
    if isinstance(node, MappingNode):
        return replace(node, items={key: _resolved(child, sources, key) for key, child in node.items.items()})
    if isinstance(node, Sequence):
        return replace(node, items=tuple(_resolved(child, sources, key) for child in node.items))
    if not is_reference(node):
        return node
    text = sources.resolve(node)
    return Scalar(node.place, core_scalar(text) if key in _NUMBERS else text)


def _check_id(main: ReadMain, n: int, id: str | None, first: dict[str, int]) -> None:
    if id is None or main.node is None:
        return
    if id in first:
        line = locate(main.node, ("routes", first[id], "id"))[1][0]
        main.add(("routes", n, "id"), f"'{id}' is already the id of the route on line {line}")
    first.setdefault(id, n)


def _check_to(main: ReadMain, n: int, to: str | None, channels: Mapping[str, ReadChannel]) -> None:
    if to is None:
        return
    path = ("routes", n, "to")
    channel = channels.get(to)
    if channel is None:
        hint = did_you_mean(to, channels) or (f"; known are {one_of(channels)}" if channels else "")
        main.add(path, f"no channel '{to}' in channels/{hint}")
    elif channel.takes_messages is False:
        main.add(path, f"channel '{to}' cannot send messages: its connector takes none")
    elif channel.model is not None and not channel.model.enabled:
        main.add(path, f"channel '{to}' is disabled, so nobody is told anything through it", "warning")


def _items(node: Node | None) -> list[Node]:
    return list(node.items) if isinstance(node, Sequence) else []
