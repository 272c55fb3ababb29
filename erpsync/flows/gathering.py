"""Orders of which parts lie where nobody can send them: planned anew, as they would be planned today."""

from erpsync.core.orders import KnownOrder
from erpsync.flows.fulfil import Change, settle
from erpsync.flows.house import House
from erpsync.store.store import Tx


def gather(tx: Tx, house: House, order: KnownOrder) -> None:
    """Let the units of an order be whole wherever they lie, or wait until they can be; the order is locked."""
    settle(tx, house, [Change(before=order, after=order)])
