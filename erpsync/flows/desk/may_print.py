"""Which papers may be printed: what speaks against one, in a sentence for whoever asked for it.

Why before a first paper the orders are read again, and only then: paper goes into hands that a later cancel does not
reach. A copy of what is out already changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from erpsync.core.orders import KnownOrder
from erpsync.core.release import may_leave
from erpsync.flows.context import Context
from erpsync.flows.desk.paper_rows import Head
from erpsync.flows.errors import error_text
from erpsync.flows.shipments.gate import UnreadError, reread
from erpsync.papers.style import PaperName

_LEFT = ("shipped", "kept")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What somebody wants printed.

    Args:
        number: of a release, or of a wave.
        copy: whether what was printed before is wanted again.
        reason: why it is.
    """

    paper: PaperName
    number: str
    copy: bool = True
    reason: str = ""
    actor: str


def read_again(ctx: Context, heads: Sequence[Head], orders: Mapping[int, KnownOrder]) -> dict[str, str]:
    """Read the orders of releases again that were read too long ago, outside any transaction.

    Return by release why one of its orders could not be. A channel that does not answer is asked once.
    """
    unread: dict[int, str] = {}
    down: dict[int, str] = {}
    for order in orders.values():
        shop = ctx.channels.get(order.channel_id)
        if shop is None:
            continue
        why = down.get(shop.id, "")
        if not why:
            try:
                reread(ctx, shop, order)
                continue
            except UnreadError as error:
                why = error_text(error.cause)
                if error.tells_of_channel:
                    down[shop.id] = why
        unread[order.id] = f"order {order.number} could not be read again on {shop.name}: {why}"
    return {head.number: unread[id] for head in heads for id in head.order_ids if id in unread}


def against(
    ctx: Context, wish: Wish, head: Head, orders: Sequence[KnownOrder], *, before: int, readable: Sequence[int]
) -> str:
    """Return what speaks against a paper of a release, nothing if it may be printed.

    Args:
        orders: those of the release.
        before: how often it was printed.
        readable: the channels whose refunds are known.
    """
    number, state = head.number, head.state
    if head.warehouse_id not in ctx.desks.values():
        return f"release {number} is not at a desk: the system of its warehouse prints"
    if state == "recalled":
        return f"release {number} is to be stopped: take its papers out"
    if state not in ("told", *_LEFT):
        return _ended(head)
    if before:
        return _against_copy(wish, head)
    if state in _LEFT:
        return f"release {number} has left"
    held = next((order for order in orders if not may_leave(order)), None)
    if held is not None:
        reasons = ", ".join(held.holds) or held.state.value
        return f"order {held.number} may not leave: {reasons}"
    unread = next((order for order in orders if order.channel_id not in readable), None)
    return "" if unread is None else f"the refunds of order {unread.number} were not read to the end yet"


def _ended(head: Head) -> str:
    if head.reason:
        return f"release {head.number} is {head.state}: {head.reason}"
    return f"release {head.number} is {head.state}"


def _against_copy(wish: Wish, head: Head) -> str:
    number = head.number
    if not wish.copy:
        return f"this paper of release {number} was printed before; say that a copy is wanted"
    if wish.reason:
        return ""
    if wish.paper == "label":
        return f"a second label of release {number} needs a reason"
    if head.state in _LEFT:
        return f"release {number} has left: a copy of its paper needs a reason"
    return ""
