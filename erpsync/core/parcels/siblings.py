"""Which other orders of a parcel's recipient could not come along, and why.

Why the desk is told: a buyer who gets one parcel of two asks where the other is, and a warehouse that knows can wait.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from erpsync.core.parcels.marks import NO_MARKS, OrderMarks
from erpsync.core.parcels.model import (
    Because,
    Candidate,
    ChannelPacking,
    PackingPolicy,
    Parcel,
    Plan,
    Reason,
    Stay,
)
from erpsync.core.parcels.portions import against

MOST_SIBLINGS = 50
"""So many a parcel tells of, oldest due first: a reseller with thousands of orders is one recipient, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """An order of the same recipient that is not in the parcel."""

    order_id: int
    because: Because


def siblings(
    orders: Iterable[Candidate], planned: Plan, marks: Mapping[int, OrderMarks], policy: PackingPolicy
) -> dict[int, tuple[Sibling, ...]]:
    """Return the siblings of parcels by their place in the plan, oldest due first; parcels without any are left out.

    Args:
        orders: those of the plan. One that is neither due nor paid, or of which nothing is open, is nobody's sibling,
            nor is one of a channel whose orders may not share the parcel.
    """
    families = _by_recipient(orders)
    stays, leaves = _first_stays(planned), _leaves(planned)
    channel_of = {each.order.id: each.order.channel_id for family in families.values() for each in family}
    found: dict[int, tuple[Sibling, ...]] = {}
    for at, parcel in enumerate(planned.parcels):
        channels = {channel_of[order_id] for order_id in parcel.order_ids if order_id in channel_of}
        others = (
            other
            for other in families.get(parcel.merge_index or b"", ())
            if other.order.id not in parcel.order_ids
            and all(policy.may_share(other.order.channel_id, channel) for channel in channels)
        )
        if told := [
            Sibling(
                order_id=other.order.id,
                because=_because(
                    other, parcel, leaves.get(other.order.id, []), stays.get(other.order.id), marks, policy
                ),
            )
            for other in islice(others, MOST_SIBLINGS)
        ]:
            found[at] = tuple(told)
    return found


def _by_recipient(orders: Iterable[Candidate]) -> dict[bytes, list[Candidate]]:
    """Return orders that wait for something, by recipient; those who have only one are left out."""
    families: dict[bytes, list[Candidate]] = {}
    for candidate in orders:
        order = candidate.order
        if candidate.merge_index is not None and order.open_qty and (order.ready_at or order.paid_at):
            families.setdefault(candidate.merge_index, []).append(candidate)
    return {
        index: sorted(family, key=lambda candidate: candidate.order.due)
        for index, family in families.items()
        if len(family) > 1
    }


def _first_stays(planned: Plan) -> dict[int, Stay]:
    """Return why units of orders stay, by order; what holds a whole order counts more than what is missing of it."""
    first: dict[int, Stay] = {}
    for stay in planned.stays:
        known = first.get(stay.order_id)
        if known is None or known.because.code in _LESSER:
            first[stay.order_id] = stay
    return first


_LESSER = (Reason.SHORT, Reason.TORN, Reason.SURPLUS, Reason.GIFT_ALONE)
"""Reasons that are about some units of an order."""
_APART = (Reason.PARTIAL, Reason.SPLIT)
"""What is said of parcels that share no other order."""


def _leaves(planned: Plan) -> dict[int, list[Parcel]]:
    leaves: dict[int, list[Parcel]] = {}
    for parcel in planned.parcels:
        for order_id in parcel.order_ids:
            leaves.setdefault(order_id, []).append(parcel)
    return leaves


def _because(
    other: Candidate,
    parcel: Parcel,
    own: Sequence[Parcel],
    stay: Stay | None,
    marks: Mapping[int, OrderMarks],
    policy: PackingPolicy,
) -> Because:
    """Return why an order is not in a parcel of its recipient: what keeps it back, else what sets it apart.

    Args:
        own: the parcels in which it leaves.
    """
    if held := against(other.order, marks.get(other.order.id, NO_MARKS)):
        return held
    if stay is not None and not (own and stay.because.code in (Reason.SURPLUS, Reason.GIFT_ALONE)):
        return stay.because
    if not own:
        return Because(code=Reason.UNDER_WAY)
    if any(marks.get(order_id, NO_MARKS).no_merge for order_id in (other.order.id, *parcel.order_ids)):
        return Because(code=Reason.SEALED)
    return next(_differs(other, parcel, own, policy.of(other.order.channel_id)), Because(code=Reason.FULL))


def _differs(other: Candidate, parcel: Parcel, own: Sequence[Parcel], packing: ChannelPacking) -> Iterator[Because]:
    first = own[0]
    if first.kind != parcel.kind:
        yield Because(code=Reason.OTHER_KIND, values={"kind": other.kind})
    if first.currency != parcel.currency:
        yield Because(code=Reason.OTHER_CURRENCY, values={"currency": first.currency})
    if first.carrier != parcel.carrier:
        yield Because(code=Reason.OTHER_CARRIER, values={"carrier": " ".join(first.carrier)})
    yield from (because for each in (parcel, *own) for because in each.because if because.code in _APART)
    near = [each for each in own if each.warehouse_id == parcel.warehouse_id]
    if not near:
        yield Because(code=Reason.OTHER_WAREHOUSE)
    if all(each.part != parcel.part for each in near):
        yield Because(code=Reason.OTHER_PART)
    limited = packing.max_weight_g is not None or packing.merge_weight_g is not None
    if limited and any(each.weight_g is None for each in (parcel, *near)):
        yield Because(code=Reason.UNKNOWN_WEIGHT)
