"""Orders that wait, mapped anew after a listing was corrected or a bundle's parts were changed.

Why only what waits: what left, or what a warehouse was told to send, is what it is; a person has to see to that. Why
transactions of its own: the import has locked SKUs, and orders are locked before SKUs everywhere. The import leaves a
mark, and should the process die in between, upkeep goes through all orders that wait.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, select, true

from erpsync.core.fulfilment import LINE
from erpsync.core.orders import KnownLine, KnownOrder
from erpsync.flows.context import Context
from erpsync.flows.orders.decide import redecide
from erpsync.store.db.bulk import in_parts
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.db.store import Tx
from erpsync.store.items import bundles_with
from erpsync.store.orders import lock_order_ids
from erpsync.store.registry import sku_codes
from erpsync.store.sku_mapping import Mapped, Thing, as_mapped, map_things
from erpsync.store.tables import hold, order_line, orders
from erpsync.store.tasks import Task, open_tasks
from erpsync.store.variants import bases_of, customs_of

AT_ONCE = 200
TASK = "mapping_changed"
WANTED, DONE = "remap wanted", "remap done"
Decided = tuple[KnownOrder, KnownOrder]


def want_remap(tx: Tx) -> None:
    """Note, in the commit that changes a mapping, that orders which wait are to be mapped anew."""
    set_mark(tx, WANTED, (read_mark(tx.connection, WANTED) or 0) + 1)


def remap_wanted(ctx: Context) -> int:
    """Map anew all orders that wait if a mapping has changed since this was last done; return how many changed."""
    with ctx.store.read() as connection:
        wanted = read_mark(connection, WANTED) or 0
        if wanted == (read_mark(connection, DONE) or 0):
            return 0
    changed = _remap(ctx, lambda line: True)
    ctx.store.retrying(lambda tx: set_mark(tx, DONE, wanted))
    return changed


def remap_codes(ctx: Context, channel_id: int, codes: Iterable[str]) -> int:
    """Map anew what waits of a channel under these seller codes; return how many orders changed."""
    wanted = set(codes)
    return _remap(ctx, lambda line: line.channel_sku in wanted, orders.c.channel_id == channel_id) if wanted else 0


def remap_skus(ctx: Context, sku_ids: Iterable[int]) -> int:
    """Map anew what waits for these SKUs or for bundles of them, as parts or specs have changed; return how many."""
    wanted = set(sku_ids)
    with ctx.store.read() as connection:
        wanted |= bundles_with(connection, wanted)
    return _remap(ctx, lambda line: line.sku_id in wanted) if wanted else 0


def _remap(ctx: Context, concerns: Callable[[Any], bool], which: ColumnElement[bool] | None = None) -> int:
    changed = 0
    for ids in in_parts(_concerned(ctx, concerns, true() if which is None else which), AT_ONCE):
        changed += ctx.store.retrying(partial(_map_anew, ctx=ctx, ids=ids))
    return changed


def _concerned(ctx: Context, concerns: Callable[[Any], bool], which: ColumnElement[bool]) -> set[int]:
    """Return the orders that wait and have a mapped line of the kind.

    By order and not by code or SKU, of which all history has lines.
    """
    # Scans orders: those that wait, not those that have ended; a mapping is corrected seldom.
    waiting = select(orders.c.id).where(orders.c.phase.in_(("partially_shipped", "held", "unpaid", "ready")), which)
    columns = (order_line.c.order_id, order_line.c.channel_sku, order_line.c.sku_id, order_line.c.no_stock)
    concerned: set[int] = set()
    with ctx.store.read() as connection:
        for part in in_parts(connection.execute(waiting).scalars()):
            lines = connection.execute(select(*columns).where(order_line.c.order_id.in_(part)))
            concerned |= {line.order_id for line in lines if (line.sku_id or line.no_stock) and concerns(line)}
    return concerned


def _map_anew(tx: Tx, ctx: Context, ids: Sequence[int]) -> int:
    stored = lock_order_ids(tx, ids)
    differing = _differing(tx, list(stored.values()))
    unread = _unread(tx, ctx, stored.values())
    told = _released_lines(tx, [*unread, *(line.id for _, mappings in differing for line, _ in mappings)])
    decided: list[Decided] = []
    details: dict[int, dict[str, Any]] = {}
    tasks: list[Task] = []
    for order, mappings in differing:
        free = {line.id: as_mapped(line, ours) for line, ours in mappings if not _is_fixed(line, told)}
        fixed = [(line, as_mapped(line, ours)) for line, ours in mappings if _is_fixed(line, told)]
        if free:
            decided.append((order, replace(order, lines=tuple(free.get(line.id, line) for line in order.lines))))
            details[order.id] = {
                "lines": _from_to(tx, [(line, free[line.id]) for line, _ in mappings if line.id in free])
            }
        if fixed:
            tasks.append(_task(order, _from_to(tx, fixed)))
    if decided:
        redecide(tx, ctx, decided, event="order.remapped", details=details)
    open_tasks(tx, tasks)
    _read_anew(tx, ctx, stored, unread.keys() - told, done={order.id for order, _ in decided})
    return len(decided)


def _unread(tx: Tx, ctx: Context, stored: Iterable[KnownOrder]) -> dict[int, int]:
    """Return the lines that are made to somebody's wishes and whose own were never read, with their orders."""
    if not ctx.specs:
        return {}
    lines = [(order.id, line) for order in stored for line in order.lines if line.parts and line.open_qty]
    customs = customs_of(tx.connection, {sku_id for _, line in lines for sku_id in line.parts})
    plain = {sku_id for sku_id, custom in customs.items() if custom.base_id == sku_id}
    return {line.id: order_id for order_id, line in lines if not plain.isdisjoint(line.parts)}


