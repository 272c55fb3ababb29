"""Finding what a person or a file names."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from erpsync.core.orders import KnownOrder
from erpsync.flows.errors import Refused
from erpsync.store.db.store import Tx
from erpsync.store.orders import lock_order_ids
from erpsync.store.tables import channel, orders


def find_order(tx: Tx, name: str) -> KnownOrder:
    """Return the order of our number or the channel's id, locked; `Refused` when none or several are meant."""
    answer = find_orders(tx, [name])[name]
    if isinstance(answer, Refused):
        raise answer
    return answer


def find_orders(tx: Tx, names: Iterable[str]) -> dict[str, KnownOrder | Refused]:
    """Return, by name, the orders of our numbers or the channels' ids, locked; a `Refused` says why there is none."""
    wanted = sorted(set(names))
    query = select(orders.c.id, orders.c.number, orders.c.external_id)
    by_number = {row.number: [row] for row in tx.all(query.where(orders.c.number.in_(wanted)))}
    # A channel's ids have no index of their own: few channels, one look-up in each.
    named = query.where(orders.c.channel_id.in_(select(channel.c.id)), orders.c.external_id.in_(wanted))
    by_external: dict[str, list[Any]] = {}
    for row in tx.all(named):
        by_external.setdefault(row.external_id, []).append(row)
    meant = {name: by_number.get(name) or by_external.get(name, []) for name in wanted}
    locked = lock_order_ids(tx, [rows[0].id for rows in meant.values() if len(rows) == 1])
    answers: dict[str, KnownOrder | Refused] = {}
    for name, rows in meant.items():
        if len(rows) == 1:
            answers[name] = locked[rows[0].id]
        elif rows:
            numbers = ", ".join(row.number for row in rows)
            answers[name] = Refused(
                f"order {name} exists on several channels; use our number: {numbers}",
                kept=f"an order of that id exists on several channels; use our number: {numbers}",
            )
        else:
            answers[name] = Refused(f"order {name} is not known", kept="no order of that id is known")
    return answers
