"""What a plan reads of the tables that hold history: nothing is refused that an index leads to straight away.

"Straight away" is by an index of which at least one column that tells rows apart is given: a channel, a SKU or a state
alone leads to a share of all there ever was. Indexes over what is open only may be walked whole, they hold no history.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint

from erpsync.store.tables import metadata

HISTORY = frozenset(
    (
        *("orders", "order_line", "line_part", "shipment", "shipment_line", "refund", "refund_line"),
        *("release", "release_order", "release_line", "event", "ledger", "payload", "outbox", "inbox", "hold"),
    )
)
# Columns of which one value stands in a share of all rows.
COMMON = frozenset(
    (
        *("channel_id", "destination_id", "warehouse_id", "sku_id", "kind", "state", "phase", "owner_kind"),
        *("ref_kind", "reason", "carrier", "lane"),
    )
)
TOLD_OFTEN = frozenset({"ref_id"})
"""Common as well where numbers are asked for: a best seller's listing was told thousands, a parcel is reported once."""

LITTLE = 50.0
"""A part of a plan that PostgreSQL thinks to be done within so many pages reads no history, however it is told."""

_LITE = re.compile(r"^(SCAN|SEARCH) (\S+)(?: USING (?:AUTOMATIC )?(?:PARTIAL )?(?:COVERING )?INDEX (\S+))?( \(.*\))?")
# The largest id of a whole table: the end of its key, on either database.
_LAST = re.compile(r'SELECT max\((?:"?\w+"?\.)?id\)[^()]*\sFROM "?\w+"?\s*(?:\)|$)')
_GIVEN = re.compile(r"(?:\w+\.)?\"?(\w+)\"?\)?(?:::[\w ]+)?\s*(=|<=|>=|<|>|~~)\s")


@dataclass(frozen=True, slots=True)
class Walk:
    """A table with history of which a plan reads a part that grows with it."""

    table: str
    how: str


def open_only(where: str) -> bool:
    """Whether a partial index holds what is open and no history: `IS NOT NULL` fits most rows there ever were."""
    return bool(where) and "IS NOT NULL" not in where


def _indexes() -> dict[str, tuple[str, bool]]:
    """Return (table, whether it holds open rows only) by index, with the names either database gives to keys."""
    found: dict[str, tuple[str, bool]] = {}
    for table in metadata.tables.values():
        for index in table.indexes:
            found[str(index.name)] = (table.name, open_only(_where(index)))
        keys = [each for each in table.constraints if isinstance(each, PrimaryKeyConstraint | UniqueConstraint)]
        for number in range(1, len(keys) + 1):
            found[f"sqlite_autoindex_{table.name}_{number}"] = (table.name, False)
        found |= {str(each.name): (table.name, False) for each in keys}
    return found


def _where(index: Index) -> str:
    where = index.dialect_options["sqlite"]["where"]
    return "" if where is None else str(where)


INDEXES = _indexes()


def common_for(parameters: Any) -> frozenset[str]:
    """Return the columns that tell few rows apart in a statement with these parameters."""
    values = parameters.values() if isinstance(parameters, Mapping) else parameters or ()
    return COMMON | TOLD_OFTEN if "stock" in list(values) else COMMON


def sqlite_walks(plan: list[str], statement: str, *, common: frozenset[str] = COMMON) -> Iterator[Walk]:
    """Yield what an EXPLAIN QUERY PLAN reads too much of."""
    aliases = {alias: table for table, alias in re.findall(r'"?(\w+)"? AS "?(\w+)"?', statement)}
    for line in plan:
        found = _LITE.match(line)
        if found is None:
            continue
        verb, name, index, given = found.groups()
        table, small = INDEXES.get(index or "", (aliases.get(name, name), False))
        last = verb == "SEARCH" and index is None and given is None and _LAST.search(statement) is not None
        if table not in HISTORY or small or last or "INTEGER PRIMARY KEY (rowid" in line:
            continue
        columns = set(re.findall(r"(\w+)[=<>]", given or ""))
        if verb == "SCAN" or columns <= common:
            yield Walk(table, line)


def postgres_walks(
    node: Mapping[str, Any],
    relation: str = "",
    *,
    small: Collection[str] = (),
    common: frozenset[str] = COMMON,
) -> Iterator[Walk]:
    """Yield what an EXPLAIN (FORMAT JSON) reads too much of.

    Args:
        small: tables with so few rows that PostgreSQL reads them whole whatever index there is.
    """
    kind, index = str(node["Node Type"]), str(node.get("Index Name", ""))
    table, is_open = INDEXES.get(index, (str(node.get("Relation Name", relation)), False))
    given = {column for column, _ in _GIVEN.findall(str(node.get("Index Cond", "")) + " ")}
    at_its_end = str(node.get("Index Cond", "")) == "(id IS NOT NULL)"  # the largest id of a table
    reads = (kind == "Seq Scan" or "Index" in kind) and not at_its_end and node.get("Total Cost", LITTLE) >= LITTLE
    if reads and table in HISTORY and table not in small and not is_open and (kind == "Seq Scan" or given <= common):
        yield Walk(table, f"{kind} on {table} {index} {node.get('Index Cond', '')}".strip())
    for child in node.get("Plans", ()):
        yield from postgres_walks(child, table, small=small, common=common)


def subplans(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts of an EXPLAIN (FORMAT JSON) that answer something about single rows of the rest."""
    for child in node.get("Plans", ()):
        if child.get("Parent Relationship") == "SubPlan":
            yield child
        else:
            yield from subplans(child)
