"""Views that may lack lines of their order: what they do not show stays as it is known.

Why: a file that was filtered by goods or state, or cut inside an order, is no statement about the rows that it leaves
out. A line ends by its own status, never by being absent.
"""

from collections.abc import Iterable
from dataclasses import replace

from erpsync.core.orders import KnownLine, KnownOrder, Merged, merge_line, reported_shipped
from erpsync.sdk.types import Line, Order, OrderState

UNCLEAR = "lines were cancelled by a file that does not show the others; one that shows them decides"
"""How the hold of an order begins whose other lines may have been cancelled too."""


def completed(stored: KnownOrder, view: Order) -> Order:
    """Return a view that may lack lines as one of the whole order: its state is that of the order, not of some lines.

    What is still to leave and not shown keeps the order where it is. Where the view newly cancels all that it shows,
    nobody can tell whether the order was cancelled or some of its lines: then nothing leaves until a view shows a
    line that is to be sent.
    """
    if not view.some_lines:
        return view
    shown = {line.external_id for line in view.lines}
    if shown - {line.external_id for line in stored.of_channel}:
        view = replace(view, undated=False)  # how far the order was says nothing of lines that nobody had seen
    absent = [line for line in stored.of_channel if line.external_id not in shown and line.open_qty]
    if not absent:
        return view
    view = replace(view, do_not_ship=view.do_not_ship or _unclear(stored, view, absent))
    if view.state in (OrderState.UNPAID, OrderState.PAID):
        return view
    cancelled = view.state is OrderState.CANCELLED
    return replace(
        view,
        state=stored.state if cancelled else OrderState.PAID,
        ready_at=stored.ready_at if cancelled else stored.ready_at or view.ready_at,
        lines=tuple(_with_state(line, view.state) for line in view.lines),
    )


def _with_state(line: Line, state: OrderState) -> Line:
    if state is OrderState.CANCELLED:
        return replace(line, cancelled_qty=line.qty)
    return replace(line, shipped_qty=reported_shipped(line, state))


def _unclear(stored: KnownOrder, view: Order, absent: Iterable[KnownLine]) -> str:
    if view.state is not OrderState.CANCELLED:
        return ""
    open_before = {line.external_id for line in stored.of_channel if line.open_qty}
    news = [line.external_id for line in view.lines if line.external_id in open_before]
    if not news:
        return stored.do_not_ship if stored.do_not_ship.startswith(UNCLEAR) else ""
    return f"{UNCLEAR}: {', '.join(line.external_id for line in absent)}"


def adds(stored: KnownOrder, view: Order) -> bool:
    """Whether an older view shows lines that are not known yet; nothing else of it counts."""
    lines = {line.external_id for line in stored.of_channel}
    return view.some_lines and any(line.qty and line.external_id not in lines for line in view.lines)


def with_added(stored: KnownOrder, view: Order, line_ids: Iterable[int]) -> Merged:
    """Return the order with the lines of an older view that are not known yet."""
    ids, lines = iter(line_ids), {line.external_id for line in stored.of_channel}
    added: list[KnownLine] = []
    left: dict[int, int] = {}
    for incoming in view.lines:
        if incoming.external_id in lines or not incoming.qty:
            continue
        line = merge_line(None, incoming, view.state, ids)
        added.append(line)
        if gone := min(reported_shipped(incoming, view.state), line.open_qty):
            left[line.id] = gone
    order = replace(stored, lines=(*stored.lines, *added))
    if stored.state is OrderState.CANCELLED:
        paid_at = view.paid_at or stored.paid_at
        order = replace(order, state=view.state, ready_at=view.ready_at, paid_at=paid_at)
    return Merged(order=order, left_behind=left, changes=tuple(f"line {line.external_id} added" for line in added))
