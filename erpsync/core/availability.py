"""The number a channel is told, and the brake that holds back a wave of zeros."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import ROUND_FLOOR, Decimal

from erpsync.core.policy import BrakePolicy, StockPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """One SKU in one warehouse."""

    on_hand: int
    reserved: int
    safety_stock: int
    paused: bool = False

    @property
    def available(self) -> int:
        """Units free to promise; never below zero."""
        return 0 if self.paused else max(0, self.on_hand - self.reserved - self.safety_stock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What people have set for one SKU on a channel.

    Args:
        safety: our units that the channel is not offered, before its ratio.
        cap, buffer: in place of the channel's, where given; the cap in the channel's units.
        paused: whether it shows 0, whatever there is.
    """

    safety: int = 0
    cap: int | None = None
    buffer: int | None = None
    paused: bool = False


NOTHING_OWN = Own()


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many of our units of one SKU a channel may show, and what made it so many.

    Args:
        available: units free to promise over the channel's warehouses.
        offered: what is left of them without those that people keep from the channel.
        shared: the channel's share of that, rounded down.
        buffer: units that it is never told.
        unpaid: units in its unpaid orders that hold nothing.
    """

    available: int
    offered: int
    shared: int
    buffer: int
    unpaid: int

    @property
    def qty(self) -> int:
        """The units that may be shown; never below zero."""
        return max(0, self.shared - self.buffer - self.unpaid)


def share(*, available: int, unpaid: int, policy: StockPolicy, own: Own = NOTHING_OWN) -> Share:
    """Return what of a SKU's units a channel may show: `floor((available - safety) x ratio) - buffer - unpaid`.

    No cap is in it, see `capped`: of a bundle only its own counts.

    Args:
        available: our units over the channel's warehouses.
        unpaid: our units in that channel's unpaid orders that hold nothing.
    """
    offered = max(0, available - own.safety)
    return Share(
        available=available,
        offered=offered,
        shared=int((Decimal(offered) * Decimal(str(policy.ratio))).to_integral_value(rounding=ROUND_FLOOR)),
        buffer=policy.buffer if own.buffer is None else own.buffer,
        unpaid=unpaid,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivation:
    """The number that a listing should show, and all that made it so.

    Args:
        qty: the number; None when the stock of one of its SKUs is unknown.
        parts: our units in one of the channel's, by SKU.
        shares: what may be shown of each SKU; of none when people have paused it or one is unknown.
        paused: those of its SKUs that people have paused on the channel, itself first.
        unknown: those of its SKUs of which no warehouse of the channel has a row.
        whole: what the part that allows the least makes.
        together: what can be sent whole, where parts lie in warehouses that bring nothing together.
    """

    qty: int | None
    parts: Mapping[int, int]
    shares: Mapping[int, Share] = field(default_factory=dict)
    paused: tuple[int, ...] = ()
    unknown: tuple[int, ...] = ()
    whole: int = 0
    together: int | None = None


def derive(
    parts: Mapping[int, int],
    shares: Mapping[int, Share],
    *,
    free: Mapping[int, Mapping[int, int]],
    groups: Sequence[Sequence[int]],
    policy: StockPolicy,
    own: Own = NOTHING_OWN,
) -> Derivation:
    """Return what a listing shows: what every part of it allows, no more than can be sent whole, and than its cap.

    Args:
        parts: our units in one of the channel's, by SKU.
        shares: what may be shown of each.
        free: our units free to promise, by SKU and warehouse.
        groups: warehouses that can each send a whole unit.
        own: what people have set for the listing's own SKU.
    """
    qtys = {sku_id: each.qty for sku_id, each in shares.items()}
    whole = min(qty // parts[sku_id] for sku_id, qty in qtys.items())
    together = None
    if len(groups) > 1 and sum(parts.values()) > 1:
        together = whole_number(parts, groups, free, qtys)
    qty = whole if together is None else min(whole, together)
    return Derivation(
        qty=capped(qty, policy=policy, own=own), parts=parts, shares=shares, whole=whole, together=together
    )


def capped(qty: int, *, policy: StockPolicy, own: Own = NOTHING_OWN) -> int:
    """Return a number no higher than the listing's cap: its SKU's own, else the channel's."""
    cap = policy.cap if own.cap is None else own.cap
    return qty if cap is None else min(qty, cap)


