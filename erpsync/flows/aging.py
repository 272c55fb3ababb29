"""What the mere passing of time means for numbers: no message says so, so it is looked for."""

from sqlalchemy import func, select

from erpsync.flows.fulfil import UNPAID_COUNTS_FOR
from erpsync.flows.house import House
from erpsync.store.dirty import mark_dirty
from erpsync.store.sequence import read_mark, set_mark
from erpsync.store.store import Tx
from erpsync.store.tables import EPOCH, instant, line_part, micros, order_line, orders
from erpsync.store.unpaid import unpaid_orders


def age_unpaid(house: House) -> int:
    """Mark the SKUs of unpaid orders that have just grown too old to count; return how many SKUs there were."""
    name = "unpaid aged"
    with house.store.read() as connection:
        known = read_mark(connection, name)
    until = house.store.trusted_now() - UNPAID_COUNTS_FOR
    since = EPOCH if known is None else instant(known)
    aged = unpaid_orders(orders.c.placed_at <= until, after=since)
    mine = order_line.c.order_id.in_(aged.with_only_columns(aged.selected_columns.id))
    plain = select(order_line.c.sku_id).where(mine)
    bundled = select(line_part.c.sku_id).join(order_line, order_line.c.id == line_part.c.line_id).where(mine)
    # Scans line_part: PostgreSQL may walk the parts of bundles where they are few.
    with house.store.read() as connection:
        last = connection.execute(aged.with_only_columns(func.max(aged.selected_columns.placed_at))).scalar()
        if last is None:
            return 0
        skus = {sku_id for query in (plain, bundled) for sku_id in connection.execute(query).scalars() if sku_id}

    def work(tx: Tx) -> None:
        mark_dirty(tx, skus)
        set_mark(tx, name, micros(last))

    house.store.retrying(work)
    return len(skus)
