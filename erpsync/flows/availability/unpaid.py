"""What the mere passing of time means for numbers: no message says so, so it is looked for."""

from collections.abc import Iterable

from sqlalchemy import func, select

from erpsync.core.availability import (
    UNPAID_COUNTS_FOR,
)
from erpsync.flows.context import Channel, Context
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.db.store import Tx
from erpsync.store.outbox.dirty import mark_dirty
from erpsync.store.tables import EPOCH, instant, line_part, micros, order_line, orders
from erpsync.store.unpaid import unpaid_by_sku, unpaid_orders


def age_unpaid(ctx: Context) -> int:
    """Mark the SKUs of unpaid orders that have just grown too old to count; return how many SKUs there were."""
    name = "unpaid aged"
    with ctx.store.read() as connection:
        mark = read_mark(connection, name)
    until = ctx.store.trusted_now() - UNPAID_COUNTS_FOR
    since = EPOCH if mark is None else instant(mark)
    aged = unpaid_orders(orders.c.placed_at <= until, after=since)
    of_aged = order_line.c.order_id.in_(aged.with_only_columns(aged.selected_columns.id))
    plain = select(order_line.c.sku_id).where(of_aged)
    bundled = select(line_part.c.sku_id).join(order_line, order_line.c.id == line_part.c.line_id).where(of_aged)
    # Scans line_part: PostgreSQL may walk the parts of bundles where they are few.
    with ctx.store.read() as connection:
        last = connection.execute(aged.with_only_columns(func.max(aged.selected_columns.placed_at))).scalar()
        if last is None:
            return 0
        skus = {sku_id for query in (plain, bundled) for sku_id in connection.execute(query).scalars() if sku_id}

    def mark_aged(tx: Tx) -> None:
        mark_dirty(tx, skus)
        set_mark(tx, name, micros(last))

    ctx.store.retrying(mark_aged)
    return len(skus)


def unpaid_units(tx: Tx, channel: Channel, skus: Iterable[int]) -> dict[int, int]:
    """Return the channel's own unpaid units that hold nothing, by SKU; orders older than three days do not count."""
    wanted = set(skus)
    if not wanted:
        return {}
    after = tx.trusted_now - UNPAID_COUNTS_FOR
    query = unpaid_by_sku(orders.c.channel_id == channel.id, skus=sorted(wanted), after=after)
    return {row.sku_id: int(row.qty) for row in tx.all(query) if row.sku_id in wanted}
