"""Reads a YAML file into a tree of nodes that know their line and column.

Only YAML 1.2 core scalars are known: `NO`, `22:30` and `1_000` are text, `0123` is 123. Duplicate keys, merge keys,
tags other than `!file` and `!cred`, and second documents are refused.

Why built from parser events and not by PyYAML's composer: the composer forgets duplicate keys, resolves scalars by
YAML 1.1 and recurses as deep as the text says; a handful of functions here does none of that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from erpsync.settings.problems import Findings, Path

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_NUMBER_CHARS = 40
TAGS = ("!file", "!cred")
NUL = "holds U+0000, which no text may hold"

Place = tuple[int, int]
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR_TAG = "tag:yaml.org,2002:str"
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FULL_WIDTH = re.compile(r"[ ]*(?:-[ ]+)?(?:[a-z][a-z0-9_]*[ ]*(?=：|:[\u3000\xa0]))?(?P<odd>：|:?[\u3000\xa0])")
"""A key with a full-width colon, a colon with such a blank behind it, or such a blank at the beginning of a line."""
_INT = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `tag` is `!file`, `!cred` or empty."""

    place: Place
    value: str | int | float | bool | None
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes."""

    place: Place
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """Keys to nodes; `keys` holds where each key stands."""

    place: Place
    items: dict[str, "Node"]
    keys: dict[str, Place]

    def without(self, *names: str) -> "Mapping":
        """Return the mapping less the keys `names`."""
        return Mapping(self.place, {key: node for key, node in self.items.items() if key not in names}, self.keys)


Node = Scalar | Sequence | Mapping


class _Stop(Exception):
    """Reading ends here; the text says why."""

    def __init__(self, place: Place, text: str, path: Path = ()) -> None:
        super().__init__(text)
        self.place, self.text, self.path = place, text, path


def core_scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar.

    Source: YAML 1.2.2 section 10.3.2, core schema tag resolution.
    """
    if len(text) > MAX_NUMBER_CHARS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if re.fullmatch(r"0o[0-7]+|0x[0-9a-fA-F]+", text):
        return int(text, 0)
    return text


def locate(node: Node, path: Path) -> tuple[Path, Place]:
    """Return the part of `path` that exists and where it stands: at its key, a list's item at itself."""
    existing: Path = ()
    place = node.place
    for part in path:
        if isinstance(node, Mapping) and part in node.items:
            place, node = node.keys[str(part)], node.items[str(part)]
        elif isinstance(node, Sequence) and isinstance(part, int) and part < len(node.items):
            node = node.items[part]
            place = node.place
        else:
            continue
        existing = (*existing, part)
    return existing, place


