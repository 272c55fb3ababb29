"""Edits on the channel that a person has to look at."""

from collections.abc import Sequence

from erpsync.core.orders import CURRENCY, KnownOrder
from erpsync.flows.allocation.changes import Change
from erpsync.flows.allocation.recall import released_orders
from erpsync.flows.context import Channel
from erpsync.store.db.store import Tx
from erpsync.store.tasks import Task, open_tasks

Edited = tuple[Change, Sequence[str]]
"""A change of an order, and the names of what its view changed."""


def ask_about_edits(tx: Tx, channel: Channel, edited: Sequence[Edited]) -> None:
    """Ask a person to look at what was edited after parcels left or a release, and at another currency.

    Before that, an edit just counts.
    """
    released = released_orders(tx, [change.after.id for change, names in edited if names and change.before is not None])
    tasks = []
    for change, names in edited:
        before, after = change.before, change.after
        if before is None:
            continue
        about = {"channel_id": channel.id, "order_id": after.id}
        late = before.shipped_qty or (after.id in released and after.open_qty)
        edits = [name for name in names if name == "recipient" or name.startswith("line ")]
        if late and edits and not change.left:
            reason = f"edited on the channel after {_how_far(before)}: {', '.join(edits)}"
            tasks.append(Task(kind="order_edited", key=after.number, reason=reason, **about))
        for name in names:
            if name.startswith(f"{CURRENCY} "):
                reason = f"the channel changed the {name} of order {after.number}; its amounts were taken as they are"
                tasks.append(Task(kind="currency_changed", key=after.number, reason=reason, **about))
    open_tasks(tx, tasks)


def _how_far(order: KnownOrder) -> str:
    return "parcels left" if order.shipped_qty else "a warehouse was told to send it"
