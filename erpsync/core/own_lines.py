"""Lines that a channel does not know: they are nobody's parcel by themselves.

Why apart from a view's merge: no view is about them; they follow from what became of the lines that somebody bought.
"""

from dataclasses import replace

from erpsync.core.orders import KnownOrder, own_lines


def with_own_lines(order: KnownOrder) -> KnownOrder:
    """Return the order with its own lines closed where all of the channel's were cancelled, those of no rule else open.

    A gift alone is never a parcel; whether one is wanted otherwise is said by its rule. What has left with a line of
    the channel's, or of an order that has none of those, is not judged by them.
    """
    sold = order.of_channel
    if len(sold) in (0, len(order.lines)):
        return order
    gone = all(line.cancelled_qty == line.qty for line in sold)
    wanted = {line.id: line.qty if gone else 0 for line in own_lines(order) if gone or not line.rule}
    if all(wanted.get(line.id, line.closed_qty) == line.closed_qty for line in order.lines):
        return order
    lines = (replace(line, closed_qty=wanted.get(line.id, line.closed_qty)) for line in order.lines)
    return replace(order, lines=tuple(lines))