def parse(data: bytes, findings: Findings) -> Node | None:
    """Return the tree of one YAML document, or None after noting why there is none.

    An empty document is an empty mapping. Duplicate keys are noted and reading goes on.
    """
    text = ""
    try:
        text = _decode(data)
        return _Reader(text, findings).document()
    except _Stop as stop:
        findings.add(stop.place, stop.path, stop.text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if odd := _full_width(text.splitlines()[: mark.line + 1] if mark else []):
            findings.add(odd[0], (), odd[1])
            return None
        # The parser reports what is missing at the end one line behind it.
        findings.add(min(_place(mark), _end(text)) if mark else (1, 1), (), _syntax(error, text.splitlines()))
    except yaml.YAMLError as error:
        findings.add((1, 1), (), " ".join(str(error).split()))
    return None


def _decode(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise _Stop((1, 1), f"larger than {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _Stop(_end(data[: error.start].decode()), f"not UTF-8: byte 0x{data[error.start]:02x}") from None
    strange = _UNPRINTABLE.search(text)
    if strange:
        raise _Stop(_end(text[: strange.start()]), f"character U+{ord(strange.group()):04X} is not allowed in YAML")
    return text


def _end(text: str) -> Place:
    """Return the place right behind `text`."""
    lines = re.split("\r\n|[\n\r\x85\u2028\u2029]", text.removeprefix("\ufeff"))
    return len(lines), len(lines[-1]) + 1


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


def _syntax(error: yaml.MarkedYAMLError, lines: list[str]) -> str:
    line = lines[error.problem_mark.line] if error.problem_mark and error.problem_mark.line < len(lines) else ""
    text = " ".join(part for part in (error.problem, error.context) if part)
    if "cannot start any token" in text:
        return f"{text} (a tab? indent with spaces; quote text that begins with @, ` or %)"
    if "flow mapping" in text and "${" in line:
        return f"{text} (inside braces, put ${{…}} in quotes)"
    return text or "not YAML"


def _full_width(lines: list[str]) -> tuple[Place, str] | None:
    """Return the last place where a full-width colon or blank stands for one that YAML knows, and what to write.

    The parser takes them for text, reads on and complains lines behind.
    """
    for number in range(len(lines), 0, -1):
        if match := _FULL_WIDTH.match(lines[number - 1]):
            return (number, match.start("odd") + 1), _instead(match["odd"])
    return None


def _instead(odd: str) -> str:
    code = f"U+{ord(odd[-1]):04X}"
    if odd[-1] == "：":
        return f"full-width colon {code}: write a plain colon and a blank (or quote the text)"
    return f"full-width or hard blank {code}: write a plain one (or quote the text)"


def _extent(node: Node) -> tuple[int, int]:
    """Return how many nodes a tree has and how many levels."""
    if isinstance(node, Scalar):
        return 1, 1
    below = [_extent(child) for child in (node.items.values() if isinstance(node, Mapping) else node.items)]
    return 1 + sum(nodes for nodes, _ in below), 1 + max((height for _, height in below), default=0)


class _Reader:
    """Turns parser events into nodes."""

    def __init__(self, text: str, findings: Findings) -> None:
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Loader)
        self._findings = findings
        self._anchors: dict[str, Node] = {}
        self._count = 0

    def document(self) -> Node:
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return Mapping((1, 1), {}, {})
        root = self._node(next(self._events), ())
        next(self._events)
        more = next(self._events)
        if not isinstance(more, yaml.StreamEndEvent):
            raise _Stop(_place(more.start_mark), "a second document begins here; one per file")
        if isinstance(root, Scalar) and root.value is None:
            return Mapping(root.place, {}, {})
        return root

    def _node(self, event: Any, path: Path) -> Node:
        place = _place(event.start_mark)
        self._grow(1, len(path), place, path)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event.anchor, place, path)
        if isinstance(event, yaml.ScalarEvent):
            node: Node = self._scalar(event, place, path)
        else:
            self._check_tag(event, place, path)
            build = self._mapping if isinstance(event, yaml.MappingStartEvent) else self._sequence
            node = build(place, path)
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _grow(self, nodes: int, depth: int, place: Place, path: Path) -> None:
        self._count += nodes
        if depth > MAX_DEPTH:
            raise _Stop(place, f"nested deeper than {MAX_DEPTH} levels")
        if self._count > MAX_NODES:
            raise _Stop(place, f"more than {MAX_NODES} values, aliases counted in full", path)

    def _alias(self, name: str | None, place: Place, path: Path) -> Node:
        if name is None or name not in self._anchors:
            raise _Stop(place, f"alias *{name} has no anchor &{name} before it", path)
        node = self._anchors[name]
        nodes, height = _extent(node)
        self._grow(nodes, len(path) + height - 1, place, path)
        return node

    def _scalar(self, event: Any, place: Place, path: Path) -> Scalar:
        if "\0" in event.value:
            raise _Stop(place, NUL, path)
        if event.tag in TAGS:
            return Scalar(place, event.value, event.tag)
        self._check_tag(event, place, path)
        if event.implicit[0] and (match := _FULL_WIDTH.match(event.value)):
            line, column = place
            raise _Stop((line, column + match.start("odd")), _instead(match["odd"]), path)
        if event.implicit[0]:
            return Scalar(place, core_scalar(event.value))
        return Scalar(place, event.value)

    def _check_tag(self, event: Any, place: Place, path: Path) -> None:
        if event.tag not in (None, "!") and not (event.tag == _STR_TAG and isinstance(event, yaml.ScalarEvent)):
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            raise _Stop(place, f"tag {tag} is not supported here; only !file PATH and !cred NAME are", path)

    def _sequence(self, place: Place, path: Path) -> Sequence:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, (*path, len(items))))
        return Sequence(place, tuple(items))

    def _mapping(self, place: Place, path: Path) -> Mapping:
        items: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key, at = self._key(event, path), _place(event.start_mark)
            node = self._node(next(self._events), (*path, key))
            if key in items:
                first = keys[key][0]
                self._findings.add(at, (*path, key), f"key stands twice, on line {first} and on line {at[0]}")
                continue
            items[key], keys[key] = node, at
        return Mapping(place, items, keys)

    def _key(self, event: Any, path: Path) -> str:
        place = _place(event.start_mark)
        if not isinstance(event, yaml.ScalarEvent):
            raise _Stop(place, "a key must be plain text", path)
        if event.value == "<<" and event.implicit[0]:
            raise _Stop(place, "merge keys are not YAML 1.2; put shared values under `defaults:`", path)
        self._check_tag(event, place, path)
        if "\0" in event.value:
            raise _Stop(place, NUL, path)
        if event.implicit[0] and event.value[:1] in ("\u3000", "\xa0"):
            raise _Stop(place, _instead(event.value[0]), path)
        return str(event.value)
