"""Orders of which parts lie where nobody can send them: planned anew, as they would be planned today."""

from erpsync.core.orders import KnownOrder
from erpsync.flows.allocation.allocate import allocate
from erpsync.flows.allocation.changes import Change
from erpsync.flows.context import Context
from erpsync.store.db.store import Tx


def gather(tx: Tx, ctx: Context, order: KnownOrder) -> None:
    """Let the units of an order be whole wherever they lie, or wait until they can be; the order is locked."""
    allocate(tx, ctx, [Change(before=order, after=order)])
