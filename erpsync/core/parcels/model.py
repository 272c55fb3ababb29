"""What is planned from, and what comes of it, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal, NamedTuple

from erpsync.core.orders import KnownOrder
from erpsync.core.release import Piece


class HeldKey(NamedTuple):
    """Which units are held: of a SKU, for an order line, in a warehouse."""

    line_id: int
    sku_id: int
    warehouse_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """What a SKU is, as far as parcels go. None is not known; a unit that weighs nothing weighs 0."""

    sku: str
    weight_g: int | None = None
    volume_cm3: int | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """An order of which units are held, or that a parcel of the same recipient should tell of.

    Args:
        merge_index: the keyed hash of its `merge_key`; None for one that is never merged.
        kind: how it came: `channel`, `cod`, `gift_recipient`, and others.
        under_way: our units, by (line id, SKU id), that open releases have already.
    """

    order: KnownOrder
    merge_index: bytes | None = None
    kind: str = "channel"
    under_way: Mapping[tuple[int, int], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelPacking:
    """How a channel's orders leave.

    Args:
        partial: whether an order waits until all of it is held, or what is held leaves.
        partial_min_minor: what that must be worth, by the order's currency; 0 where it is not in it.
        max_weight_g, max_units: the most in one parcel, in units of ours; None is no limit.
        merge_orders: so many orders at most in one parcel; 1 merges none.
        merge_weight_g: the most that a parcel of several orders weighs; None is no limit.
    """

    partial: Literal["whole", "ready"] = "whole"
    partial_min_minor: Mapping[str, int] = field(default_factory=dict)
    max_weight_g: int | None = None
    max_units: int | None = None
    merge_orders: int = 10
    merge_weight_g: int | None = None


_DEFAULT = ChannelPacking()


@dataclass(frozen=True, slots=True, kw_only=True)
class PackingPolicy:
    """How orders leave, by channel id; a parcel of several channels keeps the limits of each.

    Args:
        across: channels whose orders may share a parcel.
    """

    by_channel: Mapping[int, ChannelPacking] = field(default_factory=dict)
    across: tuple[frozenset[int], ...] = ()

    def of(self, channel_id: int) -> ChannelPacking:
        """Return a channel's own."""
        return self.by_channel.get(channel_id, _DEFAULT)

    def may_share(self, one: int, other: int) -> bool:
        """Whether orders of two channels may leave in one parcel."""
        return one == other or any(one in channels and other in channels for channels in self.across)


class Reason(StrEnum):
    """Why units stay, why an order did not come along, what is to be known of a parcel."""

    HELD = "held"
    NOT_READY = "not_ready"
    VOID = "void"
    BAD_MARK = "bad_mark"
    SHORT = "short"
    NOT_WHOLE = "not_whole"
    BELOW_LEAST = "below_least"
    SEALED = "sealed"
    TORN = "torn"
    SURPLUS = "surplus"
    GIFT_ALONE = "gift_alone"
    OTHER_KIND = "other_kind"
    OTHER_CURRENCY = "other_currency"
    OTHER_CARRIER = "other_carrier"
    OTHER_WAREHOUSE = "other_warehouse"
    OTHER_PART = "other_part"
    UNDER_WAY = "under_way"
    PARTIAL = "partial"
    SPLIT = "split"
    FULL = "full"
    UNKNOWN_WEIGHT = "unknown_weight"
    OVER_WEIGHT = "over_weight"
    OVER_UNITS = "over_units"
    RULE = "rule"


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """A reason with what decided it. Its values are counts, grams, codes: nothing of a person."""

    code: Reason
    values: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """Units of ours that do not leave. `warehouse_id` is None for those that are held nowhere."""

    order_id: int
    line_id: int
    sku_id: int
    warehouse_id: int | None
    qty: int
    because: Because


Due = tuple[datetime, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """Units that leave together: out of one warehouse, to one recipient.

    Args:
        order_ids: oldest due first.
        part: the name of the mark that keeps these units apart; empty for the rest.
        due: whose turn it is, that of its oldest order.
        carrier: couriers that its orders wish for.
        weight_g, volume_cm3: of the goods; None where that of one of them is not known.
        units: pieces, in units of ours.
        goods_minor: what the goods cost the buyer.
        because: what is to be known of it.
    """

    warehouse_id: int
    order_ids: tuple[int, ...]
    part: str
    pieces: tuple[Piece, ...]
    due: Due
    merge_index: bytes | None
    kind: str
    currency: str
    carrier: tuple[str, ...]
    weight_g: int | None
    volume_cm3: int | None
    units: int
    goods_minor: int
    because: tuple[Because, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What leaves, oldest due first, and what stays. Together they are all that the orders wait for."""

    parcels: tuple[Parcel, ...]
    stays: tuple[Stay, ...]
