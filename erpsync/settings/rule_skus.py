"""The SKUs that rules name, and where: the only names in them that no file of a configuration holds."""

from collections.abc import Iterator
from dataclasses import dataclass

from erpsync.core.facts import plain
from erpsync.settings.problems import Path
from erpsync.settings.tree import Mapping, Node, Scalar, Sequence

_GROUPS = ("any", "all", "not")
_NO_SKU = ("wait", "drop")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSku:
    """A SKU that stands at `path`.

    Args:
        code: of a gift as it is written; else as it is compared, also the beginning of codes with a `*` behind.
        given: whether it is given, and so has to lie somewhere.
    """

    code: str
    path: Path
    given: bool = False


def named_skus(root: Node | None) -> Iterator[NamedSku]:
    """Yield the SKUs that the rules of a file name, from top to bottom."""
    rules = _at(root, "rules")
    for n, rule in enumerate(rules.items if isinstance(rules, Sequence) else ()):
        path: Path = ("rules", n)
        yield from _in_conditions(_at(rule, "when"), (*path, "when"))
        then = _at(rule, "then")
        yield from _given(_at(then, "gift"), (*path, "then", "gift"))
        parts = _at(then, "part")
        for name, part in parts.items.items() if isinstance(parts, Mapping) else ():
            yield from _words(_at(part, "sku"), (*path, "then", "part", name, "sku"))


def _at(node: Node | None, key: str) -> Node | None:
    return node.items.get(key) if isinstance(node, Mapping) else None


def _in_conditions(node: Node | None, path: Path) -> Iterator[NamedSku]:
    if isinstance(node, Sequence):
        for n, child in enumerate(node.items):
            yield from _in_conditions(child, (*path, n))
    if isinstance(node, Mapping):
        yield from _words(node.items.get("sku"), (*path, "sku"))
        for key in _GROUPS:
            yield from _in_conditions(node.items.get(key), (*path, key))


def _words(node: Node | None, path: Path) -> Iterator[NamedSku]:
    """Yield the words beside `sku`: one, a list, or lists by how they are compared."""
    if isinstance(node, Scalar):
        yield NamedSku(code=plain(str(node.value)).strip(), path=path)
    elif isinstance(node, Sequence):
        for n, child in enumerate(node.items):
            yield from _words(child, (*path, n))
    elif isinstance(node, Mapping):
        for key, child in node.items.items():
            if key != "is":
                yield from _words(child, (*path, key))


def _given(gift: Node | None, path: Path) -> Iterator[NamedSku]:
    for key in ("sku", "short"):
        node = _at(gift, key)
        if isinstance(node, Scalar) and node.value not in _NO_SKU:
            yield NamedSku(code=str(node.value).strip(), path=(*path, key), given=True)
