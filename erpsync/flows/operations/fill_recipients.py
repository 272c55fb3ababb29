"""By what orders of one recipient are found, made for open orders that were stored before it was kept.

Why open ones only: what has left is never merged. Every batch and its mark are one commit, so it goes on where it
stopped.
"""

from functools import partial
from typing import Any

import structlog
from sqlalchemy import select

from erpsync.flows.context import Context
from erpsync.sdk.types import Recipient
from erpsync.store.db.bulk import update_many
from erpsync.store.db.privacy import PrivacyError, Vault
from erpsync.store.db.sequence import read_mark, set_mark
from erpsync.store.db.store import Tx
from erpsync.store.encrypted import merge_index, recipient_row
from erpsync.store.tables import orders

MARK = "recipients filled"
DONE = 0
AT_ONCE = 500
BATCHES = 100
"""So many are read in one run; the next run goes on."""

log = structlog.get_logger()


def fill_recipients(ctx: Context, *, at_once: int = AT_ONCE) -> int:
    """Fill in by what open orders of older versions are merged; return how many were filled.

    Once it is through, nothing is read any more but the mark.
    """
    vault = ctx.store.vault
    with ctx.store.read() as connection:
        mark = read_mark(connection, MARK)
    filled = 0
    for _ in range(BATCHES):
        if vault is None or mark == DONE:
            break
        mark, done = ctx.store.retrying(partial(_fill, ctx=ctx, vault=vault, mark=mark, at_once=at_once))
        filled += done
    if filled:
        log.info("recipients.filled", orders=filled)
    return filled


def _fill(tx: Tx, *, ctx: Context, vault: Vault, mark: int | None, at_once: int) -> tuple[int, int]:
    """Fill orders below the mark, newest first, and move it; return the new mark and how many were filled."""
    # Scans orders: the open ones, once in the life of a database.
    query = select(orders.c.id, orders.c.channel_id, orders.c.external_id, orders.c.placed_at, orders.c.recipient)
    query = query.where(
        orders.c.phase.in_(("unpaid", "held", "ready", "partially_shipped")),
        orders.c.recipient.is_not(None),
        orders.c.merge_index.is_(None),
    )
    below = query if mark is None else query.where(orders.c.id < mark)
    found = tx.execute(below.order_by(orders.c.id.desc()).limit(at_once)).all()
    ids = [row.id for row in found]
    locked = tx.all(query.where(orders.c.id.in_(ids)).order_by(orders.c.id).with_for_update(key_share=True))
    made = [{"id": row.id, "merge_index": index} for row in locked if (index := _index(ctx, vault, row)) is not None]
    update_many(tx, orders, made, keys=["id"])
    left = ids[-1] if len(ids) == at_once else DONE
    set_mark(tx, MARK, left)
    return left, len(made)


def _index(ctx: Context, vault: Vault, row: Any) -> bytes | None:
    """Return it for a stored order; None where its recipient cannot be opened, or is never merged."""
    try:
        recipient = Recipient(**vault.decrypt(row.recipient, row=recipient_row(row.channel_id, row.external_id)))
    except PrivacyError:
        return None
    seller = ctx.seller(row.channel_id)
    same = None if seller is None else seller.same_recipient(recipient, row.placed_at)
    return merge_index(vault, recipient, same=same)
