"""What events say, with names in place of row ids.

Why translated when read: a decision is written under lock by ids it has at hand, and looking names up there would cost
every order what only a reader needs.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, Connection, select

from erpsync.store.tables import channel, order_line, orders, sku, warehouse

# Key in a detail, the key that takes its place, and where the name stands.
_NAMED: tuple[tuple[str, str, Column[int], Column[str]], ...] = (
    ("sku_id", "sku", sku.c.id, sku.c.code),
    ("warehouse_id", "warehouse", warehouse.c.id, warehouse.c.code),
    ("line_id", "line", order_line.c.id, order_line.c.external_id),
    ("order_id", "order", orders.c.id, orders.c.number),
    ("channel_id", "channel", channel.c.id, channel.c.name),
)


def with_names(connection: Connection, details: Sequence[Any]) -> list[Any]:
    """Return the details with every row id replaced by its name; an id that is gone stays."""
    names: dict[str, dict[int, str]] = {}
    for key, _, id_column, name_column in _NAMED:
        ids = sorted({id for detail in details for id in _ids(detail, key)})
        if ids:
            query = select(id_column, name_column).where(id_column.in_(ids))
            names[key] = {row[0]: row[1] for row in connection.execute(query)}
    return [_named(detail, names) for detail in details] if names else list(details)


def _ids(detail: Any, key: str) -> Iterator[int]:
    if isinstance(detail, dict):
        if isinstance(detail.get(key), int):
            yield detail[key]
        yield from _below(detail.values(), key)
    elif isinstance(detail, list):
        yield from _below(detail, key)


def _below(values: Iterable[Any], key: str) -> Iterator[int]:
    for value in values:
        yield from _ids(value, key)


def _named(detail: Any, names: dict[str, dict[int, str]]) -> Any:
    if isinstance(detail, list):
        return [_named(part, names) for part in detail]
    if not isinstance(detail, dict):
        return detail
    return dict(_pair(key, value, names) for key, value in detail.items())


def _pair(key: str, value: Any, names: dict[str, dict[int, str]]) -> tuple[str, Any]:
    name = names.get(key, {}).get(value) if isinstance(value, int) else None
    shown = next(word for id_key, word, _, _ in _NAMED if id_key == key) if name is not None else key
    return shown, _named(value, names) if name is None else name