def whole_number(
    parts: Mapping[int, int],
    groups: Sequence[Sequence[int]],
    free: Mapping[int, Mapping[int, int]],
    shares: Mapping[int, int],
) -> int:
    """Return how many units can be sent whole, each from one group of warehouses.

    What is held back of a part (buffers, unpaid orders) is taken from units of it that make no whole one first.

    Args:
        parts: our units in one of the listing's, by SKU.
        free: our units free to promise, by SKU and warehouse.
        shares: our units that may be shown, by SKU.
    """
    whole = sum(_whole(parts, group, free) for group in groups)
    lost = 0
    for sku_id, qty in parts.items():
        total = sum(free[sku_id].values())
        loose, kept_back = total - whole * qty, total - shares[sku_id]
        lost = max(lost, -((loose - kept_back) // qty))
    return max(0, whole - lost)


def _whole(parts: Mapping[int, int], group: Sequence[int], free: Mapping[int, Mapping[int, int]]) -> int:
    return min(sum(free[sku_id].get(w, 0) for w in group) // qty for sku_id, qty in parts.items())


def explained(*, told_qty: int, units: int, taken: int) -> bool:
    """Return whether sales and holds account for the fall of a listing from `told_qty` to 0.

    Args:
        units: our units in one of the channel's.
        taken: our units sold since the number was told, held now, or wanted by unpaid orders.
    """
    return taken >= told_qty * units


def braked(*, unexplained_zeros: int, told_above_zero: int, policy: BrakePolicy) -> bool:
    """Return whether so many listings went to zero for no reason we know that a person must look.

    Args:
        unexplained_zeros: listings last told > 0 whose new number is 0 without a sale or hold, in the last 60 s.
        told_above_zero: listings last told > 0, the above among them.
    """
    return told_above_zero >= policy.min_listings and unexplained_zeros > policy.zero_share * told_above_zero


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a channel was told about a listing: the last accepted number and all sent since without an answer.

    Args:
        earlier: accepted numbers before that, the latest first.
        late: numbers of calls that had no answer and may still take effect, behind later ones.
        late_over: whether that time is over: what they left behind is mended by telling the number once more.
    """

    accepted: int | None
    sure: bool
    sent_since: tuple[int, ...] = ()
    earlier: tuple[int, ...] = ()
    late: tuple[int, ...] = ()
    late_over: bool = False

    @property
    def still_late(self) -> tuple[int, ...]:
        """The numbers that may take effect behind one that is sent now."""
        return () if self.late_over else self.late

    @property
    def lowest(self) -> int | None:
        """The lowest number the channel may be showing; None when it was never told."""
        numbers = [*self.sent_since, *self.late, *([] if self.accepted is None else [self.accepted])]
        return min(numbers) if numbers else None

    def needs(self, qty: int) -> bool:
        """Whether `qty` has to be sent: unsure is never equal."""
        return not (self.sure and self.accepted == qty)

    def lowers(self, qty: int) -> bool:
        """Whether sending `qty` can only lower what the channel shows; a first number never does, but 0 does.

        A 0 that was accepted and not followed by anything is not sent again, but for what a late call left behind.
        """
        if qty == 0:
            return self.accepted != 0 or bool(self.sent_since) or (self.late_over and any(self.late))
        return self.lowest is not None and qty < self.lowest


def is_sure(qty: int, late: Sequence[int]) -> bool:
    """Return whether an accepted number is what the channel shows, whatever calls without an answer do yet."""
    return all(number == qty for number in late)


def pack_sent(numbers: Sequence[int]) -> str:
    """Return how `Told.sent_since` is stored."""
    return json.dumps(list(numbers))


def unpack_sent(stored: str) -> tuple[int, ...]:
    """Return `Told.sent_since` as stored by `pack_sent`."""
    return tuple(json.loads(stored))


UNPAID_COUNTS_FOR = timedelta(days=3)
