"""What no single value can tell: names used twice, names of nothing, keys that do not fit the database.

Why on trees and not on models: a duplicate is worth telling even when other keys of the same file are wrong.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from erpsync.core.numbering import meeting
from erpsync.core.policy import OrderPolicy
from erpsync.settings.config import is_loopback
from erpsync.settings.hints import did_you_mean, one_of
from erpsync.settings.models import POSTGRES, ChannelFile, MainFile, key_problem
from erpsync.settings.problems import Findings, Path, Severity
from erpsync.settings.secrets import is_placeholder, is_reference
from erpsync.settings.tree import Mapping, Node, Scalar, Sequence, locate

_PASSWORD = re.compile(r"://[^/@]*:[^/@]+@")


NO_TLS = (
    "{host} is reached from other machines, and console and API answer those only by TLS: let it be 127.0.0.1 behind a "
    "proxy, which says X-Forwarded-Proto: https, or set plain_http: true"
)
READ_ON_THE_WAY = (
    "{host} is reached from other machines without TLS: passwords, tokens and what is shown can be read on the way"
)


@dataclass(slots=True)
class ReadFile:
    """A file as far as it could be read: its tree, and what it says if that is right."""

    findings: Findings
    node: Node | None = None

    def add(self, path: Path, text: str, severity: Severity = "error") -> None:
        """Note a problem at the deepest place of `path` that exists."""
        if self.node is not None:
            self.findings.add(locate(self.node, path)[1], path, text, severity)

    def at(self, *path: str) -> Node | None:
        """Return the node at `path`."""
        node = self.node
        for key in path:
            node = node.items.get(key) if isinstance(node, Mapping) else None
        return node


@dataclass(slots=True)
class ReadMain(ReadFile):
    """erpsync.yaml."""

    model: MainFile | None = None


@dataclass(slots=True)
class ReadChannel(ReadFile):
    """A channel file; `settings` is an instance of the connector's model.

    What a connector plays is None while its class is not known; `makeable` as in
    `ChannelConfig`.
    """

    model: ChannelFile | None = None
    settings: Any = None
    makeable: bool = True
    runs_warehouses: bool | None = None
    takes_messages: bool | None = None
    books: bool | None = None
    tracks: bool | None = None


def text_of(node: Node | None) -> str | None:
    """Return the text of a scalar that is text."""
    return node.value if isinstance(node, Scalar) and isinstance(node.value, str) else None


def check_main(main: ReadMain) -> None:
    """Note what is wrong between the keys of erpsync.yaml."""
    first: dict[str, int] = {}
    for n, id in warehouse_rows(main):
        path = ("warehouses", n, "id")
        if id in first and main.node is not None:
            line = locate(main.node, ("warehouses", first[id], "id"))[1][0]
            main.add(path, f"'{id}' is already the id of the warehouse on line {line}")
        first.setdefault(id, n)
    if main.model is None:
        return
    if not main.model.warehouses:
        main.add(("warehouses",), "no warehouse: nothing can be allocated", "warning")
    database = main.at("database")
    if isinstance(database, Scalar) and not is_reference(database) and _PASSWORD.search(str(database.value)):
        main.add(("database",), "the password is written in the file; use ${ENV} in its place", "warning")
    _check_web(main, main.model)
    _check_privacy(main, main.model)


def _check_web(main: ReadMain, model: MainFile) -> None:
    host = model.web.listen.rpartition(":")[0]
    if is_loopback(host):
        return
    if model.web.plain_http:
        main.add(("web", "plain_http"), READ_ON_THE_WAY.format(host=host), "note")
    else:
        main.add(("web", "listen"), NO_TLS.format(host=host), "warning")


def warehouse_rows(main: ReadMain) -> Iterator[tuple[int, str]]:
    """Yield place in the list and id of each warehouse that has one."""
    rows = main.at("warehouses")
    for n, row in enumerate(rows.items if isinstance(rows, Sequence) else ()):
        id = text_of(row.items.get("id")) if isinstance(row, Mapping) else None
        if id is not None:
            yield n, id


def _check_privacy(main: ReadMain, model: MainFile) -> None:
    privacy = model.privacy
    if privacy is None:
        if model.database.startswith(POSTGRES):
            text = "privacy is missing: PostgreSQL needs privacy: {keys: [!cred NAME], index_key: !cred NAME}"
            main.add(("database",), text)
        else:
            text = "no encryption keys given: `run` or `migrate` makes a key file beside the database"
            main.add(("privacy",), text, "note")
        return
    keys: list[tuple[Path, Any]] = [(("privacy", "keys", n), key) for n, key in enumerate(privacy.keys)]
    for path, secret in [*keys, (("privacy", "index_key"), privacy.index_key)]:
        problem = None if is_placeholder(secret) else key_problem(secret)
        if problem:
            main.add(path, problem)


def check_together(main: ReadMain, channels: list[ReadChannel]) -> None:
    """Note what is wrong between files: ids of channels, names of warehouses."""
    first: dict[str, ReadChannel] = {}
    for channel in channels:
        id = text_of(channel.at("id"))
        if id is None:
            continue
        other = first.setdefault(id, channel)
        if other is not channel and other.node is not None:
            line = locate(other.node, ("id",))[1][0]
            channel.add(("id",), f"'{id}' is already the id of the channel at {other.findings.file}:{line}")
    check_numbers(main, list(first.values()))
    if main.node is None:
        return
    _check_runners(main, first)
    warehouse_ids = {id for _, id in warehouse_rows(main)}
    closed = {warehouse.id for warehouse in main.model.warehouses if not warehouse.sellable} if main.model else set()
    _check_places(main, ("defaults", "stock", "warehouses"), warehouse_ids, closed)
    for channel in channels:
        _check_places(channel, ("stock", "warehouses"), warehouse_ids, closed)
        _check_places(channel, ("courier", "warehouses"), warehouse_ids, set())


def check_numbers(main: ReadMain, channels: list[ReadChannel]) -> None:
    """Note channels whose order numbers could be those of another channel: from then on none of theirs is stored."""
    patterns: list[tuple[str, str, ReadChannel]] = []
    for channel in channels:
        if channel.model is None:
            continue
        id, pattern = channel.model.id, _pattern(main, channel.model)
        for other_id, other, file in patterns:
            met = meeting((id, pattern), (other_id, other))
            if met is not None:
                text = f"'{pattern}' of channel '{id}' can make the number {met}, and so can '{other}' of '{other_id}'"
                path = ("orders", "number") if channel.at("orders", "number") else ("id",)
                channel.add(path, f"{text} ({file.findings.file}); put something in that tells them apart")
                break
        patterns.append((id, pattern, channel))


def _pattern(main: ReadMain, channel: ChannelFile) -> str:
    """Return the pattern of a channel's order numbers: its own, that of `defaults`, or the usual one."""
    layers = [channel.orders, *([main.model.defaults.orders] if main.model else [])]
    return next((layer.number for layer in layers if "number" in layer.model_fields_set), OrderPolicy().number)


