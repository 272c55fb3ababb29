"""What refunds take out of an order, which of its lines they keep here, and which money nobody can place.

Why what was to pay is kept with a refund: channels lower an order's total for what they gave back, so money compared
with today's total would seem to cover goods that the buyer paid for and still wants.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from erpsync.core.asked import still_asked
from erpsync.core.orders import KnownOrder, Origin
from erpsync.sdk.types import Refund, RefundState


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRefund(Refund):
    """A refund as stored. `to_pay_minor` is what was to pay for the order when it was granted, None until then."""

    id: int
    to_pay_minor: int | None = None


def granted(refunds: Iterable[Refund]) -> list[Refund]:
    """Return those that were granted, the one granted first first."""
    return sorted(
        (refund for refund in refunds if refund.state is RefundState.GRANTED), key=lambda refund: refund.version_at
    )


def names_units(order: KnownOrder, refund: Refund) -> bool:
    """Whether a refund says which units of the order it takes.

    A line that the order does not have was taken out by a view that is newer than the refund; else it says nothing.
    """
    lines = {line.external_id for line in order.of_channel}
    named = {line.line_external_id for line in refund.lines if line.qty}
    return bool(named) and (named <= lines or order.reading.version_at >= refund.version_at)


def to_pay_when_granted(order: KnownOrder, refunds: Iterable[Refund]) -> dict[str, int]:
    """Return what was to pay for the order when each of its refunds was granted, by refund, where it is not kept yet.

    More money than the total of a view that is newer than the refund says that the view has it out of its total.
    """
    to_pay: dict[str, int] = {}
    money = granted(refunds)
    left = sum(refund.amount_minor for refund in money)
    for refund in money:
        if _kept(refund) is None:
            to_pay[refund.external_id] = _to_pay_at(order, refund.version_at, left)
        left -= refund.amount_minor
    return to_pay


def _to_pay_at(order: KnownOrder, at: datetime, money: int) -> int:
    """Return what was to pay at an instant; `money` is what was given back from then on."""
    if order.lowered_at is not None and at <= order.lowered_at:
        return _most(order)
    if money > order.total_minor and order.reading.version_at >= at:
        return max(_most(order), order.total_minor + money)
    return _most(order) if money > order.total_minor else order.total_minor


def _most(order: KnownOrder) -> int:
    return max(order.total_minor, order.most_minor or 0)


def _kept(refund: Refund) -> int | None:
    return refund.to_pay_minor if isinstance(refund, KnownRefund) else None


def with_refunds(order: KnownOrder, refunds: Iterable[Refund], *, net: bool | None = False) -> KnownOrder:
    """Return the order with the units that granted refunds take out of it.

    Money that names no units cancels only if it covers the whole order; where every refund names its units, those are
    all that they take.

    Args:
        net: whether the channel has taken granted money out of `total_minor` already; None when nobody here knows, then
            what was decided stays.
    """
    given = granted(refunds)
    named: dict[str, int] = {}
    for refund in given:
        for line in refund.lines:
            named[line.line_external_id] = named.get(line.line_external_id, 0) + line.qty
    whole = net is not None and covers_all(order, given, net=net)
    units: dict[int, int] = {}
    for stored in order.lines:
        by_name = named.get(stored.external_id, 0) if stored.origin is Origin.CHANNEL else 0
        taken = stored.qty if whole else by_name
        units[stored.id] = min(stored.qty, max(taken, stored.refunded_qty if net is None else 0))
    if all(stored.refunded_qty == units[stored.id] for stored in order.lines):
        return order
    return replace(order, lines=tuple(replace(stored, refunded_qty=units[stored.id]) for stored in order.lines))


def covers_all(order: KnownOrder, refunds: Iterable[Refund], *, net: bool) -> bool:
    """Whether granted money that does not all name its units covers the whole order.

    It does when a refund and those granted after it come to what was to pay when it was granted.
    """
    given = granted(refunds)
    if not unnamed_minor(order, given):
        return False
    if net:
        return order.total_minor == 0
    told = order.refunded_minor or 0
    if 0 < _most(order) <= told:
        return True
    left = sum(refund.amount_minor for refund in given)
    for refund in given:
        kept = _kept(refund)
        if 0 < max(order.total_minor, order.total_minor if kept is None else kept) <= left:
            return True
        left -= refund.amount_minor
    return False


def unnamed_minor(order: KnownOrder, refunds: Iterable[Refund]) -> int:
    """Return how much of the money given back names no units, as far as refunds and the order's own view tell."""
    given = granted(refunds)
    unnamed = sum(refund.amount_minor for refund in given if not names_units(order, refund))
    return unnamed + max(0, (order.refunded_minor or 0) - sum(refund.amount_minor for refund in given))


def is_unplaced(order: KnownOrder, refunds: Sequence[Refund]) -> bool:
    """Whether units are to leave although money was given back for the order and nobody said for which of them.

    Money that is no more than what units cost that were taken out otherwise (by the channel or a person) was for those.
    """
    unnamed = unnamed_minor(order, refunds)
    if not unnamed or not any(line.open_qty for line in order.of_channel):
        return False
    named: dict[str, int] = {}
    for refund in granted(refunds):
        for line in refund.lines:
            named[line.line_external_id] = named.get(line.line_external_id, 0) + line.qty
    otherwise = sum(
        line.price_minor * max(0, line.cancelled_qty - named.get(line.external_id, 0)) for line in order.of_channel
    )
    return unnamed > otherwise


def lines_asked(order: KnownOrder, refunds: Iterable[Refund]) -> frozenset[str] | None:
    """Return the lines that must stay because a refund of them is asked for; None when it is the whole order.

    What names no line of the order may mean any of them; with the last that the channel wants, what we added stays too.
    Words in the order's own view that name none are about a refund which is known, if that is at least as new as the
    view.
    """
    asked = [refund for refund in refunds if refund.state is RefundState.OPEN]
    lines = {line.external_id for line in order.of_channel}
    lines_named: set[str] = set()
    for refund in asked:
        if not names_units(order, refund):
            return None
        lines_named |= {line.line_external_id for line in refund.lines if line.qty}
    asked_ids = {refund.external_id for refund in asked}
    answered = any(refund.version_at >= order.reading.version_at for refund in asked)
    for name in still_asked(order.refund_asked, order.reading.version_at, refunds):
        line = name.partition(" ")[2]
        if name in asked_ids or (" " in name and line not in lines and answered):
            continue
        if " " not in name or line not in lines:
            return None
        lines_named.add(line)
    left = {line.external_id for line in order.of_channel if line.open_qty}
    if left and left <= lines_named and len(order.of_channel) < len(order.lines):
        return None
    return frozenset(lines_named)


def keeps_here(asked: Collection[str] | None, lines: Collection[str]) -> bool:
    """Whether any of these lines must stay; with `asked` None all must, and so must a parcel of lines unknown."""
    return asked is None or not lines or not set(asked).isdisjoint(lines)
