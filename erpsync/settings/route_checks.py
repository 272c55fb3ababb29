"""What no single value of a route can tell: ids used twice, names of nothing, channels that cannot send."""

from collections.abc import Collection, Iterator, Mapping

from erpsync.languages.codes import EVENTS, HOLD_REASONS
from erpsync.settings.checks import ReadChannel, ReadMain, text_of
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.problems import Path
from erpsync.settings.tree import Mapping as MappingNode
from erpsync.settings.tree import Node, Sequence, locate


def check_routes(main: ReadMain, channels: Mapping[str, ReadChannel], *, rules: Collection[str] | None = None) -> None:
    """Note what is wrong between routes, channels, warehouses, rules and kinds of events.

    Args:
        rules: ids of all rules; None where they cannot be told, and may be any.
    """
    first: dict[str, int] = {}
    warehouses = {text_of(row.items.get("id")) for row in _items(main.at("warehouses")) if isinstance(row, MappingNode)}
    known: dict[str, tuple[str, Collection[str]]] = {
        "channel": ("channel", channels.keys()),
        "warehouse": ("warehouse", {id for id in warehouses if id is not None}),
        "hold_reason": ("reason to hold", HOLD_REASONS),
    }
    if rules is not None:
        known["rule"] = ("rule", rules)
    for n, row in enumerate(_items(main.at("routes"))):
        if not isinstance(row, MappingNode):
            continue
        _check_id(main, n, text_of(row.items.get("id")), first)
        _check_to(main, n, text_of(row.items.get("to")), channels)
        when = row.items.get("when")
        if not isinstance(when, MappingNode):
            continue
        for path, kind in _words(when.items.get("event"), ("routes", n, "when", "event")):
            _check_kind(main, path, kind)
        for key, (noun, names) in known.items():
            for path, name in _words(when.items.get(key), ("routes", n, "when", key)):
                if name not in names:
                    hint = did_you_mean(name, names) or (f"; known are {one_of(names)}" if names else "")
                    main.add(path, f"no {noun} '{name}'{hint}")


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


def _check_kind(main: ReadMain, path: Path, kind: str) -> None:
    if kind.endswith(".") and any(event.startswith(kind) for event in EVENTS):
        return
    if kind not in EVENTS:
        hint = did_you_mean(kind, EVENTS) or "; docs/messages.md lists them"
        main.add(path, f"no kind of event '{kind}'{hint}")


def _items(node: Node | None) -> list[Node]:
    return list(node.items) if isinstance(node, Sequence) else []


def _words(node: Node | None, path: Path) -> Iterator[tuple[Path, str]]:
    """Yield place and text of a word, or of each word of a list."""
    alone = text_of(node)
    if alone is not None:
        yield path, alone
    for n, item in enumerate(_items(node)):
        word = text_of(item)
        if word is not None:
            yield (*path, n), word