def _check_runners(main: ReadMain, channels: dict[str, ReadChannel]) -> None:
    """Note warehouses whose channel does not exist, or cannot be one that runs a warehouse."""
    rows = main.at("warehouses")
    for n, row in enumerate(rows.items if isinstance(rows, Sequence) else ()):
        id = text_of(row.items.get("channel")) if isinstance(row, Mapping) else None
        if id is None:
            continue
        path = ("warehouses", n, "channel")
        channel = channels.get(id)
        if channel is None:
            hint = did_you_mean(id, channels) or (f"; known are {one_of(channels)}" if channels else "")
            main.add(path, f"no channel '{id}' in channels/{hint}")
        elif channel.runs_warehouses is False:
            main.add(path, f"channel '{id}' cannot run a warehouse: its connector takes no releases")
        elif channel.model is not None and not channel.model.enabled:
            main.add(path, f"channel '{id}' is disabled, so nothing is released to this warehouse", "warning")


def _check_places(file: ReadFile, path: tuple[str, ...], warehouse_ids: set[str], closed: set[str]) -> None:
    rows = file.at(*path)
    seen: set[str] = set()
    for n, row in enumerate(rows.items if isinstance(rows, Sequence) else ()):
        id = text_of(row)
        if id is None:
            continue
        if id not in warehouse_ids:
            hint = did_you_mean(id, warehouse_ids) or f"; known are {one_of(warehouse_ids)}"
            file.add((*path, n), f"no warehouse '{id}' in erpsync.yaml{hint}")
        elif id in seen:
            file.add((*path, n), f"warehouse '{id}' stands twice")
        elif id in closed:
            file.add((*path, n), f"warehouse '{id}' is not sellable, so it feeds nobody", "warning")
        seen.add(id)