def _read_anew(
    tx: Tx, ctx: Context, stored: Mapping[int, KnownOrder], line_ids: Collection[int], *, done: Collection[int]
) -> None:
    """Read lines again for how they are made; orders that come out as they are leave no trace."""
    concerned = [order for order in stored.values() if order.id not in done]
    pairs = [(order, order) for order in concerned if any(line.id in line_ids for line in order.lines)]
    if pairs:
        redecide(tx, ctx, pairs, event="order.changed", for_rules=True, respecify=line_ids)


def _differing(tx: Tx, stored: Sequence[KnownOrder]) -> list[tuple[KnownOrder, list[tuple[KnownLine, Mapped]]]]:
    """Return the orders with the open lines that would be mapped otherwise today, and how."""
    by_channel: dict[int, list[KnownOrder]] = {}
    for order in stored:
        by_channel.setdefault(order.channel_id, []).append(order)
    differing = []
    for channel_id, of_channel in by_channel.items():
        lines = [line for order in of_channel for line in order.of_channel if _may_change(line)]
        mapped = map_things(tx, channel_id, {Thing(line.channel_sku, line.item_ref) for line in lines})
        bases = bases_of(tx.connection, {sku_id for line in lines for sku_id in line.parts})
        for order in of_channel:
            mappings = [
                (line, ours)
                for line in order.of_channel
                if _may_change(line) and (ours := mapped.get(Thing(line.channel_sku, line.item_ref)))
                if as_mapped(line, ours) != _as_sold(line, bases)
            ]
            if mappings:
                differing.append((order, mappings))
    return differing


def _as_sold(line: KnownLine, bases: Mapping[int, int]) -> KnownLine:
    """Return the line as it was mapped, before it was put on the SKU of what somebody wants."""
    return replace(line, parts={bases.get(sku_id, sku_id): qty for sku_id, qty in line.parts.items()})


def _may_change(line: KnownLine) -> bool:
    return line.no_stock or bool(line.parts and line.open_qty)


def _is_fixed(line: KnownLine, told: set[int]) -> bool:
    """Whether some of the line has left or a warehouse was told to send it."""
    return bool(line.shipped_qty) or line.id in told


def _released_lines(tx: Tx, line_ids: Sequence[int]) -> set[int]:
    query = select(hold.c.owner_id).where(hold.c.owner_kind == LINE, hold.c.owner_id.in_(line_ids), hold.c.released)
    return set(tx.execute(query).scalars())


def _from_to(tx: Tx, pairs: Sequence[tuple[KnownLine, KnownLine]]) -> dict[str, str]:
    """Return in words, by the line's external id, what it was and what it is now."""
    ids = {sku_id for pair in pairs for line in pair for sku_id in line.parts}
    codes = sku_codes(tx.connection, ids)

    def words(line: KnownLine) -> str:
        return " + ".join(f"{qty} {codes[sku_id]}" for sku_id, qty in sorted(line.parts.items())) or "no goods"

    return {before.external_id: f"{words(before)} -> {words(after)}" for before, after in pairs}


def _task(order: KnownOrder, lines: dict[str, str]) -> Task:
    told = "; ".join(f"line {line}: {change}" for line, change in sorted(lines.items()))
    reason = f"mapped otherwise since parcels left or a warehouse was told to send it: {told}"
    return Task(kind=TASK, key=order.number, reason=reason, channel_id=order.channel_id, order_id=order.id)
